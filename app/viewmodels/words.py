"""Durations, sizes and counts as people read them."""

import math
import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from app.language import NAMES, changed, from_below, joined, tr, tr_many, tr_noop
from app.recording.entry import SessionEntry

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400
STALE_S = 5.0
"""Repaired depth that is older must not pass as the present scene."""

SPELLINGS = {
    "auto": tr_noop("Auto"),
    "off": tr_noop("Off"),
    "dark": tr_noop("Dark"),
    "light": tr_noop("Light"),
    "outdoor": tr_noop("Outdoor"),
    "always": tr_noop("Always"),
    "never": tr_noop("Never"),
    "system": tr_noop("As the computer"),
    **NAMES,
    "cpu": "CPU",
    "cuda": "GPU",
    "tensorrt": "TensorRT",
    "openvino": "OpenVINO",
    "openvino-gpu": tr_noop("Intel GPU"),
    "openvino-npu": tr_noop("Intel NPU"),
    "fp32": "FP32",
    "bf16": "BF16",
    "fp16": "FP16",
}


SENSORS = (
    tr_noop("active stereo"),
    tr_noop("passive stereo"),
    tr_noop("passive stereo, matched here"),
    tr_noop("structured light"),
    tr_noop("time of flight"),
    tr_noop("colour only, 60 degree lens assumed"),
    tr_noop("files, 60 degree lens assumed"),
    tr_noop("active stereo, infrared for colour"),
    tr_noop("passive stereo, infrared for colour"),
    tr_noop("depth over V4L2, 60 degree lens assumed"),
    tr_noop("Demo active stereo"),
    tr_noop("Demo passive stereo"),
    tr_noop("Demo time of flight"),
    tr_noop("{name} (recorded)"),
)
"""How sensors measure, and the demo cameras, as `from_below` finds them: names of real cameras stay."""

FAILURES = (
    tr_noop("No such file or directory"),
    tr_noop("Permission denied"),
    tr_noop("Read-only file system"),
    tr_noop("No space left on device"),
    tr_noop("Not a directory"),
    tr_noop("Is a directory"),
    tr_noop("File exists"),
    tr_noop("Input/output error"),
    tr_noop("Device or resource busy"),
    tr_noop("Disk quota exceeded"),
    tr_noop("File name too long"),
    tr_noop("Operation not permitted"),
)
"""What Linux says of a file that cannot be used, as `from_below` finds it."""
COMES_WITH = tr_noop("the ZED SDK from stereolabs.com/developers, which brings this command")
"""Where a library is to be had, as `from_below` finds it."""
WITHOUT_SDK = tr_noop("{model} (without its SDK)")
"""The name of a ZED that is read without its library, as `from_below` finds it."""
RUNNING = tr_noop("{where}, {tokens} tokens")
"""What an engine says of itself, as `from_below` finds it."""

LABELS = {
    "home": tr_noop("home"),
    "office": tr_noop("office"),
    "meeting room": tr_noop("meeting room"),
    "classroom": tr_noop("classroom"),
    "retail": tr_noop("retail"),
    "restaurant": tr_noop("restaurant"),
    "gym": tr_noop("gym"),
    "hospital": tr_noop("hospital"),
    "school hall": tr_noop("school hall"),
    "airport or station": tr_noop("airport or station"),
    "museum": tr_noop("museum"),
    "parking garage": tr_noop("parking garage"),
    "machinery room": tr_noop("machinery room"),
    "elevator": tr_noop("elevator"),
    "corridor": tr_noop("corridor"),
    "storage": tr_noop("storage"),
    "library": tr_noop("library"),
    "workshop": tr_noop("workshop"),
    "laboratory": tr_noop("laboratory"),
    "hotel": tr_noop("hotel"),
    "lobby": tr_noop("lobby"),
    "outdoor": tr_noop("outdoor"),
    "nobody in view": tr_noop("nobody in view"),
    "all agreed": tr_noop("all agreed"),
    "not asked": tr_noop("not asked"),
    "glass": tr_noop("glass"),
    "mirror": tr_noop("mirror"),
    "sun": tr_noop("sun"),
    "dark": tr_noop("dark"),
    "people": tr_noop("people"),
    "decimation": tr_noop("decimation"),
    "spatial": tr_noop("spatial"),
    "temporal": tr_noop("temporal"),
    "hole filling": tr_noop("hole filling"),
    "noise removal": tr_noop("noise removal"),
}
"""Words of the program that are written into files and settings in English; others are the operator's own."""


