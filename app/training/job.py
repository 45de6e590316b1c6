"""One training run: the trainer as a process of its own, followed by the JSON lines of its log."""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path

from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import tr
from trainer import files, process  # noqa: TID253 - names only, no torch

log = logging.getLogger(__name__)

MAIN = Path(__file__).resolve().parents[2] / "main.py"
READ_EVERY_S = 0.1
DETACHED: int = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(
    subprocess, "CREATE_NEW_PROCESS_GROUP", 0
)


_left_running: list[subprocess.Popen[bytes]] = []
"""Held until the program ends: Python warns of children that are forgotten while they run."""


class TrainingPhase(Enum):
    """Where a run stands."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class TrainingState:
    """Everything the screen shows of a run.

    Attributes:
        phase: where it stands.
        step: last finished step.
        steps: how many there will be.
        losses: (step, loss) of every reported step, oldest first.
        scores: (step, score) of every evaluation: mean absolute error in hidden and hole pixels, metres.
        rate_hz: steps per second.
        weights: the newest weights that can be used, or None.
        message: why it failed, or what it is doing.
        hint: what to do about a failure.
        warning: the last thing that went wrong while the run went on.
    """

    phase: TrainingPhase = TrainingPhase.STARTING
    step: int = 0
    steps: int = 0
    losses: tuple[tuple[int, float], ...] = ()
    scores: tuple[tuple[int, float], ...] = ()
    rate_hz: float = 0.0
    weights: Path | None = None
    message: str = ""
    hint: str = ""
    warning: str = ""

    @property
    def active(self) -> bool:
        """Whether the child still runs."""
        return self.phase in {TrainingPhase.STARTING, TrainingPhase.RUNNING, TrainingPhase.STOPPING}


def after_event(state: TrainingState, event: dict[str, object]) -> TrainingState:
    """The state after one line of the trainer's progress (see `trainer.progress`)."""
    match event:
        case {"event": "started", "steps": int(steps), "step": int(step)}:
            stopping = state.phase is TrainingPhase.STOPPING
            phase = TrainingPhase.STOPPING if stopping else TrainingPhase.RUNNING
            return replace(state, phase=phase, step=step, steps=steps, message="", hint="")
        case {"event": "step", "step": int(step), "loss": float(loss), "rate_hz": float(rate_hz)}:
            return replace(state, step=step, losses=(*state.losses, (step, loss)), rate_hz=rate_hz)
        case {"event": "score", "step": int(step), "mae_m": float(mae)}:
            return replace(state, scores=(*state.scores, (step, mae)))
        case {"event": "weights", "path": str(path)}:
            return replace(state, weights=Path(path))
        case {"event": "doing", "message": str(message)}:
            return replace(state, message=message)
        case {"event": "warning", "message": str(message)}:
            return replace(state, warning=message)
        case {"event": "done"}:
            return replace(state, phase=TrainingPhase.DONE, message="Finished.")
        case {"event": "stopped", "step": int(step)}:
            return replace(
                state, phase=TrainingPhase.STOPPED, step=step, message="Stopped; it can be resumed."
            )
        case {"event": "failed", "message": str(message), "hint": str(hint)}:
            return replace(state, phase=TrainingPhase.FAILED, message=message, hint=hint)
    return state


class TrainingJob:
    """Runs the trainer and follows it by its log; the trainer outlives whoever started it.

    Args:
        run: the run's folder; one that already holds a checkpoint is resumed by `resume`.
        arguments: of the `train` verb, without `--run` and `--json`.
    """

    def __init__(self, run: Path, arguments: Sequence[str] = ()) -> None:
        self.run = run
        self.state: Slot[TrainingState] = Slot()
        self.state.put(TrainingState())
        self._arguments = list(arguments)
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner: process.Owner | None = None
        self._reader: Worker | None = None

    @property
    def followed(self) -> bool:
        """Whether the trainer's process has not ended, as far as is known; it ends after its last words."""
        return self._reader is not None and self._reader.running

    def start(self) -> None:
        """Start the child, in a session of its own: the end of this program is not its end.

        Raises:
            OSError: the folder cannot be written.
        """
        self.run.mkdir(parents=True, exist_ok=True)
        (self.run / files.STOP).unlink(missing_ok=True)
        log_file = self.run / files.PROGRESS
        place = log_file.stat().st_size if log_file.exists() else 0
        command = [sys.executable, str(MAIN), "train", "--run", str(self.run), "--json", *self._arguments]
        with (self.run / "stderr.log").open("a", encoding="utf-8") as errors:
            child = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,  # the log has the same lines
                stderr=errors,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=os.name == "posix",
                creationflags=DETACHED,
            )
        process.note(self.run, child.pid)
        self._child = child
        self._follow_from(place)

    def attach(self, owner: process.Owner) -> None:
        """Follow a run that another window, or nobody, started."""
        self._owner = owner
        log_file = self.run / files.PROGRESS
        self._follow_from(log_file.stat().st_size if log_file.exists() else 0)

    def ask_to_stop(self) -> None:
        """Have the trainer write a checkpoint and end; returns at once."""
        self._update(lambda state: replace(state, phase=TrainingPhase.STOPPING) if state.active else state)
        (self.run / files.STOP).touch()

    def close(self) -> None:
        """Follow no longer; the trainer goes on."""
        if self._reader is not None:
            self._reader.stop()
        if self._child is not None and self._child.poll() is None:
            _left_running.append(self._child)

    def _follow_from(self, place: int) -> None:
        self._reader = Worker("training", lambda stop: self._follow(place, stop))
        self._reader.start()

    def _follow(self, place: int, stop: threading.Event) -> None:
        while not stop.is_set():
            ended = not self._alive()  # asked before reading, so that last words are not missed
            place = self._read_from(place)
            if ended:
                self._update(self._if_active_ended)
                return
            stop.wait(READ_EVERY_S)

    def _if_active_ended(self, state: TrainingState) -> TrainingState:
        status = None if self._child is None else self._child.wait()
        return _ended(state, status, self.run) if state.active else state

    def _alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return self._owner is not None and self._owner.alive

    def _read_from(self, place: int) -> int:
        """Take in whole lines of the log from `place` on; returns where the next one begins."""
        try:
            with (self.run / files.PROGRESS).open("rb") as log_file:
                log_file.seek(place)
                content = log_file.read()
        except FileNotFoundError:
            return place
        whole = content.rfind(b"\n") + 1
        for line in content[:whole].splitlines():
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                log.warning("the trainer wrote something that is no event: %r", line)
                continue
            self._update(partial(after_event, event=event))
        return place + whole

    def _update(self, change: Callable[[TrainingState], TrainingState]) -> None:
        with self._lock:
            state = self.state.latest()
            assert state is not None
            self.state.put(change(state))


def _ended(state: TrainingState, status: int | None, run: Path) -> TrainingState:
    how = "" if status is None else tr(" (exit status {status})").format(status=status)
    return replace(
        state,
        phase=TrainingPhase.FAILED,
        message=tr("The trainer ended without a word{how}.").format(how=how),
        hint=tr("Its last words are in {log}.").format(log=run / "stderr.log"),
    )
