"""One training run: the trainer as a child process that speaks JSON lines."""

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
from typing import IO

from app.flow.slot import Slot
from app.flow.worker import Worker
from trainer import files  # noqa: TID253 - names only, no torch

log = logging.getLogger(__name__)

MAIN = Path(__file__).resolve().parents[2] / "main.py"
STOP_WAIT_S = 1.0


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
    """Runs the trainer and follows it.

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
        self._child: subprocess.Popen[str] | None = None
        self._reader: Worker | None = None

    def start(self) -> None:
        """Start the child."""
        self.run.mkdir(parents=True, exist_ok=True)
        (self.run / files.STOP).unlink(missing_ok=True)
        command = [sys.executable, str(MAIN), "train", "--run", str(self.run), "--json", *self._arguments]
        with (self.run / "stderr.log").open("a", encoding="utf-8") as errors:
            child = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self._child = child
        self._reader = Worker("training", lambda _stop: self._follow(child))
        self._reader.start()

    def ask_to_stop(self) -> None:
        """Have the trainer write a checkpoint and end; returns at once."""
        self._update(lambda state: replace(state, phase=TrainingPhase.STOPPING) if state.active else state)
        (self.run / files.STOP).touch()

    def close(self) -> None:
        """Ask the child to stop; one that needs longer writes its checkpoint and ends without us."""
        if self._child is None or self._reader is None:
            return
        if self._child.poll() is None:
            try:
                self.ask_to_stop()
                self._child.wait(STOP_WAIT_S)
            except subprocess.TimeoutExpired:
                log.info("the trainer in %s is still writing its checkpoint", self.run)
                return
            except OSError:
                log.exception("the trainer in %s could not be asked to stop", self.run)
                return
        self._reader.stop()

    def _follow(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        with child.stdout as lines:
            self._read(lines)
        status = child.wait()
        self._update(lambda state: _ended(state, status, self.run) if state.active else state)

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                log.warning("the trainer printed something that is no event: %s", line.rstrip())
                continue
            self._update(partial(after_event, event=event))

    def _update(self, change: Callable[[TrainingState], TrainingState]) -> None:
        with self._lock:
            state = self.state.latest()
            assert state is not None
            self.state.put(change(state))


def _ended(state: TrainingState, status: int, run: Path) -> TrainingState:
    return replace(
        state,
        phase=TrainingPhase.FAILED,
        message=f"The trainer ended without a word (exit status {status}).",
        hint=f"Its last words are in {run / 'stderr.log'}.",
    )
