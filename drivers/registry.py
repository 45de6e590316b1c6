"""Turns what the operator calls a source into cameras, and says which there are."""

import logging
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from drivers.camera import Camera, CameraInfo
from drivers.cameras import orbbec, realsense, uvc, v4l2_depth, zed, zed_uvc
from drivers.devices import Device
from drivers.errors import CameraBusy, CameraError, CameraNotFound, ModeUnsupported
from drivers.frame import Frame
from drivers.planned import PlannedCamera
from drivers.profiles import Wish
from drivers.rig import SUFFIX, Rig, RigCamera, read_rig
from drivers.sdk import Sdk
from drivers.session.library import is_session
from drivers.usb import SYSFS, LinkLoad, UsbCamera, fair_shares, holders, link_loads, port_in, usb_cameras
from drivers.vendor import orbbec_filters
from drivers.vendor.orbbec_filters import OrbbecFilters
from drivers.vendor.realsense_filters import DepthFilters

DEMO = "demo"
AUTO = "auto"
SOURCES = (
    "demo, auto, a camera such as realsense:123, a rig file (.toml), a session, a vendor's recording, "
    "or a folder of frames"
)
RECORDINGS = (".db3", ".bag", ".svo", ".svo2")
SETTLE_S = 10.0
"""After something was plugged in a vendor's library may take so long to see it."""
_LATE_KINDS = ("realsense", "orbbec", "zed", "zed-uvc", "uvc", "v4l2")
_UDEV = "Install the vendor's udev rules (they come with its SDK), then plug the camera in anew."

_log = logging.getLogger(__name__)


class Vendor(Protocol):
    """What a file of `drivers/cameras` has to have for live cameras."""

    SDK: Sdk

    def find_devices(self) -> list[Device]: ...

    def live_cameras(self, serial: str = "", *, wish: Wish | None = None) -> Sequence[Camera]: ...


_VENDORS: tuple[Vendor, ...] = (realsense, orbbec, zed, zed_uvc, v4l2_depth, uvc)
SDKS: tuple[Sdk, ...] = (realsense.SDK, orbbec.SDK, zed.SDK)


def depth_filters(camera: Camera, frame: Frame, steps: Sequence[str]) -> DepthFilters | OrbbecFilters:
    """A vendor's own filters for the depth of a camera, for the screen only.

    Args:
        camera: whose depth it is.
        frame: one of its frames.
        steps: some of `drivers.vendor.realsense_filters.STEPS`, which take any camera's depth, or some of
            `drivers.vendor.orbbec_filters.STEPS`, which take Orbbec's only; never both.

    Raises:
        SdkMissing: the vendor's library is not installed, or too old.
        ModeUnsupported: the vendor's filters do not take this camera's frames.
        CameraError: the library does not give its filters.
    """
    unit_m = frame.depth.unit_m
    if not set(steps) & set(orbbec_filters.STEPS):
        return DepthFilters(realsense.SDK.require(), frame.calibration, unit_m, steps)
    orbbec.SDK.require()
    device = camera.found if isinstance(camera, PlannedCamera) else camera
    if not isinstance(device, orbbec.OrbbecCamera):
        raise ModeUnsupported(
            "Orbbec's filters take only frames of Orbbec's cameras and recordings; others stay as measured.",
            hint="RealSense's take every camera's.",
        )
    return device.own_filters(unit_m, steps)


def open_source(source: str, *, loop: bool = True) -> Rig:
    """The cameras of a source, not open yet.

    Args:
        source: "demo", "demo:unplug" (or another fault, for practice), "demo:stereo_active" (one of its
            cameras), "auto", "realsense:SERIAL", "orbbec:SERIAL", "zed:SERIAL", "zed-uvc:video0",
            "v4l2:video0", "uvc:video0", a rig file, a session folder, a vendor's recording, or a folder of
            frame folders.
        loop: files start again at their end.

    Raises:
        SdkMissing: the library of the asked camera is not installed.
        CameraNotFound: there is no such source, or nothing in it.
        RigFileError: the rig file says what cannot be.
        ModeUnsupported: this version does not read such a source, or its first frame is not as it should be.
    """
    if source == DEMO or source.startswith(f"{DEMO}:"):
        return _demo(source.partition(":")[2])
    if source == AUTO:
        return _all_cameras()
    for vendor in _VENDORS:
        if source == vendor.SDK.name or source.startswith(f"{vendor.SDK.name}:"):
            cameras = _of_vendor(vendor, source.partition(":")[2])
            return Rig(cameras, sources={c.info.id: f"{vendor.SDK.name}:{c.info.serial}" for c in cameras})
    path = Path(source).expanduser()
    if path.suffix == SUFFIX and not path.is_dir():
        return _of_file(path, loop=loop)
    cameras = _from_path(path, loop=loop)
    return Rig(cameras, sources={camera.info.id: str(path.absolute()) for camera in cameras})


