import threading
import weakref

from app.flow.worker import Worker


def test_a_worker_ends_when_it_is_told_to():
    worker = Worker("waits", lambda stop: stop.wait(60) and None)
    worker.start()
    assert worker.running
    assert worker.stop()
    assert not worker.running


def test_whatever_a_worker_raises_comes_out_once():
    failures = []

    def work(_stop: threading.Event) -> None:
        raise KeyError("lost")

    worker = Worker("fails", work, failed=failures.append)
    worker.start()
    assert worker.stop()
    assert [type(error) for error in failures] == [KeyError]


def test_what_a_worker_needed_goes_when_it_has_ended():
    class Heavy:
        def work(self, _stop: threading.Event) -> None:
            pass

    heavy = Heavy()
    gone = weakref.ref(heavy)
    worker = Worker("short", heavy.work, failed=print)
    worker.start()
    assert worker.stop()
    del heavy
    assert gone() is None


def test_a_worker_that_does_not_stop_is_named(caplog):
    release = threading.Event()
    worker = Worker("stubborn", lambda _stop: release.wait(60) and None)
    worker.start()
    assert not worker.stop(timeout_s=0.05)
    assert "stubborn" in caplog.text
    release.set()
    assert worker.stop()
