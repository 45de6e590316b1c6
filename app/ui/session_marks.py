"""The marked moments of a session: adding, renaming and taking away afterwards."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.language import tr
from app.recording.entry import SessionEntry
from app.recording.library import LabelEdit, NewMark
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import Button, ChipGroup, Option, Stepper, body, caption, captioned
from app.ui.worded import Worded
from app.viewmodels.sessions import marks
from app.viewmodels.words import clock_tenths

STEP_S = 0.5

PlaceOf = Callable[[Path], float | None]
"""Seconds into the session in this folder at which its replay stands; None where it is not replayed."""


def nowhere(_folder: Path) -> float | None:
    """Of a window without a replay."""
    return None


class SessionMarks(Worded, QWidget):
    """Chips of the marked moments; a pressed one can be renamed or taken away, and new ones are added.

    Args:
        place_of: where the replay of a session stands.

    Signals:
        edited: `LabelEdit` that the session should have.
    """

    edited = Signal(LabelEdit)

    def __init__(self, place_of: PlaceOf = nowhere) -> None:
        super().__init__()
        self._place_of = place_of
        self._entry: SessionEntry | None = None
        self._said: dict[str, str] = {}
        self.chips = ChipGroup([], tr("Marked moments"))
        self.hint = caption()
        self.name = TouchEntry(
            tr("Name of this mark"), placeholder=tr("Name of this mark"), submit_text=tr("Rename")
        )
        self.remove = Button(tr("Take this mark away"), icon_name="close")
        self.moment = Stepper(
            tr("Moment of a new mark"), minimum=0, maximum=0, step=STEP_S, said=clock_tenths
        )
        self.moment.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.here = Button(tr("Where the replay stands"), icon_name="map-marker-outline")
        self.new = TouchEntry(
            tr("New mark"), placeholder=tr("New mark"), submit_text=tr("Add"), submit_icon="plus"
        )
        at = QHBoxLayout()
        at.addWidget(body(tr("Mark at")), 0)
        at.addWidget(self.moment, 1)
        column = captioned(tr("Marked moments"), self.chips, self.hint, self.name, self.remove)
        self.setLayout(column)
        column.addLayout(at)
        column.addWidget(self.here)
        column.addWidget(self.new)
        self.chips.changed.connect(self._chosen)
        self.name.submitted.connect(self._rename)
        self.remove.clicked.connect(self._remove)
        self.here.clicked.connect(self.go_to_replay)
        self.new.submitted.connect(self._add)

    def show_entry(self, entry: SessionEntry) -> None:
        """Show the marks of a session."""
        other = self._entry is None or entry.folder != self._entry.folder
        self._entry = entry
        self.moment.set_maximum(entry.seconds)
        if other:
            self.moment.set_value(0.0)
            self.chips.select([])
            self.new.clear()
            self.go_to_replay()
        self._said = {mark.id: mark.value for mark in entry.labels.events.values() if mark.kind == "mark"}
        self.chips.set_options([Option(mark_id, words) for mark_id, words in marks(entry)])
        self.chips.setVisible(bool(self._said))
        self.here.setVisible(self._place_of(entry.folder) is not None)
        self._chosen(self.chips.selected)

    def go_to_replay(self) -> None:
        """A new mark is made where the replay stands, if this session is replayed."""
        place_s = None if self._entry is None else self._place_of(self._entry.folder)
        if place_s is not None:
            self.moment.set_value(place_s)

    def _chosen(self, keys: list[str]) -> None:
        chosen = keys[0] if keys else ""
        for widget in (self.name, self.remove):
            widget.setVisible(chosen in self._said)
        self.hint.setVisible(chosen not in self._said)
        self.hint.setText(tr("Press one to rename it or take it away.") if self._said else tr("None yet."))
        if chosen in self._said:
            self.name.edit.setText(self._said[chosen])

    def _rename(self, text: str) -> None:
        said = " ".join(text.split())
        for mark_id in self.chips.selected:
            if said:
                self.edited.emit(LabelEdit(renamed={mark_id: said}))
            else:
                self.name.edit.setText(self._said[mark_id])

    def _remove(self) -> None:
        gone = tuple(self.chips.selected)
        self.chips.select([])
        self.edited.emit(LabelEdit(without=gone))

    def _add(self, text: str) -> None:
        said = " ".join(text.split())
        if self._entry is None or not said:
            return
        self.new.clear()
        at_ns = self._entry.start_ns + round(self.moment.value * 1e9)
        self.edited.emit(LabelEdit(marked=(NewMark(said, at_ns),)))
