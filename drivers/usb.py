"""Depth cameras on the USB bus as Linux sees them, whether or not a vendor's library does."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys/bus/usb/devices")
NODES = Path("/dev/bus/usb")

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
    """

    vendor: str
    product: str
    serial: str
    speed_mbps: float
    port: str
    openable: bool

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
        speed = read_line(folder / "speed")
        yield UsbCamera(
            vendor=vendor,
            product=product or "camera",
            serial=read_line(folder / "serial"),
            speed_mbps=float(speed) if speed.replace(".", "", 1).isdigit() else 0.0,
            port=folder.name,
            openable=os.access(node, os.R_OK | os.W_OK),
        )


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
