"""State of the settings page: a form made from the schema, checked and saved field by field."""

import os
import re
import shutil
import sys
import types
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from PySide6.QtCore import QObject, Signal

from app import app_version, paths
from app.language import from_below, tr, tr_noop
from app.settings import Settings, save
from app.viewmodels.repair_choices import devices

Value = str | bool | int | float | Path | None

ENGINE_FIELDS = frozenset({"model", "device", "precision", "tokens", "anchor"})
"""Settings that decide which repair runs, and how."""


class FieldKind(Enum):
    """How a setting is edited."""

    SOURCE = "source"
    MODEL = "model"
    CHOICE = "choice"
    SWITCH = "switch"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    FOLDER = "folder"
    KEYS = "keys"
    SECRET = "secret"


SPECIAL = {
    "source": FieldKind.SOURCE,
    "model": FieldKind.MODEL,
    "keys": FieldKind.KEYS,
    "kiosk_pin": FieldKind.SECRET,
}
"""Settings that are edited otherwise than their type says."""

KIOSK_FIELDS = ("keys", "kiosk", "kiosk_pin")
"""Settings that are not shown in a kiosk: its lock, and keys that its next visitor would not find again."""

SECTIONS = (
    (
        tr_noop("Cameras and repair"),
        ("source", "model", "device", "precision", "tokens", "anchor", "stabilise"),
    ),
    (tr_noop("Screen"), ("language", "theme", "near_m", "far_m", "keyboard", *KIOSK_FIELDS)),
    (tr_noop("Recording"), ("operator", "site", "record_refined", "record_compact", "sessions")),
)
"""Groups on the page; a setting in none of them comes last, under "More"."""

PIN = re.compile(r"\d{4,8}", re.ASCII)

STEPS = {"near_m": 0.1, "far_m": 0.5, "tokens": 100}
"""How far one press of plus or minus goes; 1 where nothing is said."""


@dataclass(frozen=True)
class Field:
    """One setting of the form.

    Attributes:
        name: in the schema.
        title: what the screen calls it.
        description: one more line, or empty.
        kind: how it is edited.
        value: as it is now.
        choices: what can be chosen, for `FieldKind.CHOICE`.
        minimum: for numbers.
        maximum: for numbers.
        step: for numbers.
    """

    name: str
    title: str
    description: str
    kind: FieldKind
    value: Value
    choices: tuple[str, ...] = ()
    minimum: float = 0.0
    maximum: float = 0.0
    step: float = 1.0


@dataclass(frozen=True)
class Section:
    """A heading and its settings."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one setting.

    Attributes:
        name: of the setting.
        message: what is wrong and what would be right; empty when all is well again.
    """

    name: str
    message: str


def form(settings: Settings) -> tuple[Section, ...]:
    """The whole form, in the order of the page; every setting of the schema is in it once."""
    fields = {name: _field(name, info, settings) for name, info in Settings.model_fields.items()}
    placed = {name for _, names in SECTIONS for name in names}
    rest = tuple(field for name, field in fields.items() if name not in placed)
    sections = [Section(title, tuple(fields[n] for n in names if n in fields)) for title, names in SECTIONS]
    return (*sections, Section(tr("More"), rest)) if rest else tuple(sections)


