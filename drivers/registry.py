"""Turns what the operator calls a source into cameras, and says which there are."""

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from drivers.camera import Camera
from drivers.cameras import orbbec, realsense, uvc, zed
from drivers.devices import Device
from drivers.errors import CameraError, CameraNotFound
from drivers.sdk import Sdk
from drivers.session.library import is_session
from drivers.usb import UsbCamera, usb_cameras

DEMO = "demo"
AUTO = "auto"
SOURCES = "demo, auto, a camera such as realsense:123, a session, a vendor's recording, or a folder of frames"
RECORDINGS = (".db3", ".bag", ".svo", ".svo2")
_UDEV = "Install the vendor's udev rules (they come with its SDK), then plug the camera in anew."

_log = logging.getLogger(__name__)


class Vendor(Protocol):
    """What a file of `drivers/cameras` has to have for live cameras."""

    SDK: Sdk

    def find_devices(self) -> list[Device]: ...

    def live_cameras(self, serial: str = "") -> Sequence[Camera]: ...


_VENDORS: tuple[Vendor, ...] = (realsense, orbbec, zed, uvc)
SDKS: tuple[Sdk, ...] = (realsense.SDK, orbbec.SDK, zed.SDK)


def open_source(source: str, *, loop: bool = True) -> list[Camera]:
    """The cameras of a source, not open yet.

    Args:
        source: "demo", "demo:unplug" (or another fault, for practice), "auto", "realsense:SERIAL",
            "orbbec:SERIAL", "zed:SERIAL", "uvc:video0", a session folder, a vendor's recording, or a folder
            of frame folders.
        loop: files start again at their end.

    Raises:
        SdkMissing: the library of the asked camera is not installed.
        CameraNotFound: there is no such source, or nothing in it.
        ModeUnsupported: this version does not read such a source, or its first frame is not as it should be.
    """
    if source == DEMO or source.startswith(f"{DEMO}:"):
        from drivers.cameras.synthetic import demo_rig

        return list(demo_rig(fault=source.partition(":")[2]))
    if source == AUTO:
        return _all_cameras()
    for vendor in _VENDORS:
        if source == vendor.SDK.name or source.startswith(f"{vendor.SDK.name}:"):
            return list(_of_vendor(vendor, source.partition(":")[2]))
    return list(_from_path(Path(source).expanduser(), loop=loop))


def devices() -> list[Device]:
    """Every camera that is plugged in, also those that cannot be opened, with the reason."""
    on_bus = usb_cameras()
    found: list[Device] = []
    for vendor in _VENDORS:
        listed: list[Device] = []
        try:
            listed = vendor.find_devices()
            missing = Device("", vendor.SDK.title, "", problem="Its library does not see it.", hint=_REPLUG)
        except CameraError as error:
            missing = Device("", vendor.SDK.title, "", problem=f"{error}", hint=error.hint)
        found += listed
        found += [_unlisted(camera, missing) for camera in _not_in(listed, on_bus, vendor.SDK.name)]
    return found


_REPLUG = "Plug the camera out and in again."


def _unlisted(camera: UsbCamera, missing: Device) -> Device:
    problem, hint = missing.problem, missing.hint
    if hint == _REPLUG and not camera.openable:
        problem, hint = "This user may not open it.", _UDEV
    return Device(
        source="",
        vendor=missing.vendor,
        model=re.sub(r"\((R|TM)\)", "", camera.product).removeprefix(missing.vendor).strip(),
        serial=camera.serial,
        link=camera.link,
        port=camera.port,
        problem=problem,
        hint=hint,
    )


def _not_in(listed: Sequence[Device], on_bus: Iterable[UsbCamera], vendor: str) -> list[UsbCamera]:
    """Cameras of the bus that the vendor's library has not listed."""
    here = [camera for camera in on_bus if camera.vendor == vendor]
    if len(listed) >= len(here):
        return []
    ports = " ".join(device.port for device in listed)
    serials = {device.serial for device in listed}
    return [
        camera for camera in here if f"/{camera.port}/" not in f"{ports}/" and camera.serial not in serials
    ]


def _all_cameras() -> list[Camera]:
    """One camera that cannot be used is no reason to do without the others."""
    cameras: list[Camera] = []
    troubles: list[CameraError] = []
    found = devices()
    by_name = {vendor.SDK.name: vendor for vendor in _VENDORS}
    for device in filter(lambda device: device.automatic, found):
        if not device.usable:
            troubles.append(
                CameraError(f"{device.vendor} {device.model}: {device.problem}", hint=device.hint)
            )
            continue
        name, _, serial = device.source.partition(":")
        try:
            cameras += by_name[name].live_cameras(serial)
        except CameraError as error:
            troubles.append(error)
    for trouble in troubles:
        _log.warning("left out: %s %s", trouble, trouble.hint)
    if cameras:
        return cameras
    if troubles:
        raise troubles[0]
    missing = [sdk for sdk in SDKS if not sdk.state().ready]
    hint = "Plug one in, or choose demo for the simulated rig."
    if found:
        hint += f" A colour camera is there: choose {found[0].source or found[0].model}."
    if missing:
        names = " and ".join(sdk.title for sdk in missing)
        hint += f" The library for {names} is not ready: depthmend devices says what to do."
    raise CameraNotFound("No depth camera was found.", hint=hint)


def _of_vendor(vendor: Vendor, serial: str) -> Sequence[Camera]:
    cameras = vendor.live_cameras(serial)
    if not cameras:
        raise CameraNotFound(f"No {vendor.SDK.title} camera was found.")
    return cameras


def _from_path(path: Path, *, loop: bool) -> Sequence[Camera]:
    if path.suffix in RECORDINGS and not path.is_dir():
        return [_recording(path, loop=loop)]
    if not path.is_dir():
        raise CameraNotFound(
            f"There is no source {path}." if not path.exists() else f"{path} is a file, not a source.",
            hint=f"Give {SOURCES}.",
        )
    if is_session(path):
        from drivers.cameras.replay import replay_cameras

        return replay_cameras(path, loop=loop)
    from drivers.cameras.folder import FolderCamera

    return [FolderCamera(path, loop=loop)]


def _recording(path: Path, *, loop: bool) -> Camera:
    if path.suffix == ".bag" and path.is_file() and orbbec.is_recording(path):
        return orbbec.recording(path, loop=loop)
    if path.suffix in {".svo", ".svo2"} and path.is_file():
        return zed.ZedCamera(file=path, loop=loop)
    return realsense.recording(path, loop=loop)
