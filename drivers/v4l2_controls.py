"""What a video node of Linux lets one adjust, as controls; Windows has no such nodes and so none of these.

The node is opened for each question besides the stream that runs, as Video4Linux allows.
"""

import ctypes
import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_int32, c_int64, c_uint8, c_uint32
from dataclasses import dataclass
from typing import Final

from drivers.controls import Control, ControlKind, Role, Value, find
from drivers.errors import CameraError, CameraUnplugged
from drivers.v4l2 import READ_WRITE, Kernel, call_number

COLOR: Final = ("color", "Colour")
DEPTH: Final = ("depth", "Depth")

NUMBER, SWITCH, MENU, NUMBER_MENU = 1, 2, 3, 9
"""V4L2_CTRL_TYPE_INTEGER, _BOOLEAN, _MENU and _INTEGER_MENU; buttons and texts are left out."""
DISABLED, GRABBED, READ_ONLY, WRITE_ONLY = 0x01, 0x02, 0x04, 0x40
"""V4L2_CTRL_FLAG_..."""
NEXT: Final = 0x8000_0000
AUTO_WHITE_BALANCE, AUTO_GAIN, GAIN = 0x98090C, 0x980912, 0x980913
POWER_LINE, WHITE_BALANCE, OLD_EXPOSURE = 0x980918, 0x98091A, 0x980911
AUTO_EXPOSURE, EXPOSURE, RATE_MAY_FALL = 0x9A0901, 0x9A0902, 0x9A0903
"""V4L2_CID_..."""
BY_ITSELF: Final = (3, 0)
"""V4L2_EXPOSURE_APERTURE_PRIORITY, which UVC cameras have, and V4L2_EXPOSURE_AUTO."""
BY_HAND: Final = (1, 2)
"""V4L2_EXPOSURE_MANUAL and V4L2_EXPOSURE_SHUTTER_PRIORITY."""

_KNOWN: Final = {
    AUTO_EXPOSURE: ("auto_exposure", "Auto exposure", Role.AUTO_EXPOSURE, ""),
    AUTO_WHITE_BALANCE: ("auto_white_balance", "Auto white balance", Role.AUTO_WHITE_BALANCE, ""),
    AUTO_GAIN: ("auto_gain", "Auto gain", None, ""),
    EXPOSURE: ("exposure", "Exposure", Role.EXPOSURE, "x 100 μs"),
    OLD_EXPOSURE: ("exposure_level", "Exposure level", None, ""),
    GAIN: ("gain", "Gain", Role.GAIN, ""),
    WHITE_BALANCE: ("white_balance", "White balance", Role.WHITE_BALANCE, "K"),
    POWER_LINE: ("power_line_frequency", "Power line frequency", Role.POWER_LINE, ""),
    RATE_MAY_FALL: ("keep_rate", "Keep the rate in the dark", Role.KEEP_RATE, ""),
}
_ENDED_BY: Final = {
    EXPOSURE: (AUTO_EXPOSURE,),
    GAIN: (AUTO_GAIN, AUTO_EXPOSURE),
    WHITE_BALANCE: (AUTO_WHITE_BALANCE,),
}


class ControlQuery(ctypes.Structure):
    """struct v4l2_queryctrl."""

    _fields_ = (
        ("id", c_uint32), ("type", c_uint32), ("name", c_uint8 * 32), ("minimum", c_int32),
        ("maximum", c_int32), ("step", c_int32), ("default", c_int32), ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    )  # fmt: skip


class _MenuWord(ctypes.Union):
    _pack_ = 1
    _fields_ = (("name", c_uint8 * 32), ("value", c_int64))


class MenuQuery(ctypes.Structure):
    """struct v4l2_querymenu."""

    _pack_ = 1
    _fields_ = (("id", c_uint32), ("index", c_uint32), ("word", _MenuWord), ("reserved", c_uint32))


class ControlValue(ctypes.Structure):
    """struct v4l2_control."""

    _fields_ = (("id", c_uint32), ("value", c_int32))


QUERY: Final = call_number(READ_WRITE, 36, ctypes.sizeof(ControlQuery))
QUERY_MENU: Final = call_number(READ_WRITE, 37, ctypes.sizeof(MenuQuery))
GET: Final = call_number(READ_WRITE, 27, ctypes.sizeof(ControlValue))
SET: Final = call_number(READ_WRITE, 28, ctypes.sizeof(ControlValue))


@dataclass(frozen=True)
class _Listed:
    """A control of the driver, with the words of its menu by their numbers, and ours that is made of it."""

    number: int
    words: dict[int, str]
    control: Control


def controls(kernel: Kernel, node: str, group: tuple[str, str]) -> tuple[Control, ...]:
    """Everything of a node that is a switch, a number or a menu.

    What the driver lists and then does not tell the value of is left out, as broken cameras have it.

    Args:
        kernel: see `drivers.v4l2.linux`.
        node: such as "/dev/video0".
        group: what it belongs to, `COLOR` or `DEPTH`.

    Raises:
        CameraError: the node cannot be opened.
        CameraUnplugged: the camera is gone.
    """
    with _opened(kernel, node) as descriptor:
        return tuple(listed.control for listed in _listed(kernel, descriptor, group))


