"""Catches what nothing else caught: to the log with everything, to the operator in one sentence."""

import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

log = logging.getLogger(__name__)

REPEAT_S = 10.0
"""A paint event that fires an error does so with every frame; one report in this time is enough."""

Tell = Callable[[str], None]


class _Reporter:
    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._last_s: dict[tuple[type[BaseException], str, int], float] = {}

    def main_thread(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self.report(kind, error, trace, threading.current_thread().name)

    def other_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            name = args.thread.name if args.thread is not None else "of a stopped thread"
            self.report(args.exc_type, args.exc_value, args.exc_traceback, name)

    def report(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None, thread: str
    ) -> None:
        place = _place(trace)
        now_s = time.monotonic()
        if now_s - self._last_s.get((kind, *place), -REPEAT_S) < REPEAT_S:
            return
        self._last_s[(kind, *place)] = now_s
        # No warning or worse: the console would say it twice.
        log.info("unexpected error in thread %s", thread, exc_info=(kind, error, trace))
        self._tell(f"Something went wrong that DepthMend does not know: {kind.__name__}: {error}.")


@contextmanager
def hooks(folder: Path, tell: Tell) -> Iterator[None]:
    """Report uncaught exceptions of every thread; a crash in native code leaves its stacks in `folder`.

    Args:
        folder: for `crash.log`; one that cannot be written is left out.
        tell: gets one sentence for each kind of error; called in the thread that failed, so a window has to
            pass it on by a signal.
    """
    reporter = _Reporter(tell)
    before = sys.excepthook, threading.excepthook
    sys.excepthook, threading.excepthook = reporter.main_thread, reporter.other_thread
    try:
        stacks = (folder / "crash.log").open("a", encoding="utf-8")
    except OSError:
        stacks = None
    already = faulthandler.is_enabled()
    if stacks is not None and not already:
        faulthandler.enable(stacks)
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = before
        if stacks is not None:
            if not already:
                faulthandler.disable()
            stacks.close()


def _place(trace: TracebackType | None) -> tuple[str, int]:
    """File and line where it was raised."""
    if trace is None:
        return "", 0
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename, trace.tb_lineno
