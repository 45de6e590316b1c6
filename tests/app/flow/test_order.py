"""Cameras on one cable are started in their vendor's order, and never wait for ever."""

import threading
import time

import pytest

from app.flow import order
from app.flow.capture import CameraState, CameraStatus
from app.flow.order import reference_of, role_of, starts_after, wait_for
from app.flow.slot import Slot
from drivers.camera import Synchronizable, SyncRole
from drivers.cameras.synthetic import SyntheticCamera
from drivers.synth.sensor import SensorKind


class Cabled(SyntheticCamera):
    """A camera with a sync connector."""

    def __init__(self, name, role, *, family="acme", primary_first=True):
        super().__init__(name, SensorKind.ACTIVE_STEREO, width=4, height=2)
        self.sync_family, self.primary_starts_first, self._role = family, primary_first, role

    def sync_roles(self):
        return tuple(SyncRole)

    def set_sync_role(self, role):
        self._role = role

    @property
    def sync_role(self):
        return self._role


def rig(**how):
    return [
        Cabled("first", SyncRole.SECONDARY, **how),
        Cabled("second", SyncRole.PRIMARY, **how),
        Cabled("third", SyncRole.SECONDARY, **how),
        Cabled("alone", SyncRole.FREE, **how),
        SyntheticCamera("other", SensorKind.ACTIVE_STEREO, width=4, height=2),
    ]


def test_the_test_camera_keeps_the_contract():
    assert isinstance(rig()[0], Synchronizable)
    assert not isinstance(rig()[-1], Synchronizable)


def test_where_the_primary_starts_first_the_others_wait_for_it():
    assert starts_after(rig()) == {"first": ("second",), "third": ("second",)}


def test_where_the_primary_starts_last_it_waits_for_the_others():
    assert starts_after(rig(primary_first=False)) == {"second": ("first", "third")}


def test_cameras_of_another_family_are_not_waited_for():
    cameras = [Cabled("a", SyncRole.PRIMARY), Cabled("b", SyncRole.SECONDARY, family="other")]

    assert starts_after(cameras) == {}


def test_the_primary_camera_gives_the_beat_and_the_first_where_there_is_none():
    cameras = {camera.info.id: camera for camera in rig()}

    assert reference_of(cameras) == "second"
    assert role_of(cameras["third"]) is SyncRole.SECONDARY
    assert role_of(cameras["other"]) is SyncRole.FREE
    del cameras["second"]
    assert reference_of(cameras) == "first"
    assert reference_of({}) == ""


@pytest.mark.parametrize("status", [CameraStatus.OPEN, CameraStatus.STREAMING, CameraStatus.LOST])
def test_waiting_ends_when_the_other_is_open_or_has_failed(status):
    slot = Slot()
    slot.put(CameraState(CameraStatus.STARTING))
    waiting = threading.Thread(target=wait_for, args=([slot], threading.Event()))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()

    slot.put(CameraState(status))

    waiting.join(5)
    assert not waiting.is_alive()


def test_nobody_waits_for_ever(monkeypatch):
    monkeypatch.setattr(order, "PATIENCE_S", 0.1)
    began_s = time.monotonic()

    wait_for([Slot()], threading.Event())

    assert 0.1 <= time.monotonic() - began_s < 3
