"""What one page leaves for another: sessions to train on, a session to show."""

from dataclasses import dataclass
from pathlib import Path


@dataclass
class Handover:
    """Each thing is there until somebody takes it.

    Attributes:
        train_on: sessions that the training page is to choose.
        show: session that the library is to select.
    """

    train_on: tuple[Path, ...] = ()
    show: Path | None = None

    def take_train_on(self) -> tuple[Path, ...]:
        """The sessions, which are then gone from here."""
        taken, self.train_on = self.train_on, ()
        return taken

    def take_show(self) -> Path | None:
        """The session, which is then gone from here."""
        taken, self.show = self.show, None
        return taken


handover = Handover()
"""One window has one: pages are made apart from each other and know only the window."""
