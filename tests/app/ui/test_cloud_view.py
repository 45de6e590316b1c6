import gc
import math
import threading
from dataclasses import replace

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QOpenGLContext
from PySide6.QtTest import QTest

from app.ui.cloud_canvas import FOV_RAD, next_step, viewports
from app.ui.cloud_view import LATE_RGB, CloudView
from app.ui.widgets import EmptyState
from app.viewmodels.cloud import (
    Cloud,
    Frustum,
    RigClouds,
    frustum_lines,
    grid,
    middle_depth_m,
    points_in_world,
)
from app.viewmodels.cloud_look import ClipBox, CloudLook
from app.viewmodels.colouring import ramp
from app.viewmodels.orbit import Orbit
from drivers.depth import DepthMap
from drivers.geometry import Intrinsics

LENS = Intrinsics(64, 48, 60.0, 60.0, 31.5, 23.5)


def wall(depth_m: float, colour: tuple[int, int, int], *, left_half: bool = False) -> Cloud:
    """A wall straight ahead; `left_half` leaves a hole on the right."""
    counts = np.full((48, 64), round(depth_m * 1000), np.uint16)
    if left_half:
        counts[:, 32:] = 0
    color = np.full((48, 64, 3), colour, np.uint8)
    return Cloud(DepthMap(counts, 0.001), LENS, color, LENS, np.eye(4))


def test_the_grid_holds_rays_and_texture_places():
    places = grid(LENS, 2)
    assert places.shape == (32 * 24, 4)
    assert places[0] == pytest.approx([0.5 / 64, 0.5 / 48, -31.5 / 60, -23.5 / 60])


def test_the_middle_ignores_holes():
    assert middle_depth_m(wall(2.0, (255, 255, 255), left_half=True).depth) == pytest.approx(2.0)
    assert middle_depth_m(DepthMap(np.zeros((48, 64), np.uint16), 0.001)) is None


def test_slow_drawing_becomes_coarser_and_fine_again():
    assert next_step(1, 200.0) == 2
    assert next_step(4, 500.0) == 4
    assert next_step(2, 4.0) == 1
    assert next_step(2, 40.0) == 2
    assert next_step(4, 26.0, led=True) == 5, "under a finger it must not lag"
    assert next_step(1, 200.0, led=True) == 3, "at once"
    assert next_step(4, 900.0, led=True) == 8
    assert next_step(2, 20.0, led=True) == 2
    assert next_step(7, 1.0) == 4, "and is fine again when the finger has left"


def test_both_clouds_share_the_width():
    parts = viewports("both", 801)
    assert parts["raw"][0] == 0
    assert parts["refined"][0] + parts["refined"][1] == 801
    assert parts["raw"][1] < parts["refined"][0]


@pytest.fixture
def cloud_view(qtbot, themed):
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("needs an X server: xvfb-run -a env QT_QPA_PLATFORM=xcb pytest -m gl")
    view = CloudView()
    qtbot.addWidget(view)
    view.resize(400, 200)
    view.show()
    qtbot.waitExposed(view)
    view.set_active(True)
    yield view
    view.free()


def shown(qtbot, view) -> np.ndarray:
    """(H, W, 3) uint8 of what was drawn."""
    image = view.canvas.native.grabFramebuffer()
    image = image.convertToFormat(image.Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return pixels[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def double_tap(native, finger, place):
    for _ in range(2):
        QTest.touchEvent(native, finger).press(0, place, native).commit()
        QTest.touchEvent(native, finger).release(0, place, native).commit()


def straight(view, distance_m=2.0):
    """Look at the raw cloud from the camera, and return what touches go to."""
    view.show_as("raw", "colour", (0.3, 4.0))
    view.canvas.orbit = Orbit(target=(0, 0, 2.0), distance_m=distance_m, yaw_rad=0, pitch_rad=0)
    view._untouched = False
    view._draw_now()
    return view.canvas.native


@pytest.mark.gl
def test_known_walls_are_drawn_where_they_are(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 0, 0), left_half=True), wall(2.0, (0, 250, 0)), {})
    cloud_view.canvas.orbit = Orbit(target=(0, 0, 2.0), distance_m=2.0, yaw_rad=0, pitch_rad=0)
    cloud_view.show_as("both", "colour", (0.3, 4.0))
    qtbot.waitUntil(lambda: cloud_view.canvas.drawn > 0, timeout=5000)
    pixels = shown(qtbot, cloud_view)
    row = pixels[100]
    assert tuple(row[60]) == (250, 0, 0)
    assert max(row[150]) < 20, "the hole has to stay empty"
    assert tuple(row[260]) == (0, 250, 0)
    assert tuple(row[340]) == (0, 250, 0)


