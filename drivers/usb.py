"""Depth cameras on the USB bus as Linux sees them, and what their cables and controllers carry."""

import math
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys/bus/usb/devices")
NODES = Path("/dev/bus/usb")

PROCESSES = Path("/proc")
_CARRIES = ((480, 38e6), (5_000, 350e6), (10_000, 700e6), (20_000, 1_400e6))
"""Bytes per second that cameras get out of a link of so many Mbit/s, after encoding and protocol. Measured
figures of others lie within a tenth of these."""

# USB vendor numbers; Intel makes many things, so its product must be called RealSense.
_VENDORS = {"8086": "realsense", "2bc5": "orbbec", "2b03": "zed"}


@dataclass(frozen=True)
class UsbCamera:
    """A camera on the bus.

    Attributes:
        vendor: "realsense", "orbbec" or "zed".
        product: as the device calls itself.
        serial: of the USB descriptor; some vendors use another one elsewhere.
        speed_mbps: of the link; 480 is USB 2, 5000 and more is USB 3.
        port: such as "2-1.4".
        openable: whether this user may open it.
        controller: the PCI address of the USB controller, such as "0000:00:14.0", or empty.
        bus_mbps: of the controller's side of the bus; 0 where that is not known.
        hubs: ports of the hubs between, the nearest to the controller first, with their links in Mbit/s.
        nodes: files that open it: its own and those of its video streams.
    """

    vendor: str
    product: str
    serial: str
    speed_mbps: float
    port: str
    openable: bool
    controller: str = ""
    bus_mbps: float = 0.0
    hubs: tuple[tuple[str, float], ...] = ()
    nodes: tuple[str, ...] = ()

    @property
    def bus(self) -> str:
        """Such as "usb2"; a controller has one for USB 2 and one for USB 3."""
        return f"usb{self.port.partition('-')[0]}"

    @property
    def link(self) -> str:
        """In words."""
        return link_of(str(self.speed_mbps))


def usb_cameras(sysfs: Path = SYSFS, nodes: Path = NODES) -> list[UsbCamera]:
    """All that are plugged in, in the order of their ports; none where there is no such folder."""
    return sorted(_cameras(sysfs, nodes), key=lambda camera: camera.port) if sysfs.is_dir() else []


def _cameras(sysfs: Path, nodes: Path) -> Iterator[UsbCamera]:
    seen = set()
    for folder in sysfs.iterdir():
        product = read_line(folder / "product")
        vendor = vendor_of(read_line(folder / "idVendor"), product)
        if vendor is None:
            continue
        bus, number = read_line(folder / "busnum"), read_line(folder / "devnum")
        if (bus, number) in seen or not number.isdigit() or not bus.isdigit():
            continue
        seen.add((bus, number))
        node = nodes / f"{int(bus):03}" / f"{int(number):03}"
        root = f"usb{int(bus)}"
        yield UsbCamera(
            vendor=vendor,
            product=product or "camera",
            serial=read_line(folder / "serial"),
            speed_mbps=_speed(folder),
            port=folder.name,
            openable=os.access(node, os.R_OK | os.W_OK),
            controller=_controller(sysfs / root),
            bus_mbps=_speed(sysfs / root),
            hubs=tuple((port, _speed(sysfs / port)) for port in _hubs(folder.name)),
            nodes=(str(node), *(f"/dev/{each.name}" for each in folder.glob("*/video4linux/video*"))),
        )


def _speed(folder: Path) -> float:
    text = read_line(folder / "speed")
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0


def _controller(root: Path) -> str:
    """The folder above the bus is the controller's; its name is the address on PCI."""
    above = root.resolve().parent.name
    return above if re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d", above) else ""


def _hubs(port: str) -> list[str]:
    """What "2-1.4.3" is plugged into: the hub "2-1.4", and that into "2-1"; the latter comes first."""
    parts = port.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def port_in(text: str) -> str:
    """The port in what a library calls one: "2-1" in "/sys/.../usb2/2-1/2-1:1.0/video0"; or empty."""
    found = re.findall(r"(?<![\w.:-])\d+-\d+(?:\.\d+)*(?![\w.])", text)
    return str(found[-1]) if found else ""


