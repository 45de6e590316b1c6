"""Frames that a repair is judged on: folders of pictures, recorded sessions, data sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.errors import CameraError
from drivers.frames_folder import frame_folders, load_frame, load_meta
from drivers.geometry import register_depth
from drivers.session.library import is_session
from drivers.session.reader import Session
from trainer.data.dataset import split
from trainer.data.images import LONG_SIDE_PX, counts_of, fitted, resized_color, resized_depth
from trainer.data.kinds import KINDS
from trainer.errors import DataError

NEAREST_M, FARTHEST_M = 0.05, 10.0
"""Depth outside is a hole and no truth, as in the evaluation of most data sets."""
FEWEST_MEASURED = 0.2
"""A frame with a smaller share of depth is not asked for what is hidden."""


@dataclass(frozen=True, eq=False)
class TestFrame:
    """One frame to repair.

    Attributes:
        key: "source/frame"; seeds depend on it.
        color: (H, W, 3) uint8 RGB.
        depth_m: (H, W) float32 metres as measured, 0 for a hole.
        truth_m: (H, W) float32 metres, 0 where unknown; None where nothing is known.
        objects: (H, W) bool, true on objects that sensors fail on; None where nobody marked them.
    """

    __test__ = False  # pytest would take it for a test

    key: str
    color: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    truth_m: NDArray[np.float32] | None = None
    objects: NDArray[np.bool_] | None = None

    @property
    def source(self) -> str:
        """Sources weigh the same, whatever their number of frames."""
        return self.key.partition("/")[0]


def frames_of(place: str, *, per_source: int) -> Iterator[TestFrame]:
    """Frames of one place, `per_source` of each source, evenly spaced.

    Args:
        place: a folder of frame folders, a session, or KIND:FOLDER for a data set, of which those scenes are
            taken that training holds out.
        per_source: most frames of a folder of frames, of one camera of a session, or of a data set.

    Raises:
        DataError: there is nothing to be read.
        SessionError: the session is damaged.
    """
    kind, colon, folder = place.partition(":")
    if colon and kind in KINDS:
        yield from _of_dataset(kind, Path(folder), per_source)
    elif is_session(Path(place)):
        yield from _of_session(Path(place), per_source)
    else:
        yield from _of_folders(Path(place), per_source)


def spaced(count: int, wanted: int) -> list[int]:
    """At most `wanted` numbers below `count`, evenly spaced, ends included."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(wanted, count))})


def _of_dataset(kind: str, folder: Path, per_source: int) -> Iterator[TestFrame]:
    dataset = KINDS[kind].open(folder)
    _, held_out = split(dataset)
    for place in spaced(len(held_out), per_source):
        sample = dataset.read(int(held_out[place]))
        truth_m = _limited(sample.target_m)
        depth_m = truth_m if dataset.clean else _limited(sample.depth_m)
        yield TestFrame(f"{kind} {folder.name}/{held_out[place]}", sample.color, depth_m, truth_m)


def _of_session(path: Path, per_source: int) -> Iterator[TestFrame]:
    session = Session(path)
    for camera_id in session.camera_ids:
        for number in spaced(session.count(camera_id), per_source):
            frame = session.frame(camera_id, number)
            depth_m = register_depth(frame.depth, frame.calibration).metres
            size = fitted(frame.color)
            truth_m = None if frame.truth is None else _limited(resized_depth(frame.truth.metres, size))
            yield TestFrame(
                f"{path.name} {camera_id}/{number}",
                resized_color(frame.color, size),
                _limited(resized_depth(depth_m, size)),
                truth_m,
            )


def _of_folders(root: Path, per_source: int) -> Iterator[TestFrame]:
    try:
        folders = frame_folders(root)
    except CameraError as error:
        raise DataError(error.args[0], hint=error.hint) from error
    by_source: dict[str, list[Path]] = {}
    for folder in folders:
        by_source.setdefault(folder.parent.name if folder != root else root.name, []).append(folder)
    for source, members in by_source.items():
        for place in spaced(len(members), per_source):
            yield _of_folder(members[place], f"{source}/{members[place].name}")


def _of_folder(folder: Path, key: str) -> TestFrame:
    try:
        frame = load_frame(folder)
    except CameraError as error:
        raise DataError(error.args[0], hint=error.hint) from error
    size = fitted(frame.color, LONG_SIDE_PX)
    truth_m = objects = None
    if (folder / "gt.png").is_file():
        meta = load_meta(folder)
        scale = float(meta.get("gt_scale", meta.get("depth_scale", "1000")))
        truth_m = _limited(resized_depth(counts_of(folder / "gt.png") / np.float32(scale), size))
    if (folder / "mask.png").is_file():
        mask = cv2.imread(str(folder / "mask.png"), cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise DataError(f"{folder / 'mask.png'} is no picture.", hint="Write it again or remove it.")
        objects = resized_depth(mask > 127, size) > 0
    color = frame.color if size == frame.color.shape[1::-1] else resized_color(frame.color, size)
    return TestFrame(key, color, _limited(resized_depth(frame.depth.metres, size)), truth_m, objects)


def _limited(depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
    inside = (depth_m >= NEAREST_M) & (depth_m <= FARTHEST_M)
    return np.where(inside, depth_m, np.float32(0))
