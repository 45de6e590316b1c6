"""The first start: three touches from nothing to the first picture."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.language import NAMES, current, tr, tr_noop
from app.ui import theme
from app.ui.context import PageName
from app.ui.titled_row import TitledRow
from app.ui.widgets import Button, Option, Segmented, Sheet, caption, heading, title

WIDTH_PX: Final = 560


@dataclass(frozen=True)
class Question:
    """One step of the guide.

    Attributes:
        key: of the answer.
        words: what is asked.
        options: what can be answered.
    """

    key: str
    words: str
    options: tuple[Option, ...]


QUESTIONS: Final = (
    Question(
        "source",
        tr_noop("What do you want to see?"),
        (
            Option(
                "auto",
                tr_noop("Connected cameras"),
                "camera-outline",
                hint=tr_noop("RealSense, Orbbec or ZED on USB"),
            ),
            Option(
                "demo",
                tr_noop("Simulated rig"),
                "cube-scan",
                hint=tr_noop("Three cameras in a kitchen; needs no device"),
            ),
        ),
    ),
    Question(
        "theme",
        tr_noop("Where are you?"),
        (
            Option(
                "dark",
                tr_noop("On stage or in the dark"),
                "weather-night",
                hint=tr_noop("Light words on dark ground"),
            ),
            Option(
                "light", tr_noop("Indoors"), "lightbulb-outline", hint=tr_noop("Dark words on light ground")
            ),
            Option(
                "outdoor",
                tr_noop("Outdoors"),
                "white-balance-sunny",
                hint=tr_noop("Black on white with thick frames"),
            ),
        ),
    ),
    Question(
        "page",
        tr_noop("What comes first?"),
        (
            Option(
                "Live", tr_noop("Look around"), "eye-outline", hint=tr_noop("Raw and refined depth, live")
            ),
            Option(
                "Record",
                tr_noop("Record a session"),
                "record-circle-outline",
                hint=tr_noop("Labelled, losing nothing"),
            ),
            Option(
                "Compare",
                tr_noop("Compare sensors"),
                "compare-horizontal",
                hint=tr_noop("Side by side, with figures"),
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Answers:
    """What was chosen; empty words where the guide was left before.

    Attributes:
        source: to open.
        theme: of the window.
        page: to go to.
    """

    source: str = ""
    theme: str = ""
    page: PageName | str = ""


class Welcome(Sheet):
    """Asks three questions, one touch each; it can be left at any time.

    Args:
        parent: the window.

    Signals:
        answered: `Answers` after the last touch, or when the guide is left.
        language_chosen: a key of `app.language.NAMES`; it holds at once, and takes none of the three touches.
    """

    answered = Signal(Answers)
    language_chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Welcome"))
        self.setMinimumWidth(WIDTH_PX)
        self._given: dict[str, str] = {}
        self._title = heading(tr("Welcome to DepthMend"))
        self._step = caption("")
        self._question = title("")
        self._room = QVBoxLayout()
        self._room.setSpacing(theme.GAP_PX)
        self.buttons: dict[str, TitledRow] = {}
        self.back = Button(tr("Back"), icon_name="chevron-left", kind="quiet")
        self.skip = Button(tr("Skip the guide"), kind="quiet")
        self.languages = Segmented([Option(key, name) for key, name in NAMES.items()], tr("Language"))
        self.languages.select(current())
        foot = QHBoxLayout()
        foot.addWidget(self.languages)
        foot.addStretch(1)
        foot.addWidget(self.back)
        foot.addWidget(self.skip)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[theme.WIDE_PX] * 4)
        column.setSpacing(theme.SPACE_PX)
        for widget in (self._title, self._step, self._question):
            column.addWidget(widget)
        column.addLayout(self._room)
        column.addLayout(foot)
        self.languages.changed.connect(self._language_chosen)
        self.back.clicked.connect(self._go_back)
        self.skip.clicked.connect(self.reject)
        self.finished.connect(self._leave)
        self._ask()

    def say_again(self) -> None:
        self.languages.select(current())

    def _ask(self) -> None:
        number = len(self._given)
        self.back.setVisible(number > 0)
        question = QUESTIONS[number]
        self._step.setText(tr("{number} of {questions}").format(number=number + 1, questions=len(QUESTIONS)))
        self._question.setText(question.words)
        for button in self.buttons.values():
            self._room.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = {}
        for option in question.options:
            button = TitledRow(option.text, option.hint, icon_name=option.icon_name)
            button.clicked.connect(partial(self._answer, question.key, option.key))
            self._room.addWidget(button)
            self.buttons[option.key] = button

    def _language_chosen(self, keys: list[str]) -> None:
        self.language_chosen.emit(keys[0])

    def _answer(self, key: str, value: str, _checked: bool = False) -> None:
        self._given[key] = value
        if len(self._given) < len(QUESTIONS):
            self._ask()
        else:
            self.accept()

    def _go_back(self) -> None:
        """Take the last answer back and ask again."""
        self._given.popitem()
        self._ask()

    def _leave(self, _result: int) -> None:
        self.answered.emit(Answers(**self._given))
