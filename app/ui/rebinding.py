"""Which key does what: the usual keys, and what the operator made of them.

A command is known by where it works and by its first usual key (by its English words where it has none), so
that it keeps its key when its words are put better. What was changed holds for the whole window, as its
language does.
"""

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from app.language import Language, Text, tr_noop

log = logging.getLogger(__name__)

Changed = dict[str, dict[str, list[str]]]
"""Keys by place and name of a command; an empty list is a command whose key was removed."""

EVERYWHERE: Final = "Everywhere"
PLACES: Final[dict[str, str]] = {
    EVERYWHERE: tr_noop("Everywhere"),
    "Live": tr_noop("Live"),
    "Compare": tr_noop("Compare"),
    "Record": tr_noop("Record"),
}
FIXED: Final = (("Compare", "Space", tr_noop("Hold to see raw")),)
"""Keys that work for as long as they are held, and stay what they are."""
NO_KEYS: Final = ("Tab", "Shift+Tab", "Backtab", "Shift+Backtab", "Return", "Enter")
"""They go through the controls of the window and press them."""
ARROWS: Final = {"Left": "\u2190", "Right": "\u2192", "Up": "\u2191", "Down": "\u2193"}
IN_BRACKETS: Final = re.compile(r"\s*\(([^()]+)\)$")

_changed: Changed = {}


@dataclass(frozen=True)
class Entry:
    """A command as far as its keys go.

    Attributes:
        place: one of `PLACES`, where it works.
        name: what it is known by in its place.
        words: what it does.
        usual: keys that it has unless they are changed.
        fixed: whether its key stays what it is.
    """

    place: str
    name: str
    words: str
    usual: tuple[str, ...] = ()
    fixed: bool = False


FIXED_ENTRIES: Final = tuple(Entry(place, key, words, (key,), fixed=True) for place, key, words in FIXED)


def use(changed: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """Let these changes hold from now on; keys that no keyboard has are left out, and logged."""
    global _changed
    _changed = {
        place: {name: [key for key in keys if _is_key(key)] for name, keys in names.items()}
        for place, names in changed.items()
    }


def in_use() -> Changed:
    """The changes that hold now."""
    return _changed


def keys_now(place: str, name: str, usual: Sequence[str]) -> tuple[str, ...]:
    """Keys of a command, as changed."""
    return tuple(_changed.get(place, {}).get(name, usual))


def keys_of(changed: Changed, entry: Entry) -> tuple[str, ...]:
    """Keys of an entry with these changes."""
    return tuple(changed.get(entry.place, {}).get(entry.name, entry.usual))


def holders(entries: Iterable[Entry], changed: Changed, wanted: Entry, key: str) -> list[Entry]:
    """Other commands that have this key where `wanted` works too."""
    return [
        entry
        for entry in entries
        if (entry.place, entry.name) != (wanted.place, wanted.name)
        and (entry.place == wanted.place or EVERYWHERE in {entry.place, wanted.place})
        and normal(key) in map(normal, keys_of(changed, entry))
    ]


def given(entries: Iterable[Entry], changed: Changed, wanted: Entry, key: str) -> Changed:
    """The changes after `wanted` got this key alone, and who had it lost it."""
    after = changed
    for entry in holders(entries, changed, wanted, key):
        left = [had for had in keys_of(changed, entry) if normal(had) != normal(key)]
        after = _with_keys(after, entry, left)
    return _with_keys(after, wanted, [key])


def without(changed: Changed, entry: Entry) -> Changed:
    """The changes after the command lost its keys."""
    return _with_keys(changed, entry, [])


def normal(key: str) -> str:
    """The one spelling of a key by which keys are compared."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def shown(keys: Iterable[str]) -> str:
    """Keys as this system writes them; an arrow is drawn, whatever the language calls it."""
    return ",  ".join(map(_native, keys))


def _native(key: str) -> str:
    words = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
    name = key.rpartition("+")[2]
    if name not in ARROWS:
        return words
    arrow = QKeySequence(name).toString(QKeySequence.SequenceFormat.NativeText)
    return words.removesuffix(arrow) + ARROWS[name]


def pressed(key: int, modifiers: Qt.KeyboardModifier) -> str:
    """What a press of the keyboard is called; empty while only Ctrl, Shift, Alt or the like are down."""
    if key in {Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta}:
        return ""
    if key in {0, Qt.Key.Key_unknown}:
        return ""
    modifiers &= ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.GroupSwitchModifier)
    sign = 0x20 < key < 0x7F and not chr(key).isalpha()
    if sign and modifiers == Qt.KeyboardModifier.ShiftModifier:
        modifiers = Qt.KeyboardModifier.NoModifier  # where + lies above another sign is the layout's matter
    return QKeySequence(modifiers.value | key).toString(QKeySequence.SequenceFormat.PortableText)


def keyed(words: str, place: str, name: str = "") -> str:
    """Words that end with a command's usual key in brackets, with its present key there instead.

    Args:
        words: such as "Measure (M)".
        place: where the command works.
        name: what it is known by, where that is not what stands in the brackets.
    """
    return Text.made(partial(_keyed, words, place, name), "en")


def _keyed(words: str, place: str, name: str, language: Language) -> str:
    said = words.in_language(language) if isinstance(words, Text) else words
    found = IN_BRACKETS.search(said)
    if found is None:
        return said
    keys = _changed.get(place, {}).get(name or found[1])
    if keys is None:
        return said
    return said[: found.start()] + (f" ({shown(keys[:1])})" if keys else "")


def _with_keys(changed: Changed, entry: Entry, keys: list[str]) -> Changed:
    names = {name: had for name, had in changed.get(entry.place, {}).items() if name != entry.name}
    if [*map(normal, keys)] != [*map(normal, entry.usual)]:
        names[entry.name] = keys
    rest = {place: had for place, had in changed.items() if place != entry.place}
    return rest | {entry.place: names} if names else rest


def _is_key(key: str) -> bool:
    known = bool(normal(key))
    if not known:
        log.warning("the settings name %r as a key, which is none", key)
    return known
