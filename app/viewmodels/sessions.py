"""State of the sessions page: which sessions are there, found, selected, deleted."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.language import from_below, joined, tr, tr_many
from app.recording import library
from app.recording.entry import SessionCamera, SessionEntry
from app.recording.library import FillRate, LabelEdit, Recovery
from app.viewmodels.handover import Handover
from app.viewmodels.session_list import Listing, SessionList
from app.viewmodels.session_overview import SessionOverview
from app.viewmodels.session_work import Refusal, SessionWork, Verdict
from app.viewmodels.words import (
    away_cameras,
    away_for,
    clock,
    frames_lost,
    labelled,
    lost_frames,
    session_name,
    size,
)
from drivers.errors import SessionError
from drivers.session.library import State
from drivers.session.manifest import CameraTotals


class Kept(Enum):
    """Which sessions the list keeps."""

    ALL = "all"
    LOSSLESS = "lossless"
    LOSSES = "losses"
    REFINED = "refined"
    TROUBLE = "trouble"

    def keeps(self, entry: SessionEntry) -> bool:
        """Whether it keeps this session."""
        if self is Kept.ALL:
            return True
        if self is Kept.REFINED:
            return entry.refined > 0
        if self is Kept.TROUBLE:
            return not entry.usable or bool(entry.failure) or entry.faults > 0
        return entry.usable and entry.lossless is (self is Kept.LOSSLESS)


class Order(Enum):
    """Which session comes first."""

    NEWEST = "newest"
    LONGEST = "longest"
    LARGEST = "largest"

    def arranged(self, entries: Iterable[SessionEntry]) -> tuple[SessionEntry, ...]:
        """The sessions, which come newest first, in this order."""
        if self is Order.LONGEST:
            return tuple(sorted(entries, key=lambda entry: -entry.seconds))
        if self is Order.LARGEST:
            return tuple(sorted(entries, key=lambda entry: -entry.bytes))
        return tuple(entries)


@dataclass(frozen=True)
class SessionsView:
    """What the page shows.

    Attributes:
        entries: sessions that search and filters let through, in order.
        total: how many there are without the search.
        scenes: categories that occur, for the filter.
        search: words that are looked for.
        scene: category that is looked for, or empty.
        kept: which sessions are let through besides.
        order: which comes first.
        selected: folder of the selected session, or None.
        bytes: of all sessions.
        trash_bytes: of those in the trash.
        trashed: how many sessions are in the trash.
        loaded: whether the folder has been read.
        problem: why it cannot be read, or empty.
    """

    entries: tuple[SessionEntry, ...] = ()
    total: int = 0
    scenes: tuple[str, ...] = ()
    search: str = ""
    scene: str = ""
    kept: Kept = Kept.ALL
    order: Order = Order.NEWEST
    selected: Path | None = None
    bytes: int = 0
    trash_bytes: int = 0
    trashed: int = 0
    loaded: bool = False
    problem: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything but the search keeps sessions from being shown."""
        return bool(self.scene) or self.kept is not Kept.ALL

    @property
    def entry(self) -> SessionEntry | None:
        """The selected session."""
        if self.selected is None:
            return None
        return next((entry for entry in self.entries if entry.folder == self.selected), None)


@dataclass(frozen=True)
class Deleted:
    """A session in the trash.

    Attributes:
        name: what it was called.
        trashed: where it is now.
    """

    name: str
    trashed: Path


