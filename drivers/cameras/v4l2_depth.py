"""Depth cameras that Linux itself understands: one video node gives depth, another of the same device colour.

Written by the kernel's header and run on a stand-in for its calls; it has not been run with a camera.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers import v4l2_controls
from drivers.camera import CameraBase, CameraInfo
from drivers.clock import Clock, FrameCounter
from drivers.controls import Control, Value, find
from drivers.depth import DepthMap
from drivers.devices import Device
from drivers.errors import CameraError, CameraNotFound
from drivers.frame import Frame
from drivers.frames_folder import assumed_intrinsics
from drivers.geometry import Calibration
from drivers.profiles import Wish
from drivers.sdk import PIP, Sdk
from drivers.usb import link_of, read_line
from drivers.v4l2 import DepthStream, Kernel, gives_depth, linux
from drivers.video_node import (
    MAY_NOT,
    NODES,
    SYSFS,
    OpenCapture,
    Wait,
    exposed_ns,
    next_image,
    open_capture,
    wait,
)

WIDTH, HEIGHT, RATE_HZ = 640, 480, 30
_MILLIMETRE = 0.001
_MOST_COLORS = 8
"""Pictures that may have queued up behind a depth image; the newest is taken."""

SDK = Sdk(
    name="v4l2",
    title="Depth over Video4Linux",
    module="cv2",
    distributions=("opencv-python-headless", "opencv-python"),
    minimum=(4, 9),
    install=f"{PIP} install opencv-python-headless",
)


@dataclass(frozen=True)
class _Found:
    depth: str
    color: str
    model: str
    serial: str
    link: str
    port: str


class V4l2DepthCamera(CameraBase):
    """One camera without its vendor's library.

    Depth is taken for millimetres and both lenses for ones of 60 degrees that look from one place: nothing
    here tells better. Colour is the newest picture when depth comes.
    """

    def __init__(
        self,
        depth_node: str,
        color_node: str,
        *,
        name: str = "Depth camera",
        serial: str = "",
        kernel: Kernel | None = None,
        open_node: OpenCapture | None = None,
        wait_for: Wait | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            depth_node: such as "/dev/video0".
            color_node: such as "/dev/video4".
            name: for people.
            serial: vendor's serial number.
            kernel: the system's calls; Linux's if None.
            open_node: opens the node of colour; V4L2 if None.
            wait_for: whether a colour picture comes within so many seconds; V4L2's way if None.
        """
        self._depth_node, self._color_node = depth_node, color_node
        self._kernel = kernel or linux()
        self._open_node = open_node or _open
        self._wait = wait_for or wait
        self._info = CameraInfo(
            id=f"v4l2_{Path(depth_node).name}",
            name=f"{name} (without its library)",
            model=name,
            serial=serial,
            sensor="depth over V4L2, 60 degree lens assumed",
            rate_hz=float(RATE_HZ),
            live=True,
        )
        lens = assumed_intrinsics(WIDTH, HEIGHT)
        self._calibration = Calibration(lens, lens)
        self._counter = FrameCounter(RATE_HZ)
        self._stream: DepthStream | None = None
        self._capture: Any = None
        self._color: NDArray[np.uint8] | None = None

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    def open(self) -> None:
        self.close()
        self._stream = DepthStream(self._kernel, self._depth_node, WIDTH, HEIGHT)
        try:
            self._capture = self._open_node(self._color_node)
        except CameraError:
            self.close()
            raise
        self._counter.restart()

    def close(self) -> None:
        stream, self._stream = self._stream, None
        capture, self._capture = self._capture, None
        self._color = None
        if stream is not None:
            stream.close()
        if capture is not None:
            capture.release()

    def read(self, *, timeout_s: float) -> Frame | None:
        if self._stream is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        image = self._stream.read(timeout_s)
        if image is None:
            return None
        now_ns = time.monotonic_ns()
        self._take_color(timeout_s)
        if self._color is None:  # the two streams do not start at once
            return None
        color = self._color
        captured_ns, clock = (
            (now_ns, Clock.ARRIVAL) if image.stamp_ns is None else exposed_ns(image.stamp_ns / 1e6, now_ns)
        )
        sizes = (color.shape[1], color.shape[0]), (image.counts.shape[1], image.counts.shape[0])
        lenses = self._calibration.color, self._calibration.depth
        if sizes != tuple((lens.width, lens.height) for lens in lenses):
            self._calibration = Calibration(assumed_intrinsics(*sizes[0]), assumed_intrinsics(*sizes[1]))
        return Frame(
            camera_id=self._info.id,
            index=self._counter.index(image.number, captured_ns),
            captured_ns=captured_ns,
            device_ns=captured_ns,
            color=color,
            depth=DepthMap(image.counts, _MILLIMETRE),
            calibration=self._calibration,
            clock=clock,
        )

    def controls(self) -> tuple[Control, ...]:
        return tuple(
            control
            for group, node in self._nodes().items()
            for control in v4l2_controls.controls(self._kernel, node, group)
        )

    def set_control(self, name: str, value: Value) -> None:
        for group, node in self._nodes().items():
            if name.startswith(f"{group[0]}."):
                v4l2_controls.set_control(self._kernel, node, group, name, value)
                return
        find((), name)

    def _nodes(self) -> dict[tuple[str, str], str]:
        if self._stream is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        return {v4l2_controls.DEPTH: self._depth_node, v4l2_controls.COLOR: self._color_node}

    def _take_color(self, timeout_s: float) -> None:
        """The newest picture; the first one is waited for."""
        import cv2

        for _ in range(_MOST_COLORS):
            patience_s = timeout_s if self._color is None else 0.0
            image = next_image(self._capture, self._wait, self._info.name, timeout_s=patience_s)
            if image is None:
                return
            self._color = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def find_devices(sysfs: Path = SYSFS, nodes: Path = NODES, kernel: Kernel | None = None) -> list[Device]:
    """Every device whose nodes give depth and colour, also where a vendor's library opens it."""
    return [_device(found, nodes) for found in _on_usb(sysfs, nodes, kernel or linux())]


