"""What is looked at before a session: room and speed of the disk, USB, calibration, battery, heat."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.language import from_below, tr
from app.recording.guards import Caution, battery, charge_words, disk_speed, heat, slow_disk
from app.recording.room import LOW_S, Limits
from drivers.camera import CameraInfo
from drivers.registry import loads
from drivers.usb import LinkLoad, UsbCamera, usb_cameras


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what.
        words: what was found.
        caution: what may spoil the recording; None where all is well.
        applies: whether there is such a thing at all; False where none is plugged in.
    """

    name: str
    words: str
    caution: Caution | None = None
    applies: bool = True


def preflight(folder: Path, cameras: Iterable[CameraInfo], rate: float | None) -> tuple[Check, ...]:
    """Look at everything once; the speed of a disk is measured for half a second, once a day.

    Args:
        folder: of the sessions; made where it is missing.
        cameras: that run.
        rate: bytes per second that they make; None where none runs.
    """
    on_bus = usb_cameras()
    found = [*disk_checks(folder, rate), *usb_checks(on_bus, loads(on_bus, cameras))]
    for name, caution, well in (
        (tr("Battery"), battery(), charge_words()),
        (tr("Heat"), heat(), tr("Nothing is too hot")),
    ):
        found.append(Check(name, well if caution is None else caution.text, caution))
    return tuple(found)


def calibration_check(words: str, *, good: bool) -> Check:
    """Whether the cameras' places in one space are known, and not too old.

    Args:
        words: what is known of them.
        good: whether that will do.
    """
    hint = tr("Calibrate the rig on the Cameras page; recordings without it show each camera for itself.")
    return Check(tr("Calibration"), words, None if good else Caution(words, hint))


def disk_checks(folder: Path, rate: float | None) -> list[Check]:
    """Room and speed of the disk of a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        speed = disk_speed(folder)
    except OSError as error:
        text = tr("The folder {folder} cannot be used: {strerror}.").format(
            folder=folder, strerror=from_below(str(error.strerror))
        )
        caution = Caution(text, tr("Choose a writable sessions folder in Settings."))
        return [Check(tr("Disk"), text, caution)]
    room = tr("{free:,.0f} GB free").format(free=free / 1e9)
    if rate is None:
        takes = tr("{speed:,.0f} MB/s").format(speed=speed / 1e6)
        return [Check(tr("Disk room"), room), Check(tr("Disk speed"), takes)]
    left_s = Limits().seconds_left(free, rate)
    low = None
    if left_s < LOW_S:
        low = Caution(
            tr("The disk has room for less than {minutes:.0f} minutes.").format(minutes=LOW_S / 60),
            tr("Make room, or choose another sessions folder."),
        )
    return [
        Check(tr("Disk room"), room, low),
        Check(
            tr("Disk speed"),
            tr("{speed:,.0f} MB/s, {rate:,.0f} MB/s needed").format(speed=speed / 1e6, rate=rate / 1e6),
            slow_disk(speed, rate),
        ),
    ]


def usb_name(link: LinkLoad) -> str:
    """A bus as Linux calls it, such as "usb2", or a port of a hub."""
    return (
        tr("Bus {name}").format(name=link.name)
        if link.is_bus
        else tr("USB port {name}").format(name=link.name)
    )


def usb_checks(on_bus: list[UsbCamera], links: list[LinkLoad]) -> list[Check]:
    """Whether each bus, hub and cable carries what its cameras send."""
    if not on_bus:
        return [Check("USB", tr("No depth camera is plugged in"), applies=False)]
    return [
        Check(
            usb_name(link),
            from_below(link.words),
            None
            if link.fits
            else Caution(
                tr("{name} carries too little: {words}.").format(
                    name=usb_name(link), words=from_below(link.words)
                ),
                from_below(link.remedy),
            ),
        )
        for link in links
    ]
