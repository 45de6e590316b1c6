"""One exposure of one camera, and those of several cameras at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.clock import Clock
from drivers.depth import DepthMap
from drivers.geometry import Calibration


@dataclass(frozen=True)
class ImuSample:
    """One reading of an inertial sensor, in the axes of the camera's colour stream.

    Attributes:
        captured_ns: on the host's monotonic clock.
        angular_velocity_rad_s: (x, y, z), or None of a device whose two sensors report apart.
        linear_acceleration_m_s2: likewise; gravity is part of it.
    """

    captured_ns: int
    angular_velocity_rad_s: tuple[float, float, float] | None = None
    linear_acceleration_m_s2: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class FrameSettings:
    """How the camera took one exposure, as it says with the frame; None for what it does not say.

    Attributes:
        exposure_us: of the depth sensor, as `gain`; of colour where one sensor is both.
        gain: in the vendor's unit.
        laser_power_mw: of the projector; 0 while it is off.
        temperature_c: of the sensor.
    """

    exposure_us: float | None = None
    gain: float | None = None
    laser_power_mw: float | None = None
    temperature_c: float | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """All images of one exposure; immutable and shared by reference.

    Attributes:
        camera_id: name of the camera within its rig, fit for a file name.
        index: the device's own counter; a gap is a lost frame.
        captured_ns: middle of the exposure, on the host's monotonic clock (`time.monotonic_ns`).
        device_ns: the same moment on the device's clock.
        color: (H, W, 3) uint8 RGB.
        depth: in the depth sensor's own grid, neither aligned nor filtered.
        calibration: of this exposure's streams.
        ir_left: (H, W) uint8, or None where the sensor has none.
        ir_right: like `ir_left`.
        truth: exact depth in the colour grid; only simulated cameras know it.
        clock: where `captured_ns` comes from.
        confidence: (H, W) uint8 in the depth sensor's grid, 0 for none at all and 255 for sure, or None where
            the device has none.
        imu: readings since the frame before, in the order of their times.
        settings: how it was taken, or None where the camera says nothing of it.
    """

    camera_id: str
    index: int
    captured_ns: int
    device_ns: int
    color: NDArray[np.uint8]
    depth: DepthMap
    calibration: Calibration
    ir_left: NDArray[np.uint8] | None = None
    ir_right: NDArray[np.uint8] | None = None
    truth: DepthMap | None = None
    clock: Clock = Clock.HOST
    confidence: NDArray[np.uint8] | None = None
    imu: tuple[ImuSample, ...] = ()
    settings: FrameSettings | None = None

    def __post_init__(self) -> None:
        assert self.color.ndim == 3, self.color.shape
        assert self.color.dtype == np.uint8, self.color.dtype
        for image in (self.color, self.ir_left, self.ir_right, self.confidence):
            if image is not None:
                image.flags.writeable = False


@dataclass(frozen=True, eq=False)
class FrameSet:
    """Frames of one moment.

    Attributes:
        frames: by camera id; a camera that had none at this moment is absent.
    """

    frames: Mapping[str, Frame]

    @property
    def captured_ns(self) -> int:
        """The middle between the first and the last exposure, on the host's monotonic clock."""
        return (self._first_ns + self._last_ns) // 2

    @property
    def spread_ms(self) -> float:
        """From the first exposure to the last."""
        return (self._last_ns - self._first_ns) / 1e6

    @property
    def _first_ns(self) -> int:
        return min(frame.captured_ns for frame in self.frames.values())

    @property
    def _last_ns(self) -> int:
        return max(frame.captured_ns for frame in self.frames.values())
