"""The session that is selected in the library, and what can be done with it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.recording.library import SessionEntry
from app.settings import SCENES
from app.ui import theme
from app.ui.preview import Preview
from app.ui.session_card import when
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import (
    Button,
    Card,
    ChipGroup,
    Option,
    Picker,
    PrimaryButton,
    body,
    caption,
    set_tone,
    title,
)
from app.viewmodels.words import counted, duration, size

NO_SCENE = Option("", "Not said")


class SessionDetail(Card):
    """The selected session and what can be done with it.

    Signals:
        replay_requested: play it as a source.
        train_requested: train on it.
        delete_requested: move it to the trash.
        verify_requested: compare its files with their hashes.
        copy_requested: copy it to another disk.
        labels_changed: (scene, tags) it should have.
        closed: nothing is to be selected any more.
    """

    replay_requested = Signal(SessionEntry)
    train_requested = Signal(SessionEntry)
    delete_requested = Signal(SessionEntry)
    verify_requested = Signal(SessionEntry)
    copy_requested = Signal(SessionEntry)
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
        self.verify = Button("Verify", icon_name="shield-check-outline")
        self.copy = Button("Copy to ...", icon_name="content-copy")
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
        self.verify.clicked.connect(self._verify)
        self.copy.clicked.connect(self._copy)
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
        for button in (self.train, self.verify, self.copy):
            button.setVisible(entry.usable)
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
        keeping = QHBoxLayout()
        keeping.setSpacing(theme.GAP_PX)
        keeping.addWidget(self.verify, 1)
        keeping.addWidget(self.copy, 1)
        self.column.addLayout(uses)
        self.column.addLayout(self._cameras)
        self.column.addWidget(self.labels)
        self.column.addLayout(keeping)
        self.column.addLayout(buttons)
        self.column.addWidget(self._where)

    def _replay(self) -> None:
        self.replay_requested.emit(self._entry)

    def _train(self) -> None:
        self.train_requested.emit(self._entry)

    def _delete(self) -> None:
        self.delete_requested.emit(self._entry)

    def _verify(self) -> None:
        self.verify_requested.emit(self._entry)

    def _copy(self) -> None:
        self.copy_requested.emit(self._entry)

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
