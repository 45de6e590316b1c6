"""What can be done, in words, for keys and for the palette alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.language import english


@dataclass(frozen=True)
class Command:
    """One thing that the operator can ask for.

    Attributes:
        words: what it does, as a verb.
        act: does it.
        keys: that do the same, the usual one first.
    """

    words: str
    act: Callable[[], object]
    keys: tuple[str, ...] = ()


def bind_keys(commands: Iterable[Command], owner: QWidget) -> None:
    """Let the commands' keys work while `owner` is on the screen."""
    for command in commands:
        for key in command.keys:
            QShortcut(QKeySequence(key), owner).activated.connect(command.act)


def matching(commands: Iterable[Command], text: str) -> list[Command]:
    """Commands that have every word of `text` in their words, those in English too, or as their key."""
    wanted = text.casefold().split()
    return [command for command in commands if all(_has(command, word) for word in wanted)]


def _has(command: Command, word: str) -> bool:
    said = f"{command.words} {english(command.words)}".casefold()
    return word in said or word in (key.casefold() for key in command.keys)
