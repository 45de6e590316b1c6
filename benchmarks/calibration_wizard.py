"""Presses through the calibration wizard in the real window, on the demo rig before its board.

    xvfb-run -a -s "-screen 0 1920x1080x24" python benchmarks/calibration_wizard.py [--out /tmp/wizard]

Takes 90 seconds: the board moves at its own pace. Every step is saved as a picture. Limits: what was saved
lies within 0.1 degree and 1 mm at 1 m of where the demo cameras really stand. Exit status 1 where it does
not.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app import paths
from app.compose import Studio
from app.settings import Settings
from app.ui import theme
from app.ui.calibrate_dialog import CalibrateDialog
from app.ui.cameras_page import CamerasPage
from app.ui.live_page import LivePage
from app.ui.main_window import MainWindow
from benchmarks.calibration import ROTATION_DEG, TRANSLATION_MM, off_by
from drivers.calibration.rig import find
from drivers.cameras.synthetic import demo_places
from drivers.registry import open_source
from model.spec import EngineChoice

BOARDS = 11


def wait(done: Callable[[], bool], what: str, *, timeout_s: float = 180) -> None:
    until_s = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > until_s:
            raise SystemExit(f"waited {timeout_s:.0f} s for {what}")
        QTest.qWait(50)


def press(button: QAbstractButton) -> None:
    assert button.isVisible(), button.text()
    assert button.isEnabled(), button.text()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("/tmp/wizard"))
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="depthmend-wizard-"))
    for name in ("CONFIG", "DATA", "LOGS", "CALIBRATIONS"):  # nobody's own files are touched
        os.environ[f"DEPTHMEND_{name}"] = str(home / name.lower())
    app = QApplication([])
    theme.apply(app, args.theme)
    studio = Studio(EngineChoice(model="off"))
    window = MainWindow(studio, Settings(model="off"), open_source=open_source)
    window.resize(*(int(side) for side in args.size.split("x")))
    window.show()

    def shot(name: str, widget: QWidget) -> None:
        QTest.qWait(200)
        widget.grab().save(str(args.out / f"{name}.png"))

    def framed() -> bool:
        lines = [] if studio.pipeline is None else list(studio.pipeline.lines.values())
        return bool(lines) and all(line.channel.newest.latest() is not None for line in lines)

    window.open_source("demo:board")
    wait(framed, "frames")
    window.go_to("Cameras")
    page = window.page_widget("Cameras")
    assert isinstance(page, CamerasPage)
    wait(page.calibrate.isVisible, "the button")
    shot("1-cameras", window)
    press(page.calibrate)
    (dialog,) = page.findChildren(CalibrateDialog)
    shot("2-board", dialog)
    press(dialog.print)
    press(dialog.begin)
    wait(lambda: dialog.taken >= 2, "two boards")
    shot("3-boards", dialog)
    wait(lambda: dialog.taken >= BOARDS, f"{BOARDS} boards")
    shot("4-enough", dialog)
    press(dialog.solve)
    wait(dialog.save.isVisible, "the solution")
    shot("5-result", dialog)
    press(dialog.save)
    window.go_to("Live")
    live = window.page_widget("Live")
    assert isinstance(live, LivePage)
    live.model.set_layout("cloud")
    QTest.qWait(2500)
    window.screen().grabWindow(window.winId()).save(str(args.out / "6-one-space.png"))
    assert studio.pipeline is not None
    infos = [line.info for line in studio.pipeline.lines.values()]
    kept = find(paths.calibrations_folder(), [info.serial for info in infos])
    window.close()
    studio.close()
    assert kept is not None, "nothing was saved"
    good = True
    for info, truth, camera in zip(infos, demo_places(), kept.cameras, strict=True):
        degrees, mm = off_by(truth, np.asarray(camera.matrix))
        good &= degrees <= ROTATION_DEG and mm <= TRANSLATION_MM
        print(f"{info.name}: {degrees:.4f} degrees, {mm:.2f} mm at 1 m; {camera.factory}")
    print(f"pictures in {args.out}: {'ok' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
