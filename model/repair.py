"""What a repair returns, and where each of its pixels comes from."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Provenance(IntEnum):
    """Where one pixel of a repaired depth image comes from; `provenance` has the rules."""

    MEASURED = 0
    """The sensor's value, kept up to the sensor's own noise."""
    REFINED = 1
    """The sensor answered, and the repair says something else."""
    INVENTED = 2
    """The sensor gave nothing; the repair filled it."""
    REJECTED = 3
    """The network calls the pixel invalid: there is no depth here to be had (sky, for one)."""


@dataclass(frozen=True)
class SensorNoise:
    """How far a kind of sensor scatters around the truth: constant + linear * z + quadratic * z ** 2.

    Attributes:
        constant_m: metres.
        linear: per metre of range.
        quadratic: per metre, of range squared.
    """

    constant_m: float = 0.0
    linear: float = 0.0
    quadratic: float = 0.0

    def sigma_m(self, depth_m: NDArray[np.float32]) -> NDArray[np.float32]:
        """One standard deviation in metres at each depth in metres."""
        return np.float32(self.constant_m) + depth_m * (
            np.float32(self.linear) + np.float32(self.quadratic) * depth_m
        )


SUBPIXEL = 0.1
"""Standard deviation of a matched disparity in pixels. Intel's "Best-Known-Methods for Tuning Intel RealSense
D400 Depth Cameras" finds below 0.1 px on a well-textured wall, and z ** 2 * subpixel / (f * b) of it."""

TIME_OF_FLIGHT = SensorNoise(constant_m=0.003, linear=0.004)
"""Tolgyessy et al., Sensors 21(2) 413 (2021), confirm the 17 mm that Azure Kinect's data sheet promises up to
3.5 m; a phase's noise grows about in proportion to range, and a few millimetres remain near the camera."""

STRUCTURED_LIGHT = SensorNoise(constant_m=0.0012, quadratic=0.0019)
"""Nguyen, Izadi and Lovell, "Modeling Kinect sensor noise" (3DIMPVT 2012), without their offset of 0.4 m."""


def stereo_noise(focal_px: float, baseline_m: float) -> SensorNoise:
    """Of a stereo pair, active or passive: a disparity is `SUBPIXEL` off.

    Args:
        focal_px: focal length of the matched images.
        baseline_m: between their cameras.
    """
    return SensorNoise(quadratic=SUBPIXEL / (focal_px * baseline_m))


USUAL_NOISE = stereo_noise(focal_px=385.0, baseline_m=0.05)
"""Where nobody says which sensor it was: stereo of 50 mm at 640 px, such as a D435 or a Gemini 335."""


def sensor_noise(sensor: str, *, focal_px: float, baseline_m: float | None) -> SensorNoise:
    """The noise of a kind of sensor.

    Args:
        sensor: how it measures, as cameras say it: "active stereo", "time of flight", "structured light".
        focal_px: of the images that a stereo sensor matches.
        baseline_m: between its cameras; None where it is not known.
    """
    if "stereo" in sensor and baseline_m:
        return stereo_noise(focal_px, baseline_m)
    if "time of flight" in sensor:
        return TIME_OF_FLIGHT
    if "light" in sensor:  # structured, or coded
        return STRUCTURED_LIGHT
    return USUAL_NOISE


NOISE_SIGMAS = 3.0
"""A change of up to that many standard deviations is within the sensor's own noise."""
ROUNDING = 1e-3
"""Relative change that rounding to counts may make of a kept value."""


@dataclass(frozen=True, eq=False)
class Repair:
    """Repaired depth in the colour grid.

    Attributes:
        depth_m: (H, W) float32 metres; +inf where rejected.
        provenance: (H, W) uint8 of `Provenance`.
        valid_probability: (H, W) float32 in 0..1, what the mask head says; None from a repair that has none.
        confidence: (H, W) float32 in 0..1, how probable it is that `depth_m` is less than 5 % off
            (`model.confidence`); 0 where rejected; None where there is nothing to judge it by.
        intrinsics: (3, 3) camera matrix in pixels; None where nobody gave it.
    """

    depth_m: NDArray[np.float32]
    provenance: NDArray[np.uint8]
    valid_probability: NDArray[np.float32] | None = None
    confidence: NDArray[np.float32] | None = None
    intrinsics: NDArray[np.float64] | None = None

    @property
    def points_m(self) -> NDArray[np.float32] | None:
        """(H, W, 3) float32 metres, x right, y down, z ahead, +inf where rejected; None without intrinsics.

        Pixel (0, 0) is the centre of the top-left pixel. Computed at each call.
        """
        if self.intrinsics is None:
            return None
        k = self.intrinsics
        down, across = np.indices(self.depth_m.shape, np.float32)
        rays = np.stack(((across - k[0, 2]) / k[0, 0], (down - k[1, 2]) / k[1, 1]), -1).astype(np.float32)
        seen = np.isfinite(self.depth_m)[..., None]
        z = np.where(seen, self.depth_m[..., None], np.float32(0))
        return np.where(seen, np.concatenate((rays * z, z), -1), np.float32(np.inf))


def provenance(
    measured_m: NDArray[np.float32], repaired_m: NDArray[np.float32], *, noise: SensorNoise = USUAL_NOISE
) -> NDArray[np.uint8]:
    """(H, W) uint8 of `Provenance` from what was measured and what came out.

    Rejected where the repair is not finite; else invented where nothing was measured; else measured where the
    repair is within `NOISE_SIGMAS` of the sensor's noise at that range; else refined.

    Args:
        measured_m: (H, W) metres, 0 where the sensor gave nothing.
        repaired_m: (H, W) metres, +inf where rejected.
        noise: of the sensor.
    """
    out = np.full(measured_m.shape, Provenance.INVENTED, np.uint8)
    has = measured_m > 0
    allowed_m = np.maximum(NOISE_SIGMAS * noise.sigma_m(measured_m), ROUNDING * measured_m)
    kept = has & (np.abs(repaired_m - measured_m) <= allowed_m)
    out[has] = Provenance.REFINED
    out[kept] = Provenance.MEASURED
    out[~np.isfinite(repaired_m)] = Provenance.REJECTED
    return out