@pytest.mark.gl
def test_an_old_cloud_is_dim_and_its_age_stands_in_place_of_its_name(qtbot, cloud_view):
    old = replace(wall(2.0, (200, 200, 200)), old="Refined depth is 7 s old")
    cloud_view.show_clouds(wall(2.0, (200, 200, 200)), old, {})
    cloud_view.show_as("both", "colour", (0.3, 4.0))
    cloud_view.canvas.orbit = Orbit(target=(0, 0, 2.0), distance_m=2.0, yaw_rad=0, pitch_rad=0)
    pixels = cloud_view.photograph(400, 200)
    assert (pixels[100, 100, 0], pixels[100, 300, 0]) == (200, pytest.approx(200 * 0.45, abs=1))
    assert [label.text() for label in cloud_view._labels.values()] == ["Raw", "Refined depth is 7 s old"]
    cloud_view.show_as("overlay", "colour", (0.3, 4.0))
    label = cloud_view._labels["refined"]
    assert "rgb(79, 224, 186)" in label.text(), "a dot of the cloud's colour"
    assert label.text().endswith("</span> Refined depth is 7 s old")
    assert str(LATE_RGB) in label.styleSheet()
    cloud_view.show_as("both", "colour", (0.3, 4.0))
    cloud_view.show_clouds(wall(2.0, (200, 200, 200)), None, {"refined": "Repair is off"})
    assert [label.text() for label in cloud_view._labels.values()] == ["Raw", "Refined"]
    assert cloud_view._words["refined"].isVisible()


@pytest.mark.gl
def test_no_point_lies_in_the_half_of_the_other_cloud_however_close_the_eye(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 0, 0)), None, {})
    cloud_view.show_as("both", "colour", (0.3, 4.0))
    cloud_view.canvas.orbit = Orbit(target=(0, 0, 2.0), distance_m=1.0, yaw_rad=0, pitch_rad=0)
    pixels = cloud_view.photograph(400, 200)
    assert pixels[:, :199, 0].min() == 250, "the wall is larger than its half"
    assert pixels[:, 199:].max() < 20


@pytest.mark.gl
def test_points_between_two_sizes_cover_as_much_as_their_size_says(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 0, 0)), None, {})
    cloud_view.show_as("raw", "colour", (0.3, 4.0))
    cloud_view.canvas.orbit = Orbit(target=(0, 0, 2.0), distance_m=2.0, yaw_rad=0, pitch_rad=0)
    spacing_px = 600 / 2 / math.tan(FOV_RAD / 2) / LENS.fx
    for share in (1.25, 2.25):  # of a pixel's place on the screen: sizes of 1.25 and 2.25 steps, none whole
        cloud_view.show_look(CloudLook(point_size=share / spacing_px / 1.5))
        lit = cloud_view.photograph(800, 600)[..., 0] > 100
        points = 64 * 48
        size = max(share, 1.5)
        low, part = math.floor(size), size % 1
        expected = points * ((1 - part) * low**2 + part * (low + 1) ** 2)
        assert lit.sum() == pytest.approx(expected, rel=0.02)


