"""Stereolabs ZED cameras without their SDK: two pictures side by side over USB, matched here.

The reading of frames was run on files; opening a real ZED was not, for want of one.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from drivers import v4l2_controls
from drivers.camera import CameraBase, CameraInfo
from drivers.clock import FrameCounter
from drivers.controls import Control, Value
from drivers.devices import Device
from drivers.errors import CameraError, CameraNotFound, ModeUnsupported
from drivers.frame import Frame
from drivers.geometry import Calibration
from drivers.profiles import Wish
from drivers.sdk import PIP, Sdk
from drivers.stereo import StereoMatcher, conf_address, read_conf
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
    wait,
)

VENDOR = "Stereolabs"
WITHOUT = "(without its SDK)"
WIDTH, HEIGHT, RATE_HZ = 1280, 720, 15
"""Of each of the two pictures; at twice the rate, matching would take a whole core to itself."""
CONF_FOLDERS = (
    Path(platformdirs.user_config_dir("DepthMend", appauthor=False)) / "zed",
    Path("/usr/local/zed/settings"),
)
"""Where factory calibrations are looked for: our own folder, then that of the ZED SDK."""

SDK = Sdk(
    name="zed-uvc",
    title="Stereolabs ZED without the ZED SDK",
    module="cv2",
    distributions=("opencv-python-headless", "opencv-python"),
    minimum=(4, 9),
    install=f"{PIP} install opencv-python-headless",
)


@dataclass(frozen=True)
class _Found:
    node: str
    model: str
    serial: str
    link: str
    port: str


class ZedUvcCamera(CameraBase):
    """One ZED, ZED Mini, ZED 2 or ZED 2i on USB.

    Colour is the rectified left picture, depth is matched in both at half the size and lies in the left
    camera's grid, in millimetres. USB video has no frame counter, so the index counts periods by its stamps:
    a frame that was lost while a pair was matched shows as a gap.
    """

    def __init__(
        self,
        node: str,
        conf: Path,
        *,
        model: str = "ZED",
        open_node: OpenCapture | None = None,
        wait_for: Wait | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        """Read the calibration; the camera starts when it is opened.

        Args:
            node: such as "/dev/video0".
            conf: factory calibration, `SN<serial>.conf`.
            model: for people.
            open_node: opens the node or raises `CameraError`; V4L2 if None.
            wait_for: whether a frame comes within so many seconds; V4L2's way if None.
            kernel: the system's calls for its controls; Linux's if None.

        Raises:
            ModeUnsupported: the calibration cannot be read.
        """
        serial = conf.stem.removeprefix("SN")
        self._node = node
        self._open_node = open_node or _open
        self._wait = wait_for or wait
        self._kernel = kernel
        self._matcher = StereoMatcher(read_conf(conf, WIDTH, HEIGHT))
        self._info = CameraInfo(
            id=f"zed_{serial}".lower(),
            name=f"{VENDOR} {model} {WITHOUT}",
            model=model,
            serial=serial,
            sensor="passive stereo, matched here",
            rate_hz=float(RATE_HZ),
            live=True,
        )
        self._counter = FrameCounter(RATE_HZ)
        self._capture: Capture = None
        self._first_ns: int | None = None
        self._last_number = -1

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._matcher.calibration

    def open(self) -> None:
        self.close()
        self._capture = self._open_node(self._node)
        self._counter.restart()
        self._first_ns = None
        self._last_number = -1

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
        if image.shape != (HEIGHT, 2 * WIDTH, 3):
            size = " x ".join(map(str, image.shape[1::-1]))
            raise ModeUnsupported(
                f"{self._info.name} sends pictures of {size}, not a pair of {WIDTH} x {HEIGHT}",
                hint="Plug it into a USB 3 port, with its own cable.",
            )
        captured_ns, clock = exposed_ns(self._capture.get(cv2.CAP_PROP_POS_MSEC), time.monotonic_ns())
        number = self._number(captured_ns)
        matched = self._matcher.matched(image[:, :WIDTH], image[:, WIDTH:])
        return Frame(
            camera_id=self._info.id,
            index=self._counter.index(number, captured_ns),
            captured_ns=captured_ns,
            device_ns=captured_ns,
            color=matched.color,
            depth=matched.depth,
            calibration=self._matcher.calibration,
            ir_left=matched.left,
            ir_right=matched.right,
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

    def _number(self, captured_ns: int) -> int:
        """Periods since the first frame."""
        if self._first_ns is None:
            self._first_ns = captured_ns
        passed = round((captured_ns - self._first_ns) / 1e9 * RATE_HZ)
        self._last_number = max(self._last_number + 1, passed)
        return self._last_number


def find_devices(
    sysfs: Path = SYSFS, nodes: Path = NODES, folders: tuple[Path, ...] = CONF_FOLDERS
) -> list[Device]:
    """Every ZED on USB, whether or not its calibration is here."""
    return [_device(found, nodes, folders) for found in _on_usb(sysfs)]


def live_cameras(serial: str = "", *, wish: Wish | None = None) -> list[ZedUvcCamera]:
    """The ZED at the node of this name, such as "video0", or all whose calibration is here; all send 720p.

    Raises:
        CameraNotFound: there is no such camera, or its calibration is not here.
        ModeUnsupported: its calibration cannot be read.
    """
    del wish
    cameras = []
    for found in _on_usb(SYSFS):
        if serial and found.node != serial:
            continue
        conf = _conf(found.serial, CONF_FOLDERS)
        if conf is not None:
            cameras.append(ZedUvcCamera(str(NODES / found.node), conf, model=found.model))
        elif serial:
            raise CameraNotFound(
                "The factory calibration of this ZED is not here", hint=_where_to_get(found.serial)
            )
    if serial and not cameras:
        raise CameraNotFound(f"There is no ZED camera {serial}")
    return cameras


def _on_usb(sysfs: Path) -> list[_Found]:
    found = []
    for folder in sorted(sysfs.iterdir()) if sysfs.is_dir() else []:
        usb = (folder / "device").resolve().parent
        name = read_line(folder / "name")
        zed = vendor_of(read_line(usb / "idVendor"), f"{read_line(usb / 'product')} {name}") == "zed"
        if zed and read_line(folder / "index") == "0":  # the others are metadata
            model = read_line(usb / "product") or name or "ZED"
            link = link_of(read_line(usb / "speed"))
            found.append(_Found(folder.name, model, read_line(usb / "serial"), link, usb.name))
    return found


def _device(found: _Found, nodes: Path, folders: tuple[Path, ...]) -> Device:
    conf = _conf(found.serial, folders)
    may = os.access(nodes / found.node, os.R_OK | os.W_OK)
    problem, hint = "", ""
    if not may:
        problem, hint = "This user may not open it.", MAY_NOT
    elif conf is None:
        problem = "Without the ZED SDK, its factory calibration is needed."
        hint = _where_to_get(found.serial)
    return Device(
        source="" if problem else f"{SDK.name}:{found.node}",
        vendor=VENDOR,
        model=f"{found.model} {WITHOUT}",
        serial=found.serial,
        link=found.link,
        port=found.port,
        problem=problem,
        hint=hint,
    )


def _conf(serial: str, folders: tuple[Path, ...]) -> Path | None:
    """The camera's own file; USB tells no serial number of some models, then the only file there is."""
    files = [file for folder in folders if folder.is_dir() for file in sorted(folder.glob("SN*.conf"))]
    own = [file for file in files if file.stem == f"SN{serial}"]
    return own[0] if own else files[0] if len({file.name for file in files}) == 1 else None


def _where_to_get(serial: str) -> str:
    number = serial if serial.isdigit() else "<serial number>"
    place = CONF_FOLDERS[0] / f"SN{number}.conf"
    return f"Download {conf_address(number)} (the number is on the camera) and save it as {place}."


def _open(node: str) -> Any:
    return open_capture(node, width=2 * WIDTH, height=HEIGHT, rate_hz=RATE_HZ, fourcc="YUYV")
