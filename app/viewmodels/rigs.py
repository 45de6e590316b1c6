"""Rig files of this computer: those that were saved, and the one that the running rig would be."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from app.compose import CameraLine, Studio
from app.flow.order import role_of
from app.language import from_below, tr, tr_many
from drivers.errors import CameraError, RigFileError
from drivers.rig import KINDS, SUFFIX, RigCamera, RigFile, read_rig, write_rig

RIG_SUFFIX = SUFFIX


@dataclass(frozen=True)
class RigRow:
    """One saved rig.

    Attributes:
        path: of the file.
        title: the rig's name, or the file's.
        facts: its cameras.
        problem: why it cannot be opened; empty where it can.
        hint: what to do about it.
    """

    path: Path
    title: str
    facts: str
    problem: str = ""
    hint: str = ""


def saved_rigs(folder: Path) -> tuple[RigRow, ...]:
    """The rig files of a folder, the newest first."""
    paths = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return tuple(_row(path) for path in paths)


def _row(path: Path) -> RigRow:
    try:
        rig = read_rig(path)
    except RigFileError as error:
        return RigRow(path, path.stem, str(path), from_below(str(error)), from_below(error.hint))
    names = ", ".join(camera.name or camera.source for camera in rig.camera)
    return RigRow(path, rig.name or path.stem, names or tr("all cameras that are found"))


def rig_of(studio: Studio, *, name: str) -> RigFile:
    """The rig that runs, as a file would have it; without what no file can open again."""
    pipeline = studio.pipeline
    lines = {} if pipeline is None else pipeline.lines
    sources = {camera_id: _source(studio, line) for camera_id, line in lines.items()}
    names = Counter(line.info.name for line in lines.values())
    cameras = []
    seen = set()
    for camera_id, line in lines.items():
        source = sources[camera_id]
        if not source or source in seen:  # the cameras of one session are one source
            continue
        seen.add(source)
        alone = list(sources.values()).count(source) == 1
        info = line.info
        called = info.name if names[info.name] == 1 else f"{info.name} {info.serial}"
        cameras.append(
            RigCamera(
                source=source,
                name=called if alone else "",
                **(_mode(line) if source.partition(":")[0] in KINDS else {}),
                sync=role_of(line.camera).value,
                controls=dict(line.desk.wanted.values) if alone else {},
            )
        )
    calibration = studio.rig.calibration
    where = "" if calibration is None else str(calibration.absolute())
    return RigFile(name=name, calibration=where, camera=tuple(cameras))


def save_rig(studio: Studio, folder: Path) -> Path:
    """Write the rig that runs as a new file.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%d %H:%M")
    rig = rig_of(studio, name="")
    cameras = tr_many("{count:,} camera", "{count:,} cameras", len(rig.camera))
    named = rig.model_copy(update={"name": f"{cameras}, {stamp}"})
    path = folder / f"rig-{time.strftime('%Y%m%d-%H%M%S')}{SUFFIX}"
    write_rig(path, named)
    return path


def _source(studio: Studio, line: CameraLine) -> str:
    """What opens the camera; one that came later knows it itself."""
    return str(studio.rig.sources.get(line.info.id) or getattr(line.camera, "source", ""))


def _mode(line: CameraLine) -> dict[str, int | bool]:
    """Size and rate that it runs at; nothing of a camera that was never open."""
    rate_hz = round(line.info.rate_hz)
    frame = line.channel.newest.latest()
    try:
        color = line.camera.calibration.color
    except CameraError:
        return {"rate_hz": rate_hz}
    infrared = frame is None or frame.ir_left is not None
    return {"width": color.width, "height": color.height, "rate_hz": rate_hz, "infrared": infrared}
