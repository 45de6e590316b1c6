"""record: records a source into a session, without a window."""

import signal
import threading
import time
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from app import paths
from app.compose import InferenceStatus, Pipeline, Studio, wait_for_frames
from app.console import Console
from app.memory import ControlMemory
from app.messages import Message, UsageError
from app.recording.counts import CameraCount, RecorderStatus
from app.recording.guards import Caution
from app.settings import Settings
from app.verbs.verb import (
    Verb,
    add_anchor_flag,
    add_model_flags,
    chosen_settings,
    engine_choice,
    positive,
)
from drivers.errors import CameraLost
from drivers.registry import open_source
from drivers.session.labels import SessionLabels
from model.errors import WeightsError
from model.spec import OFF, EngineChoice

FIRST_FRAMES_S = 60.0
"""The simulated rig computes its rooms first, which takes long on a busy machine."""

LABEL_KEYS = ("scene", "tag", "note", "site", "operator", "consent")
MEGA = 1_000_000


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        metavar="S",
        default=SUPPRESS,
        help="demo, auto, a camera (see devices), a session, a recording, or a folder of frames",
    )
    parser.add_argument(
        "--seconds", type=positive, metavar="T", help="how long; until Ctrl-C where nothing is said"
    )
    parser.add_argument(
        "--out", type=Path, metavar="SESSION_FOLDER", help="the new session; a name in the library if absent"
    )
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"{', '.join(LABEL_KEYS)}; may be given several times",
    )

    parser.add_argument(
        "--refined",
        action="store_true",
        help="record what the repair makes of the frames as well, as far as it keeps up",
    )
    parser.add_argument(
        "--compact",
        dest="record_compact",
        action="store_true",
        default=SUPPRESS,
        help="depth as JPEG XL instead of PNG: as exact, smaller, faster to write; few programs read it",
    )
    add_model_flags(parser)
    add_anchor_flag(parser)


def _run(args: Namespace, console: Console) -> int:
    chosen = chosen_settings(args)
    choice = engine_choice(chosen) if args.refined else EngineChoice(model=OFF.name)
    if args.refined and choice.model == OFF.name:
        raise UsageError("The model is off, so there is no refined depth.", hint="Add --model demo.")
    labels = parse_labels(args.label, chosen)
    if args.out is not None and args.out.exists() and any(args.out.iterdir()):
        raise UsageError(f"{args.out} holds something already.", hint="Give a folder that does not exist.")
    cameras = open_source(chosen.source)
    studio = Studio(choice, stabilise=chosen.stabilise, memory=ControlMemory(paths.controls_file()))
    stop = threading.Event()
    with _stopped_by_signals(stop):
        try:
            pipeline = studio.open(cameras)
            patience_s = time.monotonic() + FIRST_FRAMES_S
            while not wait_for_frames(pipeline, timeout_s=0.5):
                if stop.is_set():
                    raise KeyboardInterrupt
                if time.monotonic() > patience_s:
                    raise camera_silence(pipeline, FIRST_FRAMES_S)
            if args.refined:
                _wait_for_engine(pipeline, stop)
            out = None if args.out is None else args.out.absolute()
            recorder = studio.record(
                chosen.sessions_folder,
                labels,
                session=out,
                refined=args.refined,
                compact=chosen.record_compact,
            )
            console.say("started", f"Recording {len(cameras)} cameras.", cameras=len(cameras))
            told: set[Caution] = set()
            deadline_s = float("inf") if args.seconds is None else time.monotonic() + args.seconds
            while not stop.wait(min(1.0, max(deadline_s - time.monotonic(), 0.0))):
                status = recorder.status()
                _say_status(console, status)
                for caution in status.cautions:
                    if caution not in told:
                        told.add(caution)
                        console.say("caution", caution.words, text=caution.text, hint=caution.hint)
                if status.error or time.monotonic() >= deadline_s:
                    break
            session = studio.stop_recording()
            status = recorder.status()
        finally:
            studio.close()
    assert session is not None
    _say_summary(console, status, session)
    if status.error:
        console.failed(Message("Recording stopped", status.error, status.hint))
        return 1
    return 0