@pytest.mark.gl
def test_what_stands_still_is_drawn_with_every_pixel_again(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 0, 0)), None, {})
    qtbot.waitUntil(lambda: cloud_view.canvas.drawn > 2 and not cloud_view._dirty, timeout=5000)
    canvas, steps = cloud_view.canvas, []
    canvas.events.draw.connect(
        lambda _event: steps.append(1 if canvas.was_whole else canvas.step), position="last"
    )
    canvas.step = 6
    cloud_view._turn(QPointF(9, 0))
    qtbot.waitUntil(lambda: 1 in steps, timeout=5000)
    assert steps[0] == 6, "as it moves"
    assert canvas.step > 1, "and so is what moves next"
    drawn = len(steps)
    qtbot.wait(700)
    assert len(steps) == drawn, "once is enough"


@pytest.mark.gl
def test_a_finger_is_followed_without_waiting_for_the_next_tick(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 0, 0)), None, {})
    qtbot.waitUntil(lambda: cloud_view.canvas.drawn > 2, timeout=5000)
    cloud_view._timer.stop()
    native, finger, drawn = cloud_view.canvas.native, QTest.createTouchDevice(), cloud_view.canvas.drawn
    QTest.touchEvent(native, finger).press(0, QPoint(100, 100), native).commit()
    for x in (120, 140, 160):
        QTest.touchEvent(native, finger).move(0, QPoint(x, 100), native).commit()
    qtbot.waitUntil(lambda: cloud_view.canvas.drawn > drawn, timeout=5000)
    QTest.touchEvent(native, finger).release(0, QPoint(160, 100), native).commit()
    assert not cloud_view._dirty


@pytest.mark.gl
def test_sixteen_bits_of_depth_reach_the_shader(qtbot, cloud_view):
    near, far = wall(1.000, (255, 255, 255)), wall(1.0, (255, 255, 255))
    far = Cloud(DepthMap(np.full((48, 64), 1001, np.uint16), 0.001), LENS, far.color, LENS, np.eye(4))
    cloud_view.show_clouds(near, far, {})
    cloud_view.canvas.orbit = Orbit(target=(0, 0, 1.0), distance_m=1.0, yaw_rad=0, pitch_rad=0)
    cloud_view.show_as("both", "depth", (0.9995, 1.0015))
    pixels = shown(qtbot, cloud_view)
    left, right = pixels[100, 100].astype(int), pixels[100, 300].astype(int)
    assert left[2] > left[0], "one millimetre nearer is bluer"
    assert right[0] > right[2]


@pytest.mark.gl
def test_fingers_turn_pinch_and_double_tap(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 250, 250)), None, {"refined": "Repair is off"})
    native, finger = cloud_view.canvas.native, QTest.createTouchDevice()
    first = cloud_view.canvas.orbit
    QTest.touchEvent(native, finger).press(0, QPoint(100, 100), native).commit()
    QTest.touchEvent(native, finger).move(0, QPoint(160, 100), native).commit()
    QTest.touchEvent(native, finger).release(0, QPoint(160, 100), native).commit()
    turned = cloud_view.canvas.orbit
    assert turned.yaw_rad != first.yaw_rad
    both = (QPoint(80, 100), QPoint(120, 100)), (QPoint(60, 100), QPoint(140, 100))
    QTest.touchEvent(native, finger).press(0, both[0][0], native).press(1, both[0][1], native).commit()
    QTest.touchEvent(native, finger).move(0, both[1][0], native).move(1, both[1][1], native).commit()
    QTest.touchEvent(native, finger).release(0, both[1][0], native).release(1, both[1][1], native).commit()
    assert cloud_view.canvas.orbit.distance_m == pytest.approx(turned.distance_m / 2, rel=0.01)
    cloud_view.canvas.orbit = replace(cloud_view.canvas.orbit, distance_m=20.0)
    double_tap(native, finger, QPoint(5, 5))
    assert cloud_view.canvas.orbit == first, "beside every point it goes back to the first view"


