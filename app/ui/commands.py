"""What can be done, in words, for keys and for the palette alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

from app.language import english, tr
from app.ui import rebinding
from app.ui.rebinding import Changed, Entry, keys_now


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

    @property
    def name(self) -> str:
        """What it is known by where its keys are kept."""
        return self.keys[0] if self.keys else english(self.words)


class Bound(QObject):
    """The keys of commands, as they are and as they become.

    Args:
        commands: what the keys do.
        owner: while it is on the screen they work.
        place: one of `rebinding.PLACES`.
    """

    def __init__(self, commands: Iterable[Command], owner: QWidget, place: str) -> None:
        super().__init__(owner)
        self._place = place
        self._shortcuts: list[tuple[Command, QShortcut]] = []
        for command in commands:
            shortcut = QShortcut(owner)
            shortcut.activated.connect(command.act)
            self._shortcuts.append((command, shortcut))
        self.renew()

    @property
    def entries(self) -> list[Entry]:
        """The commands as far as their keys go."""
        return [
            Entry(self._place, command.name, command.words, command.keys) for command, _ in self._shortcuts
        ]

    def renew(self) -> None:
        """Let the keys of this moment work, and no others."""
        for command, shortcut in self._shortcuts:
            keys = keys_now(self._place, command.name, command.keys)
            shortcut.setKeys([QKeySequence(key) for key in keys])


def numbered(focus: Callable[[int], object], count: int) -> list[Command]:
    """Keys 1 to `count`, which make one camera large."""
    return [
        Command(
            tr("Show camera {number} large, or all alike").format(number=number),
            partial(focus, number),
            (str(number),),
        )
        for number in range(1, count + 1)
    ]


def bind_keys(commands: Iterable[Command], owner: QWidget, place: str) -> None:
    """Let the commands' keys work while `owner` is on the screen; they can be changed."""
    Bound(commands, owner, place)


def change_keys(changed: Changed) -> None:
    """Let other keys work at once; every word that names one names the new one."""
    rebinding.use(changed)
    for window in QApplication.topLevelWidgets():
        for bound in window.findChildren(Bound):
            bound.renew()
        QCoreApplication.sendEvent(window, QEvent(QEvent.Type.LanguageChange))


def as_changed(commands: Iterable[Command], place: str) -> list[Command]:
    """The commands with their present keys, to be shown."""
    return [replace(command, keys=keys_now(place, command.name, command.keys)) for command in commands]


def matching(commands: Iterable[Command], text: str) -> list[Command]:
    """Commands that have every word of `text` in their words, those in English too, or as their key."""
    wanted = text.casefold().split()
    return [command for command in commands if all(_has(command, word) for word in wanted)]


def _has(command: Command, word: str) -> bool:
    said = f"{command.words} {english(command.words)}".casefold()
    return word in said or word in (key.casefold() for key in command.keys)
