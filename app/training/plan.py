"""What the operator asks of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.language import tr
from app.training.data_sets import DataSet

SESSIONS, ROOMS = "sessions", "rooms"
"""Keys of the two sources that have no folder of their own."""


@dataclass(frozen=True)
class TrainingPlan:
    """What the operator asks for.

    Attributes:
        recipe: name of a recipe.
        sessions: folders of the sessions to train on.
        synthetic: whether simulated rooms are mixed in.
        steps: how many.
        init: weights to start from; None starts from nothing.
        data_sets: to train on.
        sessions_weight: of all sessions together.
        rooms_weight: of simulated rooms.
    """

    recipe: str
    sessions: tuple[Path, ...]
    synthetic: bool
    steps: int
    init: Path | None
    data_sets: tuple[DataSet, ...] = ()
    sessions_weight: int = 1
    rooms_weight: int = 1

    @property
    def weights(self) -> Mapping[str, int]:
        """Of each source: `ROOMS`, `SESSIONS`, and folders of data sets."""
        found = {ROOMS: self.rooms_weight} if self.synthetic else {}
        found |= {str(data.folder): data.weight for data in self.data_sets}
        return found | ({SESSIONS: self.sessions_weight} if self.sessions else {})

    @property
    def shares(self) -> Mapping[str, float]:
        """Of the samples that come from each source, by the keys of `weights`; they add up to 1."""
        total = sum(self.weights.values())
        return {key: weight / total for key, weight in self.weights.items()}

    @property
    def arguments(self) -> list[str]:
        """Of the `train` verb."""
        words = ["--recipe", self.recipe]
        for session in self.sessions:
            words += ["--session", str(session)]
        if self.sessions:
            words += ["--session-weight", str(self.sessions_weight)]
        for data in self.data_sets:
            words += ["--data", data.flag]
        if self.synthetic:
            words += ["--synthetic", str(self.rooms_weight)]
        words += ["--steps", str(self.steps)]
        if self.init is not None:
            words += ["--init", str(self.init)]
        return words

    @property
    def obstacle(self) -> str:
        """Why it cannot start, in words; empty if it can."""
        if not self.recipe:
            return tr("Choose a recipe.")
        if not self.weights:
            return tr("Choose at least one session, a data set, or simulated rooms.")
        return ""
