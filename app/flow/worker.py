"""A named thread that runs one function until it is told to stop."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)


class Worker:
    """Owns one thread.

    Args:
        name: of the thread, for the log.
        work: loops until the event is set.
        failed: called in the worker's thread with whatever `work` raised; the worker has then ended.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[threading.Event], None],
        *,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self._work = work
        self._failed = failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def name(self) -> str:
        """Of the thread."""
        return self._thread.name

    @property
    def running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread, once."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Set the event and return at once."""
        self._stop.set()

    def stop(self, *, timeout_s: float = 2.0) -> bool:
        """Ask to stop and wait; false, and a line in the log, if the thread did not end in time."""
        self._stop.set()
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.error("thread %s did not stop within %.1f s", self.name, timeout_s)
            return False
        return True

    def _run(self) -> None:
        try:
            self._work(self._stop)
        except Exception as error:
            log.exception("thread %s ended with an error", self.name)
            if self._failed is not None:
                self._failed(error)
        finally:
            del self._work, self._failed  # and with them what they hold, however long the worker is kept


def stop_all(workers: Sequence[Worker], *, timeout_s: float) -> None:
    """Ask all of them to stop, and wait `timeout_s` in all, not for each."""
    for worker in workers:
        worker.ask_to_stop()
    deadline = time.monotonic() + timeout_s
    for worker in workers:
        worker.stop(timeout_s=max(deadline - time.monotonic(), 0.0))
