"""The editors of single settings: one for each kind of value."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from app.language import ended, from_below, joined, tr, tr_noop
from app.ui import theme
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import (
    Button,
    ChipGroup,
    Option,
    Picker,
    Segmented,
    Stepper,
    Switch,
    body,
    caption,
    set_tone,
)
from app.ui.worded import Worded
from app.viewmodels.settings import (
    Field,
    FieldKind,
    Value,
)
from app.viewmodels.words import spelled
from model.spec import ModelSpec, find

SOURCES = (
    Option("demo", tr_noop("Simulated rig"), "cube-scan"),
    Option("auto", tr_noop("Connected cameras"), "camera-outline"),
    Option("session", tr_noop("Session ..."), "filmstrip-box"),
    Option("folder", tr_noop("Folder ..."), "folder-outline"),
)

STEPPER_PX = 216


class FieldEditor(Worded, QWidget):
    """One setting: title, what it means, its control, and what is wrong with it.

    Signals:
        edited: the value that the operator wants.
    """

    edited = Signal(object)

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field
        self._title = body(field.title)
        self._note = caption(ended(field.description) if field.description else "")
        self._note.setVisible(bool(field.description))
        self.problem = body()
        set_tone(self.problem, "error")
        self.problem.hide()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, theme.TIGHT_PX, 0, theme.TIGHT_PX)
        self.column.setSpacing(theme.TIGHT_PX)

    def add_wide(self, control: QWidget) -> None:
        """Title above, control below over the whole width."""
        for widget in (self._title, control, self._note, self.problem):
            self.column.addWidget(widget)

    def add_right(self, control: QWidget) -> None:
        """Title at the left, control at the right."""
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._note)
        words.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE_PX)
        row.addLayout(words, 1)
        row.addWidget(control)
        self.column.addLayout(row)
        self.column.addWidget(self.problem)

    def show_value(self, value: Value) -> None:
        """Show another value, without a signal."""
        raise NotImplementedError

    def show_note(self, text: str) -> None:
        """Say something of the value."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def show_problem(self, message: str) -> None:
        """Say what is wrong, or nothing."""
        self.problem.setText(message)
        self.problem.setVisible(bool(message))

    def _hand_over(self, value: Value) -> None:
        self.edited.emit(value)


class ChoiceEditor(FieldEditor):
    """A few words to choose from, side by side; many in a list that opens."""

    SIDE_BY_SIDE = 4

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        options = [Option(word, spelled(word)) for word in field.choices]
        self.control: Segmented | Picker
        if len(options) <= self.SIDE_BY_SIDE:
            self.control = Segmented(options, field.title)
            self.control.changed.connect(self._changed)
        else:
            self.control = Picker(field.title)
            self.control.set_options(options)
            self.control.picked.connect(self._hand_over)
        self.add_right(self.control)

    def show_value(self, value: Value) -> None:
        self.control.select(str(value))

    def _changed(self, keys: list[str]) -> None:
        self.edited.emit(keys[0])


class SwitchEditor(FieldEditor):
    """On or off."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.control = Switch("")
        self.control.setAccessibleName(field.title)
        self.add_right(self.control)
        self.control.clicked.connect(self._hand_over)

    def show_value(self, value: Value) -> None:
        self.control.setChecked(bool(value))


def _tokens(value: float) -> str:
    """As the panel of the repair says it."""
    return f"{value:.0f}" if value else tr("Auto")


class NumberEditor(FieldEditor):
    """A number between plus and minus."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        whole = field.kind is FieldKind.INTEGER
        self.control = Stepper(
            field.title,
            minimum=field.minimum,
            maximum=field.maximum,
            step=field.step,
            decimals=0 if whole else 1,
            suffix=" m" if field.name.endswith("_m") else "",
            said=_tokens if field.name == "tokens" else None,
        )
        self.control.setFixedWidth(STEPPER_PX)  # the buttons of all numbers stand in one line
        self.add_right(self.control)
        self.control.value_changed.connect(self._changed)

    def show_value(self, value: Value) -> None:
        assert isinstance(value, int | float)
        self.control.set_value(value)

    def _changed(self, value: float) -> None:
        self.edited.emit(round(value) if self.field.kind is FieldKind.INTEGER else value)


