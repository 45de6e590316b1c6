"""Orbbec's properties as controls."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from drivers.controls import Control, ControlKind, Role, Value, find

_log = logging.getLogger(__name__)

PRESET: Final = "depth.preset"
_SETTINGS_NAME: Final = "DepthMend"


@dataclass(frozen=True)
class _Property:
    """One property of the library that changes neither calibration nor connection.

    Attributes:
        key: its name in the library without "OB_PROP_".
        name: of the control.
        title: for people.
        role: what it means.
        unit: of a number.
        words: of its values from the smallest on, where it is a choice.
        inverted: its true is our false.
    """

    key: str
    name: str
    title: str
    role: Role | None = None
    unit: str = ""
    words: tuple[str, ...] = ()
    inverted: bool = False

    @property
    def group(self) -> str:
        """For people."""
        return {"color": "Colour", "depth": "Depth", "ir": "Infrared"}[self.name.partition(".")[0]]


_P = _Property
_PROPERTIES: Final = (
    _P("COLOR_AUTO_EXPOSURE_BOOL", "color.auto_exposure", "Auto exposure", Role.AUTO_EXPOSURE),
    _P("COLOR_EXPOSURE_INT", "color.exposure", "Exposure", Role.EXPOSURE),
    _P("COLOR_GAIN_INT", "color.gain", "Gain", Role.GAIN),
    _P("COLOR_AUTO_WHITE_BALANCE_BOOL", "color.auto_white_balance", "Auto white balance",
       Role.AUTO_WHITE_BALANCE),
    _P("COLOR_WHITE_BALANCE_INT", "color.white_balance", "White balance", Role.WHITE_BALANCE, "K"),
    _P("COLOR_AUTO_EXPOSURE_PRIORITY_INT", "color.keep_rate", "Keep the rate in the dark", Role.KEEP_RATE,
       inverted=True),
    _P("COLOR_POWER_LINE_FREQUENCY_INT", "color.power_line_frequency", "Power line frequency",
       Role.POWER_LINE, words=("Off", "50 Hz", "60 Hz", "Auto")),
    _P("COLOR_BRIGHTNESS_INT", "color.brightness", "Brightness"),
    _P("COLOR_CONTRAST_INT", "color.contrast", "Contrast"),
    _P("COLOR_SATURATION_INT", "color.saturation", "Saturation"),
    _P("COLOR_SHARPNESS_INT", "color.sharpness", "Sharpness"),
    _P("COLOR_GAMMA_INT", "color.gamma", "Gamma"),
    _P("COLOR_HUE_INT", "color.hue", "Hue"),
    _P("COLOR_BACKLIGHT_COMPENSATION_INT", "color.backlight_compensation", "Backlight compensation"),
    _P("COLOR_AE_MAX_EXPOSURE_INT", "color.auto_exposure_limit", "Longest automatic exposure"),
    _P("DEPTH_AUTO_EXPOSURE_BOOL", "depth.auto_exposure", "Auto exposure", Role.AUTO_EXPOSURE),
    _P("DEPTH_EXPOSURE_INT", "depth.exposure", "Exposure", Role.EXPOSURE),
    _P("DEPTH_GAIN_INT", "depth.gain", "Gain", Role.GAIN),
    _P("LASER_BOOL", "depth.laser", "Emitter", Role.EMITTER),
    _P("LASER_CONTROL_INT", "depth.laser_control", "Emitter", Role.EMITTER, words=("Off", "On", "Auto")),
    _P("LASER_POWER_LEVEL_CONTROL_INT", "depth.laser_power", "Laser power level", Role.LASER_POWER),
    _P("DEPTH_PRECISION_LEVEL_INT", "depth.precision_level", "Depth units", Role.DEPTH_UNIT,
       words=("1 mm", "0.8 mm", "0.4 mm", "0.1 mm", "0.2 mm", "0.5 mm", "0.05 mm")),
    _P("DEPTH_UNIT_FLEXIBLE_ADJUSTMENT_FLOAT", "depth.unit", "Depth units", Role.DEPTH_UNIT, "mm"),
    _P("MIN_DEPTH_INT", "depth.minimum", "Nearest depth", unit="mm"),
    _P("MAX_DEPTH_INT", "depth.maximum", "Farthest depth", unit="mm"),
    _P("LDP_BOOL", "depth.laser_protection", "Laser protection"),
    _P("IR_AUTO_EXPOSURE_BOOL", "ir.auto_exposure", "Auto exposure", Role.AUTO_EXPOSURE),
    _P("IR_EXPOSURE_INT", "ir.exposure", "Exposure", Role.EXPOSURE),
    _P("IR_GAIN_INT", "ir.gain", "Gain", Role.GAIN),
)  # fmt: skip
"""In the order of the screen. Mirrors, rotations, modes of alignment and addresses are not among them."""
_BY_NAME: Final = {listed.name: listed for listed in _PROPERTIES}
_AUTOMATIC: Final = {
    Role.EXPOSURE: ".auto_exposure",
    Role.GAIN: ".auto_exposure",
    Role.WHITE_BALANCE: ".auto_white_balance",
}


def controls(ob: Any, device: Any, *, live: bool) -> tuple[Control, ...]:
    """Everything that this device supports; of a recording it can only be read.

    Raises:
        OBError: the device is gone.
    """
    found = [made for listed in _PROPERTIES if (made := _control(ob, device, listed, live=live)) is not None]
    return (*_presets(ob, device), *found) if live else tuple(found)


def set_control(ob: Any, device: Any, name: str, value: Value) -> None:
    """Set what stands behind a control of this name.

    Raises:
        ModeUnsupported: there is none, or it cannot have this value.
        OBError: the device refuses.
    """
    control = find(controls(ob, device, live=True), name)
    value = control.checked(value)
    if name == PRESET:
        device.load_preset(str(value))
        return
    automatic = (
        _BY_NAME.get(name.partition(".")[0] + _AUTOMATIC.get(control.role, "")) if control.role else None
    )
    if automatic is not None and _writable(ob, device, automatic):
        _write(ob, device, automatic, 0)
    listed = _BY_NAME[name]
    if control.kind is ControlKind.CHOICE:
        assert isinstance(value, str)
        _write(ob, device, listed, _lowest(ob, device, listed) + control.choices.index(value))
    else:
        assert not isinstance(value, str)
        _write(ob, device, listed, (not value) if listed.inverted else value)


def settings(ob: Any, device: Any) -> str | None:
    """What the Orbbec Viewer would save as JSON; None where the device has no such thing."""
    try:
        return bytes(device.export_settings_as_preset_json_data(_SETTINGS_NAME)).decode()
    except (ob.OBError, RuntimeError):  # a device without presets says so in this way
        return None


def load_settings(device: Any, text: str) -> None:
    """Set the device as a JSON text of the Orbbec Viewer says.

    Raises:
        OBError: the text is none, or this device takes none.
    """
    device.load_preset_from_json_data(_SETTINGS_NAME, text)
    device.load_preset(_SETTINGS_NAME)


def _presets(ob: Any, device: Any) -> Iterator[Control]:
    try:
        listed = device.get_available_preset_list()
        names = tuple(str(listed.get_name_by_index(n)) for n in range(listed.get_count()))
        current = str(device.get_current_preset_name())
    except (ob.OBError, RuntimeError):  # not every model has presets, and that is how it says so
        return
    if names:
        yield Control(
            PRESET,
            "Preset",
            "Depth",
            ControlKind.CHOICE,
            current,
            default="Default" if "Default" in names else None,
            choices=names if current in names else (*names, current),
            role=Role.PRESET,
        )


def _control(ob: Any, device: Any, listed: _Property, *, live: bool) -> Control | None:
    if not device.is_property_supported(_key(ob, listed), ob.OBPermissionType.PERMISSION_READ):
        return None
    try:
        reach = _reach(ob, device, listed)
        number = _read(ob, device, listed)
    except (ob.OBError, RuntimeError) as error:
        # Firmware may list what it has no range for; one property less is no reason to lose the camera.
        _log.info("%s of this camera cannot be read: %s", listed.name, error)
        return None
    read_only = not live or not _writable(ob, device, listed)
    words = _words(listed, reach)
    switch = listed.key.endswith("_BOOL") or (not words and (reach.min, reach.max, reach.step) == (0, 1, 1))
    kind = ControlKind.SWITCH if switch else ControlKind.CHOICE if words else ControlKind.NUMBER

    def told(raw: float) -> Value:
        if switch:
            return bool(raw != 0) is not listed.inverted
        return words[round(raw - reach.min)] if words else float(raw)

    return Control(
        name=listed.name,
        title=listed.title,
        group=listed.group,
        kind=kind,
        value=told(number),
        # The driver keeps the rate wherever it can, so that is where a camera of ours begins.
        default=True if listed.inverted else told(reach.default_value),
        minimum=float(reach.min),
        maximum=float(reach.max),
        step=float(reach.step),
        unit=listed.unit,
        choices=words,
        read_only=read_only,
        role=None if read_only else listed.role,
    )


def _words(listed: _Property, reach: Any) -> tuple[str, ...]:
    first, last = round(reach.min), round(reach.max)
    return listed.words[first : last + 1] if listed.words and 0 <= first < last < len(listed.words) else ()


def _key(ob: Any, listed: _Property) -> Any:
    return getattr(ob.OBPropertyID, f"OB_PROP_{listed.key}")


def _writable(ob: Any, device: Any, listed: _Property) -> bool:
    return bool(device.is_property_supported(_key(ob, listed), ob.OBPermissionType.PERMISSION_WRITE))


def _reach(ob: Any, device: Any, listed: _Property) -> Any:
    key = _key(ob, listed)
    if listed.key.endswith("_BOOL"):
        return device.get_bool_property_range(key)
    return (
        device.get_float_property_range(key)
        if listed.key.endswith("_FLOAT")
        else device.get_int_property_range(key)
    )


def _lowest(ob: Any, device: Any, listed: _Property) -> int:
    return int(_reach(ob, device, listed).min)


def _read(ob: Any, device: Any, listed: _Property) -> float:
    key = _key(ob, listed)
    if listed.key.endswith("_BOOL"):
        return float(device.get_bool_property(key))
    return float(
        device.get_float_property(key) if listed.key.endswith("_FLOAT") else device.get_int_property(key)
    )


def _write(ob: Any, device: Any, listed: _Property, value: float) -> None:
    key = _key(ob, listed)
    if listed.key.endswith("_BOOL"):
        device.set_bool_property(key, bool(value))
    elif listed.key.endswith("_FLOAT"):
        device.set_float_property(key, float(value))
    else:
        device.set_int_property(key, round(value))