class SettingsViewModel(QObject):
    """Keeps the settings in memory and in their file.

    Args:
        settings: the ones that the whole program shares; changed in place.
        path: of the file; None for the usual one.
    """

    changed = Signal(str)
    problem_changed = Signal(FieldProblem)

    def __init__(self, settings: Settings, path: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self._path = path

    @property
    def sections(self) -> tuple[Section, ...]:
        """The form with the values of this moment."""
        return form(self.settings)

    def change(self, name: str, value: Value) -> bool:
        """Set one setting and save; on failure `problem_changed` says why and nothing has changed."""
        before = getattr(self.settings, name)
        if value == before:
            self.problem_changed.emit(FieldProblem(name, ""))
            return True
        message = self._check(name, value)
        if not message:
            setattr(self.settings, name, value)
            message = self._save()
            if message:
                setattr(self.settings, name, before)
        self.problem_changed.emit(FieldProblem(name, message))
        if not message:
            self.changed.emit(name)
        return not message

    def _check(self, name: str, value: Value) -> str:
        if name == "kiosk_pin" and not (value == "" or PIN.fullmatch(str(value))):
            return tr("Give 4 to 8 digits, or nothing for no PIN.")
        trial = self.settings.model_copy()
        try:
            setattr(trial, name, value)
        except ValidationError as error:
            return _sentence(error.errors()[0]["msg"])
        if trial.near_m >= trial.far_m:
            return (
                tr("The nearest colour must be nearer than the farthest one ({far_m:g} m).").format(
                    far_m=self.settings.far_m
                )
                if (name == "near_m")
                else tr("The farthest colour must be farther than the nearest one ({near_m:g} m).").format(
                    near_m=self.settings.near_m
                )
            )
        if isinstance(value, Path):
            return _folder_problem(value)
        return ""

    def _save(self) -> str:
        try:
            save(self.settings, self._path)
        except OSError as error:
            where = self._path or paths.settings_file()
            return tr("The settings cannot be saved in {where}: {strerror}. Nothing was changed.").format(
                where=where, strerror=from_below(str(error.strerror))
            )
        return ""


@dataclass(frozen=True)
class About:
    """The foot of the page.

    Attributes:
        version: of the program.
        licence: its name.
        folders: title and path of everything the program keeps; one path is a file's.
    """

    version: str
    licence: str
    folders: tuple[tuple[str, Path], ...]


def about(settings: Settings) -> About:
    """What the foot of the page says."""
    return About(
        app_version(),
        "Apache-2.0",
        (
            (tr("Sessions"), settings.sessions_folder),
            (tr("Training runs"), paths.runs_folder()),
            (tr("Weights"), paths.weights_folder()),
            (tr("Log files"), paths.log_folder()),
            (tr("Settings file"), paths.settings_file()),
        ),
    )


def has_desktop() -> bool:
    """Whether something is there that can show a folder; a kiosk has nothing."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("XDG_CURRENT_DESKTOP")) and shutil.which("xdg-open") is not None


def _field(name: str, info: FieldInfo, settings: Settings) -> Field:
    kind, choices = _kind(name, info)
    low, high = _bounds(info)
    value: Value = getattr(settings, name)
    if name == "device":
        choices = tuple(devices(str(value)))
    title = info.title or name.replace("_", " ").capitalize()
    step = STEPS.get(name, 1.0)
    return Field(name, title, info.description or "", kind, value, choices, low, high, step)


def _kind(name: str, info: FieldInfo) -> tuple[FieldKind, tuple[str, ...]]:
    if name in SPECIAL:
        return SPECIAL[name], ()
    plain = info.annotation
    if get_origin(plain) in {Union, types.UnionType}:
        plain = next(part for part in get_args(plain) if part is not type(None))
    if get_origin(plain) is Literal:
        return FieldKind.CHOICE, tuple(str(choice) for choice in get_args(plain))
    kinds: dict[object, FieldKind] = {
        bool: FieldKind.SWITCH,
        int: FieldKind.INTEGER,
        float: FieldKind.NUMBER,
        Path: FieldKind.FOLDER,
    }
    return kinds.get(plain, FieldKind.TEXT), ()


def _bounds(info: FieldInfo) -> tuple[float, float]:
    low, high = 0.0, 1e6
    for rule in info.metadata:
        match rule:
            case Ge(ge=float(bound) | int(bound)) | Gt(gt=float(bound) | int(bound)):
                low = float(bound)
            case Le(le=float(bound) | int(bound)) | Lt(lt=float(bound) | int(bound)):
                high = float(bound)
    return low, high


def _folder_problem(folder: Path) -> str:
    if not folder.is_absolute():
        return tr("Give the whole path, from the root on.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return tr("The folder {folder} cannot be made: {strerror}. Choose another one.").format(
            folder=folder, strerror=from_below(str(error.strerror))
        )
    return ""


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".") + "."
