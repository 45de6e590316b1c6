"""What can be adjusted in a simulated camera, and what that does to its pictures."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.controls import Control, ControlKind, Role, Value
from drivers.depth import DepthMap
from drivers.frame import FrameSettings
from drivers.synth.arrays import Bytes, octets
from drivers.synth.sensor import SensorKind, SensorParams

USUAL_EXPOSURE_US: Final = 8500.0
"""At which the scene looks as it was drawn; what the automatic chooses."""
USUAL_LIGHT_K: Final = 4600.0
USUAL_LASER_MW: Final = 150.0
_GAMMA: Final = 2.2
_PRESETS: Final = {  # factors of the failures and of the noise
    "Default": (1.0, 1.0),
    "High Accuracy": (1.25, 0.7),
    "High Density": (0.7, 1.3),
}
MILLIMETRE_M: Final = 0.001
_UNITS: Final = {"1 mm": MILLIMETRE_M, "0.1 mm": 0.0001}
_STEREO: Final = (SensorKind.ACTIVE_STEREO, SensorKind.PASSIVE_STEREO)


@dataclass(frozen=True)
class Adjustments:
    """What a simulated camera is set to; the defaults change nothing."""

    auto_exposure: bool = True
    exposure_us: float = USUAL_EXPOSURE_US
    gain: float = 1.0
    auto_white_balance: bool = True
    white_balance_k: float = USUAL_LIGHT_K
    preset: str = "Default"
    emitter: bool = True
    laser_mw: float = USUAL_LASER_MW
    unit: str = "1 mm"

    def controls(self, kind: SensorKind) -> tuple[Control, ...]:
        """As a camera of this kind has them."""
        usual, number, switch, choice = (
            Adjustments(),
            ControlKind.NUMBER,
            ControlKind.SWITCH,
            ControlKind.CHOICE,
        )
        color = (
            Control("color.auto_exposure", "Auto exposure", "Colour", switch, self.auto_exposure,
                    default=True, role=Role.AUTO_EXPOSURE),
            Control("color.exposure", "Exposure", "Colour", number, self.exposure_us, minimum=100.0,
                    default=usual.exposure_us, maximum=33000.0, step=100.0, unit="μs", role=Role.EXPOSURE,
                    text="Setting it ends the automatic."),
            Control("color.gain", "Gain", "Colour", number, self.gain, default=usual.gain, minimum=1.0,
                    maximum=8.0, step=0.1, role=Role.GAIN, text="Setting it ends the automatic."),
            Control("color.auto_white_balance", "Auto white balance", "Colour", switch,
                    self.auto_white_balance, default=True, role=Role.AUTO_WHITE_BALANCE),
            Control("color.white_balance", "White balance", "Colour", number, self.white_balance_k,
                    default=usual.white_balance_k, minimum=2800.0, maximum=6500.0, step=100.0, unit="K",
                    role=Role.WHITE_BALANCE, text="Setting it ends the automatic."),
        )  # fmt: skip
        presets = (
            Control("depth.visual_preset", "Preset", "Depth", choice, self.preset, default=usual.preset,
                    choices=tuple(_PRESETS), role=Role.PRESET),
        )  # fmt: skip
        light = (
            Control("depth.emitter", "Emitter", "Depth", switch, self.emitter, default=True,
                    role=Role.EMITTER),
            Control("depth.laser_power", "Laser power", "Depth", number, self.laser_mw,
                    default=usual.laser_mw, minimum=0.0, maximum=360.0, step=30.0, unit="mW",
                    role=Role.LASER_POWER),
        )  # fmt: skip
        unit = (
            Control("depth.depth_units", "Depth units", "Depth", choice, self.unit, default=usual.unit,
                    choices=tuple(_UNITS), role=Role.DEPTH_UNIT),
        )  # fmt: skip
        return (
            *color,
            *(presets if kind in _STEREO else ()),
            *(light if kind is not SensorKind.PASSIVE_STEREO else ()),
            *unit,
        )

    def having(self, name: str, value: Value) -> "Adjustments":
        """With one control, by its name, set to a value that it takes."""
        field, ends = _FIELDS[name]
        changed: dict[str, Value] = {field: value} | ({ends: False} if ends else {})
        if value is True:  # an automatic chooses what suits the scene
            chosen = {of: getattr(Adjustments(), of) for of, by in _FIELDS.values() if by == field}
            changed |= chosen
        return replace(self, **changed)  # type: ignore[arg-type]

    @property
    def unit_m(self) -> float:
        """Metres per count of depth."""
        return _UNITS[self.unit]

    @property
    def power(self) -> float:
        """Of the projector, as a factor of its usual one; 0 for off."""
        return self.laser_mw / USUAL_LASER_MW if self.emitter else 0.0

    def settings(self, kind: SensorKind) -> FrameSettings:
        """As a camera of this kind says them with each frame."""
        laser_mw = (self.laser_mw if self.emitter else 0.0) if kind is not SensorKind.PASSIVE_STEREO else None
        return FrameSettings(self.exposure_us, self.gain, laser_mw)

    def sensed_as(self, kind: SensorKind) -> SensorKind:
        """What kind of sensor it is with its light as it is: without dots, stereo is passive."""
        dark = kind is SensorKind.ACTIVE_STEREO and not self.power
        return SensorKind.PASSIVE_STEREO if dark else kind

    def params(self, usual: SensorParams, difficulty: float) -> SensorParams:
        """How badly the sensor does with these."""
        failures, noise = _PRESETS[self.preset]
        return replace(
            usual,
            difficulty=min(difficulty * failures, 1.0),
            noise_px=usual.noise_px * noise,
            power=self.power,
        )

    def developed(self, photo: Bytes) -> Bytes:
        """(H, W, 3) uint8 RGB as this exposure and white balance make it."""
        light = 1.0
        if not self.auto_exposure:
            light = (self.exposure_us / USUAL_EXPOSURE_US * self.gain) ** (1 / _GAMMA)
        warm = 1.0 if self.auto_white_balance else (self.white_balance_k / USUAL_LIGHT_K) ** 0.7
        if light == 1.0 and warm == 1.0:
            return photo
        return octets(cv2.multiply(photo, np.array((light * warm, light, light / warm, 1.0))))

    def counted(self, millimetres: NDArray[np.uint16]) -> DepthMap:
        """Depth in the unit that is set; what does not fit into 16 bits is no measurement."""
        if self.unit_m == MILLIMETRE_M:
            return DepthMap(millimetres, self.unit_m)
        counts = np.rint(millimetres * np.float32(MILLIMETRE_M / self.unit_m))
        counts[counts > np.iinfo(np.uint16).max] = 0
        return DepthMap(counts.astype(np.uint16), self.unit_m)


_FIELDS: Final[dict[str, tuple[str, str]]] = {
    "color.auto_exposure": ("auto_exposure", ""),
    "color.exposure": ("exposure_us", "auto_exposure"),
    "color.gain": ("gain", "auto_exposure"),
    "color.auto_white_balance": ("auto_white_balance", ""),
    "color.white_balance": ("white_balance_k", "auto_white_balance"),
    "depth.visual_preset": ("preset", ""),
    "depth.emitter": ("emitter", ""),
    "depth.laser_power": ("laser_mw", ""),
    "depth.depth_units": ("unit", ""),
}
"""By control: what it sets, and which automatic it ends."""
