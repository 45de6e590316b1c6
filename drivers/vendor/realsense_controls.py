"""RealSense's options as controls."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from drivers.controls import Control, ControlKind, Role, Value, find

_GROUPS: Final = {
    "Stereo Module": ("depth", "Depth"),
    "RGB Camera": ("color", "Colour"),
    "Motion Module": ("motion", "Motion"),
}
_LEFT_OUT: Final = {
    "frames_queue_size",  # the driver's own business
    "global_time_enabled",
    "inter_cam_sync_mode",  # the rig's
    "region_of_interest",  # a rectangle, not a number
}
_ROLES: Final = {
    "visual_preset": Role.PRESET,
    "enable_auto_exposure": Role.AUTO_EXPOSURE,
    "enable_auto_white_balance": Role.AUTO_WHITE_BALANCE,
    "emitter_enabled": Role.EMITTER,
    "exposure": Role.EXPOSURE,
    "gain": Role.GAIN,
    "white_balance": Role.WHITE_BALANCE,
    "laser_power": Role.LASER_POWER,
    "auto_exposure_priority": Role.KEEP_RATE,
    "power_line_frequency": Role.POWER_LINE,
    "depth_units": Role.DEPTH_UNIT,
}
_TITLES: Final = {
    "auto_exposure_priority": "Keep the rate in the dark",
    "enable_auto_exposure": "Auto exposure",
    "enable_auto_white_balance": "Auto white balance",
    "emitter_enabled": "Emitter",
}
_UNITS: Final = {
    "white_balance": "K",
    "laser_power": "mW",
    "depth_units": "m",
    "stereo_baseline": "mm",
    "min_distance": "mm",
    "max_distance": "mm",
    "auto_exposure_limit": "μs",
}
_EXPOSURE_UNITS: Final = {"depth": "μs", "color": "x 100 μs"}
"""The colour sensor counts as UVC does."""
_MOST_WORDS: Final = 24
_UPSIDE_DOWN: Final = "auto_exposure_priority"
"""Its 1 lets the rate fall, so "Keep the rate" is its opposite."""


def controls(rs: Any, device: Any) -> tuple[Control, ...]:
    """Every option of every sensor.

    Raises:
        RuntimeError: the device does not answer.
    """
    return tuple(_control(sensor, option, group) for sensor, option, group in _options(rs, device))


def set_control(rs: Any, device: Any, name: str, value: Value) -> None:
    """Set the option that stands behind a control of this name.

    Raises:
        ModeUnsupported: there is none, or it cannot have this value.
        RuntimeError: the device refuses.
    """
    here = {_name(option, group): (sensor, option, group) for sensor, option, group in _options(rs, device)}
    known = {name: _control(*here[name])} if name in here else {}
    control = find(known.values(), name)
    value = control.checked(value)
    sensor, option, _ = here[name]
    for automatic in _ended_by(rs, control):
        if sensor.supports(automatic) and sensor.get_option(automatic):
            sensor.set_option(automatic, 0)
    sensor.set_option(option, _number(option, control, value))


def settings(rs: Any, device: Any) -> str | None:
    """What the RealSense Viewer would save as JSON; None where the device has no such thing."""
    try:
        return str(rs.serializable_device(device).serialize_json())
    except RuntimeError:  # the only way in which the library says that it is none
        return None


def load_settings(rs: Any, device: Any, text: str) -> None:
    """Set the device as a JSON text of the RealSense Viewer says.

    Raises:
        RuntimeError: the text is none, or this device takes none.
    """
    rs.serializable_device(device).load_json(text)


def _options(rs: Any, device: Any) -> Iterator[tuple[Any, Any, tuple[str, str]]]:
    for sensor in device.query_sensors():
        sensor_name = str(sensor.get_info(rs.camera_info.name))
        group = _GROUPS.get(sensor_name, (sensor_name.lower().replace(" ", "_"), sensor_name))
        for option in sensor.get_supported_options():
            if option.name not in _LEFT_OUT:
                yield sensor, option, group


def _name(option: Any, group: tuple[str, str]) -> str:
    return f"{group[0]}.{option.name}"


def _control(sensor: Any, option: Any, group: tuple[str, str]) -> Control:
    reach = sensor.get_option_range(option)
    read_only = bool(sensor.is_option_read_only(option))
    number = sensor.get_option(option)
    words = [] if read_only else _words(sensor, option, reach)
    kind = _kind(reach, words, read_only=read_only)

    def told(raw: float) -> Value:
        if kind is ControlKind.SWITCH:
            return bool(raw != 0) is not bool(option.name == _UPSIDE_DOWN)
        return words[round(raw - reach.min)] if kind is ControlKind.CHOICE else float(raw)

    return Control(
        name=_name(option, group),
        title=_TITLES.get(option.name, option.name.replace("_", " ").capitalize()),
        group=group[1],
        kind=kind,
        value=told(number),
        # The driver keeps the rate wherever it can, so that is where a camera of ours begins.
        default=None if read_only else True if option.name == _UPSIDE_DOWN else told(reach.default),
        minimum=float(reach.min),
        maximum=float(reach.max),
        step=float(reach.step),
        unit=_unit(option.name, group[0]),
        choices=tuple(words) if kind is ControlKind.CHOICE else (),
        read_only=read_only,
        role=None if read_only else _ROLES.get(option.name),
        text=str(sensor.get_option_description(option)),
    )


def _kind(reach: Any, words: Iterable[str], *, read_only: bool) -> ControlKind:
    if read_only:
        return ControlKind.NUMBER
    if (reach.min, reach.max, reach.step) == (0, 1, 1):
        return ControlKind.SWITCH
    return ControlKind.CHOICE if words else ControlKind.NUMBER


def _words(sensor: Any, option: Any, reach: Any) -> list[str]:
    """What the device calls each value; empty where it has no words for all of them."""
    count = round(reach.max - reach.min) + 1
    if reach.step != 1 or not 2 <= count <= _MOST_WORDS:
        return []
    words = [sensor.get_option_value_description(option, reach.min + n) for n in range(count)]
    if not all(words) or len(set(words)) < count:
        return []
    return [str(word) for word in words]


def _unit(option: str, group: str) -> str:
    if option.endswith("temperature"):
        return "°C"
    return _EXPOSURE_UNITS.get(group, "") if option == "exposure" else _UNITS.get(option, "")


def _number(option: Any, control: Control, value: Value) -> float:
    if control.kind is ControlKind.CHOICE:
        assert isinstance(value, str)
        return float(control.minimum + control.choices.index(value))
    if option.name == _UPSIDE_DOWN:
        return float(not value)
    assert not isinstance(value, str)
    return float(value)


def _ended_by(rs: Any, control: Control) -> tuple[Any, ...]:
    if control.role in {Role.EXPOSURE, Role.GAIN}:
        return (rs.option.enable_auto_exposure,)
    return (rs.option.enable_auto_white_balance,) if control.role is Role.WHITE_BALANCE else ()
