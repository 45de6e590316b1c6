"""Past training runs: the app's own note in each run's folder, and the list of all of them."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from app.training.job import TrainingPhase, TrainingState

log = logging.getLogger(__name__)

NOTE_NAME = "app-note.json"
WEIGHT_ENDINGS = {".safetensors", ".pt"}


class RunNote(BaseModel):
    """What was asked for, and how far it came.

    Attributes:
        recipe: name of the recipe.
        title: what the screen calls the run.
        sessions: paths of the sessions trained on.
        synthetic: whether simulated rooms were used.
        init: weights it started from; empty for none.
        steps: how many were asked for.
        started_utc: ISO 8601.
        phase: where the run stood when this was written.
        step: last finished step.
        losses: as in `TrainingState`.
        scores: as in `TrainingState`.
        weights: newest usable weights, or empty.
        message: last words.
        hint: what to do about a failure.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    recipe: str = ""
    title: str = ""
    sessions: tuple[str, ...] = ()
    synthetic: bool = False
    init: str = ""
    steps: int = 0
    started_utc: str = ""
    phase: Literal["starting", "running", "stopping", "stopped", "done", "failed"] = "starting"
    step: int = 0
    losses: tuple[tuple[int, float], ...] = ()
    scores: tuple[tuple[int, float], ...] = ()
    weights: str = ""
    message: str = ""
    hint: str = ""

    def after(self, state: TrainingState) -> "RunNote":
        """The note when the run has come to `state`."""
        return self.model_copy(
            update={
                "phase": state.phase.value,
                "step": state.step,
                "steps": state.steps or self.steps,
                "losses": state.losses,
                "scores": state.scores,
                "weights": "" if state.weights is None else str(state.weights),
                "message": state.message,
                "hint": state.hint,
            }
        )

    def state(self) -> TrainingState:
        """What a resumed run starts from: the curves so far."""
        return TrainingState(
            step=self.step,
            steps=self.steps,
            losses=self.losses,
            scores=self.scores,
            weights=Path(self.weights) if self.weights else None,
        )


@dataclass(frozen=True)
class PastRun:
    """One folder of the list of runs.

    Attributes:
        folder: the run's.
        note: what the app knows of it; empty for a run started elsewhere.
        started: when, in local time.
        weights: newest weights in the folder, or None.
        resumable: whether it left a checkpoint and did not finish.
    """

    folder: Path
    note: RunNote
    started: datetime
    weights: Path | None
    resumable: bool

    @property
    def name(self) -> str:
        """What the screen calls it."""
        return self.note.title or self.folder.name

    @property
    def loss(self) -> float | None:
        """The last reported one."""
        return self.note.losses[-1][1] if self.note.losses else None

    @property
    def score_m(self) -> float | None:
        """The last reported one: mean absolute error, metres."""
        return self.note.scores[-1][1] if self.note.scores else None


def write_note(folder: Path, note: RunNote) -> None:
    """Write the note whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{NOTE_NAME}.partial"
    partial.write_text(note.model_dump_json(), encoding="utf-8")
    partial.replace(folder / NOTE_NAME)


def read_note(folder: Path) -> RunNote | None:
    """The note in `folder`, or None where there is none that can be read."""
    try:
        return RunNote.model_validate_json((folder / NOTE_NAME).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("the note in %s cannot be read: %s", folder, error)
        return None


def past_runs(folder: Path) -> list[PastRun]:
    """Every run below `folder`, newest first; folders that hold no run are left out."""
    if not folder.is_dir():
        return []
    runs = [run for path in folder.iterdir() if path.is_dir() and (run := _past_run(path)) is not None]
    return sorted(runs, key=lambda run: run.started, reverse=True)


def _past_run(folder: Path) -> PastRun | None:
    note = read_note(folder)
    files = sorted(_model_files(folder), key=lambda path: path.stat().st_mtime, reverse=True)
    if note is None and not files:
        return None
    weights = [path for path in files if "checkpoint" not in path.name and path.suffix in WEIGHT_ENDINGS]
    note = note or RunNote(phase=TrainingPhase.STOPPED.value)
    return PastRun(
        folder=folder,
        note=note,
        started=_started(folder, note),
        weights=weights[0] if weights else None,
        resumable=len(weights) < len(files) and note.phase != TrainingPhase.DONE.value,
    )


def _model_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if "checkpoint" in path.name or path.suffix in WEIGHT_ENDINGS]


def _started(folder: Path, note: RunNote) -> datetime:
    try:
        return datetime.fromisoformat(note.started_utc).astimezone()
    except ValueError:
        return datetime.fromtimestamp(folder.stat().st_mtime, UTC).astimezone()
