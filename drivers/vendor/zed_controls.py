"""ZED's video settings as controls."""

from typing import Any, Final

from drivers.controls import Control, ControlKind, Role, Value, find

_SETTINGS: Final = (
    ("AEC_AGC", "color.auto_exposure", "Auto exposure", Role.AUTO_EXPOSURE, ""),
    ("EXPOSURE", "color.exposure", "Exposure", Role.EXPOSURE, "%"),
    ("GAIN", "color.gain", "Gain", Role.GAIN, "%"),
    ("WHITEBALANCE_AUTO", "color.auto_white_balance", "Auto white balance", Role.AUTO_WHITE_BALANCE, ""),
    ("WHITEBALANCE_TEMPERATURE", "color.white_balance", "White balance", Role.WHITE_BALANCE, "K"),
    ("BRIGHTNESS", "color.brightness", "Brightness", None, ""),
    ("CONTRAST", "color.contrast", "Contrast", None, ""),
    ("HUE", "color.hue", "Hue", None, ""),
    ("SATURATION", "color.saturation", "Saturation", None, ""),
    ("SHARPNESS", "color.sharpness", "Sharpness", None, ""),
    ("GAMMA", "color.gamma", "Gamma", None, ""),
    ("LED_STATUS", "color.led", "Light at the camera", None, ""),
)
_SWITCHES: Final = {"AEC_AGC", "WHITEBALANCE_AUTO", "LED_STATUS"}
_WHITE_STEP_K: Final = 100.0
_ENDS: Final = {"EXPOSURE": "AEC_AGC", "GAIN": "AEC_AGC", "WHITEBALANCE_TEMPERATURE": "WHITEBALANCE_AUTO"}


def controls(sl: Any, camera: Any) -> tuple[Control, ...]:
    """Every setting that this camera supports; the SDK tells no defaults."""
    found = (_control(sl, camera, setting) for setting in _SETTINGS)
    return tuple(control for control in found if control is not None)


def set_control(sl: Any, camera: Any, name: str, value: Value) -> bool:
    """Set what stands behind a control of this name; whether the SDK took it.

    Raises:
        ModeUnsupported: there is none, or it cannot have this value.
    """
    control = find(controls(sl, camera), name)
    value = control.checked(value)
    assert not isinstance(value, str)
    key = next(setting[0] for setting in _SETTINGS if setting[1] == name)
    if key in _ENDS:
        camera.set_camera_settings(sl.VIDEO_SETTINGS[_ENDS[key]], 0)
    return bool(camera.set_camera_settings(sl.VIDEO_SETTINGS[key], round(value)) <= sl.ERROR_CODE.SUCCESS)


def _control(sl: Any, camera: Any, listed: tuple[str, str, str, Role | None, str]) -> Control | None:
    key, name, title, role, unit = listed
    setting = sl.VIDEO_SETTINGS[key]
    if not camera.is_camera_setting_supported(setting):
        return None
    error, number = camera.get_camera_settings(setting)
    range_error, low, high = camera.get_camera_settings_range(setting)
    if error > sl.ERROR_CODE.SUCCESS or range_error > sl.ERROR_CODE.SUCCESS:
        return None
    switch = key in _SWITCHES
    return Control(
        name=name,
        title=title,
        group="Colour",
        kind=ControlKind.SWITCH if switch else ControlKind.NUMBER,
        value=bool(number) if switch else float(number),
        default=True if role in {Role.AUTO_EXPOSURE, Role.AUTO_WHITE_BALANCE} else None,
        minimum=float(low),
        maximum=float(high),
        step=_WHITE_STEP_K if key == "WHITEBALANCE_TEMPERATURE" else 1.0,
        unit=unit,
        role=role,
    )
