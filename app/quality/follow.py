"""Follows the sensors of a rig in one thread, at a rate that leaves the rest of the program alone."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.quality.planes import Region
from app.quality.sensor import Exposure, SensorQuality, SensorWatch, unmeasured
from drivers.frame import Frame

SAMPLE_EVERY_S: Final = 0.2
"""How often a sensor's newest exposure is taken into the window of noise and flicker."""
MEASURE_EVERY_S: Final = 0.6
"""How often each sensor is measured, if the processor is fast enough."""
LARGEST_SHARE: Final = 0.25
"""Of one core's time that measuring may take."""

KEPT_S: Final = 5.0
"""For so long a sensor that has gone silent keeps its last figures: many a gap is over after a second."""

Newest = Exposure | str | None
"""The newest exposure, words for why there is none, or None where it is the frame that was seen last."""
Source = Callable[[Frame | None], Newest]


@dataclass(frozen=True)
class Wish:
    """What the operator wants of one sensor's figures.

    Attributes:
        region: where the plane is; looked for if None.
        distance_m: true distance to it, if it was measured.
    """

    region: Region | None = None
    distance_m: float | None = None


class _Followed:
    """What was seen of one sensor so far."""

    def __init__(self, camera_id: str, source: Source) -> None:
        self.camera_id = camera_id
        self.source = source
        self.watch = SensorWatch(camera_id)
        self.newest: Exposure | None = None
        self.why_not = ""
        self.measured: tuple[Exposure, Wish] | None = None
        self.measured_s = -KEPT_S
        self.due_s = 0.0


def follow(
    sources: Mapping[str, Source],
    wish_of: Callable[[str], Wish],
    deliver: Callable[[SensorQuality], None],
    stop: threading.Event,
) -> None:
    """Measure each sensor in turn until `stop`; a sensor whose wish has changed comes first.

    Args:
        sources: by camera id, gives the newest exposure.
        wish_of: what is wanted of a camera now.
        deliver: gets each result, in this thread.
        stop: ends it.
    """
    followed = [_Followed(camera_id, source) for camera_id, source in sources.items()]
    while not stop.is_set():
        now_s = time.monotonic()
        for sensor in followed:
            _sample(sensor, deliver, now_s)
        due = [sensor for sensor in followed if _due(sensor, wish_of(sensor.camera_id), now_s)]
        if due and not stop.is_set():
            sensor = min(due, key=lambda sensor: sensor.due_s)
            took_s = _measure(sensor, wish_of(sensor.camera_id), deliver)
            rest_s = took_s * len(followed) / LARGEST_SHARE
            sensor.due_s = now_s + max(MEASURE_EVERY_S, rest_s)
            sensor.measured_s = time.monotonic()
        stop.wait(SAMPLE_EVERY_S / max(len(followed), 1))


def _sample(sensor: _Followed, deliver: Callable[[SensorQuality], None], now_s: float) -> None:
    newest = sensor.source(None if sensor.newest is None else sensor.newest.frame)
    if isinstance(newest, str):
        sensor.newest = sensor.measured = None
        if newest != sensor.why_not and now_s - sensor.measured_s >= KEPT_S:
            sensor.why_not = newest
            deliver(unmeasured(sensor.camera_id, newest))
    elif newest is not None:
        since_ns = 0 if sensor.newest is None else newest.frame.captured_ns - sensor.newest.frame.captured_ns
        if sensor.newest is None or since_ns >= SAMPLE_EVERY_S * 1e9 or since_ns < 0:
            sensor.why_not = ""
            sensor.newest = newest
            sensor.watch.note(newest)


def _due(sensor: _Followed, wish: Wish, now_s: float) -> bool:
    if sensor.newest is None:
        return False
    if sensor.measured is None or sensor.measured[1] != wish:
        return True
    return sensor.measured[0] is not sensor.newest and now_s >= sensor.due_s


def _measure(sensor: _Followed, wish: Wish, deliver: Callable[[SensorQuality], None]) -> float:
    """Measure, and return the seconds of this thread's own time that it took."""
    assert sensor.newest is not None
    started_s = time.thread_time()
    quality = sensor.watch.measure(sensor.newest, chosen=wish.region, distance_m=wish.distance_m)
    sensor.measured = (sensor.newest, wish)
    deliver(quality)
    return time.thread_time() - started_s
