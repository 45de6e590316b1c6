"""The library: cards of all sessions, and what can be done with the one that is selected."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.recording.library import SessionEntry
from app.settings import SCENES
from app.ui import theme
from app.ui.card_grid import CardGrid
from app.ui.context import Notice, WindowContext
from app.ui.preview import Preview, paint_picture
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import (
    Button,
    Card,
    ChipGroup,
    EmptyState,
    Option,
    Picker,
    PrimaryButton,
    body,
    caption,
    heading,
    set_tone,
    title,
    touch_scroll,
)
from app.viewmodels.handover import handover
from app.viewmodels.session_list import Thumbnail
from app.viewmodels.sessions import Deleted, Refusal, SessionsView, SessionsViewModel, loss_words
from app.viewmodels.words import counted, duration, size

CARD_PX = 264
DETAIL_PX = 400
TEXT_PX = 132
ALL = Option("", "All scenes")
NO_SCENE = Option("", "Not said")
UNDO_S = 12.0


def make_page(context: WindowContext) -> QWidget:
    """The page and its view-model, connected to the window."""
    return SessionsPage(SessionsViewModel(partial(_folder, context), handover), context)


def _folder(context: WindowContext) -> Path:
    return context.settings.sessions_folder


def when(entry: SessionEntry) -> str:
    """When a session was recorded, as people say it."""
    return entry.name if entry.started is None else f"{entry.started:%d %b %Y, %H:%M}"


class SessionCard(QAbstractButton):
    """One session: painted, so that hundreds of them stay light."""

    def __init__(self, entry: SessionEntry) -> None:
        super().__init__()
        self._image = QImage()
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_entry(entry)

    def show_entry(self, entry: SessionEntry) -> None:
        """Show another state of the session."""
        self.entry = entry
        self._lines = _card_lines(entry)
        self.setAccessibleName(", ".join(text for text, _ in self._lines if text))
        self.update()

    def show_jpeg(self, data: bytes | None) -> None:
        """Show the thumbnail."""
        self._image = QImage.fromData(data) if data else QImage()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(width * 9 / 16) + TEXT_PX

    def sizeHint(self) -> QSize:
        return QSize(CARD_PX, self.heightForWidth(CARD_PX))

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marked = self.isChecked() or self.hasFocus()
        ground = colours.accent_soft if self.isChecked() else colours.surface
        if self.isDown() or self.underMouse():
            ground = colours.pressed if self.isDown() else colours.hover
        painter.setBrush(QColor(ground))
        painter.setPen(QColor(colours.accent if marked else colours.line))
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(frame, 14, 14)
        if marked:
            painter.drawRoundedRect(frame.adjusted(1, 1, -1, -1), 13, 13)
        inner = frame.adjusted(9, 9, -9, -9)
        picture = QRectF(inner.left(), inner.top(), inner.width(), self.height() - TEXT_PX - 10)
        words = "Cannot be read" if not self.entry.usable else "No picture"
        paint_picture(painter, picture, self._image, words)
        y = picture.bottom() + 8
        for number, (text, tone) in enumerate(self._lines):
            weight = QFont.Weight.DemiBold if number == 0 else QFont.Weight.Normal
            font = theme.font(theme.CONTROL_PX if number == 0 else 15, weight=weight)
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(QColor(getattr(colours, tone)))
            line = QRectF(inner.left() + 2, y, inner.width() - 4, metrics.height() + 6)
            painter.drawText(
                line,
                Qt.AlignmentFlag.AlignVCenter,
                metrics.elidedText(text, Qt.TextElideMode.ElideRight, round(line.width())),
            )
            y += metrics.height() + 6


def _card_lines(entry: SessionEntry) -> list[tuple[str, str]]:
    if not entry.usable:
        return [
            (when(entry), "text"),
            (entry.problem, "warning"),
            (entry.hint, "muted"),
            (size(entry.bytes), "muted"),
        ]
    labels = ", ".join([entry.labels.scene, *entry.labels.tags] if entry.labels.scene else entry.labels.tags)
    lossless = entry.lost == 0 and not entry.recovered
    return [
        (f"{when(entry)}", "text"),
        (labels or "No labels", "text" if labels else "muted"),
        (
            f"{duration(entry.seconds)}, {counted(len(entry.cameras), 'camera')}, {size(entry.bytes)}",
            "muted",
        ),
        (loss_words(entry), "ok" if lossless else "warning"),
    ]


class SessionDetail(Card):
    """The selected session and what can be done with it.

    Signals:
        replay_requested: play it as a source.
        train_requested: train on it.
        delete_requested: move it to the trash.
        labels_changed: (scene, tags) it should have.
        closed: nothing is to be selected any more.
    """

    replay_requested = Signal(SessionEntry)
    train_requested = Signal(SessionEntry)
    delete_requested = Signal(SessionEntry)
    labels_changed = Signal(tuple)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._entry: SessionEntry | None = None
        self.picture = Preview(aspect=16 / 9)
        self._when = title()
        self._facts = body()
        self._problem = body()
        set_tone(self._problem, "warning")
        self._cameras = QVBoxLayout()
        self._cameras.setSpacing(theme.TIGHT_PX)
        self.replay = PrimaryButton("Replay", icon_name="play")
        self.train = Button("Train on this", icon_name="school-outline")
        self.delete = Button("Delete", icon_name="trash-can-outline", kind="danger")
        self.close_button = Button("Close", icon_name="close")
        self.scene = Picker("Scene", [NO_SCENE, *(Option(scene, scene.capitalize()) for scene in SCENES)])
        self.scene.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.tags = ChipGroup([], "Tags of this session", exclusive=False)
        self.no_tags = caption("No tags. Press one to take it away; add new ones below.")
        self.tag_entry = TouchEntry("New tag", placeholder="New tag", submit_text="Add")
        self.labels = QWidget()
        self._where = caption()
        self._lay_out()
        self.replay.clicked.connect(self._replay)
        self.train.clicked.connect(self._train)
        self.delete.clicked.connect(self._delete)
        self.close_button.clicked.connect(self.closed)
        self.scene.picked.connect(self._scene_picked)
        self.tags.changed.connect(self._tags_pressed)
        self.tag_entry.submitted.connect(self._tag_typed)

    def show_entry(self, entry: SessionEntry, jpeg: bytes | None) -> None:
        """Show a session."""
        self._entry = entry
        self.picture.show_jpeg(jpeg)
        self._when.setText(when(entry))
        said = [entry.labels.site, entry.labels.operator]
        place = ", ".join(text for text in said if text)
        self._facts.setText(
            f"{duration(entry.seconds)}, {counted(entry.frames, 'frame')}, {size(entry.bytes)}"
            + (f"\n{place}" if place else "")
            if entry.usable
            else size(entry.bytes)
        )
        trouble = [entry.problem, entry.hint, entry.failure and f"It stopped by itself: {entry.failure}"]
        text = " ".join(part for part in trouble if part)
        self._problem.setText(text)
        self._problem.setVisible(bool(text))
        self._show_cameras(entry)
        self.replay.setVisible(entry.usable)
        self.train.setVisible(entry.usable)
        self.labels.setVisible(entry.usable)
        self.scene.select(entry.labels.scene)
        self.tags.set_options([Option(tag, tag, "close") for tag in entry.labels.tags])
        self.tags.select(entry.labels.tags)
        self.no_tags.setVisible(not entry.labels.tags)
        self._where.setText(str(entry.folder).replace("/", "/\u200b").replace("_", "_\u200b"))

    def _show_cameras(self, entry: SessionEntry) -> None:
        while (item := self._cameras.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for camera in entry.cameras if entry.usable else ():
            lost = "none lost" if camera.lost == 0 else f"{camera.lost:,} lost"
            line = body(f"{camera.name}: {counted(camera.written, 'frame')}, {lost}")
            set_tone(line, "warning" if camera.lost else "")
            self._cameras.addWidget(line)

    def _lay_out(self) -> None:
        labels = QVBoxLayout(self.labels)
        labels.setContentsMargins(0, 0, 0, 0)
        for widget in (
            caption("Scene"),
            self.scene,
            caption("Tags"),
            self.tags,
            self.no_tags,
            self.tag_entry,
        ):
            labels.addWidget(widget)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GAP_PX)
        buttons.addWidget(self.delete, 1)
        buttons.addWidget(self.close_button, 1)
        uses = QHBoxLayout()
        uses.setSpacing(theme.GAP_PX)
        uses.addWidget(self.replay, 1)
        uses.addWidget(self.train, 1)
        for part in (self.picture, self._when, self._facts, self._problem):
            self.column.addWidget(part)
        self.column.addLayout(uses)
        self.column.addLayout(self._cameras)
        self.column.addWidget(self.labels)
        self.column.addLayout(buttons)
        self.column.addWidget(self._where)

    def _replay(self) -> None:
        self.replay_requested.emit(self._entry)

    def _train(self) -> None:
        self.train_requested.emit(self._entry)

    def _delete(self) -> None:
        self.delete_requested.emit(self._entry)

    def _scene_picked(self, scene: str) -> None:
        if self._entry is not None:
            self.labels_changed.emit((scene, self._entry.labels.tags))

    def _tags_pressed(self, tags: list[str]) -> None:
        if self._entry is not None:
            self.labels_changed.emit((self._entry.labels.scene, tuple(tags)))

    def _tag_typed(self, text: str) -> None:
        tag = " ".join(text.split())
        self.tag_entry.clear()
        if self._entry is not None and tag:
            labels = self._entry.labels
            self.labels_changed.emit((labels.scene, tuple(dict.fromkeys((*labels.tags, tag)))))


class SessionsPage(QWidget):
    """Search above, cards below, the selected session at the right."""

    def __init__(self, model: SessionsViewModel, context: WindowContext) -> None:
        super().__init__()
        self.setProperty("role", "page")
        self._model = model
        self._context = context
        self._cards: dict[Path, SessionCard] = {}
        self.search = TouchEntry("Search sessions", placeholder="Search: name, tag, site, camera")
        self.scenes = ChipGroup([ALL], "Show only this scene")
        self.count = caption()
        self.empty_trash = Button("Empty trash", icon_name="delete-empty-outline")
        self.restore_all = Button("Restore", icon_name="delete-restore")
        self.grid = CardGrid(narrowest_px=CARD_PX)
        self.detail = SessionDetail()
        self.nothing = EmptyState(
            "folder-play-outline",
            "Reading the sessions ...",
            "This takes a moment when there are many.",
            action_text="Record one",
            action=self._record,
        )
        self.pages = QStackedWidget()
        self._lay_out()
        self.search.edited.connect(model.search)
        self.search.submitted.connect(model.search)
        self.scenes.changed.connect(self._scene_chosen)
        self.empty_trash.clicked.connect(self._ask_to_purge)
        self.restore_all.clicked.connect(model.restore_all)
        self.detail.replay_requested.connect(self._replay)
        self.detail.train_requested.connect(self._train)
        self.detail.delete_requested.connect(model.delete)
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
        folders = [entry.folder for entry in view.entries]
        for entry in view.entries:
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
        self._show_filters(view)
        self._show_words(view)
        selected = view.entry
        self._detail_area.setVisible(selected is not None)
        if selected is not None:
            self.detail.show_entry(selected, self._model.list.picture(selected.folder))

    def show_thumbnail(self, picture: Thumbnail) -> None:
        """Show a picture that came."""
        card = self._cards.get(picture.folder)
        if card is not None:
            card.show_jpeg(picture.jpeg)
            if card.isChecked():
                self.detail.picture.show_jpeg(picture.jpeg)

    def show_deleted(self, deleted: Deleted) -> None:
        """Offer the way back."""
        undo = partial(self._model.restore, deleted)
        self._context.show_banner(
            Notice("info", "The session is in the trash.", deleted.name, "Undo", undo, lasts_s=UNDO_S)
        )

    def show_refusal(self, refusal: Refusal) -> None:
        """Say what could not be done."""
        self._context.show_banner(Notice("error", refusal.message, refusal.hint))

    def show_notice(self, text: str) -> None:
        """Say what was done."""
        self._context.show_banner(Notice("info", text, lasts_s=10))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            QTimer.singleShot(0, self.grid, self.grid.updateGeometry)

    def _show_filters(self, view: SessionsView) -> None:
        self.scenes.set_options([ALL, *(Option(scene, scene.capitalize()) for scene in view.scenes)])
        self.scenes.select(view.scene)
        self.scenes.setVisible(bool(view.scenes))
        self.search.setVisible(view.total > 0)
        found = counted(len(view.entries), "session")
        narrowed = len(view.entries) != view.total
        self.count.setText(f"{found} of {view.total:,}" if narrowed else found)
        self.count.setVisible(view.total > 0)
        self.empty_trash.setVisible(view.trashed > 0)
        self.restore_all.setVisible(view.trashed > 0)
        self.empty_trash.setText(f"Empty trash ({view.trashed})")

    def _show_words(self, view: SessionsView) -> None:
        self.pages.setCurrentIndex(0 if view.entries else 1)
        self.nothing.button.setVisible(view.loaded and view.total == 0 and not view.problem)
        if view.problem:
            self.nothing.show_words("The sessions cannot be read", view.problem)
        elif not view.loaded:
            self.nothing.show_words("Reading the sessions ...", "This takes a moment when there are many.")
        elif view.total == 0:
            self.nothing.show_words(
                "No sessions yet", "What you record appears here, ready to replay and to train on."
            )
        else:
            self.nothing.show_words("Nothing found", "Search for other words, or choose another scene.")

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(theme.SPACE_PX)
        top.addWidget(heading("Sessions"))
        top.addWidget(self.count)
        top.addStretch(1)
        top.addWidget(self.restore_all)
        top.addWidget(self.empty_trash)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        column.addWidget(self.grid)
        column.addStretch(1)
        self.pages.addWidget(touch_scroll(content))
        self.pages.addWidget(self.nothing)
        holder = QWidget()
        held = QVBoxLayout(holder)
        held.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        held.addWidget(self.detail)
        held.addStretch(1)
        self._detail_area = touch_scroll(holder)
        self._detail_area.setFixedWidth(DETAIL_PX + theme.SPACE_PX)
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
        head.addWidget(self.search)
        head.addWidget(self.scenes)
        outer.addLayout(head)
        outer.addLayout(row, 1)

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

    def _relabel(self, labels: tuple[str, tuple[str, ...]]) -> None:
        entry = self._model.view.entry
        if entry is not None:
            scene, tags = labels
            self._model.relabel(entry, scene, tags)

    def _ask_to_purge(self) -> None:
        text = f"Remove {counted(self._model.view.trashed, 'session')} for good?"
        purge: Callable[[], None] = self._model.purge
        self._context.show_banner(Notice("warning", text, "This cannot be undone.", "Remove", purge))

    def _record(self) -> None:
        self._context.go_to("Record")
