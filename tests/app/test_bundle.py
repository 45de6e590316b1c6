import json
import zipfile

import cv2
import numpy as np
import pytest

from app.bundle import LastSeen, write_bundle
from app.settings import Settings
from drivers.cameras.synthetic import SyntheticCamera
from drivers.synth.sensor import SensorKind
from model.spec import EngineChoice


@pytest.fixture
def camera():
    return SyntheticCamera("front", SensorKind.ACTIVE_STEREO, width=64, height=48)


def test_a_bundle_holds_logs_settings_versions_and_the_last_frame_of_each_camera(
    tmp_path, camera, monkeypatch
):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "depthmend.log").write_text("what happened\n")
    (logs / "crash.log").write_text("stacks\n")
    monkeypatch.setenv("DEPTHMEND_LOGS", str(logs))
    frame = camera.expose(0)
    cameras = {
        "front": LastSeen(camera.info, "lost: It was unplugged.", frame),
        "back": LastSeen(camera.info, "starting"),
    }
    file = write_bundle(
        tmp_path / "bundles",
        Settings(site="Hall 3"),
        cameras,
        repair=EngineChoice(tokens=300),
        state="failed: x",
    )
    with zipfile.ZipFile(file) as bundle:
        assert bundle.testzip() is None
        names = set(bundle.namelist())
        assert {
            "settings.json",
            "versions.json",
            "repair.json",
            "logs/depthmend.log",
            "logs/crash.log",
        } <= names
        assert json.loads(bundle.read("settings.json"))["site"] == "Hall 3"
        assert json.loads(bundle.read("repair.json"))["tokens"] == 300
        assert "numpy" in json.loads(bundle.read("versions.json"))["packages"]
        facts = json.loads(bundle.read("cameras/front/camera.json"))
        assert facts["status"] == "lost: It was unplugged."
        assert facts["calibration"]["color"]["width"] == 64
        depth = cv2.imdecode(
            np.frombuffer(bundle.read("cameras/front/depth.png"), np.uint8), cv2.IMREAD_UNCHANGED
        )
        assert np.array_equal(depth, frame.depth.values)
        assert "cameras/back/camera.json" in names
        assert "cameras/back/depth.png" not in names
    assert [path.suffix for path in (tmp_path / "bundles").iterdir()] == [".zip"]
