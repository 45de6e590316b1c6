"""The words of the window in the operator's language.

`tr` stands around every text that people read in the window, `tr_noop` around those in tables at the top of
modules, `tr_many` around those that count. They return a `Text`, a string that says itself again, so that a
widget which keeps it changes its language at once. Errors, logs, the command line and files stay English;
`from_below` translates what comes from there when the window shows it.

Catalogues are gettext's .po files in resources/languages, read as they are: nothing is compiled,
so nothing can be stale.
"""

import ast
import locale
import os
import re
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path, PurePath
from typing import Final, Literal, Self

Language = Literal["en", "zh_CN"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh_CN")
NAMES: Final[dict[str, str]] = {"en": "English", "zh_CN": "中文"}
"""Each language calls itself so in every language."""

FOLDER: Final = Path(__file__).resolve().parents[1] / "resources" / "languages"
LOCALE_VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")
FEWEST_LETTERS: Final = 5
"""A template with fewer letters beside its placeholders would match almost everything."""
NUMERIC: Final = re.compile(r"[-+]?\d*(,|,?(\.\d+)?[dfg%])")
"""Formats of figures."""

_current: Language = "en"


class Text(str):
    """Words in the language in which they were made, and the way to say them in another one.

    Its characters are fixed, as those of every string; `now`, `str` and f-strings give the present ones.
    """

    _say: Callable[[Language], str]

    @classmethod
    def made(cls, say: Callable[[Language], str], language: Language | None = None) -> Self:
        """What `say` gives in a language, at first in the present one or in `language`."""
        made = super().__new__(cls, say(language or _current))
        made._say = say
        return made

    def now(self) -> "Text":
        """The same in the present language."""
        return Text.made(self._say)

    def in_language(self, language: Language) -> str:
        """The same in this language."""
        return self._say(language)

    def format(self, *args: object, **values: object) -> "Text":
        """Filled placeholders; what is `Text` or an error among them changes with it."""
        return Text.made(partial(_filled, self._say, args, values))

    def __add__(self, other: str) -> str:
        return joined("", (self, other))

    def __radd__(self, other: str) -> str:
        return joined("", (other, self))

    def strip(self, chars: str | None = None) -> "Text":
        """Without white space, or `chars`, at its ends, in each language."""
        return changed(self, lambda said: said.strip(chars))

    def __str__(self) -> str:
        return self._say(_current)

    def __format__(self, spec: str) -> str:
        return format(self._say(_current), spec)


def tr(words: str) -> str:
    """These words in the present language; words that are no `Text` have to stand in the catalogue."""
    return words.now() if isinstance(words, Text) else Text.made(partial(_word, words))


def tr_noop(words: str) -> str:
    """Marks words of a table: English until they are shown by `str`, an f-string or a widget of `app.ui`."""
    return Text.made(partial(_word, words), "en")


def tr_many(one: str, many: str, count: float, **values: object) -> str:
    """Words that count: `one` is for a `{count}` of 1, `many` for every other."""
    return Text.made(partial(_counted, one, many, {"count": count} | values))


def joined(separator: str, parts: Iterable[str]) -> str:
    """`separator.join(parts)`; the separator and each `Text` among the parts change with the language."""
    return Text.made(partial(_joined, separator, tuple(parts)))


def sentence(words: str) -> str:
    """The same with a full stop."""
    return tr("{sentence}.").format(sentence=words)


def ended(words: str) -> str:
    """The same; a full stop ends it where no other sign does."""
    return words if words.endswith(ENDS) else sentence(words)


def from_below(words: str) -> str:
    """An English sentence of a driver, the model, the trainer or an error, as the window shows it.

    It is looked up as it is, then as one of the templates with placeholders, then sentence by sentence; what
    is not in the catalogue (a vendor's own message) stays as it is.
    """
    return words.now() if isinstance(words, Text) else Text.made(partial(_below, words))


def with_minus(figures: str) -> str:
    """Figures with a minus sign where a program writes a hyphen."""
    return figures.replace("-", MINUS)


def capitalised(words: str) -> str:
    """The same with a capital letter in front, in languages that have them."""
    return changed(words, lambda said: said[:1].upper() + said[1:])


def lowered(words: str) -> str:
    """The same in small letters, in languages that have them."""
    return changed(words, str.lower)


def changed(words: str, change: Callable[[str], str]) -> Text:
    """What `change` makes of the words, in each language anew."""
    return Text.made(partial(_changed, words, change))


def english(words: str) -> str:
    """The same in English: for files and logs, whose readers need not read the window's language."""
    return words.in_language("en") if isinstance(words, Text) else words


def current() -> Language:
    """The language of the window."""
    return _current


def use(language: Language) -> None:
    """Speak another language from now on; who shows words has to say them again (`Text.now`)."""
    global _current
    _current = language


def of_system() -> Language:
    """The language that this computer's user reads, as far as there is one for it; else English."""
    names = [os.environ[name] for name in LOCALE_VARIABLES if os.environ.get(name)]
    if not names:  # Windows and macOS keep it elsewhere
        names = [locale.getlocale()[0] or ""]
    return "zh_CN" if names[0].lower().startswith(("zh", "chinese")) else "en"


def chosen(setting: str) -> Language:
    """What the setting `language` means on this computer."""
    return next((language for language in LANGUAGES if language == setting), None) or of_system()


@dataclass(frozen=True)
class Entry:
    """One text of a catalogue.

    Attributes:
        words: in English; of one, where the text counts.
        many: in English, for several, or empty.
        said: in the other language; empty where it is not translated.
    """

    words: str
    many: str
    said: str


def read(file: Path) -> list[Entry]:
    """The texts of a .po file as Babel writes it, without those marked fuzzy or obsolete."""
    return [entry for entry in _entries(file.read_text(encoding="utf-8").splitlines()) if entry.words]


def fields(template: str) -> list[str]:
    """Names of the placeholders of a template, sorted."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


def _entries(lines: Iterable[str]) -> Iterator[Entry]:
    found: dict[str, str] = {}
    key, fuzzy = "", False
    for line in [*lines, ""]:
        if line.startswith("#,") and "fuzzy" in line:
            fuzzy = True
        elif line.startswith("msg"):
            key, _, rest = line.partition(" ")
            found[key] = ast.literal_eval(rest)
        elif line.startswith('"'):
            found[key] += ast.literal_eval(line)
        elif not line and found:
            said = found.get("msgstr", found.get("msgstr[0]", ""))
            if not fuzzy:
                yield Entry(found["msgid"], found.get("msgid_plural", ""), said)
            found, fuzzy = {}, False


@dataclass(frozen=True)
class _Template:
    """How a filled template is told, and what it says in the other language."""

    pattern: re.Pattern[str]
    fields: tuple[str, ...]
    longest: str
    said: str


@dataclass(frozen=True)
class _Catalogue:
    words: dict[str, str]
    templates: tuple[_Template, ...]


@cache
def _catalogue(language: Language) -> _Catalogue:
    entries = [entry for entry in read(FOLDER / f"{language}.po") if entry.said]
    words = {entry.words: entry.said for entry in entries}
    templates = [
        made
        for entry in entries
        for english in (entry.words, entry.many)
        if english and (made := _template(english, entry.said))
    ]
    templates.sort(key=lambda made: -len(made.pattern.pattern))
    return _Catalogue(words, tuple(templates))


def _template(english: str, said: str) -> _Template | None:
    parts = list(string.Formatter().parse(english))
    names = [name for _, name, _, _ in parts if name is not None]
    literals = [literal for literal, _, _, _ in parts]
    if not names or sum(map(str.isalpha, "".join(literals))) < FEWEST_LETTERS:
        return None
    pattern = "".join(
        re.escape(literal) + ("" if name is None else _value(spec or "")) for literal, name, spec, _ in parts
    )
    plain = "".join(
        literal.replace("{", "{{").replace("}", "}}") + ("" if name is None else f"{{{name}}}")
        for literal, name, _, _ in string.Formatter().parse(said)
    )
    return _Template(re.compile(pattern, re.DOTALL), tuple(names), max(literals, key=len), plain)


def _value(spec: str) -> str:
    """What may stand for a placeholder: a figure where it is formatted as one ("left" is no count)."""
    return r"([-+\d.,]+%?)" if NUMERIC.fullmatch(spec) else "(.+?)"


def _word(words: str, language: Language) -> str:
    return words if language == "en" else _catalogue(language).words.get(words, words)


def _counted(one: str, many: str, values: dict[str, object], language: Language) -> str:
    words = one if values["count"] == 1 else many
    if language != "en":
        words = _catalogue(language).words.get(one, words)
    return _filled(lambda _language: words, (), values, language)


def _filled(
    template: Callable[[Language], str],
    args: tuple[object, ...],
    values: dict[str, object],
    language: Language,
) -> str:
    said = {name: _in(language, value) for name, value in values.items()}
    if language == "en":
        return template(language).format(*(_in(language, value) for value in args), **said)
    kept = {name: _kept(value) for name, value in said.items()}
    return _seamless(template(language).format(*(_kept(_in(language, value)) for value in args), **kept))


def _kept(value: object) -> object:
    """The same with its own spaces marked: a path or a name is told as it is."""
    return str(value).replace(" ", OWN_SPACE) if isinstance(value, str | PurePath) else value


def _seamless(filled: str) -> str:
    return SPACE_WITHIN.sub("", filled).replace(OWN_SPACE, " ")


def _joined(separator: str, parts: tuple[str, ...], language: Language) -> str:
    said = [str(_in(language, part)) for part in parts]
    if separator != " ":
        return _word(separator, language).join(said)
    glued = ""
    for part in said:
        glued += part if not glued or glued.endswith(FULL_WIDTH) else f" {part}"
    return glued


def _changed(words: str, change: Callable[[str], str], language: Language) -> str:
    return change(str(_in(language, words)))


def _in(language: Language, value: object) -> object:
    if isinstance(value, Text):
        return value.in_language(language)
    return _below(str(value), language) if isinstance(value, Exception) else value


def _below(words: str, language: Language) -> str:
    return words if language == "en" else _said_below(language, words)


@lru_cache(maxsize=2000)
def _said_below(language: Language, words: str) -> str:
    if whole := _matched(language, words):
        return whole
    sentences = re.split(r"(?<=[.!?]) ", words)
    said = [_matched(language, sentence) for sentence in sentences]
    if any(said):
        return "".join(
            translated or f"{kept} " for translated, kept in zip(said, sentences, strict=True)
        ).strip()
    return words


def _matched(language: Language, words: str) -> str:
    """What the catalogue says, or nothing."""
    catalogue = _catalogue(language)
    if words in catalogue.words:
        return catalogue.words[words]
    for template in catalogue.templates:
        if template.longest in words and (found := template.pattern.fullmatch(words)):
            filled = (_said_below(language, part) if " " in part else part for part in found.groups())
            kept = map(_kept, filled)
            return _seamless(template.said.format(**dict(zip(template.fields, kept, strict=True))))
    return ""


SPACE_WITHIN: Final = re.compile(
    r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])"
    r"|(?<=[\u3001-\u303f\uff01-\uff5e]) | (?=[\u3001-\u303f\uff01-\uff5e])"
)
"""Templates set a Latin name off with spaces; a Chinese one, and what ends in a wide sign, stands without."""
OWN_SPACE: Final = "\ue000"
"""Of what fills a template, where its spaces stay; no font has this sign, nor does a keyboard."""
FULL_WIDTH: Final = tuple(map(chr, (0x3002, 0xFF1B, 0xFF01, 0xFF1F)))
"""Full stop, semicolon, exclamation and question mark, which bring their own space."""
MINUS: Final = "\u2212"
"""As wide as a plus, as a hyphen is not."""
ENDS: Final = (".", ":", "!", "?", *FULL_WIDTH)
SEPARATORS: Final = (tr_noop(", "), tr_noop("; "), tr_noop(": "), tr_noop(". "))
"""Of `joined`, as far as languages differ in them."""
