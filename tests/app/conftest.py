"""The application under test: offscreen with a full HD screen unless a platform is named, and themed."""

import gc
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from drivers.camera import CameraBase

if os.environ.get("QT_QPA_PLATFORM", "offscreen") == "offscreen":
    screens = Path(__file__).with_name("offscreen_screens.json")
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={screens}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform warns whenever a window has a minimum size; that is no fault of the window."""
    for item in items:
        item.add_marker(pytest.mark.qt_log_ignore("does not support propagateSizeHints"))


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["depthmend"]


@pytest.fixture(autouse=True)
def _widgets_end_with_their_test(request):
    """Frees what was closed; else the theme of each later test would dress it again, hundreds of widgets.

    As in the program (`app/ui/collector.py`), cycles of widgets are not searched for in the cameras' threads.
    """
    windows = "qapp" in request.fixturenames
    if windows:
        gc.disable()
    yield
    if windows:
        gc.collect(1)
        gc.enable()
    if "PySide6.QtWidgets" in sys.modules:
        from PySide6.QtCore import QCoreApplication, QEvent

        if QCoreApplication.instance() is not None:
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def themed(qapp):
    """The application in the dark theme."""
    from app.ui import theme

    theme.apply(qapp, "dark")
    return qapp


class TinyCamera(CameraBase):
    """8 x 6 pixels at 100 Hz; depth grows by a count of 100 from column to column, column 0 is a hole."""

    def __init__(self, camera_id: str = "tiny", *, unit_m: float = 0.001) -> None:
        from drivers.camera import CameraInfo
        from drivers.geometry import Calibration, Intrinsics

        lens = Intrinsics(8, 6, 8.0, 8.0, 3.5, 2.5)
        self.info = CameraInfo(camera_id, f"Tiny {camera_id}", "Tiny", "0", "tiny sensor", 100.0, live=True)
        self.calibration = Calibration(lens, lens)
        self.unit_m = unit_m
        self.silent = threading.Event()
        self.lost = False
        self._index = 0

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def frame(self):
        """The next frame."""
        from drivers.depth import DepthMap
        from drivers.frame import Frame

        self._index += 1
        counts = np.tile(np.arange(8, dtype=np.uint16) * 100, (6, 1))
        color = np.full((6, 8, 3), 128, np.uint8)
        now_ns = time.monotonic_ns()
        return Frame(
            self.info.id, self._index, now_ns, now_ns, color, DepthMap(counts, self.unit_m), self.calibration
        )

    def read(self, *, timeout_s: float):
        from drivers.errors import CameraUnplugged

        if self.lost:
            raise CameraUnplugged("The tiny camera was unplugged.")
        if self.silent.wait(0.01):
            time.sleep(timeout_s)
            return None
        return self.frame()


def refined_from(frame, *, engine: str = "Tiny engine", captured_ns: int | None = None):
    """The frame's depth with every hole filled at 800 counts."""
    from dataclasses import replace

    from app.flow.refine import Refined
    from drivers.depth import DepthMap
    from model.repair import Provenance

    if captured_ns is not None:
        frame = replace(frame, captured_ns=captured_ns)
    values = frame.depth.values.copy()
    hole = values == 0
    values[hole] = 800
    provenance = np.where(hole, Provenance.INVENTED, Provenance.MEASURED).astype(np.uint8)
    depth = DepthMap(values, frame.depth.unit_m)
    return Refined(frame, frame.depth, depth, provenance, engine, 5.0, time.monotonic_ns())


@pytest.fixture
def studio():
    """A studio whose repair is off; closed afterwards."""
    from app.compose import Studio
    from model.spec import EngineChoice

    made = Studio(EngineChoice(model="off"))
    yield made
    made.close()


@pytest.fixture
def running_engine():
    """Makes a studio's rig say that an engine called "Tiny engine" runs."""
    from app.compose import InferenceState, InferenceStatus

    def run(studio) -> None:
        deadline = time.monotonic() + 5
        while studio.pipeline.inference.latest() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        studio.pipeline.inference.put(InferenceState(InferenceStatus.RUNNING, "Tiny engine"))

    return run


@pytest.fixture
def make_camera():
    """The class of tiny cameras."""
    return TinyCamera


@pytest.fixture
def make_refined():
    """Repairs a frame."""
    return refined_from


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    """No test reads or writes the operator's files."""
    monkeypatch.setenv("DEPTHMEND_CONFIG", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("DEPTHMEND_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DEPTHMEND_CALIBRATIONS", str(tmp_path / "calibrations"))
    monkeypatch.setenv("DEPTHMEND_LOGS", str(tmp_path / "logs"))
