"""What the window costs: panes against pyqtgraph, clouds against vispy, touch to picture, and a monkey.

    xvfb-run -a -s "-screen 0 1920x1200x24" env QT_QPA_PLATFORM=xcb python benchmarks/window.py

The same frames go to both sides in the same run; figures are CPU time of the whole process per frame,
medians. Ends with 1 if panes cost more than half of what pyqtgraph's ImageItems do, clouds more than a third
of vispy's Markers, a touch takes 50 ms or more to be seen (wipe, orbit), or the monkey finds an error, a
stuck page, or memory that grows by 10 % or more after its first third. Thirty minutes: --touches 10000.
`--pages` adds the CPU that each page takes with the demo rig and the repair off.
"""

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import psutil
import pyqtgraph as pg
from PySide6.QtCore import QEventLoop, QPoint, QRect, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget
from vispy import scene

from app.compose import Studio
from app.flow.refine import Refined, refine_frames
from app.settings import Settings
from app.ui import theme
from app.ui.cloud_view import CloudView
from app.ui.depth_view import DepthView
from app.ui.main_window import PAGES, MainWindow
from app.viewmodels.cloud import points_in_world, raw_cloud, refined_cloud
from app.viewmodels.colouring import ramp
from app.viewmodels.live import LiveOptions, TileView
from drivers.cameras.synthetic import demo_rig
from drivers.frame import Frame
from drivers.registry import open_source
from model.engine import ClassicalEngine
from model.spec import EngineChoice

PANES_FACTOR, CLOUD_FACTOR = 2.0, 3.0
LONGEST_TOUCH_MS = 50.0
MOST_GROWTH = 0.10
RANGE_M = (0.3, 4.0)
ROUNDS = 40
PANE_PX = (640, 360)


def main() -> int:
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=words)
    parser.add_argument("--touches", type=int, default=300)
    parser.add_argument("--pages", action="store_true")
    args = parser.parse_args()
    os.environ["DEPTHMEND_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.toml")
    os.environ["DEPTHMEND_DATA"] = tempfile.mkdtemp()
    app = QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    tiles = made_tiles()
    good = [panes(tiles, count) for count in (1, 2, 3, 4)]
    good += [clouds(tiles[0]), touch_on_wipe(tiles), touch_on_orbit(tiles[0])]
    if args.pages:
        pages()
    if args.touches:
        good.append(monkey(args.touches))
    print("limits kept" if all(good) else "limits BROKEN")
    return 0 if all(good) else 1


def made_tiles(count: int = 8) -> list[TileView]:
    """Frames of a demo camera with their repair."""
    camera, engine = demo_rig()[0], ClassicalEngine()
    frames: list[Frame] = [camera.expose(index) for index in range(count)]
    repaired: list[Refined] = [refine_frames(engine, [frame])[0] for frame in frames]
    return [
        TileView("demo", frame=frame, refined=refined)
        for frame, refined in zip(frames, repaired, strict=True)
    ]


def cpu_ms(act: Callable[[int], object], rounds: int = ROUNDS) -> float:
    """Median milliseconds of CPU, all threads, of one call."""
    spent = []
    for number in range(rounds + 5):
        before_s = time.process_time()
        act(number)
        spent.append((time.process_time() - before_s) * 1e3)
    return statistics.median(spent[5:])


