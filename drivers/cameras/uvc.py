"""USB colour cameras through V4L2, for repair from colour alone: their depth is one hole.

The reading of frames was run on files; opening a real `/dev/video` node was not, for want of one.
"""

import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from drivers.camera import CameraBase, CameraInfo
from drivers.clock import Clock, FrameCounter
from drivers.depth import DepthMap
from drivers.devices import Device
from drivers.errors import CameraBusy, CameraError, CameraLost, CameraNotFound, ModeUnsupported
from drivers.frame import Frame
from drivers.frames_folder import assumed_intrinsics
from drivers.geometry import Calibration
from drivers.profiles import Wish
from drivers.sdk import PIP, Sdk
from drivers.usb import link_of, read_line, vendor_of

NODES = Path("/dev")
SYSFS = Path("/sys/class/video4linux")
WIDTH, HEIGHT, RATE_HZ = 640, 480, 30
_MAY_NOT = "Add this user to the group video, then log in anew."

SDK = Sdk(
    name="uvc",
    title="USB colour cameras",
    module="cv2",
    distributions=("opencv-python-headless", "opencv-python"),
    minimum=(4, 9),
    install=f"{PIP} install opencv-python-headless",
)

Capture = Any
"""An open `cv2.VideoCapture`."""


class UvcCamera(CameraBase):
    """One colour camera.

    It has no frame counter, so frames that are lost on the way are not known, only those of the time that it
    was unplugged. Its lens is not known either and taken for one of 60 degrees.
    """

    def __init__(
        self,
        node: str,
        *,
        name: str = "USB camera",
        serial: str = "",
        open_capture: Callable[[str], Capture] | None = None,
        wait: Callable[[Capture, float], bool] | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            node: such as "/dev/video0".
            name: for people.
            serial: vendor's serial number.
            open_capture: opens the node or raises `CameraError`; V4L2 if None.
            wait: whether a frame comes within so many seconds; V4L2's way if None.
        """
        self._node = node
        self._open_capture = open_capture or _open
        self._wait = wait or _wait
        self._info = CameraInfo(
            id=f"uvc_{Path(node).name}",
            name=name,
            model=name,
            serial=serial,
            sensor="colour only, 60 degree lens assumed",
            rate_hz=float(RATE_HZ),
            live=True,
        )
        self._calibration = _calibration(WIDTH, HEIGHT)
        self._counter = FrameCounter(RATE_HZ)
        self._number = 0
        self._capture: Capture = None

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    def open(self) -> None:
        self.close()
        self._capture = self._open_capture(self._node)
        self._counter.restart()
        self._number = 0

    def close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def read(self, *, timeout_s: float) -> Frame | None:
        if self._capture is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        import cv2

        try:
            if not self._wait(self._capture, timeout_s):
                return None
            came, image = self._capture.read()
        except cv2.error as error:
            raise CameraLost(f"{self._info.name} stopped: {error}") from error
        if not came:
            raise CameraLost(f"{self._info.name} was unplugged")
        if image.ndim != 3:
            raise ModeUnsupported(f"{self._info.name} sends no colour", hint="Choose another camera.")
        now_ns = time.monotonic_ns()
        height, width = image.shape[:2]
        if (width, height) != (self._calibration.color.width, self._calibration.color.height):
            # A driver may refuse a size without a word.
            self._calibration = _calibration(width, height)
        captured_ns, clock = _exposed_ns(self._capture.get(cv2.CAP_PROP_POS_MSEC), now_ns)
        self._number += 1
        return Frame(
            camera_id=self._info.id,
            index=self._counter.index(self._number, captured_ns),
            captured_ns=captured_ns,
            device_ns=captured_ns,
            color=np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8),
            depth=DepthMap(np.zeros((height, width), np.uint16), 0.001),
            calibration=self._calibration,
            clock=clock,
        )


def find_devices(sysfs: Path = SYSFS, nodes: Path = NODES) -> list[Device]:
    """Every colour camera that is plugged in and no vendor's depth camera."""
    if not sysfs.is_dir():
        return []
    found = [_device(folder, nodes) for folder in sorted(sysfs.iterdir())]
    return [device for device in found if device is not None]


def live_cameras(serial: str = "", *, wish: Wish | None = None) -> list[UvcCamera]:
    """The camera at the node of this name, such as "video0", or all; they are asked for 640 x 480.

    Raises:
        CameraNotFound: there is no such camera.
    """
    del wish
    found = [device for device in find_devices() if not serial or device.source == f"{SDK.name}:{serial}"]
    if serial and not found:
        raise CameraNotFound(f"There is no colour camera {serial}")
    return [
        UvcCamera(str(NODES / device.source.partition(":")[2]), name=device.model, serial=device.serial)
        for device in found
        if device.usable
    ]


def _device(folder: Path, nodes: Path) -> Device | None:
    """A camera's first node is its pictures; others are metadata."""
    if read_line(folder / "index") != "0":
        return None
    usb = (folder / "device").resolve().parent
    name = read_line(folder / "name")
    if vendor_of(read_line(usb / "idVendor"), f"{read_line(usb / 'product')} {name}") is not None:
        return None
    may = os.access(nodes / folder.name, os.R_OK | os.W_OK)
    return Device(
        source=f"{SDK.name}:{folder.name}" if may else "",
        vendor="",
        model=name or "USB camera",
        serial=read_line(usb / "serial"),
        link=link_of(read_line(usb / "speed")),
        port=usb.name,
        problem="" if may else "This user may not open it.",
        hint="" if may else _MAY_NOT,
        automatic=False,
    )


def _open(node: str) -> Capture:
    import cv2

    if not Path(node).exists():
        raise CameraNotFound(f"There is no {node}")
    if not os.access(node, os.R_OK | os.W_OK):
        raise CameraError(f"This user may not open {node}", hint=_MAY_NOT)
    capture = cv2.VideoCapture(node, cv2.CAP_V4L2)
    if not capture.isOpened():
        raise CameraBusy(f"{node} does not open")
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")  # uncompressed video would fill a USB 2 link
    for what, value in (
        (cv2.CAP_PROP_FOURCC, fourcc),
        (cv2.CAP_PROP_FRAME_WIDTH, WIDTH),
        (cv2.CAP_PROP_FRAME_HEIGHT, HEIGHT),
        (cv2.CAP_PROP_FPS, RATE_HZ),
    ):
        capture.set(what, value)
    return capture


def _wait(capture: Capture, timeout_s: float) -> bool:
    import cv2

    ready, _ = cv2.VideoCapture.waitAny([capture], max(1, int(timeout_s * 1e9)))
    return bool(ready)


def _exposed_ns(stamp_ms: float, now_ns: int) -> tuple[int, Clock]:
    """V4L2 stamps frames on the monotonic clock; a driver that does not is found out by its numbers."""
    stamp_ns = int(stamp_ms * 1e6)
    if 0 <= now_ns - stamp_ns < 1_000_000_000:
        return stamp_ns, Clock.DEVICE
    return now_ns, Clock.ARRIVAL


@functools.cache
def _calibration(width: int, height: int) -> Calibration:
    lens = assumed_intrinsics(width, height)
    return Calibration(lens, lens)
