"""Widgets that keep the words they were given, and say them again when the language changes."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QProgressBar, QSlider, QToolButton, QWidget

from app.language import Text

if TYPE_CHECKING:
    _Widget = QWidget
else:
    _Widget = object


class Worded(_Widget):
    """Stands before a widget's class: `class Label(Worded, QLabel)`.

    Qt keeps the characters of a text only. This keeps the `Text` itself, by the setter that got it, until the
    setter gets another one; plain strings are passed on and stay as they are.
    """

    def setText(self, text: str) -> None:
        """Words on the widget."""
        self._say("setText", text)

    def setAccessibleName(self, name: str) -> None:
        """What a screen reader says."""
        self._say("setAccessibleName", name)

    def setToolTip(self, words: str) -> None:
        """What is shown when a pointer rests on it."""
        self._say("setToolTip", words)

    def setPlaceholderText(self, text: str) -> None:
        """What an empty line says."""
        self._say("setPlaceholderText", text)

    def setWindowTitle(self, title: str) -> None:
        """What the window manager writes above it."""
        self._say("setWindowTitle", title)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            for setter, words in list(self._words_kept().items()):
                self._say(setter, words)
            self.say_again()
            self.updateGeometry()
            self.update()

    def say_again(self) -> None:
        """Say what was made of several words, or is kept elsewhere, in the present language."""

    def _words_kept(self) -> dict[str, Text]:
        kept: dict[str, Text] = self.__dict__.setdefault("_words_by_setter", {})
        return kept

    def _say(self, setter: str, words: str) -> None:
        if isinstance(words, Text):
            words = self._words_kept()[setter] = words.now()
        else:
            self._words_kept().pop(setter, None)
        getattr(super(), setter)(words)


class Label(Worded, QLabel):
    """Words."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)


class LineEdit(Worded, QLineEdit):  # type: ignore[misc]  # Qt names the text of a line otherwise
    """A line to type into."""


class ProgressBar(Worded, QProgressBar):
    """How far something is."""


class Slider(Worded, QSlider):
    """A value between two ends."""


class ToolButton(Worded, QToolButton):
    """An icon with words below it."""