@pytest.mark.gl
def test_a_double_tap_makes_the_point_under_it_the_middle(qtbot, cloud_view):
    native, finger = straight(cloud_view), QTest.createTouchDevice()
    cloud_view.show_clouds(wall(2.0, (250, 250, 250)), None, {})
    straight(cloud_view)
    double_tap(native, finger, QPoint(230, 100))
    x, y, z = cloud_view.canvas.orbit.target
    assert (y, z) == pytest.approx((0, 2.0), abs=0.05)
    assert x == pytest.approx(30 / 100 * math.tan(FOV_RAD / 2) * 2.0, abs=0.05)


@pytest.mark.gl
def test_two_fingers_twist(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 250, 250)), None, {})
    native, finger = straight(cloud_view), QTest.createTouchDevice()
    QTest.touchEvent(native, finger).press(0, QPoint(150, 100), native).press(
        1, QPoint(250, 100), native
    ).commit()
    QTest.touchEvent(native, finger).move(0, QPoint(150, 80), native).move(
        1, QPoint(250, 120), native
    ).commit()
    QTest.touchEvent(native, finger).release(0, QPoint(150, 80), native).release(
        1, QPoint(250, 120), native
    ).commit()
    assert cloud_view.canvas.orbit.roll_rad == pytest.approx(math.atan2(40, 100), abs=0.02)


@pytest.mark.gl
def test_two_taps_measure_and_the_line_is_drawn(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (60, 60, 60)), None, {})
    native, finger = straight(cloud_view), QTest.createTouchDevice()
    spans = []
    cloud_view.spanned.connect(spans.append)
    cloud_view.set_measuring(True)
    for x in (150, 250):
        QTest.touchEvent(native, finger).press(0, QPoint(x, 100), native).commit()
        QTest.touchEvent(native, finger).release(0, QPoint(x, 100), native).commit()
    metre_px = 100 / math.tan(FOV_RAD / 2) / 2.0
    assert spans[-1].distance_m == pytest.approx(100 / metre_px, abs=0.06)
    cloud_view._draw_now()
    line = shown(qtbot, cloud_view)[94:106, 170:230].max(axis=(0, 2))
    assert (line > 240).all()
    assert cloud_view._spans["raw"].isVisible()
    cloud_view.set_measuring(False)
    assert spans[-1] is None
    assert not cloud_view._spans["raw"].isVisible()


@pytest.mark.gl
def test_a_clip_box_hides_what_lies_outside(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 0, 0)), None, {})
    straight(cloud_view)
    cloud_view.show_look(CloudLook(box=ClipBox((-5, -5, 1.9), (0, 5, 2.1))))
    qtbot.waitUntil(lambda: max(shown(qtbot, cloud_view)[100, 240]) < 40, timeout=5000)
    assert tuple(shown(qtbot, cloud_view)[100, 170]) == (250, 0, 0)


def farthest_out(view, points) -> float:
    """Of (N, 3) points, from the middle of one part of the view; 1 is its edge."""
    width = next(iter(viewports(view.canvas.layout, view.width()).values()))[1]
    clip = np.c_[points, np.ones(len(points))] @ view.canvas.clip_from_world(width, view.height()).T
    return float(np.abs(clip[:, :2] / clip[:, 3:]).max())


@pytest.mark.gl
def test_a_side_and_a_clip_box_are_fitted_into_the_view_also_when_it_gets_another_size(cloud_view):
    cloud = wall(2.0, (250, 0, 0))
    cloud_view.show_clouds(cloud, cloud, {})
    for size in ((400, 200), (300, 500)):
        cloud_view.resize(*size)
        cloud_view.see_from("top")
        assert farthest_out(cloud_view, points_in_world(cloud, 8)) <= 1.05
    cloud_view.show_look(CloudLook(box=ClipBox((-1.4, -1, 1.5), (1.4, 1, 2.5))))
    corners = cloud_view.look.box.lines().reshape(-1, 3)
    assert farthest_out(cloud_view, corners) <= 1
    cloud_view.resize(700, 200)
    assert farthest_out(cloud_view, corners) <= 1


