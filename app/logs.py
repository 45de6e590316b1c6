"""The log file, and warnings on the console."""

import logging
import logging.handlers
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import paths

FILE_BYTES = 2_000_000
FILES_KEPT = 5
PYTHON_WARNINGS = "py.warnings"
"""The logger of what libraries warn their programmers of; it is nothing for the operator."""

log = logging.getLogger(__name__)


class _OneLine(logging.Formatter):
    """For the console: the sentence, never the traceback, which is in the file."""

    def formatException(self, ei: object) -> str:  # noqa: ARG002 - logging calls it
        return ""

    def format(self, record: logging.LogRecord) -> str:
        trace, record.exc_text = record.exc_text, None
        try:
            return super().format(record).rstrip()
        finally:
            record.exc_text = trace


def log_file(name: str = "depthmend") -> Path:
    """The newest log file."""
    return paths.log_folder() / f"{name}.log"


@contextmanager
def started(name: str = "depthmend") -> Iterator[None]:
    """Log to a file of this name, which is kept small, and warnings to the console as well.

    A folder that cannot be written is no reason not to start: then there is the console only.
    """
    root = logging.getLogger()
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)
    console.setFormatter(_OneLine("%(levelname)s: %(message)s"))
    console.addFilter(lambda record: record.name != PYTHON_WARNINGS)
    handlers: list[logging.Handler] = [console]
    trouble: OSError | None = None
    path = log_file(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(
            path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"
        )
        file.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(process)d %(threadName)s %(name)s: %(message)s")
        )
        handlers.append(file)
    except OSError as error:
        trouble = error
    before = root.level
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    for handler in handlers:
        root.addHandler(handler)
    if trouble is not None:
        log.warning("There is no log file, because %s cannot be written: %s.", path, trouble)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
