"""The recording page: one huge button, every frame accounted for, labels by touch."""

from functools import partial
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import capitalised, english, joined, tr, tr_many, tr_noop
from app.recording.preflight import Check
from app.settings import CONSENTS, SCENES
from app.ui import theme
from app.ui.card_grid import CardGrid
from app.ui.commands import Command, bind_keys
from app.ui.context import Notice, WindowContext
from app.ui.icons import icon
from app.ui.preview import Preview
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import (
    Bar,
    Button,
    Card,
    ChipGroup,
    Option,
    PrimaryButton,
    RecordButton,
    Switch,
    body,
    caption,
    heading,
    label,
    set_tone,
    title,
    touch_scroll,
)
from app.ui.worded import Label, Worded
from app.viewmodels.handover import handover
from app.viewmodels.record import RecordViewModel
from app.viewmodels.record_view import (
    MARKS,
    CameraPanel,
    LabelChoice,
    Problem,
    RecordPhase,
    RecordView,
    Saved,
    Tone,
    loss_words,
    safety_words,
)
from app.viewmodels.words import breaking, clock, labelled, size, unbroken

RECORD_PX = 104
TIMER_PX = 68
SIDE_PX = 380
CAMERA_PX = 148
MOST_ACROSS = 4
SIGN_PX = 20
UNDO_S = 12.0
SCROLL_BAR_PX = 12

NO_SCENE = Option("", tr_noop("Not said"))
TONES = {Tone.CALM: "", Tone.WARNING: "warning", Tone.BAD: "error"}
BUSY = {RecordPhase.STARTING, RecordPhase.RECORDING, RecordPhase.CLOSING}
BUTTONS = {
    RecordPhase.NO_CAMERA: (tr_noop("Record"), "record-circle", False),
    RecordPhase.WAITING: (tr_noop("Record"), "record-circle", False),
    RecordPhase.READY: (tr_noop("Record"), "record-circle", True),
    RecordPhase.STARTING: (tr_noop("Starting ..."), "record-circle", False),
    RecordPhase.RECORDING: (tr_noop("Stop"), "stop-circle", True),
    RecordPhase.CLOSING: (tr_noop("Saving ..."), "stop-circle", False),
}


def make_page(context: WindowContext) -> QWidget:
    """The page and its view-model, connected to the window."""
    return RecordPage(RecordViewModel(context.studio, context.settings, context.save_settings), context)


class CameraCard(Card):
    """One camera: what it sees, what it is doing, and where its frames went."""

    def __init__(self, name: str) -> None:
        super().__init__(margin_px=12)
        self.setAccessibleName(name)
        self.picture = Preview()
        self._name = label(name, "title")
        self._state = body()
        self._written = label("", "title")
        self._written.setFont(theme.font(theme.TITLE_PX, weight=QFont.Weight.DemiBold, tabular=True))
        self._lost = body()
        self.column.setSpacing(theme.TIGHT_PX)
        self.column.addWidget(self.picture)
        for words in (self._name, self._state, self._written, self._lost):
            self.column.addWidget(words)
        self.column.addStretch(1)

    def show_panel(self, panel: CameraPanel) -> None:
        """Show this moment of the camera."""
        if panel.frame is not None:
            self.picture.show_color(panel.frame.color)
        self.picture.show_veil(_veil(panel))
        self._state.setText(panel.words)
        set_tone(self._state, "ok" if english(panel.words) == "Live" else TONES[panel.tone])
        count = panel.count
        self._written.setVisible(count is not None)
        self._lost.setVisible(count is not None)
        if count is not None:
            frames = tr_many("{count:,} frame", "{count:,} frames", count.written)
            self._written.setText(unbroken(tr("{frames} written").format(frames=frames)))
            words, tone = loss_words(count)
            self._lost.setText(unbroken(words))
            set_tone(self._lost, "ok" if tone is Tone.CALM else TONES[tone])


def _veil(panel: CameraPanel) -> str:
    """What is said over a picture that is not of now."""
    if panel.tone is Tone.BAD:
        return tr("Lost")
    return panel.words if panel.tone is Tone.WARNING else ""