def set_control(kernel: Kernel, node: str, group: tuple[str, str], name: str, value: Value) -> None:
    """Set the control of this name; the automatic that would choose it is ended first.

    Raises:
        ModeUnsupported: there is none, or it cannot have this value.
        CameraError: the driver refuses.
        CameraUnplugged: the camera is gone.
    """
    with _opened(kernel, node) as descriptor:
        here = {listed.control.name: listed for listed in _listed(kernel, descriptor, group)}
        control = find((listed.control for listed in here.values()), name)
        value = control.checked(value)
        by_number = {listed.number: listed for listed in here.values()}
        for automatic in _ENDED_BY.get(here[name].number, ()):
            if (other := by_number.get(automatic)) is not None and other.control.value is True:
                _set(kernel, descriptor, other, False)
        _set(kernel, descriptor, here[name], value)


@contextmanager
def _opened(kernel: Kernel, node: str) -> Iterator[int]:
    try:
        descriptor = kernel.open(node)
        try:
            yield descriptor
        finally:
            kernel.close(descriptor)
    except OSError as error:
        if error.errno == errno.ENODEV:
            raise CameraUnplugged(f"{node} was unplugged") from error
        raise CameraError(f"{node} refuses: {error.strerror}", hint="Choose another value.") from error


def _listed(kernel: Kernel, descriptor: int, group: tuple[str, str]) -> Iterator[_Listed]:
    names: set[str] = set()
    for query in _queries(kernel, descriptor):
        if query.flags & (DISABLED | WRITE_ONLY) or query.type not in {NUMBER, SWITCH, MENU, NUMBER_MENU}:
            continue
        asked = ControlValue(id=query.id)
        try:
            kernel.ioctl(descriptor, GET, asked)
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise
            continue
        words = _words(kernel, descriptor, query) if query.type in {MENU, NUMBER_MENU} else {}
        if query.type in {MENU, NUMBER_MENU} and asked.value not in words:
            continue
        control = _control(query, asked.value, words, group)
        if control.name not in names:
            names.add(control.name)
            yield _Listed(query.id, words, control)


def _queries(kernel: Kernel, descriptor: int) -> Iterator[ControlQuery]:
    number = 0
    while True:
        query = ControlQuery(id=number | NEXT)
        try:
            kernel.ioctl(descriptor, QUERY, query)
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise
            return  # the end of the list is told in this way
        if query.id <= number:  # a driver that does not know NEXT
            return
        number = query.id
        yield query


def _words(kernel: Kernel, descriptor: int, query: ControlQuery) -> dict[int, str]:
    words: dict[int, str] = {}
    for index in range(query.minimum, query.maximum + 1):
        menu = MenuQuery(id=query.id, index=index)
        try:
            kernel.ioctl(descriptor, QUERY_MENU, menu)
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise
            continue  # menus have holes
        word = str(menu.word.value) if query.type == NUMBER_MENU else _text(menu.word.name)
        words[index] = word if word not in words.values() else f"{word} ({index})"
    return words


def _control(query: ControlQuery, raw: int, words: dict[int, str], group: tuple[str, str]) -> Control:
    told = _text(query.name)
    slug = re.sub(r"[^a-z0-9]+", "_", told.lower()).strip("_") or f"control_{query.id:x}"
    name, title, role, unit = _KNOWN.get(query.id, (slug, told, None, ""))
    read_only = bool(query.flags & (READ_ONLY | GRABBED))
    kind = _kind(query, words)
    if role is Role.AUTO_EXPOSURE and kind is not ControlKind.SWITCH:
        role = None  # a menu without "by itself" or without "by hand"

    def said(number: int) -> Value:
        if kind is ControlKind.CHOICE:
            return words.get(number, words[raw])
        if kind is ControlKind.NUMBER:
            return float(number)
        if words:
            return number in BY_ITSELF
        return bool(number) is not (query.id == RATE_MAY_FALL)

    return Control(
        name=f"{group[0]}.{name}",
        title=title,
        group=group[1],
        kind=kind,
        value=said(raw),
        default=None if read_only else said(query.default),
        minimum=float(query.minimum),
        maximum=float(query.maximum),
        step=float(query.step),
        unit=unit,
        choices=tuple(words.values()) if kind is ControlKind.CHOICE else (),
        read_only=read_only,
        role=None if read_only else role,
        text="",
    )


def _kind(query: ControlQuery, words: dict[int, str]) -> ControlKind:
    if query.type == NUMBER:
        # The kernel has it as a number in some versions, with 0 and 1 as its values.
        return ControlKind.SWITCH if query.id == RATE_MAY_FALL else ControlKind.NUMBER
    if query.type == SWITCH:
        return ControlKind.SWITCH
    both = any(n in words for n in BY_ITSELF) and any(n in words for n in BY_HAND)
    return ControlKind.SWITCH if query.id == AUTO_EXPOSURE and both else ControlKind.CHOICE


def _set(kernel: Kernel, descriptor: int, listed: _Listed, value: Value) -> None:
    kernel.ioctl(descriptor, SET, ControlValue(id=listed.number, value=_raw(listed, value)))


def _raw(listed: _Listed, value: Value) -> int:
    words = listed.words
    if isinstance(value, str):
        return next(number for number, word in words.items() if word == value)
    if isinstance(value, bool) and words:
        return next(number for number in (BY_ITSELF if value else BY_HAND) if number in words)
    if isinstance(value, bool):
        return int(value is not (listed.number == RATE_MAY_FALL))
    return round(value)


def _text(chars: ctypes.Array[c_uint8]) -> str:
    return bytes(chars).split(b"\0")[0].decode("utf-8", "replace")
