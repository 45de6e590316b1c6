"""Aria Digital Twin: glasses with a fisheye lens in rooms that were rebuilt to the millimetre.

Each sequence is a folder with `video.vrs` and `depth_images.vrs`. Depth is 16-bit millimetres along the
optical axis. Colour and depth are brought into a pinhole camera and turned upright, by projectaria_tools,
which knows the lens (FISHEYE624).
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.datasets.files import listed
from trainer.data.datasets.taskonomy import clean_sample
from trainer.data.images import metres, usable
from trainer.data.samples import Sample
from trainer.errors import DataError

UNIT_M = 0.001
FARTHEST_M = 20.0
RGB_STREAM = "214-1"
SIDE_PX = 640
FOCAL_PX = 360.0
"""A view of 83 degrees; the lens sees 110, the corners of which hardly any camera shares."""
EVERY = 10
"""Frames come 30 times a second; one in ten is enough."""
OPEN = 4


class AriaDigitalTwin:
    """Frames of all sequences below a folder.

    Args:
        root: with sequences.
        open_sequence: opens one; the real thing unless a test has no recording.

    Raises:
        DataError: there are none, or projectaria_tools is missing.
    """

    clean = True

    def __init__(self, root: Path, open_sequence: "Callable[[Path], Sequence] | None" = None) -> None:
        videos = listed(root.rglob("video.vrs"), root=root, wanted="Aria sequence (video.vrs)")
        self._folders = [path.parent for path in videos]
        self._sequence = lru_cache(OPEN)(open_sequence or Sequence)
        self._frames = [
            (folder, time_ns) for folder in self._folders for time_ns in self._sequence(folder).times[::EVERY]
        ]

    def __len__(self) -> int:
        return len(self._frames)

    def scene(self, number: int) -> str:
        return self._frames[number][0].name

    def read(self, number: int) -> Sample:
        folder, time_ns = self._frames[number]
        color, counts = self._sequence(folder).images(time_ns)
        return clean_sample(color, usable(metres(counts, UNIT_M), farthest_m=FARTHEST_M))


class Sequence:
    """One sequence, opened by projectaria_tools.

    Attributes:
        times: device time of each colour image, nanoseconds.
    """

    def __init__(self, folder: Path) -> None:
        core, adt = _library()
        paths = adt.AriaDigitalTwinDataPathsProvider(str(folder)).get_datapaths()
        self._provider = adt.AriaDigitalTwinDataProvider(paths)
        self._stream = core.StreamId(RGB_STREAM)
        self._camera = self._provider.get_aria_camera_calibration(self._stream)
        start, end = self._provider.get_start_time_ns(), self._provider.get_end_time_ns()
        every = self._provider.get_aria_device_capture_timestamps_ns(self._stream)
        self.times = [time_ns for time_ns in every if start <= time_ns <= end]

    def images(self, time_ns: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """Upright (H, W, 3) colour and (H, W) millimetres of a pinhole camera.

        Raises:
            DataError: there is no depth at that time.
        """
        color = self._provider.get_aria_image_by_timestamp_ns(time_ns, self._stream)
        depth = self._provider.get_depth_image_by_timestamp_ns(time_ns, self._stream)
        if not (color.is_valid() and depth.is_valid()):
            raise DataError(f"There is no depth at {time_ns} ns.", hint="Fetch the sequence again.")
        return (
            rectified(color.data().to_numpy_array(), self._camera, nearest=False),
            rectified(depth.data().to_numpy_array(), self._camera, nearest=True).astype(np.uint16),
        )


def rectified(image: NDArray[Any], camera: Any, *, nearest: bool) -> NDArray[Any]:  # noqa: ANN401
    """The image as a pinhole camera sees it, turned a quarter clockwise: Aria's sensor lies on its side.

    Args:
        image: of the fisheye lens.
        camera: projectaria_tools' calibration of that lens.
        nearest: take pixels as they are, as depth needs.
    """
    from projectaria_tools.core import calibration
    from projectaria_tools.core.image import InterpolationMethod

    pinhole = calibration.get_linear_camera_calibration(SIDE_PX, SIDE_PX, FOCAL_PX)
    how = InterpolationMethod.NEAREST_NEIGHBOR if nearest else InterpolationMethod.BILINEAR
    flat = calibration.distort_by_calibration(image, pinhole, camera, how)
    return np.ascontiguousarray(np.rot90(flat, 3))


def _library() -> tuple[Any, Any]:
    try:
        from projectaria_tools.core import stream_id
        from projectaria_tools.projects import adt
    except ImportError as error:
        raise DataError(
            "Aria recordings need projectaria_tools, which is not installed.",
            hint='pip install "depthmend[aria]"',
        ) from error
    return stream_id, adt
