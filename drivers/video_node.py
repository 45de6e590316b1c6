"""Video nodes of Linux, read through OpenCV."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.clock import Clock
from drivers.errors import CameraBusy, CameraError, CameraLost, CameraNotFound, CameraUnplugged

NODES = Path("/dev")
SYSFS = Path("/sys/class/video4linux")
MAY_NOT = "Add this user to the group video, then log in anew."
_STAMP_MOST_NS = 1_000_000_000

Capture = Any
"""An open `cv2.VideoCapture`."""
OpenCapture = Callable[[str], Capture]
Wait = Callable[[Capture, float], bool]


def check_node(node: str) -> None:
    """Whether a node can be opened.

    Raises:
        CameraNotFound: there is none.
        CameraError: this user may not.
    """
    if not Path(node).exists():
        raise CameraNotFound(f"There is no {node}")
    if not os.access(node, os.R_OK | os.W_OK):
        raise CameraError(f"This user may not open {node}", hint=MAY_NOT)


def open_capture(node: str, *, width: int, height: int, rate_hz: int, fourcc: str = "MJPG") -> Capture:
    """An open node, asked for this mode; a driver may give another one without a word.

    Raises:
        CameraError: there is none, this user may not, or another program has it.
    """
    import cv2

    check_node(node)
    capture = cv2.VideoCapture(node, cv2.CAP_V4L2)
    if not capture.isOpened():
        raise CameraBusy(f"{node} does not open")
    for what, value in (
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*fourcc)),
        (cv2.CAP_PROP_FRAME_WIDTH, width),
        (cv2.CAP_PROP_FRAME_HEIGHT, height),
        (cv2.CAP_PROP_FPS, rate_hz),
    ):
        capture.set(what, value)
    return capture


def wait(capture: Capture, timeout_s: float) -> bool:
    """Whether a frame comes within so many seconds."""
    import cv2

    ready, _ = cv2.VideoCapture.waitAny([capture], max(1, int(timeout_s * 1e9)))
    return bool(ready)


def next_image(capture: Capture, wait_for: Wait, name: str, *, timeout_s: float) -> NDArray[np.uint8] | None:
    """The next image as OpenCV gives it, or None if none came in time.

    Raises:
        CameraLost: the camera is gone.
    """
    import cv2

    try:
        if not wait_for(capture, timeout_s):
            return None
        came, image = capture.read()
    except cv2.error as error:
        raise CameraLost(f"{name} stopped: {error}") from error
    if not came:
        raise CameraUnplugged(f"{name} was unplugged")
    return np.asarray(image, np.uint8)


def exposed_ns(stamp_ms: float, now_ns: int) -> tuple[int, Clock]:
    """V4L2 stamps frames on the monotonic clock; a driver that does not is found out by its numbers.

    Which moment it stamps, begin of the exposure or end of the frame, differs from driver to driver.
    """
    stamp_ns = int(stamp_ms * 1e6)
    if 0 <= now_ns - stamp_ns < _STAMP_MOST_NS:
        return stamp_ns, Clock.STAMP
    return now_ns, Clock.ARRIVAL