NO_BREAK_SPACE = "\u00a0"
WORD_JOINER = "\u2060"
BEFORE_UNIT = re.compile(
    r"(?<=\d) (?=[%\u4e00-\u9fff]"  # Chinese measure words among them
    r"|(?:lost|cameras?|frames?|minutes?|degrees?|px|[kMGT]?B|[kMG]?bit|m?s|min|h|m?m|fps)\b)"
)
WITHIN_UNIT = re.compile(r"(\d\s(?:[kMGT]?B|[kMG]?bit))/(?=s\b)")
"""Only behind a number: the slash of a path is a place where a line may end."""
PRECISION = re.compile(r"\b(?:fp32|bf16|fp16)\b")
WHOLE_WORDS = (
    "\u4e22\u5931",
    "\u65e0\u4e22",
    "\u4e22\u5f03",
    "\u76f8\u673a",
    "\u7535\u6e90",
    "\u78c1\u76d8",
    "\u7a7a\u95f4",
    "\u67e5\u770b",
    "\u4e0d\u662f",
    "\u5c0f\u578b",
    "\u6df1\u5ea6",
    "\u4fee\u590d",
    "\u6a21\u578b",
    "\u9009\u62e9",
    "\u5176\u4ed6",
    "\u6587\u4ef6",
    "\u4ef6\u5939",
    "\u6709\u6548",
    "\u6ca1\u6709",
    "\u76ee\u5f55",
    "\u5f55\u5236",
    "\u5f53\u524d",
    "\u6743\u91cd",
    "\u7b2c\u4e00",
    "\u4e00\u4e2a",
    "\u4f1a\u8bdd",
    "\u6807\u5b9a",
    "\u8bbe\u7f6e",
    "\u7b49\u5f85",
    "\u6b63\u5728",
    "\u52a0\u8f7d",
    "\u505c\u6b62",
    "\u6570\u636e",
)
"""Lost, none lost, dropped, camera, mains, disk, room, see, is not, small, depth, repair, model, choose,
other, file, folder, valid, there is no, folder (of Linux's errors), recording, current, weights, first, one,
session, calibration, setting, wait, just now, load, stop, data.

Qt ends a Chinese line between any two signs.
"""
WITHIN_WORD = re.compile("|".join(f"(?<={word[0]})(?={word[1]})" for word in WHOLE_WORDS))
BEHIND_MEASURE = re.compile(r"(?<=\d\u00a0[\u53f0\u5e27])(?=[\u4e00-\u9fff])")
"""Of cameras and frames: what is counted stays with its number."""


def labelled(label: str) -> str:
    """A scene, tag, consent or filter as the screen says it."""
    return tr(LABELS[label]) if label in LABELS else label


def spelled(choice: str) -> str:
    """A choice of the settings as the screen spells it."""
    return tr(SPELLINGS[choice]) if choice in SPELLINGS else choice.capitalize()


def with_precision(words: str) -> str:
    """The same with the precision of numbers spelled as on the switches: "OpenVINO CPU FP32"."""
    return changed(words, partial(PRECISION.sub, _spelled_precision))


def _spelled_precision(found: re.Match[str]) -> str:
    return SPELLINGS[found[0]]


def unbroken(words: str) -> str:
    """The same; no line ends before a unit, within one such as "MB/s", or within some Chinese words."""
    return changed(words, _with_joints)


def _with_joints(words: str) -> str:
    said = WITHIN_UNIT.sub(rf"\1/{WORD_JOINER}", BEFORE_UNIT.sub(NO_BREAK_SPACE, words))
    return BEHIND_MEASURE.sub(WORD_JOINER, WITHIN_WORD.sub(WORD_JOINER, said))


def breaking(path: Path) -> str:
    """A long path with places where a line may end: behind each separator but the first."""
    text = str(path)
    return text[:1] + text[1:].replace("/", "/\u200b").replace("_", "_\u200b")


