import pytest

from app.viewmodels.source import SourceModel
from drivers.errors import CameraNotFound


@pytest.fixture
def source(qapp, studio, make_camera):
    def find(name):
        if name == "nothing":
            raise CameraNotFound("There is no source nothing.", hint="Give demo.")
        return [make_camera(name)]

    model = SourceModel(studio, find)
    yield model
    model.stop()


def test_a_source_is_opened_in_the_background(qtbot, source, studio):
    with qtbot.waitSignal(source.opened, timeout=5000) as told:
        source.open("front")
    assert told.args == ["front"]
    assert list(studio.pipeline.lines) == ["front"]
    assert not source.busy


def test_a_source_that_is_not_there_leaves_the_rig_before_alone(qtbot, source, studio):
    with qtbot.waitSignal(source.opened, timeout=5000):
        source.open("front")
    with qtbot.waitSignal(source.failed, timeout=5000) as told:
        source.open("nothing")
    assert told.args[0].hint == "Give demo."
    assert list(studio.pipeline.lines) == ["front"]


def test_the_last_of_several_wishes_wins(qtbot, source, studio):
    with qtbot.waitSignal(source.opened, timeout=5000) as told:
        for name in ("a", "b", "c"):
            source.open(name)
    assert told.args == ["c"]
    assert list(studio.pipeline.lines) == ["c"]


def test_the_source_stays_while_a_recording_is_under_way(qtbot, source, studio, monkeypatch):
    monkeypatch.setattr(type(studio), "recorder", property(lambda _self: object()))
    with qtbot.waitSignal(source.failed) as told:
        source.open("front")
    assert "Stop the recording" in told.args[0].hint
    assert studio.pipeline is None


def test_the_first_camera_that_is_plugged_in_is_opened_by_itself(qtbot, studio, make_camera, monkeypatch):
    monkeypatch.setattr("app.viewmodels.source.BUS_EVERY_MS", 20)
    bus, asked = [], []

    def find(name):
        asked.append(name)
        if len(asked) < 3:  # the library is slow to see what the bus has
            raise CameraNotFound("No depth camera was found.")
        return [make_camera(name)]

    model = SourceModel(studio, find, on_bus=lambda: list(bus))
    with qtbot.waitSignal(model.failed, timeout=5000):
        model.open("auto")
    bus.append("a camera")
    with qtbot.waitSignal(model.opened, timeout=5000) as told:
        pass
    model.stop()

    assert told.args == ["auto"]
    assert list(studio.pipeline.lines) == ["auto"]
