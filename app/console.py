"""What a verb says on the terminal: lines and progress for people, or one JSON object per line."""

import json
import sys
from collections.abc import Mapping

from app.language import MINUS
from app.messages import Message

LINE_WIDTH = 79
"""A line that wraps could not be overwritten."""
Value = str | int | float | bool | None | list["Value"] | Mapping[str, "Value"]


class Console:
    """Standard output and standard error of one verb.

    Args:
        json_lines: print every event as one JSON object instead of words.
    """

    def __init__(self, *, json_lines: bool) -> None:
        self._json_lines = json_lines
        self._in_place = False

    def say(self, event: str, text: str, /, **values: Value) -> None:
        """Print `text`; as JSON, the event's name and its values."""
        if self._json_lines:
            self._object(event, values)
        else:
            self._clear()
            # Many a code page of Windows has no place for the window's sign: writing it would end the verb.
            sys.stdout.write(f"{text}\n".replace(MINUS, "-"))
            sys.stdout.flush()

    def progress(self, text: str, *, done: int, total: int) -> None:
        """Where the work stands: one line that overwrites itself, and nothing where nobody watches."""
        if self._json_lines:
            self._object("progress", {"done": done, "total": total, "text": text})
        elif sys.stdout.isatty():
            self._clear()
            sys.stdout.write(f"[{done}/{total}] {text}"[:LINE_WIDTH])
            sys.stdout.flush()
            self._in_place = True

    def detail(self, event: str, /, **values: Value) -> None:
        """What only a program wants to know: nothing in words."""
        if self._json_lines:
            self._object(event, values)

    def failed(self, message: Message) -> None:
        """One sentence on standard error, and what to do about it."""
        if self._json_lines:
            self._object("failed", {"message": message.sentence, "hint": message.hint})
        self._clear()
        sys.stderr.write(f"{message.line}\n")
        sys.stderr.flush()

    def _object(self, event: str, values: Mapping[str, Value]) -> None:
        sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
        sys.stdout.flush()

    def _clear(self) -> None:
        if self._in_place:
            sys.stdout.write("\r\x1b[K")
            self._in_place = False
