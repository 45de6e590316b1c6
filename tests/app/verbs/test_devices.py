"""What `devices` says of cameras and libraries, in words and as JSON."""

import json

import pytest

from app.console import Console
from app.verbs import devices as verb
from app.verbs.devices import DEVICES
from drivers.devices import Device
from drivers.sdk import Sdk


@pytest.fixture
def say(monkeypatch, capsys):
    good = Device("acme:7", "Acme", "A1", "7", "1.2.3", "USB 3.2", "2-1")
    bad = Device("", "Acme", "A2", problem="This user may not open it.", hint="Install the udev rules.")
    missing = Sdk("acme", "Acme", "no_such_module_acme", ("no-such-acme",), (1,), "pip install acme")
    monkeypatch.setattr(verb, "devices", lambda: [good, bad])
    monkeypatch.setattr(verb, "SDKS", (missing,))

    def run(*, json_lines):
        assert DEVICES.run(None, Console(json_lines=json_lines)) == 0
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