def grid_of(widgets: Sequence[QWidget]) -> QWidget:
    room = QWidget()
    layout = QGridLayout(room)
    for i, widget in enumerate(widgets):
        widget.setFixedSize(*PANE_PX)
        layout.addWidget(widget, i // 2, i % 2)
    room.show()
    spin(0.3)
    return room


def panes(tiles: Sequence[TileView], cameras: int) -> bool:
    """Colour, raw and refined depth of so many cameras, ours against ImageItems."""
    views = [DepthView() for _ in range(cameras)]
    ours = grid_of(views)
    for view in views:
        view.show_options(LiveOptions(layout="side", base="raw", shown="refined"))

    def draw(number: int) -> None:
        for i, view in enumerate(views):
            view.show_tile(replace(tiles[(number + i) % len(tiles)], camera_id=f"c{i}"))
            view.repaint()

    own_ms = cpu_ms(draw)
    ours.close()
    panels = []
    for _ in range(cameras):
        area = pg.GraphicsLayoutWidget()
        items = []
        for column in range(3):
            box = area.addViewBox(row=0, col=column, lockAspect=True, invertY=True)
            item = pg.ImageItem(axisOrder="row-major", levels=(300, 4000), lut=ramp("turbo"))
            box.addItem(item)
            items.append(item)
        panels.append((area, items))
    theirs = grid_of([area for area, _ in panels])

    def draw_theirs(number: int) -> None:
        for i, (area, items) in enumerate(panels):
            tile = tiles[(number + i) % len(tiles)]
            assert tile.refined is not None
            for item, depth in zip(items[:2], (tile.refined.raw, tile.refined.depth), strict=True):
                item.setImage(depth.values, autoLevels=False)
            items[2].setImage(tile.refined.frame.color, levels=(0, 255), lut=None)
            area.viewport().repaint()

    their_ms = cpu_ms(draw_theirs)
    theirs.close()
    return compared(f"panes, {cameras} cameras", own_ms, their_ms, "ImageItem", PANES_FACTOR)


def clouds(tile: TileView) -> bool:
    """Raw and refined as points, ours against Markers."""
    view = CloudView()
    view.resize(1280, 720)
    view.show()
    view.set_active(True)
    spin(0.5)
    raw, refined = raw_cloud(tile), refined_cloud(tile)
    assert raw is not None
    assert refined is not None
    assert view.canvas is not None

    def draw(_number: int) -> None:
        view.show_clouds(replace(raw), replace(refined), {})  # new objects: everything is uploaded again
        view.canvas.step = 1
        drawn = view.canvas.drawn
        while view.canvas.drawn == drawn:
            view._draw_now()
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 2)

    own_ms = cpu_ms(draw, 15)
    view.free()
    view.close()
    canvas = scene.SceneCanvas(size=(1280, 720), app="pyside6", show=True)
    boxes = [canvas.central_widget.add_grid().add_view(row=0, col=0, camera="turntable")]
    markers = [scene.visuals.Markers(parent=boxes[0].scene) for _ in range(2)]
    spin(0.5)

    def draw_theirs(_number: int) -> None:
        for marker, cloud in zip(markers, (raw, refined), strict=True):
            points = points_in_world(cloud)
            colors = cloud.color[cloud.depth.valid] / np.float32(255)
            marker.set_data(points, face_color=colors, edge_width=0, size=3)
        canvas.native.repaint()

    their_ms = cpu_ms(draw_theirs, 15)
    canvas.close()
    freed(canvas.native, view)
    return compared("clouds, 2 x 307,200", own_ms, their_ms, "Markers", CLOUD_FACTOR)


def freed(*widgets: QWidget) -> None:
    """End widgets now and here: a collector that runs in a camera's thread must not do it."""
    for widget in widgets:
        widget.deleteLater()
    spin(0.2)
    gc.collect()


def compared(what: str, own_ms: float, their_ms: float, theirs: str, factor: float) -> bool:
    good = own_ms * factor <= their_ms
    verdict = "" if good else "  BROKEN"
    print(f"{what:<22}{own_ms:>7.1f} ms CPU, {theirs} {their_ms:>7.1f} ms, {their_ms / own_ms:.1f} x less"
          f" (limit {factor:.0f} x){verdict}")  # fmt: skip
    return good


def touch_on_wipe(tiles: Sequence[TileView]) -> bool:
    view = DepthView()
    view.resize(960, 540)
    view.show()
    view.show_options(LiveOptions(layout="wipe", base="raw", shown="refined"))
    view.show_tile(tiles[0])
    spin(0.3)
    device = QTest.createTouchDevice()
    took = []
    QTest.touchEvent(view, device).press(0, QPoint(480, 400), view).commit()
    for number in range(40):
        place = QPoint(300 + number * 8, 400)
        started_s = time.perf_counter()
        QTest.touchEvent(view, device).move(0, place, view).commit()
        QApplication.sendPostedEvents()
        view.repaint()
        took.append((time.perf_counter() - started_s) * 1e3)
    QTest.touchEvent(view, device).release(0, place, view).commit()
    view.close()
    return touched("wipe", took)


