"""Rig files: every camera as the file says, and clear words for every mistake in one."""

from pathlib import Path

import pytest

from drivers import registry
from drivers.camera import SyncRole
from drivers.errors import CameraNotFound, ModeUnsupported, RigFileError
from drivers.planned import PlannedCamera
from drivers.registry import open_source
from drivers.rig import KINDS, RigCamera, RigFile, read_rig, write_rig

WHOLE = """
name = "cart"

[[camera]]
source = "demo:stereo_active"
name = "Front left"
width = 320
height = 240
rate_hz = 15
controls = { gain = 0.25, still = true }

[[camera]]
source = "demo:time_of_flight"
"""


@pytest.fixture
def write(tmp_path: Path):
    def to_file(text: str) -> Path:
        path = tmp_path / "cart.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def test_cameras_are_as_the_file_says(write):
    first, second = open_source(str(write(WHOLE)))

    assert (first.info.id, first.info.name, first.info.rate_hz) == ("front_left", "Front left", 15.0)
    assert first.wanted == {"gain": 0.25, "still": True}
    assert second.info.id == "demo_time_of_flight"
    with first:
        frame = first.read(timeout_s=5.0)
    assert frame.camera_id == "front_left"
    assert frame.color.shape == (240, 320, 3)


def test_what_is_written_is_read_again(tmp_path):
    cameras = (
        RigCamera(source="realsense:12", name="left", sync="primary", controls={"depth.exposure": 8500}),
        RigCamera(source="realsense:13", sync="secondary", rate_hz=15, infrared=False),
        RigCamera(source="uvc:video0", controls={"emitter": True, "preset": "High Density"}),
    )
    write_rig(tmp_path / "rig.toml", RigFile(name="cart", camera=cameras))

    assert read_rig(tmp_path / "rig.toml") == RigFile(name="cart", camera=cameras)
    assert not list(tmp_path.glob("*.partial"))


def test_a_number_of_a_control_is_no_switch(write):
    rig = read_rig(write('[[camera]]\nsource = "realsense:1"\ncontrols = { gain = 1, auto = true }'))

    assert rig.camera[0].controls["gain"] == 1.0
    assert rig.camera[0].controls["gain"] is not True
    assert rig.camera[0].controls["auto"] is True


