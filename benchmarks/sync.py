"""Checks clocks and frame sets against worlds whose truth is known.

    python benchmarks/sync.py [--frames 100000]

Clocks: devices that run 40 ppm too fast or slow; their frames arrive 12 ms after the exposure at best, with
exponential jitter of 4 ms and one arrival in fifty late by 80 ms more. Sets: a camera of 30 Hz and one of 15,
Clocks: devices that run 40 ppm too fast or slow; frames arrive 12 ms after their exposure at best, with
one frame in fifty, never two in a row (a camera that is silent for longer no longer leads). A set is right
if it holds the exposures that really are nearest. Takes half a minute. Limits: mapped time within 1 ms, 95th
percentile, after the first ten seconds; no wrong set after the first second, in which a clock knows a few
arrivals only.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from app.flow.sync import FrameSync
from drivers.cameras.synthetic import SyntheticCamera
from drivers.clock import Clock, ClockFit
from drivers.frame import Frame
from drivers.synth.sensor import SensorKind

TEMPLATE = SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=4, height=2).expose(0)
DELAY_MS, JITTER_MS, LATE_MS, LATE_SHARE = 12.0, 4.0, 80.0, 0.02
LOST_SHARE = 0.02
WITHIN_MS = 1.0
SETTLED_S = 10.0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=100_000)
    options = parser.parse_args()
    broken = sum(print_clock(ppm, seed) for ppm in (-40.0, 40.0) for seed in range(3))
    broken += print_sets(options.frames)
    return 1 if broken else 0


def arrivals(exposed_ns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    late_ms = np.where(rng.random(len(exposed_ns)) < LATE_SHARE, LATE_MS, 0.0)
    delay_ms = DELAY_MS + rng.exponential(JITTER_MS, len(exposed_ns)) + late_ms
    return (exposed_ns + delay_ms * 1e6).astype(np.int64)


def mapped(exposed_ns: np.ndarray, ppm: float, rng: np.random.Generator) -> tuple[np.ndarray, ClockFit]:
    """The host's times of exposures, as a driver would tell them."""
    fit = ClockFit()
    device_ns = (exposed_ns * (1 + ppm * 1e-6)).astype(np.int64) + 5_000_000_000
    told = [fit.host_ns(int(d), int(a)) for d, a in zip(device_ns, arrivals(exposed_ns, rng), strict=True)]
    return np.array(told), fit


def print_clock(ppm: float, seed: int) -> int:
    rng = np.random.default_rng(seed)
    exposed_ns = np.arange(30 * 600) * 1e9 / 30 + 77e9
    told_ns, fit = mapped(exposed_ns, ppm, rng)
    # The smallest delay is part of every mapped time; no clock can tell it.
    wrong_ms = np.abs((told_ns - exposed_ns) / 1e6 - DELAY_MS)[round(30 * SETTLED_S) :]
    p95, worst = np.percentile(wrong_ms, 95), wrong_ms.max()
    quality = fit.quality
    told = f"{quality.drift_ppm:+.1f} ppm, good to {quality.residual_ms:.2f} ms"
    figures = f"95th percentile {p95:.3f} ms (limit {WITHIN_MS:g}), worst {worst:.2f}"
    print(f"clock {ppm:+.0f} ppm, seed {seed}: {figures}; told: {told}")
    return int(p95 >= WITHIN_MS or abs(quality.drift_ppm - ppm) > 3)


def print_sets(frames: int) -> int:
    rng = np.random.default_rng(9)
    cameras = {"fast": (30.0, 0.0, 40.0), "slow": (15.0, 7.0, -40.0)}
    seconds = frames / sum(rate for rate, _, _ in cameras.values())
    events: list[tuple[int, Frame]] = []
    truth: dict[str, np.ndarray] = {}
    for name, (rate_hz, phase_ms, ppm) in cameras.items():
        count = round(seconds * rate_hz)
        exposed_ns = (
            (np.arange(count) / rate_hz + 77.0) * 1e9 + phase_ms * 1e6 + rng.uniform(-2e6, 2e6, count)
        )
        kept = np.flatnonzero(rng.random(count) >= LOST_SHARE)
        told_ns, _ = mapped(exposed_ns[kept], ppm, rng)
        truth[name] = np.full(count, np.nan)
        truth[name][kept] = exposed_ns[kept]
        come_ns = arrivals(exposed_ns[kept], rng)
        come_ns = np.maximum.accumulate(come_ns)  # one cable keeps the order
        for index, at_ns, arrival_ns in zip(kept, told_ns, come_ns, strict=True):
            images = TEMPLATE.color, TEMPLATE.depth, TEMPLATE.calibration
            stamp_ns = int(at_ns)
            frame = Frame(name, int(index), stamp_ns, stamp_ns, *images, clock=Clock.DEVICE)
            events.append((int(arrival_ns), frame))
    events.sort(key=lambda event: event[0])
    sync = FrameSync({name: rate_hz for name, (rate_hz, _, _) in cameras.items()})
    began_s = time.perf_counter()
    sets = [found for _, frame in events for found in sync.add(frame)]
    took_us = (time.perf_counter() - began_s) / len(events) * 1e6
    first_ns = sets[0].captured_ns + int(1e9)
    wrong = sum(found.captured_ns > first_ns and not is_right(found.frames, truth) for found in sets)
    spread = np.percentile([found.spread_ms for found in sets if len(found.frames) == 2], [50, 95])
    due = np.count_nonzero(~np.isnan(truth["slow"]))
    print(
        f"sets: {len(events)} frames of 30 and 15 Hz, {len(sets)} sets of {due} due, {wrong} wrong (limit 0)"
    )
    print(f"spread {spread[0]:.1f} ms median, {spread[1]:.1f} at the 95th; {took_us:.0f} us a frame")
    return int(wrong > 0 or len(sets) < due - 10)


def is_right(frames: dict[str, Frame], truth: dict[str, np.ndarray]) -> bool:
    """Whether the slow camera's frame is with the nearest exposure, or alone where that one was lost."""
    if "slow" not in frames:
        return False
    at_ns = truth["slow"][frames["slow"].index]
    nominal = 2 * frames["slow"].index  # 7 ms later than this exposure, 26 ms earlier than the next
    if nominal >= len(truth["fast"]):
        return True
    if np.isnan(truth["fast"][nominal]):
        return "fast" not in frames
    distance_ns = np.abs(truth["fast"] - at_ns) if "fast" not in frames else None
    if distance_ns is not None:
        return bool(np.nanmin(distance_ns) > 20e6)
    around = truth["fast"][max(0, nominal - 2) : nominal + 3]
    nearest = max(0, nominal - 2) + int(np.nanargmin(np.abs(around - at_ns)))
    return frames["fast"].index == nearest


if __name__ == "__main__":
    sys.exit(main())
