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
        return "USB 2" if self.speed_mbps <= 480 else "USB 3"


def usb_cameras(sysfs: Path = SYSFS, nodes: Path = NODES) -> list[UsbCamera]:
    """All that are plugged in, in the order of their ports; none where there is no such folder."""
    return sorted(_cameras(sysfs, nodes), key=lambda camera: camera.port) if sysfs.is_dir() else []


def _cameras(sysfs: Path, nodes: Path) -> Iterator[UsbCamera]:
    seen = set()
    for folder in sysfs.iterdir():
        vendor = _VENDORS.get(_line(folder / "idVendor").lower())
        product = _line(folder / "product")
        if vendor is None or (vendor == "realsense" and "realsense" not in product.lower()):
            continue
        bus, number = _line(folder / "busnum"), _line(folder / "devnum")
        if (bus, number) in seen or not number.isdigit() or not bus.isdigit():
            continue
        seen.add((bus, number))
        node = nodes / f"{int(bus):03}" / f"{int(number):03}"
        speed = _line(folder / "speed")
        yield UsbCamera(
            vendor=vendor,
            product=product or "camera",
            serial=_line(folder / "serial"),
            speed_mbps=float(speed) if speed.replace(".", "", 1).isdigit() else 0.0,
            port=folder.name,
            openable=os.access(node, os.R_OK | os.W_OK),
        )


def _line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # this device has no such property, or was unplugged just now
        return ""
