"""What may spoil a recording besides cameras: a slow disk, a flat battery, heat, a clock that jumps."""

import json
import logging
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from app import paths
from app.language import joined, tr

log = logging.getLogger(__name__)

TEST_BYTES = 32 << 20
TEST_S = 0.5
BLOCK_BYTES = 4 << 20
SPARE_SPEED = 1.5
"""A disk should be this much faster than the rig, because it also has pauses."""
LOW_BATTERY_PERCENT = 20.0
LOW_BATTERY_S = 1800.0
HOT_C = 95.0
"""For sensors that name no limit of their own."""
BELOW_CRITICAL_C = 3.0
CLOCK_JUMP_S = 1.0


@dataclass(frozen=True)
class Caution:
    """Something that may spoil a recording.

    Attributes:
        text: what is the case.
        hint: what to do about it.
    """

    text: str
    hint: str

    @property
    def words(self) -> str:
        """Both in one line."""
        return joined(" ", (self.text, self.hint))


def disk_speed(folder: Path, known: Path | None = None) -> float:
    """Bytes per second that the disk of `folder` takes for good, measured once for each disk and day.

    Args:
        folder: exists and can be written.
        known: file of the speeds measured before; None for the usual one.

    Raises:
        OSError: the disk does not take it.
    """
    known = known or paths.settings_file().with_name("disk-speeds.json")
    disk, today = _disk(folder), datetime.now(UTC).date().isoformat()
    speeds = _speeds(known)
    if disk in speeds and speeds[disk][0] == today:
        return speeds[disk][1]
    speed = measured_speed(folder)
    log.info("the disk of %s takes %.0f MB/s", folder, speed / 1e6)
    speeds = {name: entry for name, entry in speeds.items() if entry[0] == today} | {disk: (today, speed)}
    try:
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(json.dumps(speeds), encoding="utf-8")
    except OSError as error:
        log.warning("the speed of the disk is not kept: %s", error)
    return speed


def measured_speed(folder: Path, *, most_bytes: int = TEST_BYTES) -> float:
    """Bytes per second until the data is on the disk, from one file that is removed again.

    Raises:
        OSError: the disk does not take it.
    """
    path = folder / f".speed-test-{os.getpid()}"
    block = os.urandom(min(BLOCK_BYTES, most_bytes))  # no disk can shrink it
    written = 0
    try:
        with path.open("wb", buffering=0) as file:
            started_s = time.perf_counter()
            while written < most_bytes and time.perf_counter() - started_s < TEST_S:
                file.write(block)
                os.fsync(file.fileno())
                written += len(block)
            took_s = time.perf_counter() - started_s
    finally:
        path.unlink(missing_ok=True)
    return written / max(took_s, 1e-6)


def slow_disk(speed: float, needed: float) -> Caution | None:
    """Words for a disk that the rig would outrun; both in bytes per second."""
    if speed >= SPARE_SPEED * needed:
        return None
    words = (
        tr("The disk takes {speed:.0f} MB/s, and this rig makes about {needed:.0f} MB/s.")
        if speed < needed
        else tr("The disk takes {speed:.0f} MB/s: little more than the {needed:.0f} MB/s of this rig.")
    )
    return Caution(
        words.format(speed=speed / 1e6, needed=needed / 1e6),
        tr("Frames may be dropped: record to a faster disk, or with fewer cameras."),
    )


def battery() -> Caution | None:
    """Words for a battery that may not last; None where there is none, or it is being charged."""
    state = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if state is None or state.power_plugged:
        return None
    return low_battery(state.percent, None if state.secsleft in _UNKNOWN_LEFT else float(state.secsleft))


def charge_words() -> str:
    """How much is in the battery, in words."""
    state = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if state is None:
        return tr("None, mains power")
    charge = tr("{percent:.0f}%").format(percent=state.percent)
    return tr("{charge}, being charged").format(charge=charge) if state.power_plugged else charge


def low_battery(percent: float, left_s: float | None) -> Caution | None:
    """Words for a battery that is being emptied; `left_s` is None where nothing says."""
    if percent > LOW_BATTERY_PERCENT and (left_s is None or left_s > LOW_BATTERY_S):
        return None
    lasts = (
        "" if left_s is None else tr(", which lasts about {minutes:.0f} minutes").format(minutes=left_s / 60)
    )
    return Caution(
        tr("The battery is at {percent:.0f}%{lasts}.").format(percent=percent, lasts=lasts),
        tr("Plug the computer in."),
    )


def heat() -> Caution | None:
    """Words for a computer that is about to slow down from heat; None where nothing measures it."""
    sensors = psutil.sensors_temperatures() if hasattr(psutil, "sensors_temperatures") else {}
    readings = [
        (reading.label or name, reading.current, reading.critical or reading.high)
        for name, found in sensors.items()
        for reading in found
    ]
    return hot(readings)


def hot(readings: list[tuple[str, float, float | None]]) -> Caution | None:
    """Words for the hottest of the sensors at their limit: (name, degrees Celsius, its own limit)."""
    over = [
        (now, name) for name, now, most in readings if now >= (most - BELOW_CRITICAL_C if most else HOT_C)
    ]
    if not over:
        return None
    now, name = max(over)
    return Caution(
        tr("The computer is hot: {name} is at {now:.0f} °C.").format(name=name, now=now),
        tr("Give it air or shade; it slows down when it gets hotter, and frames are lost."),
    )


def clock_jump(moved_s: float) -> Caution | None:
    """Words for a system clock that has moved against the session's own since the recording began."""
    if abs(moved_s) < CLOCK_JUMP_S:
        return None
    return Caution(
        (
            tr("The system clock went forward by {moved_s:.0f} s while recording.")
            if moved_s > 0
            else tr("The system clock went back by {moved_s:.0f} s while recording.")
        ).format(moved_s=abs(moved_s)),
        tr("Times in the session go on evenly; if the computer slept, frames are missing."),
    )


_UNKNOWN_LEFT = (psutil.POWER_TIME_UNKNOWN, psutil.POWER_TIME_UNLIMITED)


def _disk(folder: Path) -> str:
    """Names the disk: where it is mounted, and which it is."""
    folder = folder.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)]
    if not mounts:
        return str(folder.stat().st_dev)
    mount = max(mounts, key=lambda part: len(part.mountpoint))
    return f"{mount.device} on {mount.mountpoint}"


def _speeds(path: Path) -> dict[str, tuple[str, float]]:
    """Day and speed by disk; nothing where the file is missing or damaged, as it can be measured again."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {str(disk): (str(day), float(speed)) for disk, (day, speed) in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
