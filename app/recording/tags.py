"""Tags that the operator used lately, one per line in a file beside the settings."""

import logging
from collections.abc import Iterable
from pathlib import Path

from app import paths

log = logging.getLogger(__name__)

KEPT = 12


def tags_file() -> Path:
    """Where they are kept."""
    return paths.settings_file().with_name("recent-tags.txt")


def recent_tags(path: Path | None = None) -> tuple[str, ...]:
    """The tags used last, newest first; none where the file is missing or cannot be read."""
    try:
        lines = (path or tags_file()).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))[:KEPT]


def remember_tags(tags: Iterable[str], path: Path | None = None) -> None:
    """Put `tags` in front of the ones before; a disk that refuses costs only the memory of them."""
    path = path or tags_file()
    kept = tuple(dict.fromkeys([*tags, *recent_tags(path)]))[:KEPT]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text("".join(f"{tag}\n" for tag in kept), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        log.warning("the tags used last were not kept: %s", error)