class SavedCard(Card):
    """What has just been saved."""

    open_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.column.setSpacing(theme.GAP_PX)
        self._words = title()
        self._reason = body()
        self._where = caption()
        self._where.setWordWrap(True)
        self.open = PrimaryButton(tr("Open in Sessions"), icon_name="folder-play-outline")
        for widget in (self._words, self._reason, self._where, self.open):
            self.column.addWidget(widget)
        self.open.clicked.connect(self.open_requested)
        self.hide()

    def show_saved(self, saved: Saved) -> None:
        """Show a recording that has ended."""
        self._words.setText(unbroken(saved.words))
        set_tone(self._words, "warning" if not saved.lossless or saved.reason else "ok")
        self._reason.setVisible(bool(saved.reason))
        why = tr("It stopped by itself. {reason} {hint}").format(reason=saved.reason, hint=saved.hint)
        self._reason.setText(unbroken(why.strip()))
        set_tone(self._reason, "error")
        self._where.setText(tr("In {parent}").format(parent=breaking(saved.folder)))
        self.show()


class Events(Card):
    """What happens while recording, by one touch.

    Signals:
        marked: what, as the label says it; empty for anything else.
    """

    marked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, Button] = {}
        self._words = caption()
        grid = QGridLayout()
        grid.setSpacing(theme.GAP_PX)
        for number, (what, text) in enumerate(MARKS):
            button = Button(text, icon_name="map-marker-plus-outline")
            button.setMinimumHeight(theme.BIG_TARGET_PX)
            button.clicked.connect(self._touched)
            self.buttons[what] = button
            grid.addWidget(button, number // 2, number % 2)
        self.column.addWidget(self._words)
        self.column.addLayout(grid)
        self.hide()

    def show_events(self, view: RecordView) -> None:
        """Show this moment; there is nothing to mark where nothing is recorded."""
        self.setVisible(view.phase in {RecordPhase.RECORDING, RecordPhase.CLOSING})
        for button in self.buttons.values():
            button.setEnabled(view.phase is RecordPhase.RECORDING)
        count = tr_many("{count:,} moment marked", "{count:,} moments marked", view.marks)
        self._words.setText(
            joined("; ", (tr("What happens now"), count)) if view.marks else tr("What happens now")
        )

    def _touched(self) -> None:
        self.marked.emit(next(what for what, button in self.buttons.items() if button is self.sender()))


class Checks(Card):
    """What was looked at before a recording."""

    def __init__(self) -> None:
        super().__init__(tr("Before recording"))
        self.column.setSpacing(theme.GAP_PX)
        self._shown: tuple[Check, ...] = ()
        self._rows: list[QWidget] = []
        self.hide()

    def show_checks(self, view: RecordView) -> None:
        """Show the latest look; nothing while there is none."""
        self.setVisible(bool(view.checks))
        if view.checks == self._shown:
            return
        self._shown = view.checks
        for row in self._rows:
            self.column.removeWidget(row)
            row.deleteLater()
        self._rows = [CheckRow(check) for check in sorted(view.checks, key=_well)]
        for row in self._rows:
            self.column.addWidget(row)
            row.show()


def _well(check: Check) -> bool:
    return check.caution is None


def _look_of(check: Check) -> Literal["well", "nothing", "caution"]:
    if check.caution is not None:
        return "caution"
    return "well" if check.applies else "nothing"


class CheckRow(Worded, QWidget):
    """One thing that was looked at: a tick or a warning sign, and what was found."""

    def __init__(self, check: Check) -> None:
        super().__init__()
        self._look = _look_of(check)
        self._sign = Label()
        self._sign.setFixedWidth(SIGN_PX)
        said = joined(": ", (check.name, check.words)) if check.caution is None else check.caution.words
        words = body(unbroken(said))
        set_tone(words, "" if check.caution is None else "warning")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP_PX)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        self._sign.setFixedHeight(words.fontMetrics().lineSpacing())
        row.addWidget(words, 1)
        self._dress()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._dress()

    def _dress(self) -> None:
        colours = theme.current()
        name, colour = {
            "well": ("check-circle", colours.ok),
            "nothing": ("minus-circle-outline", colours.muted),
            "caution": ("alert", colours.warning),
        }[self._look]
        self._sign.setPixmap(icon(name, colour=colour).pixmap(QSize(SIGN_PX, SIGN_PX)))


