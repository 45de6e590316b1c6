"""USB colour cameras through V4L2, for repair from colour alone: their depth is one hole.

The reading of frames was run on files; opening a real `/dev/video` node was not, for want of one.
"""

import functools
import os
import time
from pathlib import Path

import numpy as np

from drivers import v4l2_controls
from drivers.camera import CameraBase, CameraInfo
from drivers.clock import FrameCounter
from drivers.controls import Control, Value
from drivers.depth import DepthMap
from drivers.devices import Device
from drivers.errors import CameraError, CameraNotFound, ModeUnsupported
from drivers.frame import Frame
from drivers.frames_folder import assumed_intrinsics
from drivers.geometry import Calibration
from drivers.profiles import Wish
from drivers.sdk import PIP, Sdk
from drivers.usb import link_of, read_line, vendor_of
from drivers.v4l2 import Kernel, linux
from drivers.video_node import (
    MAY_NOT,
    NODES,
    SYSFS,
    Capture,
    OpenCapture,
    Wait,
    exposed_ns,
    next_image,
    open_capture,
)
from drivers.video_node import wait as wait_for_frame

WIDTH, HEIGHT, RATE_HZ = 640, 480, 30

SDK = Sdk(
    name="uvc",
    title="USB colour cameras",
    module="cv2",
    distributions=("opencv-python-headless", "opencv-python"),
    minimum=(4, 9),
    install=f"{PIP} install opencv-python-headless",
)


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
        open_node: OpenCapture | None = None,
        wait: Wait | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            node: such as "/dev/video0".
            name: for people.
            serial: vendor's serial number.
            open_node: opens the node or raises `CameraError`; V4L2 if None.
            wait: whether a frame comes within so many seconds; V4L2's way if None.
            kernel: the system's calls for its controls; Linux's if None.
        """
        self._node = node
        self._open_node = open_node or _open
        self._wait = wait or wait_for_frame
        self._kernel = kernel
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
        self._capture = self._open_node(self._node)
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

        image = next_image(self._capture, self._wait, self._info.name, timeout_s=timeout_s)
        if image is None:
            return None
        if image.ndim != 3:
            raise ModeUnsupported(f"{self._info.name} sends no colour", hint="Choose another camera.")
        now_ns = time.monotonic_ns()
        height, width = image.shape[:2]
        if (width, height) != (self._calibration.color.width, self._calibration.color.height):
            # A driver may refuse a size without a word.
            self._calibration = _calibration(width, height)
        captured_ns, clock = exposed_ns(self._capture.get(cv2.CAP_PROP_POS_MSEC), now_ns)
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

    def controls(self) -> tuple[Control, ...]:
        return v4l2_controls.controls(*self._controlled())

    def set_control(self, name: str, value: Value) -> None:
        v4l2_controls.set_control(*self._controlled(), name, value)

    def _controlled(self) -> tuple[Kernel, str, tuple[str, str]]:
        if self._capture is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        return self._kernel or linux(), self._node, v4l2_controls.COLOR


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
        hint="" if may else MAY_NOT,
        automatic=False,
    )


def _open(node: str) -> Capture:
    # Uncompressed video would fill a USB 2 link.
    return open_capture(node, width=WIDTH, height=HEIGHT, rate_hz=RATE_HZ)


@functools.cache
def _calibration(width: int, height: int) -> Calibration:
    lens = assumed_intrinsics(width, height)
    return Calibration(lens, lens)
