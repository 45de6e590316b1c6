from app.flow.desk import Wanted
from app.memory import ControlMemory
from drivers.camera import CameraInfo

D435 = CameraInfo("left", "RealSense D435", "D435", "123", "active stereo", 30.0, live=True)


def test_wishes_survive_the_program(tmp_path):
    memory = ControlMemory(tmp_path / "controls.json")
    memory.desk(D435)._remember(Wanted({"depth.laser_power": 360.0, "depth.emitter": "Laser"}, "{}"))
    memory.save()

    again = ControlMemory(tmp_path / "controls.json").desk(D435)

    assert again.wanted == Wanted({"depth.laser_power": 360.0, "depth.emitter": "Laser"}, "{}")


def test_a_switch_stays_a_switch(tmp_path):
    memory = ControlMemory(tmp_path / "controls.json")
    memory.desk(D435)._remember(Wanted({"a": True, "b": 1.0}))
    memory.save()

    values = ControlMemory(tmp_path / "controls.json").desk(D435).wanted.values

    assert values == {"a": True, "b": 1.0}
    assert [type(value) for value in values.values()] == [bool, float]


def test_a_damaged_file_is_said_and_left_alone(tmp_path):
    path = tmp_path / "controls.json"
    path.write_text("{ not json")

    memory = ControlMemory(path)
    memory.save()

    assert "cannot be read" in memory.problem
    assert path.read_text() == "{ not json"


def test_nothing_is_written_where_nothing_changed(tmp_path):
    ControlMemory(tmp_path / "controls.json").save()

    assert not list(tmp_path.iterdir())


def test_a_recording_has_nothing_to_remember(tmp_path):
    from dataclasses import replace

    memory = ControlMemory(tmp_path / "controls.json")
    assert memory.desk(replace(D435, live=False))._remember is None