class RecordPage(Worded, QWidget):
    """Timer, button and disk at the left; cameras and labels at the right.

    Signals:
        second_begun: the timer shows another second, so that whoever else shows it can.
    """

    second_begun = Signal()

    def __init__(self, model: RecordViewModel, context: WindowContext) -> None:
        super().__init__()
        self.setProperty("role", "page")
        self._model = model
        self._context = context
        self._saved: Path | None = None
        self._cards: dict[str, CameraCard] = {}

        self.timer = label("00:00", "figure", wrap=False)
        self.timer.setAccessibleName(tr("Time recorded"))
        timer_font = theme.font(TIMER_PX, weight=QFont.Weight.DemiBold, tabular=True)
        self.timer.setStyleSheet(f"font-size: {TIMER_PX}px;")
        self.timer.setFont(timer_font)
        self.words = title()
        self.record = RecordButton(tr("Record"))
        self.record.setMinimumHeight(RECORD_PX)
        self.record.setStyleSheet("font-size: 30px;")
        self.redo = Button(tr("Redo"), icon_name="undo-variant")
        self.redo.setAccessibleName(tr("Put this take into the trash and record it again"))
        self.next = Button(tr("Next take"), icon_name="skip-next-outline")
        self.next.setAccessibleName(tr("Keep this take and record the next one"))
        for button in (self.redo, self.next):
            button.setMinimumHeight(theme.BIG_TARGET_PX)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.events = Events()
        self.checks = Checks()
        self.refined = Switch(tr("Record refined depth"))
        self.refined_words = caption()
        self.refined_words.setWordWrap(True)
        self.disk = title()
        self.disk_note = caption()
        self.queue = Bar()
        self.queue.setRange(0, 100)
        self.queue.setTextVisible(False)
        self.queue.setAccessibleName(tr("Recording queue in use"))
        self.queue_words = caption()
        self.safety = caption()
        self.safety.setWordWrap(True)
        self.cautions = body()
        set_tone(self.cautions, "warning")
        self.saved = SavedCard()

        self.cameras = CardGrid(narrowest_px=CAMERA_PX, most_columns=MOST_ACROSS, level=True)
        self.no_camera = NoCamera()
        self.scenes = ChipGroup(
            [NO_SCENE, *(Option(scene, capitalised(labelled(scene))) for scene in SCENES)], tr("Scene")
        )
        self.tags = ChipGroup([], tr("Tags"), exclusive=False)
        self.no_tags = caption(tr("No tags yet. Add what is worth finding again: glass, sun, crowd ..."))
        self.tag_entry = TouchEntry(
            tr("New tag"), placeholder=tr("New tag"), submit_text=tr("Add"), submit_icon="plus"
        )
        self.consent = ChipGroup(
            [NO_SCENE, *(Option(text, capitalised(labelled(text))) for text in CONSENTS)],
            tr("Consent of the people in view"),
        )
        self.notes = TouchEntry(tr("Notes"), placeholder=tr("Notes"))
        self.operator = TouchEntry(tr("Operator"), placeholder=tr("Operator"))
        self.site = TouchEntry(tr("Site"), placeholder=tr("Site"))

        self._lay_out()

        self.record.clicked.connect(model.toggle)
        self.redo.clicked.connect(model.redo_take)
        self.next.clicked.connect(model.next_take)
        self.events.marked.connect(model.mark)
        self.refined.clicked.connect(model.set_refined)
        self.scenes.changed.connect(self._scene_chosen)
        self.tags.changed.connect(self._tags_chosen)
        self.tag_entry.submitted.connect(self._tag_typed)
        self.consent.changed.connect(self._consent_chosen)
        for entry, say in (
            (self.notes, model.write_notes),
            (self.operator, model.name_operator),
            (self.site, model.name_site),
        ):
            entry.submitted.connect(say)
            entry.edit.editingFinished.connect(self._typed)
        self.saved.open_requested.connect(self._open_saved)
        self.no_camera.cameras_requested.connect(self._go_to_cameras)
        model.view_changed.connect(self.show_view)
        model.labels_changed.connect(self.show_labels)
        model.saved.connect(self.show_saved)
        model.refused.connect(self.show_problem)
        model.discarded.connect(self.show_discarded)
        bind_keys(self.commands(), self, "Record")
        self.show_labels(model.labels)
        self.show_view(model.view)

    def shown(self) -> None:
        """The page came to the front."""
        self.refined.setChecked(self._model.refined)
        self._model.watch(True)

    def hidden(self) -> None:
        """The page left the front; a recording goes on."""
        self._model.watch(False)

    def closing(self) -> None:
        """The window closes: a recording is ended and saved."""
        self._model.close()

    def commands(self) -> list[Command]:
        """What can be done on this page, with its keys."""
        return [
            Command(tr("Record, or stop"), self._space, ("Space",)),
            Command(tr("Stop the recording"), self._model.stop, ("Escape",)),
            Command(tr("Keep this take and record the next one"), self._model.next_take, ("Right",)),
            Command(tr("Put this take into the trash and record it again"), self._model.redo_take, ("Left",)),
        ]

    def show_view(self, view: RecordView) -> None:
        """Show this moment."""
        text, icon_name, enabled = BUTTONS[view.phase]
        self.record.setText(text)
        self.record.set_icon(icon_name)
        self.record.setEnabled(enabled)
        recording = view.phase in {RecordPhase.RECORDING, RecordPhase.CLOSING}
        for button in (self.redo, self.next):
            button.setVisible(recording)
            button.setEnabled(view.phase is RecordPhase.RECORDING)
        if (now := clock(view.seconds)) != self.timer.text():
            self.timer.setText(now)
            self.second_begun.emit()
        self.timer.setEnabled(recording)
        self.words.setText(unbroken(view.words))
        set_tone(self.words, TONES[view.tone])
        self.events.show_events(view)
        self.checks.show_checks(view)
        self.refined.setVisible(view.phase not in BUSY)
        self.refined_words.setText(view.refined)
        self.refined_words.setVisible(bool(view.refined))
        set_tone(self.refined_words, TONES[view.refined_tone])
        self.disk.setText(tr("Disk: {disk}").format(disk=view.disk))
        set_tone(self.disk, "warning" if view.disk_low else "")
        self.disk_note.setText(tr("{size} in this session").format(size=size(view.bytes_written)))
        self.disk_note.setVisible(recording)
        self.cautions.setText(unbroken(joined("\n", (caution.words for caution in view.cautions))))
        self.cautions.setVisible(bool(view.cautions))
        for widget in (self.queue, self.queue_words, self.safety):
            widget.setVisible(recording)
        self.safety.setText(safety_words(view))
        self.queue.setValue(round(view.queue_fill * 100))
        waiting = sum(panel.count.waiting for panel in view.cameras if panel.count is not None)
        self.queue_words.setText(
            tr("Queue {queue_fill:.0%} full, {frames} waiting").format(
                queue_fill=view.queue_fill, frames=tr_many("{count:,} frame", "{count:,} frames", waiting)
            )
        )
        set_tone(self.queue_words, "warning" if view.queue_fill > 0.5 else "")
        if view.phase is RecordPhase.STARTING:
            self.saved.hide()
            self._context.solve_banner("recording")
        self._show_cameras(view)

    def show_labels(self, choice: LabelChoice) -> None:
        """Show what is said of the recording."""
        self.scenes.select(choice.scene)
        offered = list(dict.fromkeys([*choice.tags, *choice.recent]))
        self.tags.set_options([Option(tag, labelled(tag)) for tag in sorted(offered)])
        self.tags.select(choice.tags)
        self.no_tags.setVisible(not offered)
        self.tags.setVisible(bool(offered))
        self.consent.select(choice.consent)
        self.notes.set_text(choice.notes)
        self.operator.set_text(choice.operator)
        self.site.set_text(choice.site)

    def show_saved(self, saved: Saved) -> None:
        """Show what was saved; where nobody looks at this page, say it in the window too."""
        self._saved = saved.folder
        self.saved.show_saved(saved)
        if saved.reason:
            text = tr("The recording stopped by itself. {reason}").format(reason=saved.reason)
            said = tr("{hint} {words}, in {folder}.")
            said = said.format(hint=saved.hint, words=saved.words, folder=saved.folder.name)
            hint = unbroken(said.strip())
            self._context.show_banner(
                Notice("error", text, hint, tr("Open in Sessions"), self._open_saved, about="recording")
            )
        elif not self.isVisible():
            self._context.show_banner(
                Notice(
                    "info",
                    saved.words,
                    "",
                    tr("Open in Sessions"),
                    self._open_saved,
                    lasts_s=12,
                    about="recording",
                )
            )

    def show_discarded(self, trashed: Path) -> None:
        """Offer the way back."""
        text = tr("The take is in the trash; the next one is being recorded.")
        back = partial(self._model.bring_back, trashed)
        self._context.show_banner(
            Notice("info", text, "", tr("Bring it back"), back, lasts_s=UNDO_S, about="take")
        )

    def show_problem(self, problem: Problem) -> None:
        """Say what could not be done."""
        action_text, action = (
            (tr("Open Settings"), self._go_to_settings) if problem.in_settings else ("", None)
        )
        self._context.show_banner(
            Notice("error", problem.message, problem.hint, action_text, action, about="recording")
        )

    def _show_cameras(self, view: RecordView) -> None:
        ids = [panel.camera_id for panel in view.cameras]
        if ids != list(self._cards):
            self._cards = {panel.camera_id: CameraCard(panel.name) for panel in view.cameras}
            self.cameras.set_cards(list(self._cards.values()))
        for panel in view.cameras:
            self._cards[panel.camera_id].show_panel(panel)
        self.no_camera.setVisible(not ids)
        self.cameras.setVisible(bool(ids))

    def _lay_out(self) -> None:
        side = QVBoxLayout()
        side.setContentsMargins(0, 0, theme.GAP_PX, 0)
        side.setSpacing(theme.SPACE_PX)
        main = Card()
        for widget in (self.timer, self.words, self.record):
            main.column.addWidget(widget)
        takes = QHBoxLayout()
        takes.setSpacing(theme.GAP_PX)
        takes.addWidget(self.redo)
        takes.addWidget(self.next)
        main.column.addLayout(takes)
        room = Card()
        parts = (
            self.cautions, self.refined, self.refined_words, self.disk, self.disk_note,
            self.queue, self.queue_words, self.safety,
        )  # fmt: skip
        for part in parts:
            room.column.addWidget(part)
        for card in (main, self.saved, self.events, self.checks, room):
            side.addWidget(card)
        side.addStretch(1)
        side_content = QWidget()
        side_content.setLayout(side)
        side_area = touch_scroll(side_content)
        side_area.setFixedWidth(SIDE_PX + theme.SPACE_PX + SCROLL_BAR_PX)

        labels = Card(tr("Labels"))
        labels.column.addWidget(caption(tr("Scene")))
        labels.column.addWidget(self.scenes)
        labels.column.addWidget(caption(tr("Tags")))
        labels.column.addWidget(self.tags)
        labels.column.addWidget(self.no_tags)
        labels.column.addWidget(self.tag_entry)
        labels.column.addWidget(caption(tr("Consent of the people in view")))
        labels.column.addWidget(self.consent)
        labels.column.addWidget(caption(tr("Notes, operator and site")))
        for entry in (self.notes, self.operator, self.site):
            labels.column.addWidget(entry)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, theme.SPACE_PX, 0)
        column.setSpacing(theme.SPACE_PX)
        column.addWidget(self.no_camera)
        column.addWidget(self.cameras)
        column.addWidget(labels)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(theme.GAP_PX)
        row.addWidget(side_area)
        row.addWidget(touch_scroll(content), 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, theme.GAP_PX, theme.SPACE_PX)
        outer.setSpacing(theme.SPACE_PX)
        outer.addWidget(heading(tr("Record")))
        outer.addLayout(row, 1)

    def _space(self) -> None:
        """The key records; whoever went to another button with the keyboard presses that."""
        focus = self.window().focusWidget()
        if isinstance(focus, QAbstractButton) and focus.isVisible() and self.isAncestorOf(focus):
            focus.click()
        else:
            self.record.click()

    def _scene_chosen(self, keys: list[str]) -> None:
        self._model.choose_scene(keys[0] if keys else "")

    def _tags_chosen(self, keys: list[str]) -> None:
        for tag in set(keys).symmetric_difference(self._model.labels.tags):
            self._model.toggle_tag(tag)

    def _consent_chosen(self, keys: list[str]) -> None:
        self._model.choose_consent(keys[0] if keys else "")

    def _typed(self) -> None:
        """A field was left: what it holds counts, whether or not it was handed over."""
        said = self._model.labels
        for entry, before, say in (
            (self.notes, said.notes, self._model.write_notes),
            (self.operator, said.operator, self._model.name_operator),
            (self.site, said.site, self._model.name_site),
        ):
            if entry.text.strip() != before:
                say(entry.text)

    def _tag_typed(self, text: str) -> None:
        tag = " ".join(text.split())
        if tag and tag not in self._model.labels.tags:
            self._model.toggle_tag(tag)
        self.tag_entry.clear()

    def _open_saved(self) -> None:
        handover.show = self._saved
        self._context.go_to("Sessions")

    def _go_to_settings(self) -> None:
        self._context.go_to("Settings")

    def _go_to_cameras(self) -> None:
        self._context.go_to("Cameras")


class NoCamera(Card):
    """Where the cameras would be."""

    cameras_requested = Signal()

    def __init__(self) -> None:
        super().__init__(tr("No camera"))
        self.button = PrimaryButton(tr("Choose cameras"), icon_name="camera-outline")
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.column.addWidget(body(tr("Nothing is connected. Plug a camera in, or choose another source.")))
        self.column.addWidget(self.button)
        self.button.clicked.connect(self.cameras_requested)
