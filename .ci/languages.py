"""Puts every word of the window into the catalogues of resources/languages; says which are not translated.

    make languages

Words of the window stand in `tr`, `tr_noop` and `tr_many` in `app`. Words from below (errors, hints,
controls, models, recipes) do not: they are taken from where they are made, as templates with the names of
what fills them, and `app.language.from_below` recognises them.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ROOT / "resources" / "languages"
WIDTH = 110
MARKED = ("app",)
RAISED = ("app", "drivers", "model", "trainer")
NOT_SHOWN = (
    "app/cli.py",
    "app/headless.py",
    "app/verbs",
    "model/inside.py",
    "model/runtime/export.py",
    "trainer/data/cli.py",
    "trainer/synth",
)
TABLES = (
    "drivers/calibration/agree.py",
    "drivers/calibration/board.py",
    "drivers/calibration/coverage.py",
    "drivers/calibration/detect.py",
    "drivers/calibration/factory.py",
    "drivers/calibration/solve.py",
    "drivers/cameras/zed_uvc.py",
    "drivers/controls.py",
    "drivers/imports/folders.py",
    "drivers/imports/record3d.py",
    "drivers/imports/tum.py",
    "drivers/rig.py",
    "drivers/sdk.py",
    "drivers/session/index.py",
    "drivers/session/mistakes.py",
    "drivers/session/verify.py",
    "drivers/synth/adjust.py",
    "drivers/usb.py",
    "drivers/v4l2_controls.py",
    "drivers/vendor/orbbec_controls.py",
    "drivers/vendor/realsense_controls.py",
    "drivers/vendor/zed_controls.py",
    "model/spec.py",
    "trainer/data/kinds.py",
    "trainer/recipes.py",
)
"""Modules whose words the window shows, besides their errors."""
NO_WORDS = re.compile(
    r"0\.7 re f| re f$|/F1|^DepthMend |this line: |^%s|-m pip|\} install|^# |^Value error|^<|^Stereolabs$"
    r"|^\(without|\\d"
)
"""What reads like words and is none, or stands in a file."""
INTERNAL = {
    "ValueError",
    "TypeError",
    "RuntimeError",
    "AssertionError",
    "OSError",
    "KeyError",
    "ArgumentTypeError",
}
ERRORS = re.compile(
    r"\w+Error|SdkMissing|LibraryMissing|CameraNotFound|CameraBusy|ModeUnsupported|CameraLost|CameraUnplugged"
)
HINTS = re.compile("(default_|alone_)?hint|problem|_NOTE|_?(RULES|UDEV|REPLUG|AGAIN|MAY_NOT)")
SENTENCE = re.compile(r"[A-Za-z]+[,:.)]? +[(A-Za-z{]|^[A-Z][a-z]")


@dataclass(frozen=True)
class Found:
    """One text.

    Attributes:
        words: or the words for one thing, where it counts.
        many: the words for several, or empty.
        file: where it stands.
    """

    words: str
    many: str
    file: str


def marked(tree: ast.AST, file: str) -> Iterator[Found]:
    """What stands in `tr`, `tr_noop` and `tr_many`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="tr" | "tr_noop"), args=[ast.Constant(value=str(words))]):
                yield Found(words, "", file)
            case ast.Call(
                func=ast.Name(id="tr_many"),
                args=[ast.Constant(value=str(one)), ast.Constant(value=str(many)), *_],
            ):
                yield Found(one, many, file)


