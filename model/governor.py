"""Chooses how many tokens a frame gets, so that a rig is repaired at the rate that was asked for."""

from collections import deque
from collections.abc import Sequence
from statistics import median

WINDOW = 15
"""Frames whose median counts: seven that took long for reasons of their own change nothing."""
URGENT = 5
"""Of these last frames the median counts where it is far too long."""
FAR_TOO_LONG = 1.5
ROOM = 0.8
"""Share of a frame's time that more tokens may be expected to take before they are tried."""
GROWTH = 1.5
"""Power of the tokens that a frame's time is expected to follow before it was measured: products grow with
the first, attention with the second."""
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 600.0
CALM_S = 120.0
"""After each such time without a step down the wait before the next attempt is halved."""


class Governor:
    """Keeps the time of a frame below what the rate allows, with as many tokens as fit.

    Fewer tokens come as soon as the median of the last frames is too long; more only where the time expected
    for them leaves room: the present time, times what this step cost when it was taken before. Having to take
    it back doubles the wait before the next attempt, so that the choice never swings.

    Args:
        levels: tokens to choose from, ascending.
        target_hz: repairs of each camera in a second.
        cameras: how many there are.
    """

    def __init__(self, levels: Sequence[int], *, target_hz: float, cameras: int) -> None:
        if not levels or list(levels) != sorted(set(levels)) or target_hz <= 0 or cameras < 1:
            raise ValueError(f"no choice among {list(levels)} tokens for {cameras} cameras at {target_hz} Hz")
        self._levels = tuple(levels)
        self._budget_s = 1 / (target_hz * cameras)
        self._level = 0
        self._times: deque[float] = deque(maxlen=WINDOW)
        self._steps: dict[int, float] = {}  # time at a level over that at the one below, as last measured
        self._below_s: float | None = None  # time at the level below, just before the step up to here
        self._climbed = False
        self._moved_s: float | None = None
        self._calm_since_s = 0.0
        self._wait_s = FIRST_WAIT_S

    @property
    def tokens(self) -> int:
        """The choice for the next frame."""
        return self._levels[self._level]

    @property
    def budget_s(self) -> float:
        """Seconds that a frame may take."""
        return self._budget_s

    def observe(self, took_s: float, *, now_s: float) -> None:
        """Take note of one frame with the present choice.

        Args:
            took_s: seconds it took.
            now_s: when it was done, on any clock that only goes forward.
        """
        if self._moved_s is None:
            self._moved_s = self._calm_since_s = now_s
        self._times.append(took_s)
        latest = list(self._times)[-URGENT:]
        if len(latest) == URGENT and median(latest) > FAR_TOO_LONG * self._budget_s:
            self._step_down(median(latest), now_s)
        if len(self._times) < WINDOW:
            return
        typical_s = median(self._times)
        if self._below_s is not None:
            self._steps[self._level], self._below_s = typical_s / self._below_s, None
        if typical_s > self._budget_s:
            self._step_down(typical_s, now_s)
            return
        if now_s - self._calm_since_s >= CALM_S:
            self._wait_s, self._calm_since_s = max(self._wait_s / 2, FIRST_WAIT_S), now_s
        if (
            now_s - self._moved_s >= self._wait_s
            and self._expected_above_s(typical_s) <= ROOM * self._budget_s
        ):
            self._move(+1, now_s, below_s=typical_s)

    def _step_down(self, typical_s: float, now_s: float) -> None:
        if self._level == 0:
            return
        if self._below_s is not None:  # too long before it could even be measured
            self._steps[self._level] = typical_s / self._below_s
        if self._climbed and self._moved_s is not None and now_s - self._moved_s < CALM_S:
            self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
        self._calm_since_s = now_s
        self._move(-1, now_s, below_s=None)

    def _expected_above_s(self, typical_s: float) -> float:
        above = self._level + 1
        if above == len(self._levels):
            return float("inf")
        guess = float((self._levels[above] / self._levels[self._level]) ** GROWTH)
        return typical_s * self._steps.get(above, guess)

    def _move(self, by: int, now_s: float, *, below_s: float | None) -> None:
        self._level += by
        self._climbed = by > 0
        self._below_s = below_s
        self._moved_s = now_s
        self._times.clear()


def levels(num_tokens_range: tuple[int, int], *, count: int = 5) -> list[int]:
    """Tokens to choose from, evenly spread over a model's own range."""
    low, high = num_tokens_range
    return sorted({round(low + (high - low) * step / (count - 1)) for step in range(count)})
