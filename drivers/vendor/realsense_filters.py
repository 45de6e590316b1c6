"""RealSense's own depth filters on the depth of any camera: to look at beside a repair, never to record.

The library's processing blocks take its own frames only, so a software device makes them of ours.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from drivers.depth import DepthMap
from drivers.errors import CameraError
from drivers.geometry import Calibration, Intrinsics

STEPS: Final = ("decimation", "spatial", "temporal", "hole filling")
"""In the order in which the vendor applies them."""
_IN_DISPARITY: Final = {"spatial", "temporal"}
_WAIT_MS: Final = 1000
_RATE_HZ: Final = 30
_USUAL_BASELINE_M: Final = 0.05
"""For a camera that has none; it only sets the scale in which the vendor smooths."""


class DepthFilters:
    """The filters of one camera; they remember the frames before. To be used in one thread.

    Args:
        rs: the library, as `drivers.cameras.realsense.SDK.require` gives it.
        calibration: of the camera.
        unit_m: metres per count of its depth.
        steps: some of `STEPS`.
    """

    def __init__(self, rs: Any, calibration: Calibration, unit_m: float, steps: Sequence[str]) -> None:
        unknown = set(steps) - set(STEPS)
        assert not unknown, unknown
        self._rs = rs
        self._lens = calibration.depth
        self._unit_m = unit_m
        self._number = 0
        self._device = rs.software_device()
        self._sensor = self._device.add_sensor("Stereo Module")
        self._sensor.add_read_only_option(rs.option.depth_units, unit_m)
        baseline_m = calibration.baseline_m or _USUAL_BASELINE_M
        self._sensor.add_read_only_option(rs.option.stereo_baseline, baseline_m * 1000)
        self._profile = self._sensor.add_video_stream(self._stream(), True).as_video_stream_profile()
        self._queue = rs.frame_queue(1, True)
        self._sensor.open(self._profile)
        self._sensor.start(self._queue)
        self._blocks = _blocks(rs, steps)

    @property
    def unit_m(self) -> float:
        """Metres per count that it was made for."""
        return self._unit_m

    def close(self) -> None:
        """Let go of the library's objects."""
        self._sensor.stop()
        self._sensor.close()

    def filtered(self, depth: DepthMap) -> tuple[DepthMap, Intrinsics]:
        """What the filters make of a frame, and the lens of its grid: decimation makes it smaller.

        Raises:
            CameraError: the library does not give the frame back.
        """
        rs = self._rs
        frame = rs.software_video_frame()  # a new one each time: pushing gives its pixels away
        frame.profile, frame.bpp = self._profile, 2
        frame.stride = 2 * self._lens.width
        frame.timestamp = self._number * 1000 / _RATE_HZ
        frame.domain = rs.timestamp_domain.hardware_clock
        frame.frame_number = self._number
        frame.pixels = np.ascontiguousarray(depth.values)
        self._number += 1
        try:
            self._sensor.on_video_frame(frame)
            came, image = self._queue.try_wait_for_frame(_WAIT_MS)
            if not came:
                raise CameraError("The vendor's filters got no frame", hint="Switch them off and on again.")
            for block in self._blocks:
                image = block.process(image)
            counts = np.asarray(image.get_data()).astype(np.uint16)
        except RuntimeError as error:
            raise CameraError(f"The vendor's filters failed: {error}", hint="Switch them off.") from error
        height, width = counts.shape
        return DepthMap(counts, depth.unit_m), self._lens.scaled(width, height)

    def _stream(self) -> Any:
        rs, seen = self._rs, self._lens
        lens = rs.intrinsics()
        lens.width, lens.height, lens.fx, lens.fy = seen.width, seen.height, seen.fx, seen.fy
        lens.ppx, lens.ppy = seen.cx, seen.cy
        lens.model, lens.coeffs = rs.distortion.none, [0.0] * 5
        stream = rs.video_stream()
        stream.type, stream.index, stream.uid, stream.fmt = rs.stream.depth, 0, 1, rs.format.z16
        stream.bpp, stream.fps, stream.intrinsics = 2, _RATE_HZ, lens
        stream.width, stream.height = seen.width, seen.height
        return stream


def _blocks(rs: Any, steps: Sequence[str]) -> list[Any]:
    made = {
        "decimation": rs.decimation_filter,
        "spatial": rs.spatial_filter,
        "temporal": rs.temporal_filter,
        "hole filling": rs.hole_filling_filter,
    }
    blocks: list[Any] = []
    for step in (step for step in STEPS if step in steps):
        if step in _IN_DISPARITY and not any(isinstance(b, rs.disparity_transform) for b in blocks):
            blocks.append(rs.disparity_transform(True))
        if step == "hole filling" and any(isinstance(b, rs.disparity_transform) for b in blocks):
            blocks.append(rs.disparity_transform(False))
        blocks.append(made[step]())
    if sum(isinstance(block, rs.disparity_transform) for block in blocks) == 1:
        blocks.append(rs.disparity_transform(False))
    return blocks
