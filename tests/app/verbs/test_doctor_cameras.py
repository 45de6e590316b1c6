"""What `doctor` says of cameras and their libraries."""

import pytest

from app.verbs import doctor
from drivers.devices import Device
from drivers.sdk import Sdk, SdkState, SdkStatus
from drivers.usb import UsbCamera


class Library(Sdk):
    """A library in a state that the test chooses."""

    def __init__(self, status):
        super().__init__("acme", "Acme", "acme", ("acme",), (1,), "pip install acme")
        object.__setattr__(self, "status", status)

    def state(self):
        fix = "" if self.status is SdkStatus.READY else self.install
        return SdkState(self.status, "1.0", f"It is {self.status.value}.", fix)


@pytest.mark.parametrize(
    ("status", "well"),
    [
        (SdkStatus.READY, True),
        (SdkStatus.MISSING, True),
        (SdkStatus.OLD, False),
        (SdkStatus.WRONG, False),
        (SdkStatus.BROKEN, False),
    ],
)
def test_only_a_library_that_is_there_and_useless_is_broken(monkeypatch, status, well):
    monkeypatch.setattr(doctor, "SDKS", (Library(status),))
    monkeypatch.setattr(doctor, "devices", list)

    (finding,) = doctor._cameras()

    assert finding.well is well
    if status is not SdkStatus.READY:
        assert "pip install acme" in finding.text + finding.hint


def test_a_camera_that_cannot_be_opened_is_broken(monkeypatch):
    good = Device("acme:7", "Acme", "A1", "7", link="USB 3.2")
    bad = Device("", "Acme", "A2", problem="This user may not open it.", hint="Install the udev rules.")
    monkeypatch.setattr(doctor, "SDKS", ())
    monkeypatch.setattr(doctor, "devices", lambda: [good, bad])

    first, second = doctor._cameras()

    assert (first.well, first.text) == (True, "7, USB 3.2")
    assert "may not open" in second.text
    assert second.hint == "Install the udev rules."


def test_a_hub_that_carries_too_little_is_broken(monkeypatch):
    hub = (("2-1", 5000.0),)
    bus = [
        UsbCamera("acme", "A1", "7", 5000, f"2-1.{n}", True, "0000:00:14.0", 10_000, hub) for n in range(8)
    ]
    monkeypatch.setattr(doctor, "SDKS", ())
    monkeypatch.setattr(doctor, "devices", list)
    monkeypatch.setattr(doctor, "usb_cameras", lambda: bus)

    controller, port = doctor._cameras()

    assert (controller.subject, controller.well) == ("USB 0000:00:14.0 usb2", True)
    assert (port.subject, port.well) == ("USB port 2-1", False)
    assert "another controller" in port.hint
