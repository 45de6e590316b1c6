"""What `devices` says of cameras and libraries, in words and as JSON."""

import json
from argparse import Namespace

import pytest

from app.console import Console
from app.verbs import devices as verb
from app.verbs.devices import DEVICES
from drivers.devices import Device
from drivers.sdk import Sdk
from drivers.usb import UsbCamera

HUB = (("2-1", 5000.0),)
PCI = "0000:00:14.0"


@pytest.fixture
def say(monkeypatch, capsys):
    good = Device("acme:7", "Acme", "A1", "7", "1.2.3", "USB 3.2", "2-1")
    bad = Device("", "Acme", "A2", problem="This user may not open it.", hint="Install the udev rules.")
    missing = Sdk("acme", "Acme", "no_such_module_acme", ("no-such-acme",), (1,), "pip install acme")
    monkeypatch.setattr(verb, "devices", lambda: [good, bad])
    monkeypatch.setattr(verb, "SDKS", (missing,))
    bus = [UsbCamera("acme", "A1", "7", 5000, f"2-1.{n}", True, PCI, 10_000, HUB) for n in range(8)]
    monkeypatch.setattr(verb, "usb_cameras", lambda: bus)

    def run(*, json_lines):
        assert DEVICES.run(Namespace(measure=None), Console(json_lines=json_lines)) == 0
        return capsys.readouterr().out

    return run


def test_found_cameras_are_described(say):
    text = say(json_lines=False)

    for part in ("Acme A1", "serial 7", "firmware 1.2.3", "USB 3.2", "--source acme:7"):
        assert part in text


def test_a_camera_that_cannot_be_opened_says_why(say):
    assert "This user may not open it. Install the udev rules." in say(json_lines=False)


def test_a_missing_library_comes_with_its_command(say):
    assert "Run: pip install acme" in say(json_lines=False)


def test_programs_get_the_same(say):
    events = [json.loads(line) for line in say(json_lines=True).splitlines()]

    found = [event for event in events if event["event"] == "device"]
    assert [event["source"] for event in found] == ["acme:7", ""]
    assert next(event for event in events if event["event"] == "sdk")["fix"] == "pip install acme"


def test_what_is_asked_of_usb_is_told_and_what_is_too_much(say):
    text = say(json_lines=False)

    assert "0000:00:14.0 usb2 (10000 Mbit/s): 442 MB/s asked for, 700 MB/s possible, 8 cameras\n" in text
    assert (
        "port 2-1 (5000 Mbit/s): 442 MB/s asked for, 350 MB/s possible, 8 cameras. Too much: Plug one" in text
    )


def test_programs_get_the_links_as_well(say):
    events = [json.loads(line) for line in say(json_lines=True).splitlines()]

    bus, hub = [event for event in events if event["event"] == "link"]
    assert (bus["name"], bus["controller"], bus["fits"], bus["carries"]) == (
        "usb2",
        "0000:00:14.0",
        True,
        700e6,
    )
    assert (hub["name"], hub["fits"], len(hub["cameras"])) == ("2-1", False, 8)


def test_a_source_is_measured(capsys, tmp_path):
    rig = tmp_path / "rig.toml"
    rig.write_text(
        "\n".join(
            f'[[camera]]\nsource = "demo:{name}"\nwidth = 32\nheight = 24'
            for name in ("stereo_active", "time_of_flight")
        ),
        encoding="utf-8",
    )

    assert DEVICES.run(Namespace(measure=2.5, source=str(rig)), Console(json_lines=True)) == 0

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    first, second = [event for event in events if event["event"] == "measured"]
    assert (first["id"], first["clock"], first["asked_hz"]) == ("demo_stereo_active", "host", 30.0)
    assert first["rate_hz"] > 5
    assert first["offset_ms"] is None
    assert abs(second["offset_ms"]) < 20
    (moments,) = [event for event in events if event["event"] == "moments"]
    assert (moments["together"], moments["cameras"]) == (2, 2)


def test_a_camera_that_sends_nothing_makes_a_measurement_fail(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "FIRST_FRAMES_S", 0.5)
    assert DEVICES.run(Namespace(measure=0.6, source="demo:busy"), Console(json_lines=False)) == 1

    assert "in use by another program" in capsys.readouterr().out
