"""Past training runs, from what the trainer leaves in each run's folder."""

import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from app.language import tr_noop
from app.training.job import TrainingPhase, TrainingState, after_event
from trainer import files, process  # noqa: TID253 - names only, no torch

if TYPE_CHECKING:
    from trainer.config import TrainConfig

log = logging.getLogger(__name__)

INTERRUPTED = tr_noop("It ended without a word, as in a crash.")


@dataclass(frozen=True)
class PastRun:
    """One folder of the list of runs.

    Attributes:
        folder: the run's.
        recipe: name of its recipe.
        sessions: recorded sessions it learned from.
        synthetic: whether it learned from simulated rooms.
        state: how far it came, with its curves.
        started: local time.
        weights: that can be used, or None.
        resumable: whether it left a checkpoint and did not finish.
        owner: the process that works on it now; None if none does.
        data_places: data sets it learned from, as KIND:FOLDER.
    """

    folder: Path
    recipe: str
    sessions: tuple[Path, ...]
    synthetic: bool
    state: TrainingState
    started: datetime
    weights: Path | None
    resumable: bool
    owner: process.Owner | None = None
    data_places: tuple[str, ...] = ()

    @property
    def loss(self) -> float | None:
        """The last reported one."""
        return self.state.losses[-1][1] if self.state.losses else None

    @property
    def score_m(self) -> float | None:
        """The last reported one: mean absolute error, metres."""
        return self.state.scores[-1][1] if self.state.scores else None


def past_runs(folder: Path) -> list[PastRun]:
    """Every run below `folder`, newest first; folders in which no run began are left out."""
    if not folder.is_dir():
        return []
    runs = [run for path in folder.iterdir() if path.is_dir() and (run := past_run(path)) is not None]
    return sorted(runs, key=lambda run: run.started, reverse=True)


def past_run(folder: Path) -> PastRun | None:
    """The run in `folder`, or None where none began or its configuration cannot be read."""
    config = _config(folder)
    if config is None:
        return None
    owner = process.owner(folder)
    state = replay(folder / files.PROGRESS, under_way=owner is not None)
    weights = folder / files.WEIGHTS
    checkpoints = (folder / files.CHECKPOINT).glob(f"step-*/{files.CHECKPOINT_FACTS}")
    return PastRun(
        folder=folder,
        recipe=config.recipe,
        sessions=config.sessions,
        synthetic=config.synthetic > 0,
        state=replace(state, steps=state.steps or config.steps),
        started=datetime.fromtimestamp((folder / files.CONFIG).stat().st_mtime, UTC).astimezone(),
        weights=weights if weights.is_file() else None,
        resumable=any(checkpoints) and owner is None and state.phase is not TrainingPhase.DONE,
        owner=owner,
        data_places=tuple(
            f"{part.kind}:{part.path}" for part in config.mix if part.kind not in {"session", "synthetic"}
        ),
    )


def replay(progress: Path, *, under_way: bool = False) -> TrainingState:
    """The state that a progress log ends in.

    A run that says nothing of its end and is not `under_way` was interrupted. A resumed run goes on from its
    checkpoint, so what came after that is left out.
    """
    state = TrainingState()
    losses: list[tuple[int, float]] = []
    scores: list[tuple[int, float]] = []
    for event in _events(progress):
        match event:
            # Appended here and not through `after_event`, which copies the curve for every line.
            case {"event": "step", "step": int(step), "loss": float(loss)}:
                state = replace(state, step=step)
                losses.append((step, loss))
            case {"event": "score", "step": int(step), "mae_m": float(mae_m)}:
                scores.append((step, mae_m))
            case {"event": "started", "step": int(step)}:
                losses = [point for point in losses if point[0] <= step]
                scores = [point for point in scores if point[0] <= step]
                state = after_event(state, event)
            case _:
                state = after_event(state, event)
    if state.active and not under_way:
        state = replace(state, phase=TrainingPhase.STOPPED, message=INTERRUPTED)
    return replace(state, losses=tuple(losses), scores=tuple(scores))


def _events(progress: Path) -> list[dict[str, object]]:
    try:
        lines = progress.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    events = []
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue  # torn by a crash
        if isinstance(event, dict):
            events.append(event)
    return events


def _config(folder: Path) -> "TrainConfig | None":
    from trainer.config import TrainConfig  # the window is up before anyone trains

    try:
        return TrainConfig.model_validate_json((folder / files.CONFIG).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("the run in %s cannot be read: %s", folder, error)
        return None