def raised(tree: ast.AST, file: str) -> Iterator[Found]:
    """Messages and hints of errors."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[message, *_]) if (
                ERRORS.fullmatch(name) and name not in INTERNAL
            ):
                hints = [keyword.value for keyword in node.keywords if keyword.arg == "hint"]
                for part in (message, *hints):
                    yield from (Found(words, "", file) for words in texts(part))
            case (
                ast.Call(
                    func=ast.Attribute(value=ast.Name(id="progress"), attr="doing" | "warning" | "failed")
                )
                | ast.Call(
                    func=ast.Attribute(value=ast.Name(id="self"), attr="_say"), args=[ast.JoinedStr(), *_]
                )
            ):  # what a run says while it goes on, or at its end
                said = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "message")]
                for part in said:
                    if isinstance(part, ast.Constant | ast.JoinedStr):
                        yield from (Found(words, "", file) for words in texts(part))
            case ast.keyword(arg="hint" | "problem", value=value):
                yield from (Found(words, "", file) for words in texts(value))
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if HINTS.fullmatch(name):
                yield from (Found(words, "", file) for words in texts(value))


def tabled(tree: ast.Module, file: str) -> Iterator[Found]:
    """Whatever reads like words."""
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    silent |= {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    } - {id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in silent:
            yield from (Found(words, "", file) for words in texts(node) if not NO_WORDS.search(words))


def texts(node: ast.AST) -> Iterator[str]:
    """Sentences and titles within an expression, without those that stand in `tr`."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"tr", "tr_many", "tr_noop"}
    ):
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and SENTENCE.search(node.value):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        words = template(node)
        if SENTENCE.search(words):
            yield words
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child)


def template(node: ast.JoinedStr) -> str:
    """An f-string as a template: its expressions become placeholders, named after them."""
    out, names = "", dict[str, str]()
    for part in node.values:
        if isinstance(part, ast.Constant):
            out += str(part.value).replace("{", "{{").replace("}", "}}")
        elif isinstance(part, ast.FormattedValue):
            source = ast.unparse(part.value)
            if source not in names:
                base = name_of(part.value)
                taken = sum(name.rstrip("0123456789") == base for name in names.values())
                names[source] = base if not taken else f"{base}{taken + 1}"
            out += f"{{{names[source]}}}"
    return out


def name_of(node: ast.AST) -> str:
    """A placeholder's name for an expression."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").rstrip("0123456789").lower() or "value"
        case ast.Call(
            func=ast.Name(id="len" | "str" | "sum" | "abs" | "sorted" | "min" | "max"), args=[inner, *_]
        ):
            return name_of(inner)
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner, *_]):
            return name_of(inner)
        case (
            ast.GeneratorExp(elt=inner)
            | ast.Subscript(value=inner)
            | ast.BinOp(left=inner)
            | ast.Call(func=inner)
        ):
            return name_of(inner)
        case _:
            return "value"


def found() -> list[Found]:
    """Every text, in the order of the sources."""
    texts_: list[Found] = []
    for package in RAISED:
        for path in sorted((ROOT / package).rglob("*.py")):
            file = path.relative_to(ROOT).as_posix()
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if package in MARKED:
                texts_ += marked(tree, file)
            if not file.startswith(NOT_SHOWN):
                texts_ += raised(tree, file)
            if file in TABLES:
                texts_ += tabled(tree, file)
    return texts_


def catalogue(known: Catalog) -> Catalog:
    """The same translations for the texts of today; texts that are gone are dropped."""
    fresh = Catalog(
        locale=known.locale,
        project="DepthMend",
        charset="utf-8",
        header_comment=known.header_comment,
        fuzzy=False,
    )
    for text in found():
        key = (text.words, text.many) if text.many else text.words
        before = known.get(text.words)
        said = before.string if before is not None and "fuzzy" not in before.flags else ""
        if text.many:
            said = tuple(said) if isinstance(said, list | tuple) else (said,)
        elif isinstance(said, list | tuple):
            said = said[0]
        fresh.add(key, said, locations=[(text.file, None)])
    return fresh


def main() -> int:
    """Writes the catalogues; 1 if something is not translated."""
    missing = 0
    for file in sorted(LANGUAGES.glob("*.po")):
        with file.open("rb") as stream:
            known = read_po(stream, locale=file.stem)
        fresh = catalogue(known)
        with file.open("wb") as stream:
            write_po(stream, fresh, width=WIDTH, omit_header=False, sort_output=False, include_lineno=False)
        lacking = [message.id for message in fresh if message.id and not any(message.string)]
        print(f"{file.relative_to(ROOT)}: {len(fresh)} texts, {len(lacking)} not translated")
        for words in lacking:
            print(f"  {words!r}")
        missing += len(lacking)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
