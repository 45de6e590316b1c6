"""What the operator chose, in one schema for file, form and flags.

Precedence: command line, then `DEPTHMEND_<NAME>` in the environment, then the file, then the default.
"""

import logging
import os
import tomllib
from pathlib import Path
from typing import Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from app import paths
from app.language import tr_noop
from model.spec import Device

log = logging.getLogger(__name__)

SCENES = (
    "home", "office", "meeting room", "classroom", "retail", "restaurant", "gym", "hospital", "school hall",
    "airport or station", "museum", "parking garage", "machinery room", "elevator", "corridor", "storage",
    "library", "workshop", "laboratory", "hotel", "lobby", "outdoor",
)  # fmt: skip
"""Scene categories of the report's table 1."""

CONSENTS = ("nobody in view", "all agreed", "not asked")
"""What is usually said of the people who can be seen; a label may say anything else."""


class SettingsError(Exception):
    """The settings file cannot be used; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class EnvironmentSettingError(SettingsError):
    """An environment variable holds what cannot be a setting; the file is not to blame."""


class Settings(BaseModel):
    """Every setting, with its default."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    source: str = Field(
        "demo",
        title=tr_noop("Source"),
        description=tr_noop("demo, auto, a camera, a session, a recording, or a folder of frames"),
    )
    model: str = Field(
        "auto",
        title=tr_noop("Repair with"),
        description=tr_noop("auto, demo, classical, off, a weights file, or one that the verb models lists"),
    )
    device: Device = Field("auto", title=tr_noop("Compute device"))
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field("auto", title=tr_noop("Precision"))
    tokens: int = Field(
        0, ge=0, le=10_000, title=tr_noop("Tokens"), description=tr_noop("Auto lets the model decide")
    )
    anchor: bool = Field(
        True,
        title=tr_noop("Keep to the measurement"),
        description=tr_noop("Pull the network's depth onto measured pixels"),
    )
    stabilise: bool = Field(
        False,
        title=tr_noop("Steady over time"),
        description=tr_noop("Averages refined depth where nothing moves; a moving thing leaves no ghost"),
    )
    theme: Literal["dark", "light", "outdoor"] = Field(
        "dark",
        title=tr_noop("Theme"),
        description=tr_noop("Outdoor: black on white with thick frames, for sunlight"),
    )
    keyboard: Literal["auto", "always", "never"] = Field(
        "auto",
        title=tr_noop("On-screen keyboard"),
        description=tr_noop(
            "Auto: where a finger touches a text field and no other keyboard is in use. "
            "The button beside a field brings it in any case"
        ),
    )
    kiosk: bool = Field(
        False,
        title=tr_noop("Start as a kiosk"),
        description=tr_noop("Full screen, left only by holding the button in the corner"),
    )
    kiosk_pin: str = Field(
        "",
        pattern="^([0-9]{4,8})?$",
        title=tr_noop("PIN to leave the kiosk"),
        description=tr_noop("4 to 8 digits, asked for after the button was held; empty for none"),
    )
    keys: dict[str, dict[str, list[str]]] = Field(
        {},
        title=tr_noop("Keys"),
        description=tr_noop("Which key of a keyboard does what; each can be changed"),
    )
    language: Literal["system", "en", "zh_CN"] = Field("system", title=tr_noop("Language"))
    near_m: float = Field(0.3, ge=0.0, le=50.0, title=tr_noop("Depth colours, near"))
    far_m: float = Field(4.0, gt=0.0, le=100.0, title=tr_noop("Depth colours, far"))
    operator: str = Field("", title=tr_noop("Operator"))
    site: str = Field("", title=tr_noop("Site"))
    record_refined: bool = Field(
        False,
        title=tr_noop("Record refined depth"),
        description=tr_noop("Beside the raw frames, as far as the repair keeps up"),
    )
    record_compact: bool = Field(
        False,
        title=tr_noop("Record compact depth"),
        description=tr_noop(
            "JPEG XL instead of PNG: as exact, a third smaller, faster to write; few other programs read it"
        ),
    )
    sessions: Path | None = Field(
        None, title=tr_noop("Sessions folder"), description=tr_noop("Leave empty to use Documents")
    )

    _overridden: dict[str, tuple[object, object]] = PrivateAttr(default_factory=dict)

    def overridden(self, **values: object) -> "Settings":
        """A copy with these values for this run; `save` writes what they replaced, unless changed since."""
        over = self.model_validate(self.model_dump() | values)
        replaced = {name: (getattr(over, name), getattr(self, name)) for name in values}
        over.__pydantic_private__ = {"_overridden": self._overridden | replaced}
        return over

    def lasting(self) -> dict[str, object]:
        """What belongs into the file."""
        replaced = {n: old for n, (new, old) in self._overridden.items() if getattr(self, n) == new}
        return self.model_copy(update=replaced).model_dump(mode="json", exclude_none=True)

    @property
    def sessions_folder(self) -> Path:
        """Where sessions are recorded."""
        return self.sessions or paths.sessions_folder()


def load(path: Path | None = None) -> Settings:
    """Settings from the file, with the environment on top.

    Raises:
        SettingsError: the file is there and cannot be read, or holds a value that cannot be.
        EnvironmentSettingError: an environment variable does.
    """
    path = path or paths.settings_file()
    values: dict[str, object] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(
                f"The settings file {path} cannot be read: {error}.",
                hint="Correct it, or move it away to start with the defaults.",
            ) from error
    from_environment = {
        name: os.environ[variable]
        for name in Settings.model_fields
        if (variable := f"DEPTHMEND_{name.upper()}") in os.environ
    }
    try:
        return Settings.model_validate(values).overridden(**from_environment)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        if name in from_environment:
            raise EnvironmentSettingError(
                f"DEPTHMEND_{name.upper()}={from_environment[name]} cannot be used: {first['msg']}.",
                hint="Correct or unset this environment variable.",
            ) from error
        raise SettingsError(
            f"The setting {name!r} in {path} cannot be used: {first['msg']}.",
            hint="Correct it, or move the file away to start with the defaults.",
        ) from error


def set_aside(path: Path | None = None) -> Path:
    """Move an unreadable file beside itself and return where it is now; None takes that of the settings."""
    path = path or paths.settings_file()
    number = 1
    while (kept := path.with_name(f"{path.stem}.unreadable-{number}{path.suffix}")).exists():
        number += 1
    path.rename(kept)
    log.warning("unreadable %s moved to %s", path.name, kept)
    return kept


def save(settings: Settings, path: Path | None = None) -> None:
    """Write the settings file whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    path = path or paths.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(tomli_w.dumps(settings.lasting()), encoding="utf-8")
    partial.replace(path)