@pytest.mark.gl
def test_the_view_holds_the_cameras_of_the_rig_as_soon_as_they_are_known(cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 0, 0)), None, {})
    aside = np.eye(4)
    aside[0, 3] = -3.0
    lines = frustum_lines(LENS, aside)
    assert farthest_out(cloud_view, lines.reshape(-1, 3)) > 1
    cloud_view.show_rig(RigClouds(frusta=(Frustum("left", lines),)))
    assert farthest_out(cloud_view, lines.reshape(-1, 3)) <= 1


@pytest.mark.gl
def test_a_mesh_closes_the_gaps_but_not_between_surfaces(qtbot, cloud_view):
    cloud = wall(2.0, (250, 0, 0))
    counts = cloud.depth.values.copy()
    counts[:, 32:] = 3000
    cloud_view.show_clouds(replace(cloud, depth=DepthMap(counts, 0.001)), None, {})
    straight(cloud_view, distance_m=0.7)
    cloud_view.show_look(CloudLook(point_size=0.5))
    points = shown(qtbot, cloud_view)
    cloud_view.show_look(CloudLook(mesh=True))
    qtbot.waitUntil(lambda: (shown(qtbot, cloud_view)[60:140, 40:160, 0] == 250).all(), timeout=5000)
    assert (points[60:140, 40:160, 0] < 100).any()
    cloud_view.canvas.orbit = replace(cloud_view.canvas.orbit, yaw_rad=math.pi / 2, distance_m=3.0)
    cloud_view._draw_now()
    between = shown(qtbot, cloud_view)[100].astype(int)[:, 0] > 100
    assert between.sum() < 40, "from the side there is nothing between the two"