def _demo(which: str, wish: Wish | None = None) -> Rig:
    from drivers.cameras.synthetic import DEMO_CAMERAS, demo_rig

    wish = wish or Wish()
    rig = partial(demo_rig, width=wish.width, height=wish.height, rate_hz=float(wish.rate_hz))
    if which in DEMO_CAMERAS:
        cameras = [camera for camera in rig() if camera.info.id == which]
    else:
        cameras = rig(fault=which)
    return Rig(cameras, sources={camera.info.id: f"{DEMO}:{camera.info.id}" for camera in cameras})


def recording(path: Path) -> Camera:
    """The camera in a vendor's file, read once to its end and as fast as its library reads it.

    Raises:
        SdkMissing: that library is not installed.
        CameraNotFound: there is no such file.
        ModeUnsupported: it is no such recording.
    """
    return _recording(path, loop=False, realtime=False)


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
        found += [_with_holders(device, on_bus) for device in listed]
        found += [_unlisted(camera, missing) for camera in _not_in(listed, on_bus, vendor.SDK.name)]
    return _once_each(found)


def _with_holders(device: Device, on_bus: Iterable[UsbCamera]) -> Device:
    """A camera that another program has open says which."""
    port = port_in(device.port)
    nodes = [node for camera in on_bus if port and camera.port == port for node in camera.nodes]
    programs = holders(nodes)
    if not programs:
        return device
    return replace(device, problem=f"In use by {', '.join(programs)}.", hint=CameraBusy.default_hint)


def _once_each(found: list[Device]) -> list[Device]:
    """Where the ZED SDK opens the cameras, they are not offered a second time without it."""
    with_sdk = any(device.source.startswith(f"{zed.SDK.name}:") for device in found)
    twins = {
        id(d) for d in found if with_sdk and d.vendor == zed_uvc.VENDOR and d.model.endswith(zed_uvc.WITHOUT)
    }
    return [device for device in found if id(device) not in twins]


_REPLUG = "Plug the camera out and in again."