@dataclass(frozen=True)
class LinkLoad:
    """What the cameras behind one link ask of it.

    Attributes:
        name: the bus, such as "usb2", or the hub, such as "2-1".
        controller: of the bus.
        mbps: the link's speed.
        carries: bytes per second that it has for cameras.
        asked: bytes per second that all cameras behind it ask for.
        cameras: ports of those.
    """

    name: str
    controller: str
    mbps: float
    carries: float
    asked: float
    cameras: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether it carries what is asked."""
        return self.asked <= self.carries

    @property
    def is_bus(self) -> bool:
        """Whether it is a controller's own link, not one of a hub or a camera."""
        return self.name.startswith("usb")

    @property
    def words(self) -> str:
        """Such as "55 MB/s asked for, 350 MB/s possible, 1 camera"."""
        count = len(self.cameras)
        many = "1 camera" if count == 1 else f"{count} cameras"
        asked = f"{self.asked / 1e6:.0f}"
        if math.isinf(self.carries):
            return f"{asked} MB/s asked for, {many}"
        return f"{asked} MB/s asked for, {self.carries / 1e6:.0f} MB/s possible, {many}"

    @property
    def remedy(self) -> str:
        """What to do where it does not fit."""
        if len(self.cameras) > 1:
            return "Plug one of the cameras into another controller, or choose a smaller mode."
        return "Use a USB 3 port and cable, or choose a smaller mode."


def carries(speed_mbps: float) -> float:
    """Bytes per second that cameras get out of such a link; no limit where the speed is not known."""
    if speed_mbps <= 0:
        return float("inf")
    return next((budget for limit, budget in _CARRIES if speed_mbps <= limit), _CARRIES[-1][1])


def link_loads(cameras: Iterable[UsbCamera], asked: Mapping[str, float]) -> list[LinkLoad]:
    """Every bus with cameras, and every hub or cable that carries less than is asked of it.

    Args:
        cameras: that are plugged in.
        asked: bytes per second by port; a port that is absent asks for nothing.
    """
    behind: dict[str, list[UsbCamera]] = {}
    speed: dict[str, float] = {}
    for camera in cameras:
        for name, mbps in _links(camera):
            behind.setdefault(name, []).append(camera)
            speed[name] = mbps
    loads = [
        LinkLoad(
            name=name,
            controller=there[0].controller,
            mbps=speed[name],
            carries=carries(speed[name]),
            asked=sum(asked.get(camera.port, 0.0) for camera in there),
            cameras=tuple(camera.port for camera in there),
        )
        for name, there in behind.items()
    ]
    told = [load for load in loads if load.is_bus or not load.fits]
    return sorted(told, key=lambda load: (not load.is_bus, load.name))


def fair_shares(cameras: Iterable[UsbCamera]) -> dict[str, float]:
    """Bytes per second that each camera may ask for, by port, when all of them run at once."""
    there = list(cameras)
    users: dict[str, int] = {}
    for camera in there:
        for name, _ in _links(camera):
            users[name] = users.get(name, 0) + 1
    return {
        camera.port: min(carries(mbps) / users[name] for name, mbps in _links(camera)) for camera in there
    }


def _links(camera: UsbCamera) -> Iterator[tuple[str, float]]:
    """From the controller to the camera's own cable."""
    yield camera.bus, camera.bus_mbps
    yield from camera.hubs
    yield camera.port, camera.speed_mbps


def holders(nodes: Collection[str], processes: Path = PROCESSES) -> list[str]:
    """Who has one of these files open, such as "realsense-viewer (4711)"; only one's own can be seen."""
    found = []
    for folder in processes.iterdir() if nodes and processes.is_dir() else ():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            is_open = any(os.path.realpath(fd) in nodes for fd in (folder / "fd").iterdir())
        except OSError:  # it has ended, or belongs to somebody else
            continue
        if is_open:
            found.append(f"{read_line(folder / 'comm') or 'a program'} ({folder.name})")
    return sorted(found)


def vendor_of(vendor_id: str, product: str) -> str | None:
    """Who made a depth camera; None for everything else."""
    vendor = _VENDORS.get(vendor_id.lower())
    return None if vendor == "realsense" and "realsense" not in product.lower() else vendor


def link_of(speed_mbps: str) -> str:
    """The link in words, of the number that Linux gives; empty for none."""
    try:
        return "USB 2" if float(speed_mbps) <= 480 else "USB 3"
    except ValueError:
        return ""


def read_line(path: Path) -> str:
    """What a file of sysfs says; empty where it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # this device has no such property, or was unplugged just now
        return ""