ZED = '[[camera]]\nsource = "zed:1"\n'
ORBBEC = '[[camera]]\nsource = "orbbec:1"\n'
MISTAKES = {
    "no TOML": ("name = cart", "line 1", ""),
    "an unknown field": (
        ZED + "widht = 640",
        "line 3, camera.1.widht",
        "Did you mean width?",
    ),
    "an unknown field of the rig": ('nmae = "cart"', "line 1, nmae", "Did you mean name?"),
    "a field that is missing": ('name = "x"\n\n[[camera]]\nwidth = 640', "line 3, camera.1.source", ""),
    "a word for a number": (ZED + 'rate_hz = "fast"', "line 3, camera.1.rate_hz", ""),
    "a number out of range": (ZED + "height = 2", "line 3, camera.1.height", ""),
    "a kind that is misspelt": (
        ZED + '[[camera]]\nsource = "realsens:1"',
        "line 4, camera.2.source: there are no cameras of the kind 'realsens'; did you mean realsense?",
        "",
    ),
    "a camera without its number": ('[[camera]]\nsource = "orbbec"', "write which one: orbbec:SERIAL", ""),
    "a role that there is not": (ZED + 'sync = "master"', "camera.1.sync", ""),
    "a role without a cable": (
        ZED + 'sync = "primary"',
        "zed:1 has no sync cable",
        "",
    ),
    "a follower without a leader": (
        ORBBEC + 'sync = "secondary"',
        "a orbbec camera that is primary, and none is",
        "",
    ),
    "two leaders": (
        ORBBEC + 'sync = "primary"\n[[camera]]\nsource = "orbbec:2"\nsync = "primary"',
        "line 4: two orbbec cameras are primary",
        "",
    ),
    "one camera twice": (
        ZED + '[[camera]]\nsource = "zed:1"',
        "line 3: zed:1 is",
        "",
    ),
    "one name twice": (
        ZED + 'name = "a"\n[[camera]]\nsource = "zed:2"\nname = "A"',
        "line 4: camera 1 has the same name",
        "",
    ),
    "a recording that is not there": ('[[camera]]\nsource = "drive.db3"', "no camera and no file", ""),
    "a calibration that is not there": ('name = "a"\ncalibration = "c.json"', "line 2: there is no cal", ""),
    "a value that is no value": (
        ZED + "controls = { gain = [1] }",
        "controls.gain",
        "",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_place(write, name):
    text, words, hint = MISTAKES[name]

    with pytest.raises(RigFileError) as caught:
        open_source(str(write(text)))

    assert "cart.toml" in str(caught.value)
    assert words in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.hint


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(RigFileError, match="cannot be read"):
        open_source(str(tmp_path / "none.toml"))


def test_bytes_that_are_no_text_are_said(tmp_path):
    (tmp_path / "rig.toml").write_bytes(b'name = "\xff\xfe"')
    with pytest.raises(RigFileError, match="UTF-8"):
        read_rig(tmp_path / "rig.toml")


def test_without_cameras_the_file_means_all_that_are_found(write, monkeypatch):
    rig = registry.Rig([], sources={})
    monkeypatch.setattr(registry, "_all_cameras", lambda: rig)

    assert open_source(str(write('name = "any"'))) is rig


def test_a_camera_that_is_missing_is_no_reason_to_do_without_the_rig(write, monkeypatch):
    monkeypatch.setattr(registry, "devices", list)
    missing = {"here": False}

    def one(source, wish):
        if not missing["here"]:
            raise CameraNotFound(f"There is no camera {source}")
        return registry._demo("stereo_active")[0]

    monkeypatch.setattr(registry, "_one", one)
    (camera,) = open_source(str(write('[[camera]]\nsource = "realsense:77"\nname = "front"')))
    assert (camera.info.id, camera.info.serial, camera.info.live) == ("front", "77", True)
    with pytest.raises(CameraNotFound, match="realsense:77"):
        camera.open()

    missing["here"] = True

    with camera:
        assert camera.read(timeout_s=5.0).camera_id == "front"
        assert camera.info.sensor == "active stereo"
        assert camera.info.name == "front"


def test_sync_roles_come_from_the_file(write, monkeypatch):
    monkeypatch.setattr(registry, "devices", list)
    text = "\n".join(
        f'[[camera]]\nsource = "{kind}:{n}"\nsync = "{role}"'
        for kind in ("realsense", "orbbec")
        for n, role in enumerate(("secondary", "primary"))
    )

    cameras = open_source(str(write(text)))

    assert [camera.sync_role for camera in cameras] == [SyncRole.SECONDARY, SyncRole.PRIMARY] * 2
    assert [camera.primary_starts_first for camera in cameras] == [True, True, False, False]


def test_a_role_that_a_device_cannot_take_is_said_when_it_is_there():
    demo = registry._demo("stereo_active")[0]
    camera = PlannedCamera("realsense:1", lambda: demo, demo.info, sync_role=SyncRole.PRIMARY)

    with pytest.raises(ModeUnsupported, match="no connector"):
        camera.open()


def test_one_camera_of_the_simulated_rig_can_be_opened():
    (camera,) = open_source("demo:time_of_flight")

    assert camera.info.id == "time_of_flight"


def test_every_kind_of_camera_that_the_program_knows_can_stand_in_a_file():
    vendors = {vendor.SDK.name for vendor in registry._VENDORS}

    assert set(KINDS) == vendors | {"demo"}
    assert set(registry._LATE_KINDS) == vendors