def live_cameras(serial: str = "", *, wish: Wish | None = None) -> list[V4l2DepthCamera]:
    """The camera at the depth node of this name, such as "video0", or all; they are asked for 640 x 480.

    Raises:
        CameraNotFound: there is no such camera.
    """
    del wish
    cameras = [
        V4l2DepthCamera(str(NODES / f.depth), str(NODES / f.color), name=f.model, serial=f.serial)
        for f in _on_usb(SYSFS, NODES, linux())
        if serial in {"", f.depth}
    ]
    if serial and not cameras:
        raise CameraNotFound(f"There is no camera that gives depth at {serial}")
    return cameras


def _on_usb(sysfs: Path, nodes: Path, kernel: Kernel) -> list[_Found]:
    by_device: dict[Path, list[str]] = {}
    for folder in sorted(sysfs.iterdir()) if sysfs.is_dir() else []:
        if read_line(folder / "index") == "0":  # the others are metadata
            by_device.setdefault((folder / "device").resolve().parent, []).append(folder.name)
    found = []
    for usb, names in by_device.items():
        depth = [name for name in names if gives_depth(kernel, str(nodes / name))]
        color = [name for name in names if name not in depth]
        if depth and color:
            model = read_line(usb / "product") or "Depth camera"
            link = link_of(read_line(usb / "speed"))
            # Infrared comes before colour on the devices that are known.
            found.append(_Found(depth[0], color[-1], model, read_line(usb / "serial"), link, usb.name))
    return found


def _device(found: _Found, nodes: Path) -> Device:
    may = all(os.access(nodes / name, os.R_OK | os.W_OK) for name in (found.depth, found.color))
    return Device(
        source=f"{SDK.name}:{found.depth}" if may else "",
        vendor="",
        model=f"{found.model} (without its library)",
        serial=found.serial,
        link=found.link,
        port=found.port,
        problem="" if may else "This user may not open it.",
        hint="" if may else MAY_NOT,
        automatic=False,  # the vendor's library gives true lenses and units
    )


def _open(node: str) -> Any:
    return open_capture(node, width=WIDTH, height=HEIGHT, rate_hz=RATE_HZ, fourcc="YUYV")
