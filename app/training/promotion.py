"""Which weights were in use before those of a run, so that they can be put back."""

import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)

FILE = "promoted.json"
KEPT = 20


def remember(runs: Path, replaced: str) -> None:
    """Write down the name of the model that was replaced.

    Raises:
        OSError: the folder cannot be written.
    """
    names = [name for name in _read(runs) if name != replaced][-KEPT:]
    _write(runs, [*names, replaced])


def previous(runs: Path) -> str | None:
    """The model that was in use before the last change; None if there was none."""
    names = _read(runs)
    return names[-1] if names else None


def forget(runs: Path) -> None:
    """The last change was taken back.

    Raises:
        OSError: the folder cannot be written.
    """
    _write(runs, _read(runs)[:-1])


def _read(runs: Path) -> list[str]:
    try:
        content = json.loads((runs / FILE).read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", runs / FILE, error)
        return []
    return [str(name) for name in content] if isinstance(content, list) else []


def _write(runs: Path, names: list[str]) -> None:
    runs.mkdir(parents=True, exist_ok=True)
    partial = runs / f"{FILE}.partial"
    partial.write_text(json.dumps(names), encoding="utf-8")
    partial.replace(runs / FILE)
