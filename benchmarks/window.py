"""What the window costs: panes against pyqtgraph, clouds against vispy, and touch to picture.

    xvfb-run -a -s "-screen 0 1920x1200x24" env QT_QPA_PLATFORM=xcb python benchmarks/window.py

The same frames go to both sides in the same run; figures are CPU time of the whole process per frame,
medians. Ends with 1 if panes cost more than half of what pyqtgraph's ImageItems do, clouds more than a third
of vispy's Markers, or of a hundred touches more than five take 50 ms or more to be seen (wipe, orbit).
`--pages` adds the CPU that each page takes with the demo rig and the repair off.
"""

import argparse
import gc
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget
from vispy import app as vispy_app
from vispy import gloo, scene

from app.compose import Studio
from app.flow.refine import Refined, refine_frames
from app.settings import Settings
from app.ui import theme
from app.ui.cloud_canvas import FOV_RAD
from app.ui.cloud_view import CloudView
from app.ui.depth_view import DepthView
from app.ui.main_window import PAGES, MainWindow
from app.viewmodels.cloud import points_in_world, raw_cloud, refined_cloud
from app.viewmodels.colouring import ramp
from app.viewmodels.live import LiveOptions, TileView
from app.viewmodels.orbit import Orbit
from drivers.cameras.synthetic import demo_rig
from drivers.frame import Frame
from drivers.registry import open_source
from model.engine import ClassicalEngine
from model.spec import EngineChoice

PANES_FACTOR, CLOUD_FACTOR = 2.0, 3.0
LONGEST_TOUCH_MS = 50.0
RANGE_M = (0.3, 4.0)
ROUNDS = 40
PANE_PX = (640, 360)
LARGE_PX = (1280, 720)
FRAME_MS = 33
MOVES, MOVE_HZ = 180, 60
POINT_PX = 2
"""What ours are at this distance."""


def main() -> int:
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=words)
    parser.add_argument("--pages", action="store_true")
    args = parser.parse_args()
    os.environ["DEPTHMEND_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.toml")
    os.environ["DEPTHMEND_DATA"] = tempfile.mkdtemp()
    cv2.setNumThreads(1)  # as in the program
    app = QApplication(sys.argv[:1])
    theme.apply(app, "dark")
    tiles = made_tiles()
    good = [panes(tiles, 1, LARGE_PX), *(panes(tiles, count) for count in (1, 2, 3, 4))]
    good += [clouds(tiles[0]), touch_on_wipe(tiles), touch_on_orbit(tiles)]
    if args.pages:
        pages()
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


class Feed(QObject):
    """Calls `act` with 0, 1, 2... thirty times a second, for so many frames."""

    def __init__(self, act: Callable[[int], object], frames: int) -> None:
        super().__init__()
        self._act, self._left, self._number = act, frames, 0
        self._loop, self._timer = QEventLoop(), QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._feed)

    def run(self) -> None:
        self._timer.start()
        self._loop.exec()
        self._timer.stop()

    def _feed(self) -> None:
        if self._left == 0:
            self._loop.quit()
            return
        self._left -= 1
        self._act(self._number)
        self._number += 1


def fed_cpu_ms(act: Callable[[int], object], frames: int = ROUNDS) -> float:
    """Milliseconds of CPU of a frame, all threads, all that is done until it is seen; without the feeding."""
    Feed(act, 8).run()
    before_s = time.process_time()
    Feed(act, frames).run()
    between_s = time.process_time()
    Feed(nothing, frames).run()
    return (between_s - before_s - (time.process_time() - between_s)) * 1e3 / frames


def nothing(_number: int) -> None:
    pass


