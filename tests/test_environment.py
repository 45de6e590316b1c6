"""The libraries are the ones that were tried: no leaking Qt binding, one OpenCV."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

CALLS = 2000

REFERENCES_LOST = f"""
import sys
from PySide6.QtCore import QObject, QTimer, Signal

class Sender(QObject):
    happened = Signal(int)

timer, sender = QTimer(), Sender()
sender.happened.connect(lambda value: None)
before_none, before_true = sys.getrefcount(None), sys.getrefcount(True)
for n in range({CALLS}):
    timer.setInterval(n)
    sender.happened.emit(n)
print(before_none - sys.getrefcount(None), before_true - sys.getrefcount(True))
"""


# None and True are immortal from Python 3.12 on.
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="their references are not counted any more")
def test_void_calls_into_qt_give_no_reference_away() -> None:
    # In a child, because the count of a whole test run moves by itself; PySide6 6.12.0 fails this.
    child = subprocess.run(
        [sys.executable, "-c", REFERENCES_LOST], capture_output=True, text=True, timeout=60, check=False
    )
    assert child.returncode == 0, child.stderr
    lost_none, lost_true = map(int, child.stdout.split())
    assert lost_none < CALLS / 10
    assert lost_true < CALLS / 10


def test_the_qt_binding_is_not_the_one_that_kills_python_3_11() -> None:
    version = importlib.metadata.version("PySide6-Essentials")
    assert version != "6.12.0" or sys.version_info >= (3, 12)


def test_opencv_is_installed_once_and_without_qt() -> None:
    owners = importlib.metadata.packages_distributions()["cv2"]
    assert set(owners) == {"opencv-python-headless"}


def test_importing_opencv_leaves_qt_alone() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QT_")}
    probe = "import os, cv2; print([n for n in os.environ if n.startswith('QT_')])"
    child = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, env=clean, check=True
    )
    assert child.stdout.strip() == "[]"
