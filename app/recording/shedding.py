"""Which frames a recording drops when its queue is full: whole sets of all cameras, not one camera's."""

from collections.abc import Mapping

PATIENCE_PERIODS = 2.5
"""The camera that leads has died when it missed this many of its periods; then all decide alone."""


class Shedding:
    """Decides at the first camera's frame whether there is room for one of each camera's until its next one.

    So what is in the recording stays comparable between cameras, and what is missing is missing from all.
    Not for several threads at once.

    Args:
        rates_hz: of all cameras by id; the slowest one leads.
        room: frames that the queue holds.
    """

    def __init__(self, rates_hz: Mapping[str, float], room: int) -> None:
        self._lead = min(rates_hz, key=lambda camera_id: rates_hz[camera_id])
        lead_hz = max(rates_hz[self._lead], 0.1)
        self._set_size = sum(max(1, round(rate_hz / lead_hz)) for rate_hz in rates_hz.values())
        self._room = max(room, self._set_size)
        self._patience_ns = round(PATIENCE_PERIODS / lead_hz * 1e9)
        self._decided_ns: int | None = None
        self._dropping = False

    @property
    def room(self) -> int:
        """Frames that the queue must hold."""
        return self._room

    def drops(self, camera_id: str, waiting: int, now_ns: int) -> bool:
        """Whether a frame that came now has to be dropped, while so many wait."""
        led = self._decided_ns is not None and now_ns - self._decided_ns <= self._patience_ns
        if camera_id == self._lead:
            self._decided_ns = now_ns
            self._dropping = waiting + self._set_size > self._room
        elif not led:
            return waiting >= self._room
        return self._dropping or waiting >= self._room
