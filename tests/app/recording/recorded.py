"""A recording that a test delivers the frames of."""

import threading
import time
from dataclasses import replace

from app.recording.recorder import Recorder
from drivers.session.labels import SessionLabels


def deliver(camera, channel, indices):
    """Expose these frames, as if they came just now."""
    for index in indices:
        channel.deliver(replace(camera.expose(index), captured_ns=time.monotonic_ns()))


def until(condition):
    """Wait for a condition."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        threading.Event().wait(0.01)


def make(folder, camera, channel, **options):
    """A recorder of one camera."""
    return Recorder(folder, {"cam": (camera, channel)}, SessionLabels(), **options)