def _wait_for_engine(pipeline: Pipeline, stop: threading.Event) -> None:
    """Wait until the repair runs.

    Raises:
        WeightsError: it cannot run.
    """
    while not stop.is_set():
        state = pipeline.inference.latest()
        if state is not None and state.status is InferenceStatus.FAILED:
            raise WeightsError(state.message, hint=state.hint)
        if state is not None and state.status is InferenceStatus.RUNNING:
            return
        stop.wait(0.1)
    raise KeyboardInterrupt


def parse_labels(pairs: Sequence[str], chosen: Settings) -> SessionLabels:
    """Labels from `key=value` arguments; site and operator come from the settings unless given.

    Raises:
        UsageError: a pair has no value, or a key that there is not.
    """
    values: dict[str, str] = {}
    tags: list[str] = []
    for pair in pairs:
        key, equals, value = (part.strip() for part in pair.partition("="))
        if key not in LABEL_KEYS or not equals or not value:
            raise UsageError(
                f"The label {pair!r} cannot be used.",
                hint=f"Write key=value with one of {', '.join(LABEL_KEYS)}.",
            )
        if key == "tag":
            tags.append(value)
        else:
            values[key] = value
    return SessionLabels(
        scene=values.get("scene", ""),
        tags=tuple(tags),
        notes=values.get("note", ""),
        consent=values.get("consent", ""),
        site=values.get("site", chosen.site),
        operator=values.get("operator", chosen.operator),
    )


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and `kill` set the event instead of ending the program in the middle of a write."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def camera_silence(pipeline: Pipeline, waited_s: float) -> CameraLost:
    """Names the first camera that delivered nothing, with its own reason where it gave one."""
    silent = next(line for line in pipeline.lines.values() if line.channel.newest.latest() is None)
    state = silent.state.latest()
    error = None if state is None else state.error
    why = "" if error is None else f": {error}"
    return CameraLost(
        f"{silent.info.name} delivered no frame within {waited_s:.0f} s{why}.",
        hint=error.hint
        if error is not None
        else "Close what keeps this computer busy, or choose another --source.",
    )


def totals(cameras: Sequence[CameraCount]) -> tuple[int, int]:
    """Frames written, and frames lost on the way, of all cameras."""
    return sum(count.written for count in cameras), sum(count.lost for count in cameras)


def _say_status(console: Console, status: RecorderStatus) -> None:
    written, lost = totals(list(status.cameras.values()))
    refined = sum(count.written for count in status.refined.values())
    console.say(
        "status",
        f"{status.seconds:5.0f} s  {written} frames  {lost} lost  "
        f"{f'{refined} refined  ' if status.refined else ''}{status.bytes_written / MEGA:.1f} MB  "
        f"{status.disk_free_bytes / MEGA / 1000:.1f} GB free",
        seconds=round(status.seconds, 2),
        frames=written,
        lost=lost,
        refined=refined,
        bytes=status.bytes_written,
        disk_free_bytes=status.disk_free_bytes,
    )


def _say_summary(console: Console, status: RecorderStatus, session: Path) -> None:
    for camera_id, count in status.cameras.items():
        away = f"; it was away for {count.away_s:.1f} s" if count.away_s else ""
        console.say(
            "camera",
            f"{camera_id}: {count.written} frames; lost: {count.device_gap} by the device, "
            f"{count.dropped} by a slow disk or processor, {count.failed} that could not be written{away}",
            camera=camera_id,
            written=count.written,
            device_gap=count.device_gap,
            dropped=count.dropped,
            failed=count.failed,
            away_s=round(count.away_s, 3),
        )
    for camera_id, repairs in status.refined.items():
        frames = status.cameras[camera_id].written
        console.say(
            "refined",
            f"{camera_id}: refined depth of {repairs.written} of {frames} frames; the repair made "
            f"{repairs.made}, {repairs.dropped} were dropped for raw frames, {repairs.unplaced} belong to a "
            f"lost frame, {repairs.failed} could not be written",
            camera=camera_id,
            written=repairs.written,
            made=repairs.made,
            dropped=repairs.dropped,
            unplaced=repairs.unplaced,
            failed=repairs.failed,
        )
    written, lost = totals(list(status.cameras.values()))
    console.say(
        "done",
        f"{written} frames in {status.seconds:.1f} s, {lost} lost. The session is {session}",
        session=str(session),
        frames=written,
        lost=lost,
        seconds=round(status.seconds, 2),
        bytes=status.bytes_written,
    )


RECORD = Verb("record", "record a source into a session, without a window", _add_arguments, _run)
