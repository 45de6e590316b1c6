"""Roles on a sync cable: the real RealSense SDK with software devices, and Orbbec's by its public names."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from software_realsense import SoftwareRealSense

from app.flow.order import starts_after
from drivers.camera import Resettable, Synchronizable, SyncRole
from drivers.cameras import orbbec
from drivers.cameras.realsense import SDK, RealSenseCamera
from drivers.errors import ModeUnsupported

needs_realsense = pytest.mark.skipif(not SDK.state().ready, reason=SDK.state().text)


def software(serial, *, most=258, present=0, model="D435"):
    """A software device whose depth sensor has the sync mode; none of it where `most` is None."""
    made = SoftwareRealSense(serial, model=model)
    if most is not None:
        rs = made.rs
        values = rs.option_range()
        values.min, values.max, values.step, values.default = 0, most, 1, 0
        made.stereo.add_option(rs.option.inter_cam_sync_mode, values)
        made.stereo.set_option(rs.option.inter_cam_sync_mode, present)
    return made, RealSenseCamera(lambda: made.device)


def mode_of(made):
    return made.stereo.get_option(made.rs.option.inter_cam_sync_mode)


@needs_realsense
@pytest.mark.parametrize("role", SyncRole)
def test_a_realsense_takes_its_role_when_it_is_opened(role):
    made, camera = software("SW0001", present=2)
    camera.set_sync_role(role)
    assert mode_of(made) == 2
    with camera:
        assert mode_of(made) == {"free": 0, "primary": 1, "secondary": 2}[role.value]
        assert camera.sync_role is role


@needs_realsense
def test_a_role_is_taken_again_after_a_reconnect():
    made, camera = software("SW0001")
    camera.set_sync_role(SyncRole.SECONDARY)
    with camera:
        pass
    made.stereo.set_option(made.rs.option.inter_cam_sync_mode, 0)
    with camera:
        assert mode_of(made) == 2


@needs_realsense
@pytest.mark.parametrize(("most", "model"), [(None, "D405"), (3, "D585")])
def test_a_realsense_without_the_cable_refuses(most, model):
    _, camera = software("SW0001", most=most, model=model)

    assert camera.sync_roles() == (SyncRole.FREE,)
    with pytest.raises(ModeUnsupported, match="sync cable"):
        camera.set_sync_role(SyncRole.PRIMARY)


@needs_realsense
def test_the_primary_realsense_starts_first():
    cameras = [software(f"SW000{n}")[1] for n in range(3)]
    for camera, role in zip(cameras, (SyncRole.SECONDARY, SyncRole.PRIMARY, SyncRole.SECONDARY), strict=True):
        camera.set_sync_role(role)

    assert all(isinstance(camera, Synchronizable) and isinstance(camera, Resettable) for camera in cameras)
    assert starts_after(cameras) == {"d435_sw0000": ("d435_sw0001",), "d435_sw0002": ("d435_sw0001",)}


@pytest.fixture
def ob(shared, monkeypatch):
    """A library with the names and the argument lists of Orbbec's, and nothing else."""
    spec = importlib.util.spec_from_file_location("apispec", shared / "sdk/scripts/apispec.py")
    apispec = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(apispec)
    fake = apispec.fake_module(apispec.load(shared / "sdk/api_orbbec.json"), "pyorbbecsdk")
    fake.OBError = type("OBError", (Exception,), {})
    return fake


class Bench:
    """Orbbec cameras that note what is done to them, in order."""

    def __init__(self, ob, monkeypatch, *, modes):
        self.ob = ob
        self.done = []
        self.configs = {}
        ob.behave("Device.get_supported_multi_device_sync_mode_bitmap", lambda _device: modes)
        ob.behave("Device.get_multi_device_sync_config", lambda _device: ob.OBMultiDeviceSyncConfig())
        ob.behave("Device.set_multi_device_sync_config", self._set)
        ob.behave("Device.reboot", lambda device, *_delay: self.done.append(("reboot", device)))
        ob.behave("Context.enable_multi_device_sync", lambda _context, ms: self.done.append(("clocks", ms)))
        monkeypatch.setattr(orbbec, "_context", ob.Context)

    def _set(self, device, config):
        self.configs[id(device)] = config
        self.done.append(("mode", config.mode.name))

    def camera(self, serial):
        """Only what the roles need; the streams were run on the real library."""
        made = object.__new__(orbbec.OrbbecCamera)
        made._ob, made._live, made._device, made._open = self.ob, True, self.ob.Device(), False
        made._sync_role, made._find, made._motion = SyncRole.FREE, None, None
        made._info = orbbec.CameraInfo(serial, f"Orbbec {serial}", "Gemini 335", serial, "", 30.0, live=True)
        return made


ALL_MODES = 0b11111


def test_orbbecs_cameras_take_roles_and_the_primary_triggers(ob, monkeypatch):
    bench = Bench(ob, monkeypatch, modes=ALL_MODES)
    first, second = bench.camera("a"), bench.camera("b")
    assert first.sync_roles() == tuple(SyncRole)
    first.set_sync_role(SyncRole.PRIMARY)
    second.set_sync_role(SyncRole.SECONDARY)
    for camera in (second, first):
        camera._take_sync_role()

    assert bench.done == [("mode", "SECONDARY_SYNCED"), ("mode", "PRIMARY")]
    assert bench.configs[id(first._device)].trigger_out_enable is True
    assert starts_after([first, second]) == {"a": ("b",)}


def test_an_old_orbbec_waits_for_triggers(ob, monkeypatch):
    camera = Bench(ob, monkeypatch, modes=0b01111).camera("a")
    camera.set_sync_role(SyncRole.SECONDARY)

    assert camera._sync_modes(camera._device)[SyncRole.SECONDARY] == ob.OBMultiDeviceSyncMode.SECONDARY


def test_an_orbbec_that_another_program_left_as_a_secondary_is_free_again(ob, monkeypatch):
    bench = Bench(ob, monkeypatch, modes=ALL_MODES)
    bench.camera("a")._take_sync_role()

    assert bench.done == [("mode", "FREE_RUN")]


def test_an_orbbec_without_the_connector_refuses(ob, monkeypatch):
    bench = Bench(ob, monkeypatch, modes=ALL_MODES)

    def missing(_device):
        raise ob.OBError("Device Component not found")

    ob.behave("Device.get_supported_multi_device_sync_mode_bitmap", missing)
    camera = bench.camera("a")

    assert camera.sync_roles() == (SyncRole.FREE,)
    with pytest.raises(ModeUnsupported, match="sync cable"):
        camera.set_sync_role(SyncRole.SECONDARY)
    camera._take_sync_role()
    assert bench.done == []


def test_an_orbbec_is_started_anew_by_its_library(ob, monkeypatch):
    bench = Bench(ob, monkeypatch, modes=ALL_MODES)
    camera = bench.camera("a")
    device = camera._device
    camera.reset()

    assert bench.done == [("reboot", device)]
    assert camera._device is None