def duration(seconds: float) -> str:
    """How long something is: "62 s", "12 min 5 s", "2 h 10 min"."""
    whole = max(round(seconds), 0)
    if whole < 2 * MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        minutes, rest = divmod(whole, MINUTE_S)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(whole // MINUTE_S, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def time_left(seconds: float, *, about: bool = False) -> str:
    """How long something will last, never promising more than there is: "2 h 10 min left".

    Args:
        seconds: until it ends.
        about: say that it is an estimate.
    """
    if not math.isfinite(seconds) or seconds >= 2 * DAY_S:
        return tr("over 2 days left")
    said = duration_left(seconds)
    return (tr("about {duration} left") if about else tr("{duration} left")).format(duration=said)


def duration_left(seconds: float) -> str:
    """A duration of less than two days, rounded down: "9 min"."""
    whole = max(int(seconds), 0)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min"
    return duration(whole // MINUTE_S * MINUTE_S)


def date_time(moment: datetime) -> str:
    """A day and a time: "03 May 2026, 14:05:09"."""
    return tr("{moment:%d %b %Y, %H:%M:%S}").format(moment=moment)


def session_name(entry: SessionEntry) -> str:
    """What a session is called wherever it is spoken of: when it began, else its folder's name.

    With seconds, because several begin within a minute.
    """
    return entry.name if entry.started is None else date_time(entry.started)


def clock(seconds: float) -> str:
    """A running timer: "00:07", "12:05", "1:02:03"."""
    minutes, rest = divmod(max(int(seconds), 0), MINUTE_S)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def clock_tenths(seconds: float) -> str:
    """A moment to be chosen: "01:21.5"."""
    tenths = max(round(seconds * 10), 0)
    return f"{clock(tenths // 10)}.{tenths % 10}"


def size(count: int) -> str:
    """Bytes in the units that disks are sold in: "820 kB", "1.2 GB"."""
    if count < 1000:
        return f"{count} B"
    value = count / 1000
    for unit in ("kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 camera", "5,580 frames"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def milliseconds(value_ms: float) -> str:
    """Milliseconds below one second, else seconds: "480 ms", "1.4 s"."""
    return f"{value_ms:.0f} ms" if value_ms < 1000 else f"{value_ms / 1000:.1f} s"


def how_old(value_ms: float) -> str:
    """How old depth is: as `milliseconds`, and as `duration` where it has become too old."""
    return milliseconds(value_ms) if value_ms <= STALE_S * 1e3 else duration(value_ms / 1e3)


def seconds(value_s: float) -> str:
    """Whole seconds below a minute, else minutes and seconds: "12 s", "02:05"."""
    return f"{value_s:.0f} s" if value_s < 59.5 else clock(value_s)


def frames_lost(count: int) -> str:
    """Such as "12 frames lost"."""
    return tr("{frames} lost").format(frames=tr_many("{count:,} frame", "{count:,} frames", count))


def away_for(away_s: float) -> str:
    """That a camera sent nothing for so long."""
    return tr("Away for {duration}").format(duration=_away(away_s))


def away_cameras(entry: SessionEntry) -> str:
    """How long which cameras sent nothing: "Demo active stereo away for 18 s"; empty where all always did."""
    return joined(
        ", ",
        (
            tr("{camera} away for {duration}").format(
                duration=_away(camera.away_s), camera=from_below(camera.name)
            )
            for camera in entry.cameras
            if camera.away_s
        ),
    )


def _away(away_s: float) -> str:
    return duration(max(away_s, 1.0))


def lost_frames(causes: Sequence[tuple[int, str]]) -> str:
    """Lost frames by cause; the number is said once where there is one cause.

    Args:
        causes: how many, and a clause that says why.
    """
    found = [(number, cause) for number, cause in causes if number]
    lost = frames_lost(sum(number for number, _ in found))
    if len(found) == 1:
        return tr("{lost} ({cause})").format(lost=lost, cause=found[0][1])
    each = joined(
        ", ", (tr("{number:,} {cause}").format(number=number, cause=cause) for number, cause in found)
    )
    return tr("{lost}: {each}").format(lost=lost, each=each)
