"""What the window showed last, so that a crash or a restart loses nothing of it."""

import logging
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from app import paths

log = logging.getLogger(__name__)


class WindowState(BaseModel):
    """Page and arrangement.

    Attributes:
        page: in front.
        layout: of the Live page.
        base: layer to compare with.
        shown: layer to see.
        colour_map: of depth.
        auto: whether its range follows the scene.
        full_screen: whether the window fills the screen.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    page: Literal["Live", "Compare", "Cameras", "Record", "Sessions", "Train", "Settings"] = "Live"
    layout: Literal["one", "wipe", "blend", "side", "inset", "cloud"] = "wipe"
    base: Literal["colour", "raw", "refined"] = "raw"
    shown: Literal["colour", "raw", "refined", "difference", "provenance", "confidence", "ir"] = "refined"
    colour_map: str = "turbo"
    auto: bool = False
    full_screen: bool = False


def state_file() -> Path:
    """Beside the settings."""
    return paths.settings_file().with_name("window.json")


def load(path: Path | None = None) -> WindowState | None:
    """What was shown last; None the first time, or where the file is of another version or damaged."""
    path = path or state_file()
    try:
        return WindowState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("the window starts as new: %s cannot be used: %s", path, error)
        return None


def save(state: WindowState, path: Path | None = None) -> None:
    """Write it whole or not at all.

    Raises:
        OSError: the folder cannot be written.
    """
    path = path or state_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(state.model_dump_json(), encoding="utf-8")
    partial.replace(path)
