"""What is wrong with a damaged JSON file, in words for people."""

import json
import re
from pathlib import Path

from pydantic import ValidationError

_JSON_PLACE = re.compile(r"line (\d+) column (\d+)")
_MOST_SHOWN = 40
"""Characters of a wrong value that a message repeats."""


def mistake(error: ValidationError) -> str:
    """The first mistake, and in which field it is: the end of a sentence about the file."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        place = _JSON_PLACE.search(str(first["msg"]))
        return f"it is not JSON at line {place[1]}, column {place[2]}" if place else "it is not JSON"
    field = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"the field {field} is missing"
    found = json.dumps(first["input"], ensure_ascii=False, default=str)[:_MOST_SHOWN]
    return f"the field {field} cannot be {found}" if field else f"it holds no fields, but {found}"


def remedy(path: Path, *, made_again: bool) -> str:
    """What to do about it.

    Args:
        path: of the file.
        made_again: whether a recovery of the session makes this file once more when it is gone.
    """
    if made_again:
        return f"Put the file back from a copy, or remove it and run `python main.py recover {path.parent}`."
    return "Put the file back from a copy."