class SessionsViewModel(QObject):
    """Searches, selects, labels and deletes.

    Args:
        folder: gives the sessions folder of this moment.
        handover: where other pages leave what they want shown, and take what to train on.

    Attributes:
        list: the folder, read in a thread.
        work: verifies, copies, exports and imports sessions.
        overview: looks into the selected one.
    """

    view_changed = Signal(SessionsView)
    deleted = Signal(Deleted)
    refused = Signal(Refusal)
    notice_came = Signal(str)

    def __init__(self, folder: Callable[[], Path], handover: Handover, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.list = SessionList(folder, recover=True, parent=self)
        self.work = SessionWork(self)
        self.overview = SessionOverview(self)
        self._handover = handover
        self._listing: Listing | None = None
        self._told: set[Path] = set()
        self._faults: dict[Path, int] = {}
        self._search = ""
        self._scene = ""
        self._kept = Kept.ALL
        self._order = Order.NEWEST
        self._selected: Path | None = None
        self._view: SessionsView | None = None
        self.list.listed.connect(self._listed)
        self.list.recovered.connect(self._recovered)
        self.work.arrived.connect(self.show)
        self.work.verified.connect(self._verified)
        self.work.ended.connect(self.notice_came)
        self.work.failed.connect(self.refused)

    @property
    def view(self) -> SessionsView:
        """This moment; made once for each change, because thousands of sessions are looked through."""
        if self._view is None:
            self._view = self._make_view()
        return self._view

    def _changed(self) -> None:
        self._view = None
        self.view_changed.emit(self.view)

    def _make_view(self) -> SessionsView:
        listing = self._listing or Listing()
        scenes = dict.fromkeys(entry.labels.scene for entry in listing.entries if entry.labels.scene)
        found = tuple(
            entry
            for entry in listing.entries
            if entry.matches(self._search)
            and self._scene in {"", entry.labels.scene}
            and self._kept.keeps(entry)
        )
        return SessionsView(
            entries=self._order.arranged(found),
            total=len(listing.entries),
            scenes=tuple(sorted(scenes)),
            search=self._search,
            scene=self._scene,
            kept=self._kept,
            order=self._order,
            bytes=sum(entry.bytes for entry in listing.entries),
            trash_bytes=sum(entry.bytes for entry in listing.trashed),
            selected=self._found(found),
            trashed=len(listing.trashed),
            loaded=self._listing is not None,
            problem=listing.problem,
        )

    def _found(self, found: Iterable[SessionEntry]) -> Path | None:
        """The selected session, where it is among these."""
        wanted = self._selected
        return wanted if wanted and any(entry.folder == wanted for entry in found) else None

    def load(self) -> None:
        """Read the folder again, and select what another page asked for."""
        wanted = self._handover.take_show()
        if wanted is not None:
            self._selected = wanted
            self.show_all()
        self._view = None
        self.list.load()

    def show(self, folder: Path) -> None:
        """Read the folder again and select a session, whatever was searched for before."""
        self._selected = folder
        self.show_all()
        self.load()

    def show_all(self) -> None:
        """Search for nothing and keep all sessions."""
        self._search = self._scene = ""
        self._kept = Kept.ALL
        self._changed()

    def search(self, words: str) -> None:
        """Show only sessions that hold all these words."""
        self._search = words
        self._changed()

    def choose_scene(self, scene: str) -> None:
        """Show only sessions of this category; empty shows all."""
        self._scene = scene
        self._changed()

    def keep(self, kept: Kept) -> None:
        """Show only these sessions."""
        self._kept = kept
        self._changed()

    def arrange(self, order: Order) -> None:
        """Show them in another order."""
        self._order = order
        self._changed()

    def select(self, folder: Path | None) -> None:
        """Select a session, or none."""
        self._selected = folder
        self._changed()

    def train_on(self, entry: SessionEntry) -> None:
        """Leave the session for the training page."""
        self._handover.train_on = (entry.folder,)

    def delete(self, entry: SessionEntry) -> None:
        """Move a session to the trash; `deleted` offers the way back."""
        try:
            trashed = library.delete(entry)
        except SessionError as error:
            self.refused.emit(Refusal(from_below(str(error)), from_below(error.hint)))
            return
        self._drop(entry.folder)
        self.deleted.emit(Deleted(session_name(entry), trashed))
        self.list.load()

    def restore(self, deleted: Deleted) -> None:
        """Bring a session back from the trash."""
        try:
            self._selected = library.restore(deleted.trashed)
        except SessionError as error:
            self.refused.emit(Refusal(from_below(str(error)), from_below(error.hint)))
        self._view = None
        self.list.load()

    def restore_all(self) -> None:
        """Bring back everything that is in the trash."""
        for entry in () if self._listing is None else self._listing.trashed:
            try:
                library.restore(entry.folder)
            except SessionError as error:
                self.refused.emit(Refusal(from_below(str(error)), from_below(error.hint)))
        self.list.load()

    def purge(self) -> None:
        """Remove what is in the trash for good."""
        self.list.empty_trash()

    def relabel(self, entry: SessionEntry, edit: LabelEdit) -> None:
        """Change what is said of a session."""
        try:
            library.relabel(entry.folder, edit)
        except SessionError as error:
            self.refused.emit(Refusal(from_below(str(error)), from_below(error.hint)))
            return
        self._replace(replace(library.read_entry(entry.folder), faults=entry.faults))

    def close(self) -> None:
        """Join the threads that read and work."""
        self.work.close()
        self.overview.close()
        self.list.close()

    def _verified(self, verdict: Verdict) -> None:
        """The list says from now on what a check found."""
        self._faults[verdict.folder] = verdict.faults
        if self._listing is not None:
            self._listing = self._with_faults(self._listing)
            self._changed()

    def _with_faults(self, listing: Listing) -> Listing:
        found = self._faults
        entries = tuple(
            replace(entry, faults=found[entry.folder]) if entry.folder in found else entry
            for entry in listing.entries
        )
        return replace(listing, entries=entries) if found else listing

    def _listed(self, listing: Listing) -> None:
        if self._listing is not None and not listing.complete:
            return  # the reading before shows more
        self._listing = self._with_faults(listing)
        if listing.complete and self._scene not in {entry.labels.scene for entry in listing.entries}:
            self._scene = ""
        self._changed()

    def _recovered(self, recoveries: tuple[Recovery, ...]) -> None:
        good = [recovery for recovery in recoveries if not recovery.problem]
        if good:
            lost_s = sum(recovery.lost_s for recovery in good)
            sessions = tr_many("{count:,} session", "{count:,} sessions", len(good))
            self.notice_came.emit(
                tr("Recovered {sessions} that a crash left unfinished; about {lost_s:.1f} s lost.").format(
                    sessions=sessions, lost_s=lost_s
                )
            )
        for recovery in recoveries:
            if recovery.problem and recovery.folder not in self._told:
                self._told.add(recovery.folder)
                self.refused.emit(_unrecovered(recovery))

    def _drop(self, folder: Path) -> None:
        if self._listing is not None:
            left = tuple(entry for entry in self._listing.entries if entry.folder != folder)
            self._listing = replace(self._listing, entries=left)
            self._changed()

    def _replace(self, changed: SessionEntry) -> None:
        assert self._listing is not None
        entries = tuple(changed if e.folder == changed.folder else e for e in self._listing.entries)
        self._listing = replace(self._listing, entries=entries)
        self._changed()


def _unrecovered(recovery: Recovery) -> Refusal:
    """That a session could not be finished after a crash, under the name that its card has."""
    problem = from_below(recovery.problem.replace(f"{recovery.folder}/", ""))
    words = joined(": ", (session_name(library.read_entry(recovery.folder)), problem))
    return Refusal(words, from_below(recovery.hint), recovery.folder)


def loss_words(entry: SessionEntry) -> str:
    """What a session lost or what is damaged, as short as a card is narrow; `drop_words` says why."""
    if entry.state is not State.WHOLE:
        return ""
    if entry.faults:
        return tr_many("{count:,} damaged file", "{count:,} damaged files", entry.faults)
    if entry.recovered:
        return tr("Recovered; about {lost_s:.1f} s lost").format(lost_s=entry.lost_s)
    lost = frames_lost(entry.lost) if entry.lost else ""
    return joined(", ", filter(None, (lost, away_cameras(entry)))) or tr("No frame lost")


def drop_words(*totals: CameraTotals) -> str:
    """Lost frames by cause, and how long a camera was away."""
    away_s = max((total.away_s for total in totals), default=0.0)
    away = away_for(away_s) if away_s else ""
    if not any(total.lost for total in totals):
        return away or tr("No frame lost")
    causes = (
        (sum(total.device_gap for total in totals), tr("by the device")),
        (sum(total.host_drop for total in totals), tr("dropped")),
        (sum(total.error for total in totals), tr("failed")),
    )
    return joined("; ", filter(None, (away, lost_frames(causes))))


def camera_words(camera: SessionCamera, fill: FillRate | None) -> str:
    """Frames of one camera, and how much depth is in them as far as somebody has looked."""
    frames = tr_many("{count:,} frame", "{count:,} frames", camera.written)
    refined = tr("{refined:,} refined").format(refined=camera.refined) if camera.refined else ""
    if fill is not None:
        frames += tr(", {raw:.0%} with depth").format(raw=fill.raw)
        if fill.refined is not None:
            refined += tr(", {refined:.0%} with depth").format(refined=fill.refined)
    return joined("; ", filter(None, (frames, refined)))


def marks(entry: SessionEntry) -> list[tuple[str, str]]:
    """Id and words of each marked moment: "00:12 glass here"."""
    found = [label for label in entry.labels.events.values() if label.kind == "mark"]
    return [
        (
            mark.id,
            joined(
                " ", (clock(((mark.start_ns or entry.start_ns) - entry.start_ns) / 1e9), labelled(mark.value))
            ),
        )
        for mark in found
    ]


def disk_use_words(view: SessionsView) -> str:
    """Room that the library takes; how much is left stands in the status strip."""
    parts = [size(view.bytes)]
    if view.trash_bytes:
        parts.append(tr("{size} in the trash").format(size=size(view.trash_bytes)))
    return joined(", ", parts)