@pytest.mark.gl
def test_a_picture_of_any_size_shows_what_the_view_shows(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (250, 0, 0), left_half=True), None, {})
    straight(cloud_view)
    for width, height in ((800, 400), (1920, 1080)):
        picture = cloud_view.photograph(width, height)
        assert picture.shape == (height, width, 3)
        assert tuple(picture[height // 2, width // 2 - 40]) == (250, 0, 0)
        assert max(picture[height // 2, width // 2 + 60]) < 40
    with pytest.raises(ValueError, match="at most"):
        cloud_view.photograph(10**6, 100)
    before = cloud_view.canvas.drawn
    cloud_view._draw_now()
    assert cloud_view.canvas.drawn > before
    assert tuple(shown(qtbot, cloud_view)[100, 170]) == (250, 0, 0), "the view itself goes on"


@pytest.mark.gl
def test_the_grid_lies_under_the_scene(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (0, 0, 0)), None, {})
    straight(cloud_view)
    cloud_view.show_look(CloudLook(grid=True))
    assert cloud_view.canvas.floor_m == pytest.approx(23.5 / 60 * 2, abs=0.2)
    cloud_view._draw_now()
    pixels = shown(qtbot, cloud_view).astype(int)[..., 2]
    assert (pixels[150:] > 80).sum() > 100
    assert (pixels[:50] > 80).sum() == 0


@pytest.mark.gl
def test_a_mouse_turns_and_the_view_can_be_opened_again(qtbot, cloud_view):
    for _ in range(3):
        cloud_view.show_clouds(wall(2.0, (250, 250, 250)), None, {})
        native, before = cloud_view.canvas.native, cloud_view.canvas.orbit
        QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
        cloud_view._turn(QPointF(40, 0))
        QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=QPoint(90, 50))
        assert cloud_view.canvas.orbit.yaw_rad != before.yaw_rad
        cloud_view.set_active(False)
        assert cloud_view.canvas is None
        cloud_view.set_active(True)


@pytest.mark.gl
def test_with_opengl_nothing_is_excused(cloud_view):
    assert cloud_view.findChild(EmptyState) is None


@pytest.mark.gl
def test_points_take_the_colour_map_of_the_pictures(qtbot, cloud_view):
    cloud_view.show_clouds(wall(2.0, (9, 9, 9)), wall(2.0, (9, 9, 9)), {})
    cloud_view.canvas.orbit = Orbit(target=(0, 0, 2.0), distance_m=2.0, yaw_rad=0, pitch_rad=0)
    found = []
    for colour_map in ("turbo", "viridis", "grey"):
        drawn = cloud_view.canvas.drawn
        cloud_view.show_as("both", "depth", (0.3, 2.0), colour_map)
        qtbot.waitUntil(lambda drawn=drawn: cloud_view.canvas.drawn > drawn, timeout=5000)
        found.append(shown(qtbot, cloud_view)[100, 100].astype(int))
    for pixel, colour_map in zip(found, ("turbo", "viridis", "grey"), strict=True):
        assert pixel == pytest.approx(ramp(colour_map)[255].astype(int), abs=6)


@pytest.mark.gl
def test_the_clouds_of_a_calibrated_rig_stand_beside_each_other_with_their_frusta(qtbot, cloud_view):
    beside = np.eye(4)
    beside[0, 3] = 1.2
    other = replace(wall(2.0, (0, 250, 0), left_half=True), world_from_color=beside)
    lines = frustum_lines(LENS, np.eye(4))
    cloud_view.show_clouds(wall(2.0, (250, 0, 0), left_half=True), None, {})
    cloud_view.show_rig(RigClouds(raw=(other,), frusta=(Frustum("left", lines),)))
    cloud_view.show_as("raw", "colour", (0.3, 4.0))  # puts the eye where it all began
    cloud_view.canvas.orbit = Orbit(target=(0.3, 0, 2.0), distance_m=2.6, yaw_rad=0, pitch_rad=0)
    cloud_view.show_as("raw", "colour", (0.3, 4.0))
    qtbot.waitUntil(lambda: cloud_view.canvas.drawn > 1, timeout=5000)
    pixels = shown(qtbot, cloud_view).astype(int)[10:-10]
    red, green, white = (
        np.argwhere(pixels[..., 0] > pixels[..., 1] + 100),
        np.argwhere(pixels[..., 1] > pixels[..., 0] + 100),
        np.argwhere(pixels.min(axis=2) > 240),
    )
    assert len(red) > 500
    assert len(green) > 500
    assert len(white) > 20
    assert red[:, 1].max() < green[:, 1].min()


@pytest.mark.gl
def test_a_collector_in_another_thread_finds_nothing_of_a_closed_view(qtbot, cloud_view):
    """Qt aborts the program where a context ends in another thread than its own."""
    for _ in range(4):
        cloud_view.show_clouds(wall(2.0, (250, 0, 0)), wall(2.0, (0, 250, 0)), {})
        cloud_view.show_rig(RigClouds(raw=(wall(2.0, (0, 0, 250)),)))
        cloud_view.show_look(CloudLook(grid=True, mesh=True))
        canvas = cloud_view.canvas
        native, on_card = canvas.native, canvas.context.shared.parser
        qtbot.waitUntil(lambda on_card=on_card: len(on_card._objects) > 12, timeout=5000)
        parts = [part for part in vars(native).values() if isinstance(part, QObject | QOpenGLContext)]
        assert any(isinstance(part, QOpenGLContext) for part in parts)
        cloud_view.set_active(False)
        left = {type(part).__name__ for part in on_card._objects.values() if part != "JUST_DELETED"}
        assert not left, "they would outlive the view in the window's context"
        assert not any(shiboken6.isValid(part) for part in (native, *parts))
        del canvas, native, parts, on_card
        collector = threading.Thread(target=gc.collect, name="camera")
        collector.start()
        collector.join()
        cloud_view.set_active(True)
    assert cloud_view.canvas is not None
