"""The library: cards of all sessions, and what can be done with the one that is selected."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.language import capitalised, ended, joined, tr, tr_many, tr_noop
from app.recording.entry import SessionEntry
from app.recording.library import LabelEdit
from app.ui import theme
from app.ui.card_grid import CardGrid
from app.ui.context import Notice, WindowContext
from app.ui.export_dialog import ExportDialog
from app.ui.flow_layout import FlowLayout
from app.ui.folder_dialog import FolderDialog
from app.ui.session_card import CARD_PX, SessionCard
from app.ui.session_detail import SessionDetail
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import (
    Button,
    ChipGroup,
    EmptyState,
    Option,
    Picker,
    caption,
    end_with_head,
    heading,
    touch_scroll,
)
from app.ui.worded import Worded
from app.ui.work_strip import WorkStrip
from app.verbs.verb import engine_choice
from app.viewmodels.handover import handover
from app.viewmodels.playback import replay_place
from app.viewmodels.session_list import Thumbnail
from app.viewmodels.session_work import ExportWish, Refusal
from app.viewmodels.sessions import (
    Deleted,
    Kept,
    Order,
    SessionsView,
    SessionsViewModel,
    disk_use_words,
)
from app.viewmodels.words import labelled, session_name, size
from drivers.imports.table import SUFFIXES

DETAIL_PX = 440
SEARCH_PX = 480
ALL = Option("", tr_noop("All scenes"))
UNDO_S = 12.0
SETTLE_MS = 200
BESIDE_PX = 900
MOST_CARDS = 100
"""More come when they are asked for: thousands of widgets are slow, and nobody looks at them."""
KEPT = (
    Option(Kept.ALL.value, tr_noop("All sessions")),
    Option(Kept.LOSSLESS.value, tr_noop("Without lost frames")),
    Option(Kept.LOSSES.value, tr_noop("With lost frames")),
    Option(Kept.REFINED.value, tr_noop("With refined depth")),
    Option(Kept.TROUBLE.value, tr_noop("Damaged or cut short")),
)
ORDER = (
    Option(Order.NEWEST.value, tr_noop("Newest first")),
    Option(Order.LONGEST.value, tr_noop("Longest first")),
    Option(Order.LARGEST.value, tr_noop("Largest first")),
)


def make_page(context: WindowContext) -> QWidget:
    """The page and its view-model, connected to the window."""
    return SessionsPage(SessionsViewModel(partial(_folder, context), handover), context)


def _folder(context: WindowContext) -> Path:
    return context.settings.sessions_folder


class SessionsPage(Worded, QWidget):
    """Search above, cards below, the selected session at the right."""

    def __init__(self, model: SessionsViewModel, context: WindowContext) -> None:
        super().__init__()
        self.setProperty("role", "page")
        self._model = model
        self._context = context
        self._cards: dict[Path, SessionCard] = {}
        self._most = MOST_CARDS
        self._followed: Path | None = None
        self._settling = QTimer(self)
        """The list becomes narrower for the session beside it, and its cards go to other places."""
        self._settling.setInterval(SETTLE_MS)
        self._settling.setSingleShot(True)
        self.search = TouchEntry(
            tr("Search sessions"), placeholder=tr("Search: name, tag, note, mark, site, camera")
        )
        self.kept = Picker(tr("Which sessions"), KEPT)
        self.order = Picker(tr("Order"), ORDER)
        self.scenes = ChipGroup([ALL], tr("Show only this scene"))
        self.count = caption()
        self.count.setWordWrap(False)
        self.bring_in = Button(tr("Import ..."), icon_name="import")
        self.empty_trash = Button(tr("Empty trash"), icon_name="delete-empty-outline")
        self.restore_all = Button(tr("Restore from trash"), icon_name="delete-restore")
        self.grid = CardGrid(narrowest_px=CARD_PX, widest_px=round(CARD_PX * 1.6))
        self.more = Button(tr("Show more"), icon_name="chevron-down")
        self.detail = SessionDetail(self._place_of)
        self.work = WorkStrip()
        self.nothing = EmptyState(
            "folder-play-outline",
            tr("Reading the sessions ..."),
            tr("This takes a moment when there are many."),
            action_text=tr("Record one"),
            action=self._fill_nothing,
        )
        self.pages = QStackedWidget()
        self.nothing.setContentsMargins(0, 0, theme.SPACE_PX, 0)  # in the middle below the head
        self._lay_out()
        self._settling.timeout.connect(self._bring_into_view)
        self._list_area.verticalScrollBar().rangeChanged.connect(self._list_changed)
        self.search.edited.connect(model.search)
        self.search.submitted.connect(model.search)
        self.kept.picked.connect(self._kept_picked)
        self.order.picked.connect(self._order_picked)
        model.overview.looked.connect(self.detail.show_overview)
        self.scenes.changed.connect(self._scene_chosen)
        self.more.clicked.connect(self._show_more)
        self.empty_trash.clicked.connect(self._ask_to_purge)
        self.restore_all.clicked.connect(model.restore_all)
        self.detail.replay_requested.connect(self._replay)
        self.detail.train_requested.connect(self._train)
        self.detail.delete_requested.connect(model.delete)
        self.detail.verify_requested.connect(model.work.verify)
        self.detail.copy_requested.connect(self._ask_where_to)
        self.detail.export_requested.connect(self._ask_for_format)
        self.bring_in.clicked.connect(self._ask_what_to_import)
        self.work.stop_requested.connect(model.work.cancel)
        model.work.changed.connect(self.work.show_work)
        self.detail.labels_changed.connect(self._relabel)
        self.detail.closed.connect(self._close_detail)
        model.view_changed.connect(self.show_view)
        model.list.thumbnail_came.connect(self.show_thumbnail)
        model.deleted.connect(self.show_deleted)
        model.refused.connect(self.show_refusal)
        model.notice_came.connect(self.show_notice)
        self.show_view(model.view)

    def shown(self) -> None:
        """The page came to the front: read the folder again."""
        self._model.load()

    def hidden(self) -> None:
        """The page left the front."""

    def closing(self) -> None:
        """The window closes."""
        self._model.close()

    def show_view(self, view: SessionsView) -> None:
        """Show the list and the selected session."""
        shown = view.entries[: self._most]
        folders = [entry.folder for entry in shown]
        for entry in shown:
            card = self._cards.get(entry.folder)
            if card is None:
                card = self._cards[entry.folder] = SessionCard(entry)
                card.show_jpeg(self._model.list.picture(entry.folder))
                card.clicked.connect(self._card_pressed)
            elif card.entry != entry:
                card.show_entry(entry)
            card.setChecked(entry.folder == view.selected)
        self._cards = {folder: self._cards[folder] for folder in folders}
        if list(self.grid.cards) != list(self._cards.values()):
            self.grid.set_cards(list(self._cards.values()))
        self._model.list.want_pictures(shown)
        hidden = len(view.entries) - len(shown)
        self.more.setVisible(hidden > 0)
        self.more.setText(
            tr("Show {count} more of {hidden:,}").format(count=min(hidden, MOST_CARDS), hidden=hidden)
        )
        self._show_filters(view)
        self._show_words(view)
        selected = view.entry
        if view.selected is not None and view.selected != self._followed:
            self._settling.start()
        self._followed = view.selected
        self._detail_area.setVisible(selected is not None)
        self._share_room()
        if selected is not None:
            self.detail.show_entry(selected, self._model.list.picture(selected.folder))
        self._model.overview.look(selected.folder if selected is not None and selected.usable else None)

    def show_thumbnail(self, picture: Thumbnail) -> None:
        """Show a picture that came."""
        card = self._cards.get(picture.folder)
        if card is not None:
            card.show_jpeg(picture.jpeg)
            if card.isChecked():
                self.detail.show_jpeg(picture.jpeg)

    def show_deleted(self, deleted: Deleted) -> None:
        """Offer the way back."""
        undo = partial(self._model.restore, deleted)
        self._context.show_banner(
            Notice(
                "info",
                tr("{name} is in the trash.").format(name=deleted.name),
                deleted.trashed.name,
                tr("Undo"),
                undo,
                lasts_s=UNDO_S,
                about="trash",
            )
        )

    def show_refusal(self, refusal: Refusal) -> None:
        """Say what could not be done."""
        words = ended(refusal.message)
        if refusal.session is None:
            self._context.show_banner(Notice("error", words, refusal.hint, about="session work"))
            return
        show = partial(self._show_session, refusal.session)
        self._context.show_banner(
            Notice("error", words, refusal.hint, tr("Show"), show, about="session work")
        )

    def show_notice(self, text: str) -> None:
        """Say what was done."""
        self._context.show_banner(Notice("info", text, lasts_s=10, about="session work"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_room()
        self._settling.start()

    def _share_room(self) -> None:
        """List and session beside each other; where that is too narrow, the session instead of the list."""
        narrow = self.width() < BESIDE_PX
        widest_px = theme.NO_LIMIT_PX if narrow else DETAIL_PX + theme.SPACE_PX
        self._detail_area.setMinimumWidth(0 if narrow else widest_px)
        self._detail_area.setMaximumWidth(widest_px)
        self.pages.setVisible(not (narrow and self._model.view.entry is not None))

    def _list_changed(self, _least: int, _most: int) -> None:
        if self._settling.isActive():
            self._bring_into_view()

    def _bring_into_view(self) -> None:
        """Scroll the list to the selected card."""
        card = None if self._followed is None else self._cards.get(self._followed)
        if card is not None:
            self._list_area.ensureWidgetVisible(card, 0, theme.SPACE_PX)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            QTimer.singleShot(0, self.grid, self.grid.updateGeometry)

    def _show_filters(self, view: SessionsView) -> None:
        self.scenes.set_options(
            [ALL, *(Option(scene, capitalised(labelled(scene))) for scene in view.scenes)]
        )
        self.scenes.select(view.scene)
        self.scenes.setVisible(bool(view.scenes))
        for widget in (self.search, self.kept, self.order):
            widget.setVisible(view.total > 0)
        self.search.set_text(view.search)
        self.kept.select(view.kept.value)
        self.order.select(view.order.value)
        found = tr_many("{count:,} session", "{count:,} sessions", view.total)
        shown = len(view.entries)
        found = tr("{shown:,} of {found}").format(shown=shown, found=found) if shown != view.total else found
        self.count.setText(joined("; ", (found, disk_use_words(view))))
        self.count.setVisible(view.total > 0)
        self.empty_trash.setVisible(view.trashed > 0)
        self.restore_all.setVisible(view.trashed > 0)
        self.empty_trash.setText(tr("Empty trash ({trashed})").format(trashed=view.trashed))

    def _show_words(self, view: SessionsView) -> None:
        self.pages.setCurrentIndex(0 if view.entries else 1)
        self.nothing.button.setVisible(view.loaded and not view.problem)
        self.nothing.button.setText(tr("Show all sessions") if view.total else tr("Record one"))
        if view.problem:
            self.nothing.show_words(tr("The sessions cannot be read"), view.problem)
        elif not view.loaded:
            self.nothing.show_words(
                tr("Reading the sessions ..."), tr("This takes a moment when there are many.")
            )
        elif view.total == 0:
            self.nothing.show_words(
                tr("No sessions yet"), tr("What you record appears here, ready to replay and to train on.")
            )
        else:
            self.nothing.show_words(tr("Nothing found"), _nothing_words(view))

    def _lay_out(self) -> None:
        named = _row(heading(tr("Sessions")), self.count)
        named.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        top = FlowLayout(gap_px=theme.GAP_PX, fill=True)
        top.addWidget(named)
        top.addWidget(_row(self.bring_in, self.restore_all, self.empty_trash, gap_px=theme.GAP_PX))
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        column.setSpacing(theme.SPACE_PX)
        column.addWidget(self.grid)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._list_area = touch_scroll(content)
        end_with_head(self._list_area, column)
        self.pages.addWidget(self._list_area)
        self.pages.addWidget(self.nothing)
        holder = QWidget()
        held = QVBoxLayout(holder)
        held.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        held.addWidget(self.detail)
        held.addStretch(1)
        self._detail_area = touch_scroll(holder)
        end_with_head(self._detail_area, held)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP_PX)
        row.addWidget(self.pages, 1)
        row.addWidget(self._detail_area)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, theme.GAP_PX, theme.SPACE_PX)
        outer.setSpacing(12)
        head = QVBoxLayout()
        head.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        head.setSpacing(12)
        head.addLayout(top)
        find = FlowLayout(gap_px=theme.GAP_PX, fill=True)
        self.search.setMinimumWidth(SEARCH_PX)
        self.search.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        find.addWidget(self.search)
        find.addWidget(
            _row(self.kept, self.order, gap_px=theme.GAP_PX)
        )  # together in one line or in the next
        head.addLayout(find)
        head.addWidget(self.scenes)
        head.addWidget(self.work)
        outer.addLayout(head)
        outer.addLayout(row, 1)

    def _place_of(self, folder: Path) -> float | None:
        return replay_place(self._context.studio.pipeline, folder)

    def _card_pressed(self) -> None:
        card = self.sender()
        assert isinstance(card, SessionCard)
        self._model.select(card.entry.folder if card.isChecked() else None)

    def _close_detail(self) -> None:
        self._model.select(None)

    def _scene_chosen(self, keys: list[str]) -> None:
        self._model.choose_scene(keys[0] if keys else "")

    def _replay(self, entry: SessionEntry) -> None:
        self._context.open_source(str(entry.folder))
        self._context.go_to("Live")

    def _train(self, entry: SessionEntry) -> None:
        self._model.train_on(entry)
        self._context.go_to("Train")

    def _relabel(self, edit: LabelEdit) -> None:
        entry = self._model.view.entry
        if entry is not None:
            self._model.relabel(entry, edit)

    def _show_more(self) -> None:
        self._most += MOST_CARDS
        self.show_view(self._model.view)

    def _kept_picked(self, key: str) -> None:
        self._model.keep(Kept(key))

    def _order_picked(self, key: str) -> None:
        self._model.arrange(Order(key))

    def _ask_where_to(self, entry: SessionEntry) -> None:
        sessions = self._context.settings.sessions_folder
        dialog = FolderDialog(
            tr("Copy {name} into").format(name=session_name(entry)),
            Path.home(),
            sessions,
            sessions_only=False,
            parent=self,
        )
        dialog.chosen.connect(partial(self._model.work.copy, entry))
        self._context.open_dialog(dialog)

    def _ask_for_format(self, entry: SessionEntry) -> None:
        dialog = ExportDialog(entry, engine_choice(self._context.settings), parent=self)
        dialog.chosen.connect(partial(self._ask_export_folder, entry))
        self._context.open_dialog(dialog)

    def _ask_export_folder(self, entry: SessionEntry, wish: ExportWish) -> None:
        sessions = self._context.settings.sessions_folder
        dialog = FolderDialog(
            tr("Export {name} into").format(name=session_name(entry)),
            Path.home(),
            sessions,
            sessions_only=False,
            parent=self,
        )
        dialog.chosen.connect(partial(self._model.work.export, entry, wish))
        self._context.open_dialog(dialog)

    def _ask_what_to_import(self) -> None:
        sessions = self._context.settings.sessions_folder
        dialog = FolderDialog(
            tr("Import a recording, a folder of frames, or another rig's sessions"),
            Path.home(),
            sessions,
            sessions_only=False,
            parent=self,
            suffixes=SUFFIXES,
        )
        dialog.chosen.connect(self._import)
        self._context.open_dialog(dialog)

    def _import(self, path: Path) -> None:
        self._model.work.bring_in(path, self._context.settings.sessions_folder)

    def _ask_to_purge(self) -> None:
        view = self._model.view
        text = tr("Delete {sessions} for good?").format(
            sessions=tr_many("{count:,} session", "{count:,} sessions", view.trashed)
        )
        hint = tr("This frees {size} and cannot be undone.").format(size=size(view.trash_bytes))
        purge: Callable[[], None] = self._model.purge
        self._context.show_banner(
            Notice("warning", text, hint, tr("Delete for good"), purge, danger=True, about="trash")
        )

    def _show_session(self, folder: Path) -> None:
        self._context.go_to("Sessions")
        self.search.clear()
        self._model.show(folder)

    def _fill_nothing(self) -> None:
        if self._model.view.total:
            self.search.clear()
            self._model.show_all()
        else:
            self._context.go_to("Record")


def _nothing_words(view: SessionsView) -> str:
    """Why no session is shown though there are some."""
    words = view.search.strip()
    if not words:
        return tr("No session matches what is chosen above.")
    if view.narrowed:
        return tr('No session holds "{words}" and matches what is chosen above.').format(words=words)
    return tr('No session holds "{words}".').format(words=words)


def _row(*parts: QWidget, gap_px: int = theme.SPACE_PX) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(gap_px)
    for part in parts:
        row.addWidget(part)
    row.addStretch(1)
    return holder