def touch_on_orbit(tile: TileView) -> bool:
    view = CloudView()
    view.resize(960, 540)
    view.show()
    view.set_active(True)
    view.show_clouds(raw_cloud(tile), refined_cloud(tile), {})
    spin(3.0)  # until it has stepped down to what this machine draws
    canvas = view.canvas
    assert canvas is not None
    device = QTest.createTouchDevice()
    took = []
    QTest.touchEvent(canvas.native, device).press(0, QPoint(480, 300), canvas.native).commit()
    for number in range(30):
        place, drawn = QPoint(400 + number * 6, 300), canvas.drawn
        started_s = time.perf_counter()
        QTest.touchEvent(canvas.native, device).move(0, place, canvas.native).commit()
        while canvas.drawn == drawn and time.perf_counter() - started_s < 1:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        took.append((time.perf_counter() - started_s) * 1e3)
    QTest.touchEvent(canvas.native, device).release(0, place, canvas.native).commit()
    step = canvas.step
    view.free()
    view.close()
    freed(view)
    return touched(f"orbit, every {step}. pixel", took)


def touched(what: str, took_ms: Sequence[float]) -> bool:
    middle, worst = statistics.median(took_ms), sorted(took_ms)[int(0.95 * (len(took_ms) - 1))]
    good = middle < LONGEST_TOUCH_MS
    verdict = "" if good else "  BROKEN"
    limit = f"(limit {LONGEST_TOUCH_MS:.0f} ms){verdict}"
    print(f"touch to picture, {what}: median {middle:.1f} ms, p95 {worst:.1f} ms {limit}")
    return good


def opened_window() -> MainWindow:
    window = MainWindow(Studio(EngineChoice(model="off")), Settings(model="off"), open_source=open_source)
    window.resize(1280, 800)
    window.show()
    window.open_source("demo")
    live = window.page_widget("Live")
    while not live.model.titles or any(live.model.tile(t.camera_id).frame is None for t in live.model.titles):
        spin(0.2)
    return window


def pages() -> None:
    """CPU of the whole process on each page, in shares of one core."""
    window = opened_window()
    for name, _, _ in PAGES:
        window.go_to(name)
        spin(1.5)
        before_s, started_s = time.process_time(), time.perf_counter()
        spin(4.0)
        share = (time.process_time() - before_s) / (time.perf_counter() - started_s)
        print(f"page {name:<10}{share:>6.0%} of a core, demo rig of three included")
    window.leave()


def monkey(touches: int) -> bool:
    """Random touches on the real window."""
    errors: list[str] = []
    before_hook = sys.excepthook
    sys.excepthook = lambda kind, error, _trace: errors.append(f"{kind.__name__}: {error}")
    window, rng, device = opened_window(), random.Random(4), QTest.createTouchDevice()
    process = psutil.Process()
    sizes: list[float] = []
    for number in range(touches):
        top = QApplication.activePopupWidget() or QApplication.activeModalWidget() or window
        inside: QRect = top.rect()
        place = QPoint(rng.randrange(inside.width()), rng.randrange(inside.height()))
        target = top.childAt(place) or top
        local = target.mapFrom(top, place)
        drag = local + QPoint(rng.randrange(-80, 80), rng.randrange(-80, 80))
        QTest.touchEvent(target, device).press(0, local, target).commit()
        if rng.random() < 0.3:
            QTest.touchEvent(target, device).move(0, drag, target).commit()
            local = drag
        QTest.touchEvent(target, device).release(0, local, target).commit()
        spin(0.02)
        if number % 20 == 19:
            sizes.append(process.memory_info().rss / 1e6)
        if number % 50 == 49:  # whatever is open, the rail leads on
            for dialog in (QApplication.activePopupWidget(), QApplication.activeModalWidget()):
                if dialog is not None:
                    dialog.close()
            name = PAGES[rng.randrange(len(PAGES))][0]
            window.go_to(name)
            if window.page != name or not window.page_widget(name).isVisible():
                errors.append(f"the page {name} did not come")
    window.leave()
    sys.excepthook = before_hook
    third = max(len(sizes) // 3, 1)
    growth = statistics.mean(sizes[-third:]) / statistics.mean(sizes[third : 2 * third] or sizes[:third]) - 1
    good = not errors and growth < MOST_GROWTH
    print(f"monkey: {touches} touches, {len(errors)} errors, memory {growth:+.1%} ({sizes[-1]:.0f} MB)")
    for error in dict.fromkeys(errors):
        print("  ", error)
    return good


def spin(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


if __name__ == "__main__":
    sys.exit(main())
