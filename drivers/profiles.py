"""Which of the modes that a camera offers a rig takes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.controls import Control, ControlKind, Role, Value
from drivers.errors import ModeUnsupported
from drivers.geometry import Calibration, Intrinsics


class Stream(Enum):
    """The images of one exposure."""

    COLOR = "color"
    DEPTH = "depth"
    IR_LEFT = "ir_left"
    IR_RIGHT = "ir_right"
    CONFIDENCE = "confidence"


@dataclass(frozen=True)
class Profile:
    """One way in which a camera can send one stream.

    Attributes:
        stream: which.
        width: pixels, as `height`.
        height: see `width`.
        rate_hz: frames per second.
        bytes_per_pixel: on the cable.
    """

    stream: Stream
    width: int
    height: int
    rate_hz: int
    bytes_per_pixel: float

    @property
    def bytes_per_s(self) -> float:
        """What it takes of the cable."""
        return self.width * self.height * self.bytes_per_pixel * self.rate_hz


@dataclass(frozen=True)
class Wish:
    """What a rig would like.

    Attributes:
        width: pixels of colour and depth, as `height`.
        height: see `width`.
        rate_hz: of all streams.
        budget: bytes per second that the link carries.
        infrared: whether the infrared images are wanted.
    """

    width: int = 640
    height: int = 480
    rate_hz: int = 30
    budget: float = 350e6
    infrared: bool = True

    def within(self, budget: float) -> "Wish":
        """The same on a link that carries no more than this."""
        return replace(self, budget=min(self.budget, budget))


SIZE, RATE = "stream.size", "stream.rate"
"""Names of the controls that choose another mode."""

USB_2_BUDGET = 38e6
"""Bytes per second of one camera alone on USB 2."""


def bytes_per_s(chosen: Mapping[Stream, tuple[Profile, Any]]) -> float:
    """What all streams that were chosen take of the cable together."""
    return sum(profile.bytes_per_s for profile, _ in chosen.values())


def choose(offered: Iterable[Profile], wish: Wish) -> Mapping[Stream, Profile]:
    """One profile for each stream that is offered: all at one rate, all but colour of one size.

    The rate goes down before a stream is left out; infrared and confidence are left out before there is
    nothing.

    Raises:
        ModeUnsupported: there is no depth, or not even the smallest choice fits the link.
    """
    profiles = list(offered)
    if not any(profile.stream is Stream.DEPTH for profile in profiles):
        raise ModeUnsupported("This camera offers no depth.", hint="Choose a depth camera.")
    without_infrared = {Stream.DEPTH, Stream.COLOR}
    for streams in (set(Stream), without_infrared) if wish.infrared else (without_infrared,):
        for rate_hz in _rates(profiles, wish.rate_hz):
            taken = _at_rate([p for p in profiles if p.stream in streams], rate_hz, wish)
            if taken and sum(profile.bytes_per_s for profile in taken.values()) <= wish.budget:
                return taken
    raise ModeUnsupported(
        "No mode of this camera fits its link.", hint="Plug it into a USB 3 port, with a USB 3 cable."
    )


def _rates(profiles: list[Profile], wanted_hz: int) -> list[int]:
    """Those that depth can have, the nearest first."""
    rates = {profile.rate_hz for profile in profiles if profile.stream is Stream.DEPTH}
    return sorted(rates, key=lambda rate: (abs(rate - wanted_hz), rate))


def _at_rate(profiles: list[Profile], rate_hz: int, wish: Wish) -> dict[Stream, Profile]:
    def fit(profile: Profile) -> tuple[int, int]:
        size = abs(profile.width - wish.width) + abs(profile.height - wish.height)
        return (size, -profile.width)

    offers = [profile for profile in profiles if profile.rate_hz == rate_hz]
    taken: dict[Stream, Profile] = {}
    for stream in Stream:
        of_stream = [profile for profile in offers if profile.stream is stream]
        if stream not in {Stream.COLOR, Stream.DEPTH} and Stream.DEPTH in taken:
            depth = taken[Stream.DEPTH]
            of_stream = [p for p in of_stream if (p.width, p.height) == (depth.width, depth.height)]
        if of_stream:
            taken[stream] = min(of_stream, key=fit)
    has_color = any(profile.stream is Stream.COLOR for profile in profiles)
    complete = Stream.DEPTH in taken and (Stream.COLOR in taken or not has_color)
    return taken if complete else {}


def mode_controls(offered: Iterable[Profile], chosen: Iterable[Profile], usual: Wish) -> tuple[Control, ...]:
    """The sizes and rates of depth that a live camera offers together with colour, as controls."""
    offers = list(offered)
    colored = {profile.rate_hz for profile in offers if profile.stream is Stream.COLOR}
    depth = [p for p in offers if p.stream is Stream.DEPTH and (not colored or p.rate_hz in colored)]
    now = next(profile for profile in chosen if profile.stream is Stream.DEPTH)
    sizes = sorted({(profile.width, profile.height) for profile in depth})
    rates = sorted({profile.rate_hz for profile in depth})
    wanted = choose(offers, usual)[Stream.DEPTH]
    return (
        Control(
            SIZE,
            "Size",
            "Stream",
            ControlKind.CHOICE,
            f"{now.width} x {now.height}",
            default=f"{wanted.width} x {wanted.height}",
            choices=tuple(f"{width} x {height}" for width, height in sizes),
            role=Role.SIZE,
            text="Of depth; colour takes the nearest. The streams stop for a moment.",
        ),
        Control(
            RATE,
            "Rate",
            "Stream",
            ControlKind.CHOICE,
            f"{now.rate_hz} Hz",
            default=f"{wanted.rate_hz} Hz",
            choices=tuple(f"{rate} Hz" for rate in rates),
            role=Role.RATE,
            text="Of all streams. They stop for a moment.",
        ),
    )


def wish_with(wish: Wish, name: str, value: Value) -> Wish:
    """A wish with one of the `mode_controls` set."""
    words = str(value).split()
    if name == RATE:
        return replace(wish, rate_hz=int(words[0]))
    return replace(wish, width=int(words[0]), height=int(words[2]))


def calibration_of(
    streams: Mapping[Stream, Any],
    *,
    intrinsics: Callable[[Any], Intrinsics],
    transform: Callable[[Any, Any], NDArray[np.float64]],
) -> Calibration:
    """The calibration of a device from the vendor's own profiles.

    Args:
        streams: profiles by stream; colour and depth are there.
        intrinsics: of a profile.
        transform: (4, 4) metres, the second profile's camera from the first one's.
    """
    color, depth = streams[Stream.COLOR], streams[Stream.DEPTH]
    left, right = streams.get(Stream.IR_LEFT), streams.get(Stream.IR_RIGHT)
    between = transform(left, right) if left is not None and right is not None else None
    return Calibration(
        color=intrinsics(color),
        depth=intrinsics(depth),
        color_from_depth=transform(depth, color),
        ir=intrinsics(left) if left is not None else None,
        color_from_ir_left=transform(left, color) if left is not None else None,
        baseline_m=float(np.linalg.norm(between[:3, 3])) if between is not None else None,
    )
