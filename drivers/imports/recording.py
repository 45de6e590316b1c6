"""What every reader of another program's files gives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.frame import Frame

EPOCH_FROM_NS = 946_684_800_000_000_000
"""Later times count from 1970 (this is the year 2000); earlier ones from whatever moment."""


@dataclass(frozen=True, eq=False)
class Imported:
    """One frame of a recording.

    Attributes:
        frame: its `captured_ns` counts from 1970 in UTC, or from a moment that all cameras share.
        color_file: the colour image as it was stored, where that is a JPEG or PNG file.
        target: depth that the recording holds besides the measured one, in the colour grid.
    """

    frame: Frame
    color_file: bytes | None = None
    target: DepthMap | None = None


@dataclass(frozen=True, eq=False)
class RecordedCamera:
    """One camera of a recording.

    Attributes:
        info: of the camera.
        frames: reads them in the order of their times; raises `CameraError` where the files are damaged.
        count: frames that there may be; None where that is not known before.
    """

    info: CameraInfo
    frames: Callable[[], Iterator[Imported]]
    count: int | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """What was found in a path.

    Attributes:
        source: format and name.
        cameras: with at least one frame, as far as one can tell.
        notes: what of the recording is not taken over, or is assumed.
        target: what `Imported.target` is.
    """

    source: str
    cameras: tuple[RecordedCamera, ...]
    notes: tuple[str, ...] = ()
    target: str = ""