def _unlisted(camera: UsbCamera, missing: Device) -> Device:
    problem, hint = missing.problem, missing.hint
    if hint == _REPLUG and not camera.openable:
        problem, hint = "This user may not open it.", _UDEV
    model = re.sub(r"\((R|TM)\)", "", camera.product).strip()
    for said in (missing.vendor, missing.vendor.split()[-1]):  # a ZED calls itself "ZED 2i"
        model = re.sub(rf"^{re.escape(said)}\b[\s-]*", "", model)
    return Device(
        source="",
        vendor=missing.vendor,
        model=model,
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


def _all_cameras() -> Rig:
    """One camera that cannot be used is no reason to do without the others, and may be usable later."""
    found = [device for device in devices() if device.automatic]
    for device in found:
        if not device.usable:
            _log.warning("left out: %s %s: %s %s", device.vendor, device.model, device.problem, device.hint)
    cameras = _planned(found)
    if cameras:
        return Rig(cameras, sources={c.info.id: c.source for c in cameras}, find_more=_Arrivals())
    if found:
        first = found[0]
        raise CameraError(f"{first.vendor} {first.model}: {first.problem}", hint=first.hint)
    hint = "Plug one in, or open the simulated rig (demo)."
    if others := devices():
        seen = others[0].source or others[0].model
        hint = f"{hint} A colour camera is there: choose {seen}."
    if missing := [sdk for sdk in SDKS if not sdk.state().ready]:
        names = " and ".join(sdk.title for sdk in missing)
        hint = f"{hint} The library for {names} is not ready; the Cameras page says what to do."
    raise CameraNotFound("No depth camera was found.", hint=hint)


def _planned(found: Iterable[Device]) -> list[PlannedCamera]:
    """A camera for each device that can be opened; each is looked at when it is opened."""
    usable = [device for device in found if device.usable and device.automatic]
    shares = _shares({device.source: device for device in usable})
    return [
        PlannedCamera(
            device.source,
            partial(_one, device.source, Wish().within(shares.get(device.source, float("inf")))),
            CameraInfo(
                id=_identifier(f"{device.model}_{device.serial}"),
                name=f"{device.vendor} {device.model}",
                model=device.model,
                serial=device.serial,
                sensor="",
                rate_hz=float(Wish().rate_hz),
                live=True,
                port=device.port,
            ),
        )
        for device in usable
    ]


class _Arrivals:
    """Asks the libraries for new cameras, but only after the bus has changed, where the system shows it."""

    def __init__(self) -> None:
        self._bus = tuple(usb_cameras())
        self._until_s = 0.0

    def __call__(self, known: Collection[str]) -> list[Camera]:
        now_s = time.monotonic()
        bus = tuple(usb_cameras())
        if bus != self._bus:
            self._bus, self._until_s = bus, now_s + SETTLE_S
        if SYSFS.is_dir() and now_s > self._until_s:
            return []
        return [camera for camera in _planned(devices()) if camera.info.id not in known]


def _of_file(path: Path, *, loop: bool) -> Rig:
    """The cameras of a rig file; a live one that is missing comes when it is plugged in."""
    file = read_rig(path)
    calibration = path.parent / file.calibration if file.calibration else None
    if not file.camera:
        rig = _all_cameras()
        rig.calibration = calibration
        return rig
    live = [entry for entry in file.camera if entry.kind in _LATE_KINDS]
    listed = {device.source: device for device in devices()} if live else {}
    shares = _shares({entry.source: listed[entry.source] for entry in live if entry.source in listed})
    cameras: list[Camera] = []
    sources: dict[str, str] = {}
    for entry in file.camera:
        wish = Wish(entry.width, entry.height, entry.rate_hz, infrared=entry.infrared)
        of_entry: list[Camera] = []
        if entry.kind == DEMO:
            of_entry = [_named(camera, entry) for camera in _demo(entry.serial, wish)]
        elif entry.kind:
            budget = wish.within(shares.get(entry.source, float("inf")))
            of_entry = [_late(entry, budget, listed.get(entry.source))]
        else:
            found = _from_path((path.parent / Path(entry.source).expanduser()), loop=loop)
            of_entry = [_named(found[0], entry)] if len(found) == 1 else list(found)
        cameras += of_entry
        sources |= {camera.info.id: entry.source for camera in of_entry}
    return Rig(cameras, sources=sources, calibration=calibration)


def _late(entry: RigCamera, wish: Wish, listed: Device | None) -> PlannedCamera:
    model = "" if listed is None else listed.model
    info = CameraInfo(
        id=entry.id,
        name=entry.name or f"{entry.kind} {model or entry.serial}",
        model=model,
        serial=entry.serial,
        sensor="",
        rate_hz=float(entry.rate_hz),
        live=True,
        port="" if listed is None else listed.port,
    )
    return PlannedCamera(
        entry.source,
        partial(_one, entry.source, wish),
        info,
        wanted=entry.controls,
        sync_role=entry.sync_role,
        primary_starts_first=entry.kind != orbbec.SDK.name,
    )


def _named(camera: Camera, entry: RigCamera) -> Camera:
    """A camera that is there already, under the name that the file has for it."""
    info = replace(camera.info, id=entry.id, name=entry.name or camera.info.name)
    return PlannedCamera(entry.source, lambda: camera, info, wanted=entry.controls)


def _one(source: str, wish: Wish) -> Camera:
    name, _, serial = source.partition(":")
    vendor = next(vendor for vendor in _VENDORS if vendor.SDK.name == name)
    return _of_vendor(vendor, serial, wish)[0]


def _shares(found: Mapping[str, Device]) -> dict[str, float]:
    """Bytes per second that each source may ask of its link, so that all can run at once."""
    ports = {source: port_in(device.port) for source, device in found.items()}
    shares = fair_shares(camera for camera in usb_cameras() if camera.port in ports.values())
    return {source: shares[port] for source, port in ports.items() if port in shares}


def loads(on_bus: Sequence[UsbCamera], running: Iterable[CameraInfo] = ()) -> list[LinkLoad]:
    """What the cameras that are plugged in ask of their links; those that do not run as they would."""
    wish = Wish()
    each = wish.width * wish.height * wish.rate_hz * _BYTES_OF_ALL_STREAMS
    asked = {camera.port: each for camera in on_bus}
    for info in running:
        if info.link_bytes_per_s and (port := port_in(info.port)):
            asked[port] = info.link_bytes_per_s
    return link_loads(on_bus, asked)


_BYTES_OF_ALL_STREAMS = 6.0
"""Of a pixel: colour and depth two each, both infrared images one each."""


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _of_vendor(vendor: Vendor, serial: str, wish: Wish | None = None) -> Sequence[Camera]:
    cameras = vendor.live_cameras(serial, wish=wish)
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


def _recording(path: Path, *, loop: bool, realtime: bool = True) -> Camera:
    if path.suffix == ".bag" and path.is_file() and orbbec.is_recording(path):
        return orbbec.recording(path, loop=loop)
    if path.suffix in {".svo", ".svo2"} and path.is_file():
        return zed.ZedCamera(file=path, loop=loop, realtime=realtime)
    return realsense.recording(path, loop=loop, realtime=realtime)
