"""The session that is selected in the library, and what can be done with it."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.language import capitalised, ended, from_below, joined, tr, tr_many, tr_noop
from app.recording.entry import SessionCamera, SessionEntry
from app.recording.library import FillRate, LabelEdit, Overview
from app.settings import CONSENTS, SCENES
from app.ui import theme
from app.ui.preview import Preview
from app.ui.session_card import without_picture
from app.ui.session_marks import PlaceOf, SessionMarks, nowhere
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import (
    Button,
    Card,
    ChipGroup,
    IconButton,
    Option,
    Picker,
    PrimaryButton,
    Segmented,
    body,
    caption,
    captioned,
    set_tone,
    title,
)
from app.viewmodels.session_overview import Looked
from app.viewmodels.sessions import camera_words, drop_words
from app.viewmodels.words import breaking, clock, labelled, session_name, size, unbroken
from drivers.session.library import State

NO_SCENE = Option("", tr_noop("Not said"))
NO_CONSENT = [NO_SCENE, *(Option(consent, capitalised(labelled(consent))) for consent in CONSENTS)]
PICTURES = (
    Option("color", tr_noop("Colour")),
    Option("raw", tr_noop("Raw")),
    Option("refined", tr_noop("Refined")),
)
NO_PICTURE = tr_noop("No picture yet")
TEXTS = (
    ("notes", tr_noop("Notes"), tr_noop("What was special")),
    ("operator", tr_noop("Operator"), tr_noop("Who recorded it")),
    ("site", tr_noop("Site"), tr_noop("Where it was")),
)


class SessionDetail(Card):
    """The selected session and what can be done with it.

    Args:
        place_of: where the replay of a session stands.

    Signals:
        replay_requested: play it as a source.
        train_requested: train on it.
        delete_requested: move it to the trash.
        verify_requested: compare its files with their hashes.
        copy_requested: copy it to another disk.
        export_requested: write it in another format.
        labels_changed: `LabelEdit` that it should have.
        closed: nothing is to be selected any more.
    """

    replay_requested = Signal(SessionEntry)
    train_requested = Signal(SessionEntry)
    delete_requested = Signal(SessionEntry)
    verify_requested = Signal(SessionEntry)
    copy_requested = Signal(SessionEntry)
    export_requested = Signal(SessionEntry)
    labels_changed = Signal(LabelEdit)
    closed = Signal()

    def __init__(self, place_of: PlaceOf = nowhere) -> None:
        super().__init__()
        self._entry: SessionEntry | None = None
        self._jpeg: bytes | None = None
        self._overview: Overview | None = None
        self._unread = False
        self.pictures = Segmented(PICTURES, tr("Picture of the session"))
        self.picture = Preview(aspect=16 / 9)
        self._when = title()
        self._facts = body()
        self._problem = body()
        set_tone(self._problem, "warning")
        self._cameras = QVBoxLayout()
        self._cameras.setSpacing(theme.GAP_PX)
        self.replay = PrimaryButton(tr("Replay"), icon_name="play")
        self.train = Button(tr("Train on this"), icon_name="school-outline")
        self.delete = Button(tr("Delete"), icon_name="trash-can-outline", kind="danger")
        self.verify = Button(tr("Verify"), icon_name="shield-check-outline")
        self.copy = Button(tr("Copy to ..."), icon_name="content-copy")
        self.export = Button(tr("Export ..."), icon_name="export")
        self.close_button = IconButton("close", tr("Close the session"), kind="quiet")
        self.scene = Picker(
            tr("Scene"), [NO_SCENE, *(Option(scene, capitalised(labelled(scene))) for scene in SCENES)]
        )
        self.scene.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.consent = Picker(tr("Consent"), NO_CONSENT)
        self.consent.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.tags = ChipGroup([], tr("Tags of this session"), exclusive=False)
        self.no_tags = caption(tr("No tags yet; add some below."))
        self.tag_entry = TouchEntry(
            tr("New tag"), placeholder=tr("New tag"), submit_text=tr("Add"), submit_icon="plus"
        )
        self.marks = SessionMarks(place_of)
        self.texts = {
            name: TouchEntry(title_text, placeholder=hint, submit_text=tr("Save"))
            for name, title_text, hint in TEXTS
        }
        self.labels = QWidget()
        self._where = caption()
        self._lay_out()
        self.replay.clicked.connect(self._replay)
        self.train.clicked.connect(self._train)
        self.delete.clicked.connect(self._delete)
        self.verify.clicked.connect(self._verify)
        self.copy.clicked.connect(self._copy)
        self.export.clicked.connect(self._export)
        self.close_button.clicked.connect(self.closed)
        self.scene.picked.connect(self._scene_picked)
        self.consent.picked.connect(self._consent_picked)
        self.tags.changed.connect(self._tags_pressed)
        self.tag_entry.submitted.connect(self._tag_typed)
        self.marks.edited.connect(self.labels_changed)
        for name, entry in self.texts.items():
            entry.submitted.connect(partial(self._text_typed, name))
        self.pictures.changed.connect(self._show_picture)

    def show_entry(self, entry: SessionEntry, jpeg: bytes | None) -> None:
        """Show a session."""
        other = self._entry is None or entry.folder != self._entry.folder
        self._entry, self._jpeg = entry, jpeg
        if other:
            self._overview, self._unread = None, False
            self.pictures.select("color")
        self._offer_pictures(entry)
        self._show_picture()
        self._when.setText(session_name(entry))
        place = ", ".join(text for text in (entry.labels.site, entry.labels.operator) if text)
        frames = tr_many("{count:,} frame", "{count:,} frames", entry.frames)
        facts = joined(", ", (clock(entry.seconds), frames, size(entry.bytes)))
        on_disk = tr("{size} on the disk").format(size=size(entry.bytes))
        self._facts.setText(joined("\n", filter(None, (facts, place))) if entry.usable else on_disk)
        trouble = [
            entry.problem and ended(from_below(entry.problem)),
            entry.hint,
            _fault_words(entry.faults) if entry.faults else "",
            entry.failure and tr("It stopped by itself. {failure}").format(failure=from_below(entry.failure)),
        ]
        text = joined(" ", map(from_below, filter(None, trouble)))
        self._problem.setText(unbroken(text))
        self._problem.setVisible(bool(text))
        self._show_cameras(entry)
        self.picture.show_words(NO_PICTURE if entry.usable else without_picture(entry))
        self.delete.setVisible(entry.state is not State.RECORDING)
        self.replay.setVisible(entry.usable)
        for button in (self.train, self.verify, self.copy, self.export):
            button.setVisible(entry.usable)
        self.labels.setVisible(entry.usable)
        self.scene.select(entry.labels.scene)
        said = entry.labels.consent
        # Another program, or an older one, may have said it in words of its own.
        own = [Option(said, capitalised(labelled(said)))] if said and said not in CONSENTS else []
        self.consent.set_options([*NO_CONSENT, *own])
        self.consent.select(said)
        self.tags.set_options([Option(tag, labelled(tag), "close") for tag in entry.labels.tags])
        self.tags.select(entry.labels.tags)
        self.no_tags.setVisible(not entry.labels.tags)
        self.marks.show_entry(entry)
        for name, value in (
            ("notes", entry.labels.notes), ("site", entry.labels.site), ("operator", entry.labels.operator),
        ):  # fmt: skip
            if other:
                self.texts[name].edit.setText(value)
            self.texts[name].set_text(value)
        self._where.setText(breaking(entry.folder))

    def show_jpeg(self, jpeg: bytes | None) -> None:
        """Show a thumbnail that came."""
        self._jpeg = jpeg
        self._show_picture()

    def show_overview(self, looked: Looked) -> None:
        """Show what was found in the session, if it is still the one that is shown."""
        if self._entry is None or looked.folder != self._entry.folder:
            return
        self._overview, self._unread = looked.overview, looked.overview is None
        if looked.problem:
            self._problem.setText(looked.problem)
            self._problem.setVisible(True)
        self._offer_pictures(self._entry)
        self._show_picture()
        self._show_cameras(self._entry)

    def _offer_pictures(self, entry: SessionEntry) -> None:
        """Keep the room of what is being looked for, so that no button below moves under a finger."""
        found = None if self._overview is None else self._overview.pictures
        some = entry.frames > 0 and not self._unread if found is None else bool(found)
        self.pictures.setVisible(entry.usable and some)
        refined = any(camera.refined for camera in entry.cameras) if found is None else "refined" in found
        self.pictures.button("refined").setVisible(refined)
        for name in ("raw", "refined"):
            self.pictures.button(name).setEnabled(found is not None)

    def _show_picture(self, _keys: object = None) -> None:
        pictures = {} if self._overview is None else self._overview.pictures
        chosen = next(iter(self.pictures.selected), "color")
        if chosen in pictures:
            self.picture.show_color(pictures[chosen])
        else:
            self.picture.show_jpeg(self._jpeg)

    def _show_cameras(self, entry: SessionEntry) -> None:
        while (item := self._cameras.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for camera in entry.cameras if entry.usable else ():
            fill = None if self._overview is None else self._overview.fill.get(camera.camera_id)
            self._cameras.addWidget(_camera_lines(camera, fill))
        if self._overview is not None and self._overview.made_by:
            made_by = tr("Refined by {made_by}").format(made_by=self._overview.made_by)
            self._cameras.addWidget(caption(made_by))

    def _lay_out(self) -> None:
        labels = QVBoxLayout(self.labels)
        labels.setContentsMargins(0, theme.TIGHT_PX, 0, theme.TIGHT_PX)
        labels.setSpacing(theme.SPACE_PX)
        labels.addLayout(captioned(tr("Scene"), self.scene))
        labels.addLayout(captioned(tr("Tags"), self.tags, self.no_tags, self.tag_entry))
        labels.addWidget(self.marks)
        labels.addLayout(captioned(tr("Consent of the people in view"), self.consent))
        for name, title_text, _ in TEXTS:
            labels.addLayout(captioned(title_text, self.texts[name]))
        head = QHBoxLayout()
        head.setSpacing(theme.GAP_PX)
        head.addWidget(self._when, 1)
        head.addWidget(self.close_button)
        self.column.setContentsMargins(20, theme.GAP_PX, 20, 20)
        self.column.addLayout(head)
        uses = QHBoxLayout()
        uses.setSpacing(theme.GAP_PX)
        uses.addWidget(self.replay, 1)
        uses.addWidget(self.train, 1)
        for part in (self.picture, self.pictures, self._facts, self._problem):
            self.column.addWidget(part)
        keeping = QHBoxLayout()
        keeping.setSpacing(theme.GAP_PX)
        keeping.addWidget(self.verify, 1)
        keeping.addWidget(self.copy, 1)
        self.column.addLayout(uses)
        self.column.addWidget(self.export)
        self.column.addLayout(self._cameras)
        self.column.addWidget(self.labels)
        self.column.addLayout(keeping)
        self.column.addWidget(self.delete)
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

    def _export(self) -> None:
        self.export_requested.emit(self._entry)

    def _scene_picked(self, scene: str) -> None:
        self.labels_changed.emit(LabelEdit(scene=scene))

    def _consent_picked(self, consent: str) -> None:
        self.labels_changed.emit(LabelEdit(consent=consent))

    def _tags_pressed(self, tags: list[str]) -> None:
        self.labels_changed.emit(LabelEdit(tags=tuple(tags)))

    def _tag_typed(self, text: str) -> None:
        tag = " ".join(text.split())
        self.tag_entry.clear()
        if self._entry is not None and tag:
            tags = dict.fromkeys((*self._entry.labels.tags, tag))
            self.labels_changed.emit(LabelEdit(tags=tuple(tags)))

    def _text_typed(self, name: str, text: str) -> None:
        said = " ".join(text.split())
        edits = {
            "notes": LabelEdit(notes=said),
            "site": LabelEdit(site=said),
            "operator": LabelEdit(operator=said),
        }
        self.labels_changed.emit(edits[name])


def _camera_lines(camera: SessionCamera, fill: FillRate | None) -> QWidget:
    """The name of a camera, and below it what the session holds and lacks of it."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(body(from_below(camera.name)))
    column.addWidget(caption(camera_words(camera, fill)))
    if camera.totals is not None and (camera.lost or camera.away_s):
        lost = body(drop_words(camera.totals))
        set_tone(lost, "warning")
        column.addWidget(lost)
    return holder


def _fault_words(faults: int) -> str:
    files = tr_many("{count:,} file is damaged.", "{count:,} files are damaged.", faults)
    return joined(" ", (files, tr("Put the files back from a copy; the rest can be used.")))
