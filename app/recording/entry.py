"""One session of the library as the screen shows it."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from drivers.session.labels import Labels
from drivers.session.library import State
from drivers.session.manifest import CameraTotals

NO_LABELS = Labels(scene="", tags=(), notes="", operator="", site="", events={})


def with_marks_only(labels: Labels) -> Labels:
    """Labels as an entry holds them: ten thousand entries have no room for what nobody looks at."""
    marks = {name: event for name, event in labels.events.items() if event.kind == "mark"}
    return replace(labels, events=marks)


@dataclass(frozen=True)
class SessionCamera:
    """One camera of a session: what was written, and where the rest went.

    Attributes:
        camera_id: its id.
        name: for people.
        written: frames in the session.
        totals: where its frames went; None where nothing says.
        refined: frames with refined depth.
    """

    camera_id: str
    name: str
    written: int
    totals: CameraTotals | None
    refined: int = 0

    @property
    def lost(self) -> int:
        """Frames in no file."""
        return 0 if self.totals is None else self.totals.lost

    @property
    def away_s(self) -> float:
        """How long nothing at all came from it."""
        return 0.0 if self.totals is None else self.totals.away_s


@dataclass(frozen=True)
class SessionEntry:
    """One session of the library, whole or not.

    Attributes:
        folder: of the session.
        state: only a whole one can be replayed or trained on.
        started: local time, or None where nothing says.
        seconds: length.
        cameras: in the rig's order.
        labels: what holds after all edits; of the events behind them only the marks.
        bytes: of all files.
        start_ns: of the first message, UTC; 0 where nothing says.
        recovered: whether a crash was repaired.
        lost_s: what that crash cost.
        failure: why recording ended early, or empty.
        problem: why it cannot be used, or empty.
        hint: what to do about that.
        faults: files of it that a check found damaged; 0 as long as nobody checked.
    """

    folder: Path
    state: State
    started: datetime | None
    seconds: float
    cameras: tuple[SessionCamera, ...]
    labels: Labels
    bytes: int
    start_ns: int = 0
    recovered: bool = False
    lost_s: float = 0.0
    failure: str = ""
    problem: str = ""
    hint: str = ""
    faults: int = 0

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def usable(self) -> bool:
        """Whether it can be replayed and trained on."""
        return self.state is State.WHOLE

    @property
    def frames(self) -> int:
        """Of all cameras."""
        return sum(camera.written for camera in self.cameras)

    @property
    def refined(self) -> int:
        """Frames of all cameras with refined depth."""
        return sum(camera.refined for camera in self.cameras)

    @property
    def lost(self) -> int:
        """Frames of all cameras that are in no file."""
        return sum(camera.lost for camera in self.cameras)

    @property
    def lossless(self) -> bool:
        """Whether nothing that should be in it is missing, as far as anybody knows."""
        return not (self.recovered or self.lost or any(camera.away_s for camera in self.cameras))

    def matches(self, words: str) -> bool:
        """Whether each of the words occurs in name, labels or cameras."""
        if not words:
            return True
        said = self.labels
        text = " ".join((
            self.name, said.scene, *said.tags, said.notes, said.operator, said.site, said.consent,
            *(mark.value for mark in said.events.values()), *(camera.name for camera in self.cameras),
        )).casefold()  # fmt: skip
        return all(word in text for word in words.casefold().split())
