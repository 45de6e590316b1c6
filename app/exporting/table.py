"""The table of exporters, and what they share: a record, resuming, progress."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.exporting.clouds import point_clouds
from app.exporting.frames import frame_folders
from app.exporting.lerobot import lerobot_dataset, write_tables
from app.exporting.mdm import mdm_layout, write_intrinsics
from app.exporting.moge import moge_layout, write_index
from app.exporting.pieces import Piece, run_pieces
from app.exporting.record import ExportRecord
from app.exporting.shards import tar_shards
from app.exporting.source import ExportOptions, Repairer, Source
from app.exporting.tum import tum_layout, write_lists
from app.exporting.video import comparison_videos
from app.language import tr_noop
from drivers.session.reader import Session
from drivers.session.verify import Progress


def _nothing(_source: Source, _folder: Path) -> None:
    pass


@dataclass(frozen=True)
class Exporter:
    """One format.

    Attributes:
        name: as it is typed.
        title: as the screen says it.
        writes: what it writes, in one sentence.
        plan: the pieces of work.
        finish: writes what needs all pieces; may run again.
        notes: what whoever reads the files must know.
        shared: whether a folder can hold several sessions of it.
        chooses_depth: whether it holds one depth only, raw or refined.
    """

    name: str
    title: str
    writes: str
    plan: Callable[[Source, Path], list[Piece]]
    finish: Callable[[Source, Path], None] = _nothing
    notes: tuple[str, ...] = ()
    shared: bool = False
    chooses_depth: bool = False


_REGISTERED = tr_noop("Depth lies in the colour camera's pixels (drivers.geometry.register_depth).")
_DISTORTED = tr_noop(
    "Colour images keep their lens distortion; its coefficients are beside the camera matrix."
)

EXPORTERS = (
    Exporter(
        "frames",
        tr_noop("Folder of frames"),
        tr_noop("A folder for each frame with colour, raw and refined depth, lens and time."),
        frame_folders,
        notes=(_REGISTERED, _DISTORTED),
    ),
    Exporter(
        "mdm",
        tr_noop("MDM data set"),
        tr_noop(
            "The published data set's layout: color, rawdepth and gtdepth in millimetres, intrinsic.txt."
        ),
        mdm_layout,
        write_intrinsics,
        notes=(
            _REGISTERED,
            tr_noop("gtdepth is exact depth of simulated cameras, else refined depth; others have none."),
            tr_noop("Depth in another unit than millimetres is rounded to millimetres."),
        ),
        shared=True,
    ),
    Exporter(
        "moge",
        tr_noop("MoGe"),
        tr_noop("MoGe's layout: .index.txt, and image.jpg, depth.png, meta.json for each frame."),
        moge_layout,
        write_index,
        notes=(_REGISTERED, tr_noop("Depth is rounded to a logarithmic scale of 65,533 steps."), _DISTORTED),
        shared=True,
        chooses_depth=True,
    ),
    Exporter(
        "tum",
        tr_noop("TUM RGB-D"),
        tr_noop("The TUM benchmark's layout: rgb and depth images by time, with their lists, 1/5000 m."),
        tum_layout,
        write_lists,
        notes=(
            _REGISTERED,
            tr_noop("Depth beyond 13.1 m has no count of 1/5000 m and is left out."),
            _DISTORTED,
        ),
        chooses_depth=True,
    ),
    Exporter(
        "webdataset",
        tr_noop("WebDataset"),
        tr_noop("Tar files of 500 samples with colour, raw, refined and exact depth, and a JSON of each."),
        tar_shards,
        notes=(_REGISTERED, _DISTORTED),
        shared=True,
    ),
    Exporter(
        "lerobot",
        tr_noop("LeRobot v3"),
        tr_noop(
            "A LeRobot data set of one episode; its depth has 12 bits: steps of 1.5 mm at 1 m, 2.8 mm at 5 m."
        ),
        lerobot_dataset,
        write_tables,
        notes=(
            _REGISTERED,
            tr_noop("Depth has 12 bits on a logarithmic scale from 10 mm to 10 m; what lies beyond is 10 m."),
            tr_noop("Code 0 is no measurement; LeRobot reads it as 10 mm."),
            tr_noop("Cameras are put on one clock; observation.utc_ns has the real times."),
        ),
        chooses_depth=True,
    ),
    Exporter(
        "ply",
        tr_noop("Point clouds"),
        tr_noop("A binary PLY for each frame in metres, with colour and the provenance of each point."),
        point_clouds,
        chooses_depth=True,
    ),
    Exporter(
        "video",
        tr_noop("Comparison video"),
        tr_noop("An MP4 of each camera: colour, raw and refined depth and provenance side by side."),
        comparison_videos,
        shared=True,
    ),
)

BY_NAME = {exporter.name: exporter for exporter in EXPORTERS}


@dataclass(frozen=True)
class Exported:
    """What an export holds now.

    Attributes:
        frames: in all.
        fresh: of them written by this run.
        left_out: frames of the session without the depth that was asked for.
    """

    frames: int
    fresh: int
    left_out: int


def export(
    session: Session,
    exporter: Exporter,
    folder: Path,
    *,
    options: ExportOptions,
    progress: Progress,
    repair: Repairer | None = None,
) -> Exported:
    """Write a session's frames in a format, and beside them what was exported how.

    The same call again goes on where the one before was stopped.

    Args:
        session: whole.
        exporter: of `EXPORTERS`.
        folder: made where it is missing.
        options: which frames and which depth.
        progress: gets frames done and frames in all; false stops.
        repair: makes refined depth now, instead of what was recorded.

    Raises:
        SessionError: the session is damaged, or holds no frame.
        UsageError: nothing is left to export, or the folder holds another export.
        LibraryMissing: the format needs a library that is not installed.
        Cancelled: `progress` returned false.
        OSError: the folder cannot be written.
    """
    source = Source(session, options, repair)
    pieces = exporter.plan(source, folder)
    record = ExportRecord(folder, source, exporter.name, exporter.notes, shared=exporter.shared)
    record.begin()
    fresh = run_pieces(pieces, source, progress=progress, made=record.add)
    exporter.finish(source, folder)
    record.end()
    return Exported(len(source.spots), fresh, source.left_out)