class TextEditor(FieldEditor):
    """A line of text, kept when its button, Done or Return is pressed."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.control = TouchEntry(field.title, submit_text=tr("Save"))
        self.add_wide(self.control)
        self.control.submitted.connect(self._submitted)

    def show_value(self, value: Value) -> None:
        self.control.set_text(str(value))

    def _submitted(self, text: str) -> None:
        self.edited.emit(text.strip())


class SecretEditor(TextEditor):
    """A line of text that nobody reads over a shoulder: dots, and the figure just typed for a moment."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.control.edit.setEchoMode(QLineEdit.EchoMode.Password)


class FolderEditor(FieldEditor):
    """A folder: typed, or chosen in a dialog.

    Signals:
        browse_requested: the dialog, please.
    """

    browse_requested = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.control = TouchEntry(field.title, placeholder=tr("The default folder"), submit_text=tr("Save"))
        browse = Button(tr("Browse ..."), icon_name="folder-outline")
        usual = Button(tr("Use the default folder"), icon_name="restore")
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GAP_PX)
        buttons.addWidget(browse)
        buttons.addWidget(usual)
        buttons.addStretch(1)
        self.add_wide(self.control)
        self.column.addLayout(buttons)
        self.control.submitted.connect(self._submitted)
        browse.clicked.connect(self.browse_requested)
        usual.clicked.connect(self._use_usual)

    def show_value(self, value: Value) -> None:
        self.control.set_text("" if value is None else str(value))

    def _submitted(self, text: str) -> None:
        self.edited.emit(Path(text.strip()).expanduser() if text.strip() else None)

    def _use_usual(self) -> None:
        self.control.clear()
        self.edited.emit(None)


class SourceEditor(FieldEditor):
    """Where frames come from.

    Signals:
        browse_requested: the dialog for "session" or "folder", please.
    """

    browse_requested = Signal(str)

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.control = ChipGroup(SOURCES, field.title)
        self.add_wide(self.control)
        self.control.changed.connect(self._changed)

    def show_value(self, value: Value) -> None:
        source = str(value)
        if source not in {"demo", "auto"}:
            # One camera is chosen on the Cameras page, and no chip stands for it.
            source = "session" if _is_session(source) else "folder" if Path(source).is_dir() else ""
        self.control.select(source)
        what = {
            "demo": tr("Three simulated cameras in a kitchen."),
            "auto": tr("Everything that is plugged in."),
        }.get(str(value))
        self.show_note(joined(" ", (what, tr("Opened at every start."))) if what else str(value))

    def _changed(self, keys: list[str]) -> None:
        if keys[0] in {"demo", "auto"}:
            self.edited.emit(keys[0])
        else:
            self.browse_requested.emit(keys[0])


class ModelEditor(FieldEditor):
    """Which repair runs; the note says where it comes from."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.control = Picker(field.title)
        self.control.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.add_wide(self.control)
        self.control.picked.connect(self._hand_over)

    def show_models(self, models: list[ModelSpec], chosen: str) -> None:
        """Offer these."""
        if all(model.name != chosen for model in models):
            models = [*models, find(chosen)]
        self.control.set_options(
            [Option(model.name, from_below(model.title), hint=from_below(model.note)) for model in models]
        )
        self.show_value(chosen)

    def show_value(self, value: Value) -> None:
        self.control.select(str(value))
        note = from_below(find(str(value)).note)
        self.show_note(ended(note) if note else "")


class KeysEditor(FieldEditor):
    """Which key does what, in a dialog of its own.

    Signals:
        asked: the dialog, please.
    """

    asked = Signal()

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.control = Button(tr("Change the keys ..."), icon_name="keyboard-outline")
        self.add_right(self.control)
        self.control.clicked.connect(self._ask)

    def show_value(self, value: Value) -> None:
        """The dialog shows it."""

    def _ask(self) -> None:
        self.asked.emit()


EDITORS: dict[FieldKind, type[FieldEditor]] = {
    FieldKind.SOURCE: SourceEditor,
    FieldKind.MODEL: ModelEditor,
    FieldKind.CHOICE: ChoiceEditor,
    FieldKind.SWITCH: SwitchEditor,
    FieldKind.INTEGER: NumberEditor,
    FieldKind.NUMBER: NumberEditor,
    FieldKind.TEXT: TextEditor,
    FieldKind.FOLDER: FolderEditor,
    FieldKind.KEYS: KeysEditor,
    FieldKind.SECRET: SecretEditor,
}


def _is_session(source: str) -> bool:
    return (Path(source) / "session.json").is_file()
