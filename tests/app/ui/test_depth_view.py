from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest

from app.ui.depth_view import DepthView
from app.ui.panes import arrange, free_room
from app.viewmodels.colouring import HOLE_COLOURS, PROVENANCE_COLOURS, depth_table
from app.viewmodels.live import LiveOptions, Note, TileView
from model.repair import Provenance


@pytest.fixture(scope="session")
def finger(qapp):
    return QTest.createTouchDevice()


@pytest.fixture
def view(qtbot, themed):
    made = DepthView()
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def tile(make_camera, make_refined):
    frame = make_camera().frame()
    return TileView("tiny", frame=frame, refined=make_refined(frame))


def pane(view, kind):
    return next(pane.rect for pane in view.panes if pane.kind == kind)


def pixel(view, point):
    return view.grab().toImage().pixelColor(point).getRgb()[:3]


def rgb(value):
    return (int(value) >> 16) & 255, (int(value) >> 8) & 255, int(value) & 255


def place(rect, column, row=4.5):
    """Where a pixel of the 8 x 6 picture lies on the screen."""
    return QPoint(
        round(rect.x() + (column + 0.5) / 8 * rect.width()), round(rect.y() + row / 6 * rect.height())
    )


@pytest.mark.parametrize("layout", ["wipe", "side"])
@pytest.mark.parametrize("room", [QRect(0, 0, 380, 600), QRect(0, 0, 1600, 500), QRect(0, 0, 800, 700)])
def test_panes_lie_inside_and_never_overlap(layout, room):
    rects = [pane.rect for pane in arrange(room, 4 / 3, layout, compact=False)]
    assert all(room.contains(rect) for rect in rects)
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])
    assert all(rect.width() / rect.height() == pytest.approx(4 / 3, rel=0.02) for rect in rects)


def test_free_room_covers_no_picture():
    room = QRect(0, 0, 860, 560)
    panes = arrange(room, 4 / 3, "side", compact=False)
    free = free_room(room, panes)
    assert free.width() > 150
    assert not any(free.intersects(pane.rect) for pane in panes)


def test_raw_is_left_and_refined_right_of_the_line(view, tile):
    view.show_tile(tile)
    wipe = pane(view, "wipe")
    table = depth_table(0.3, 4.0, 0.001)
    view.set_wipe(1.0)
    assert pixel(view, place(wipe, 0)) in HOLE_COLOURS
    view.set_wipe(0.0)
    assert pixel(view, place(wipe, 0)) == rgb(table[800])
    assert pixel(view, place(wipe, 5)) == rgb(table[500])


def test_raw_is_never_shown_as_refined(view, tile):
    view.show_tile(replace(tile, refined=None, refined_note=Note("Repair is off", "Choose a model.")))
    view.set_wipe(0.0)
    wipe = pane(view, "wipe")
    table = depth_table(0.3, 4.0, 0.001)
    assert pixel(view, place(wipe, 6, 0.8)) not in {rgb(table[count]) for count in range(100, 900, 100)}
    assert "Repair is off" in view.accessibleDescription()


def test_a_failed_engine_offers_another_model(qtbot, view, tile):
    note = Note("The weights are missing.", "Choose another model.", choose_model=True)
    view.show_tile(replace(tile, refined=None, refined_note=note))
    view.set_wipe(0.1)
    button = next(child for child in view.children() if getattr(child, "text", str)() == "Choose model")
    assert button.isVisible()
    with qtbot.waitSignal(view.model_requested):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_finger_drags_the_wipe(view, tile, finger):
    view.show_tile(tile)
    wipe = pane(view, "wipe")
    start = QPoint(wipe.x() + wipe.width() // 2 + 20, wipe.y() + 30)
    QTest.touchEvent(view, finger).press(0, start, view).commit()
    QTest.touchEvent(view, finger).move(0, start + QPoint(100, 0), view).commit()
    QTest.touchEvent(view, finger).release(0, start + QPoint(100, 0), view).commit()
    assert view.wipe == pytest.approx(0.5 + 120 / wipe.width(), abs=0.02)


def test_a_touch_reads_depth_and_stays_until_the_next(view, tile, finger):
    view.show_tile(tile)
    here = place(pane(view, "wipe"), 6, 0.5)
    QTest.touchEvent(view, finger).press(0, here, view).commit()
    QTest.touchEvent(view, finger).release(0, here, view).commit()
    assert (view.readout.raw, view.readout.refined) == ("600 mm", "600 mm")
    QTest.touchEvent(view, finger).press(0, here, view).commit()
    QTest.touchEvent(view, finger).release(0, here, view).commit()
    assert view.readout is None


def test_the_provenance_of_a_filled_hole_is_shown(view, tile):
    view.show_tile(tile)
    view.show_options(LiveOptions(provenance=True))
    view.set_wipe(0.0)
    red, green, blue = pixel(view, place(pane(view, "wipe"), 0))
    invented = PROVENANCE_COLOURS[Provenance.INVENTED]
    assert red / invented[0] == pytest.approx(blue / invented[2], abs=0.05)
    assert red > green > blue


def test_each_frame_is_reported_painted_once(qtbot, view, tile):
    painted = []
    view.frame_painted.connect(painted.append)
    view.show_tile(tile)
    view.repaint()
    view.repaint()
    assert painted == [tile.frame]


def test_a_small_tile_asks_for_the_focus(qtbot, view, tile):
    view.set_compact(True)
    view.show_tile(tile)
    with qtbot.waitSignal(view.focus_requested):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton)