class Paints(QObject):
    """Counts the pictures that a widget paints."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.count = 0
        self._widget = widget
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False

    def end(self) -> int:
        self._widget.removeEventFilter(self)
        return self.count


def cpu_ms(act: Callable[[int], object], rounds: int = ROUNDS) -> float:
    """Median milliseconds of CPU, all threads, of one call."""
    spent = []
    for number in range(rounds + 5):
        before_s = time.process_time()
        act(number)
        spent.append((time.process_time() - before_s) * 1e3)
    return statistics.median(spent[5:])


def grid_of(widgets: Sequence[QWidget], size: tuple[int, int]) -> QWidget:
    room = QWidget()
    layout = QGridLayout(room)
    for i, widget in enumerate(widgets):
        widget.setFixedSize(*size)
        layout.addWidget(widget, i // 2, i % 2)
    return room


def panes(tiles: Sequence[TileView], cameras: int, size: tuple[int, int] = PANE_PX) -> bool:
    """Colour, raw and refined depth of so many cameras, ours against ImageItems of the same size."""
    views = [DepthView() for _ in range(cameras)]
    ours = grid_of(views, size)
    ours.show()
    for view in views:
        view.show_options(LiveOptions(layout="side", base="raw", shown="refined"))
    spin(0.3)

    shown = [[replace(tile, camera_id=f"c{i}") for tile in tiles] for i in range(cameras)]

    def draw(number: int) -> None:
        for i, view in enumerate(views):
            view.show_tile(shown[i][(number + i) % len(tiles)])

    areas, items = zip(*(peer_panes([pane.rect for pane in view.panes]) for view in views), strict=True)
    theirs = grid_of(areas, size)
    theirs.move(0, 0)

    def draw_theirs(number: int) -> None:
        for i, (colour, raw, refined) in enumerate(items):
            tile = tiles[(number + i) % len(tiles)]
            assert tile.refined is not None
            raw.setImage(tile.refined.raw.values, autoLevels=False)
            refined.setImage(tile.refined.depth.values, autoLevels=False)
            colour.setImage(tile.refined.frame.color, autoLevels=False)

    own_ms, their_ms = [], []
    for _ in range(3):  # in turn, so that the machine is the same for both
        for room, act, spent in ((ours, draw, own_ms), (theirs, draw_theirs, their_ms)):
            room.show()
            spin(0.2)
            spent.append(fed_cpu_ms(act))
            room.hide()
    for room, act, watched in ((ours, draw, views), (theirs, draw_theirs, [a.viewport() for a in areas])):
        room.show()
        spin(0.2)
        counters = [Paints(widget) for widget in watched]
        Feed(act, 20).run()
        assert min(counter.end() for counter in counters) >= 18, "not every frame was painted"
    sizes = [(pane.rect.width(), pane.rect.height()) for pane in views[0].panes]
    width, height = sizes[0]
    for item in items[0]:
        rect = item.sceneBoundingRect()
        assert abs(rect.width() - width) < 2, "panes of another size"
        assert abs(rect.height() - height) < 2, "panes of another size"
    if folder := os.environ.get("SAVE_PICTURES"):
        ours.grab().save(f"{folder}/panes_ours.png")
        theirs.grab().save(f"{folder}/panes_theirs.png")
    ours.close()
    theirs.close()
    words = f"panes, {cameras} x {size[0]}x{size[1]}"
    return compared(words, statistics.median(own_ms), statistics.median(their_ms), "ImageItem", PANES_FACTOR)


def peer_panes(rects: Sequence[QRect]) -> tuple[pg.GraphicsView, list[pg.ImageItem]]:
    """Three ImageItems at these places: RGB, and twice depth with a colour table."""
    area = pg.GraphicsView()
    scene_of = area.scene()
    area.setCentralItem(pg.GraphicsWidget())
    items = []
    for i, rect in enumerate(rects):
        box = pg.ViewBox(lockAspect=True, invertY=True, enableMouse=False, defaultPadding=0)
        scene_of.addItem(box)
        box.setGeometry(QRectF(rect))
        depth = {} if i == 0 else {"levels": (RANGE_M[0] * 1e3, RANGE_M[1] * 1e3), "lut": ramp("turbo")}
        item = pg.ImageItem(axisOrder="row-major", **depth)
        box.addItem(item)
        items.append(item)
    return area, items


def clouds(tile: TileView) -> bool:
    """Raw and refined beside each other, every pixel a point, from the same place; ours against Markers."""
    view = CloudView()
    view.resize(1280, 720)
    view.show()
    view.set_active(True)
    spin(0.5)
    raw, refined = raw_cloud(tile), refined_cloud(tile)
    assert raw is not None
    assert refined is not None
    view.show_clouds(raw, refined, {})
    canvas = view.canvas
    assert canvas is not None
    view._timer.stop()  # every picture is asked for here, none is drawn besides

    def draw(_number: int) -> None:
        view.show_clouds(replace(raw), replace(refined), {})  # new objects: everything is uploaded again
        canvas.step = 1
        drawn_once(canvas)

    theirs, markers = peer_clouds(canvas.orbit)

    def draw_theirs(_number: int) -> None:
        for marker, cloud in zip(markers, (raw, refined), strict=True):
            points = points_in_world(cloud)
            colors = cloud.color[cloud.depth.valid] / np.float32(255)
            marker.set_data(points, face_color=colors, edge_width=0, size=POINT_PX)
        drawn_once(theirs)

    own_ms, their_ms = [], []
    for _ in range(3):
        for widget, act, spent in ((view, draw, own_ms), (theirs.native, draw_theirs, their_ms)):
            widget.show()
            spin(0.3)
            spent.append(cpu_ms(act, 12))
            if folder := os.environ.get("SAVE_PICTURES"):
                widget.grab().save(f"{folder}/clouds_{'ours' if widget is view else 'theirs'}.png")
            widget.hide()
    view.free()
    view.close()
    theirs.close()
    freed(theirs.native, view)
    points = f"clouds, 2 x {raw.depth.values.size:,}"
    return compared(points, statistics.median(own_ms), statistics.median(their_ms), "Markers", CLOUD_FACTOR)


def drawn_once(canvas: vispy_app.Canvas) -> None:
    """Draw, wait until it is done, and see that it was."""
    drawn: list[object] = []
    canvas.events.draw.connect(drawn.append, position="last")
    canvas.native.update()
    while not drawn:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 2)
    canvas.events.draw.disconnect(drawn.append)
    gloo.finish()


def peer_clouds(orbit: Orbit) -> tuple[scene.SceneCanvas, list[scene.visuals.Markers]]:
    """Two views beside each other whose eye is where `orbit` is."""
    canvas = scene.SceneCanvas(size=(1280, 720), app="pyside6", show=True)
    room = canvas.central_widget.add_grid(spacing=2, margin=0)
    markers = []
    upright = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])  # y up becomes z up
    x, y, z = orbit.target
    for column in range(2):
        eye = scene.TurntableCamera(
            fov=math.degrees(FOV_RAD),
            distance=orbit.distance_m,
            center=(x, z, -y),
            azimuth=-math.degrees(orbit.yaw_rad),
            elevation=math.degrees(orbit.pitch_rad),
        )
        box = room.add_view(row=0, col=column, camera=eye)
        box.camera = eye
        marker = scene.visuals.Markers(antialias=0, parent=box.scene)  # cheaper, and as sharp as ours
        marker.transform = scene.transforms.MatrixTransform(upright)
        markers.append(marker)
    return canvas, markers


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


def touch_on_orbit(tiles: Sequence[TileView]) -> bool:
    """A finger that moves 60 times a second for three seconds, while new clouds come 30 times a second.

    Each move is timed from when the finger made it to when the picture that shows it is on the screen, also
    where the window took it in late.
    """
    view = CloudView()
    view.resize(960, 540)
    view.show()
    view.set_active(True)
    clouds = [(raw_cloud(tile), refined_cloud(tile)) for tile in tiles]
    view.show_clouds(*clouds[0], {})
    spin(3.0)  # until it has stepped down to what this machine draws
    canvas = view.canvas
    assert canvas is not None
    finger, native = QTest.createTouchDevice(), canvas.native
    QTest.touchEvent(native, finger).press(0, QPoint(300, 300), native).commit()
    took, waiting, steps = [], [], []
    started_s, moved, fed, drawn, cpu_s = time.perf_counter(), 0, 0, canvas.drawn, time.process_time()
    first_drawn = drawn
    while moved < MOVES or waiting:
        now_s = time.perf_counter() - started_s
        due = min(int(now_s * MOVE_HZ) + 1, MOVES)
        if moved < due:  # a window that is late gets the last of them, as Qt compresses those that wait
            waiting += [number / MOVE_HZ for number in range(moved, due)]
            moved = due
            place = QPoint(300 + round(200 * math.sin(moved / 30)), 300)
            QTest.touchEvent(native, finger).move(0, place, native).commit()
        if now_s >= fed / 30:
            fed += 1
            view.show_clouds(*clouds[fed % len(clouds)], {})
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 1)
        if canvas.drawn != drawn:
            drawn = canvas.drawn
            seen_s = time.perf_counter() - started_s
            took += [(seen_s - move_s) * 1e3 for move_s in waiting]
            waiting.clear()
            steps.append(canvas.step)
    each_ms = (time.process_time() - cpu_s) * 1e3 / (drawn - first_drawn)
    QTest.touchEvent(native, finger).release(0, place, native).commit()
    view.free()
    view.close()
    freed(view)
    step = round(statistics.median(steps))
    return touched(f"orbit, every {step}. pixel, {each_ms:.0f} ms CPU a picture", took)


def touched(what: str, took_ms: Sequence[float]) -> bool:
    middle, worst = statistics.median(took_ms), sorted(took_ms)[int(0.95 * (len(took_ms) - 1))]
    good = worst < LONGEST_TOUCH_MS
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


def spin(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


if __name__ == "__main__":
    sys.exit(main())
