from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from app.flow.attention import Asked, Attention
from app.ui import theme
from app.ui.depth_view import FLAT_FIGURES_PX, DepthView
from app.ui.notes import place_note
from app.ui.panes import FIGURES_HEIGHT_PX, arrange, free_room
from app.viewmodels.colouring import HIDDEN_COLOURS, HOLE_COLOURS, PROVENANCE_COLOURS, depth_table
from app.viewmodels.live import LiveOptions, Note, TileView
from drivers.depth import DepthMap
from drivers.geometry import Calibration, Intrinsics
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


@pytest.mark.parametrize("base", ["colour", "raw", "difference"])
@pytest.mark.parametrize("layout", ["one", "wipe", "blend", "side", "inset"])
@pytest.mark.parametrize("room", [QRect(0, 0, 380, 600), QRect(0, 0, 1600, 500), QRect(0, 0, 800, 700)])
def test_panes_lie_inside_and_only_the_corner_overlaps(layout, room, base):
    rects = [pane.rect for pane in arrange(room, 4 / 3, layout, compact=False, base=base)]
    assert all(room.contains(rect) for rect in rects)
    if layout == "inset":
        assert rects[0].contains(rects[1])
    else:
        assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])
    assert all(rect.width() / rect.height() == pytest.approx(4 / 3, rel=0.02) for rect in rects)


@pytest.mark.parametrize(
    ("layout", "kinds"),
    [
        ("one", ["difference"]),
        ("wipe", ["wipe", "raw"]),
        ("blend", ["blend", "raw"]),
        ("side", ["colour", "difference"]),
        ("inset", ["difference", "colour"]),
    ],
)
def test_every_layout_shows_what_was_chosen_and_nothing_twice(layout, kinds):
    room = QRect(0, 0, 380, 600)
    panes = arrange(room, 4 / 3, layout, compact=False, base="colour", shown="difference")
    assert [pane.kind for pane in panes] == kinds


def test_without_figures_beside_it_the_small_picture_lies_in_the_middle():
    room = QRect(0, 0, 1000, 1000)
    large, small = (pane.rect for pane in arrange(room, 4 / 3, "wipe", compact=False, figures=False))
    assert abs(small.center().x() - large.center().x()) <= 1
    large, small = (pane.rect for pane in arrange(room, 4 / 3, "wipe", compact=False))
    assert small.x() == large.x()


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
    view.show_options(LiveOptions(shown="provenance"))
    view.set_wipe(0.0)
    red, green, blue = pixel(view, place(pane(view, "wipe"), 0))
    invented = PROVENANCE_COLOURS[Provenance.INVENTED]
    assert red / invented[0] == pytest.approx(blue / invented[2], abs=0.05)
    assert red > green > blue


def test_the_difference_is_red_where_the_repair_went_farther(view, tile):
    values = tile.refined.depth.values.copy()
    values[:, 3] += 60
    values[:, 5] -= 60
    view.show_tile(replace(tile, refined=replace(tile.refined, depth=DepthMap(values, 0.001))))
    view.show_options(LiveOptions(layout="one", shown="difference"))
    rect = pane(view, "difference")
    far, near, same = (pixel(view, place(rect, column)) for column in (3, 5, 6))
    assert far[0] > far[2] + 60
    assert near[2] > near[0] + 60
    assert max(same) - min(same) < 3
    assert pixel(view, place(rect, 0)) in HOLE_COLOURS


def test_infrared_is_shown_in_greys_and_its_absence_is_said(view, tile):
    view.show_options(LiveOptions(layout="one", shown="ir"))
    view.show_tile(replace(tile, frame=replace(tile.frame, ir_left=np.full((6, 8), 77, np.uint8))))
    assert pixel(view, place(pane(view, "ir"), 4)) == (77, 77, 77)
    view.show_tile(tile)
    assert view._note("ir")[0].text == "No infrared picture"


def test_confidence_is_dark_where_the_repair_is_not_sure(view, tile):
    view.show_options(LiveOptions(layout="one", shown="confidence"))
    view.show_tile(tile)
    assert view._note("confidence")[0].text == "No confidence"
    confidence = np.zeros((6, 8), np.float32)
    confidence[:, 4:] = 1
    view.show_tile(replace(tile, refined=replace(tile.refined, confidence=confidence)))
    rect = pane(view, "confidence")
    assert view._note("confidence")[0] is None
    assert pixel(view, place(rect, 2)) == (68, 1, 84)  # the two ends of Viridis, as published
    assert pixel(view, place(rect, 6)) == (253, 231, 37)


def test_a_blend_goes_from_one_layer_to_the_other(view, tile):
    view.show_options(LiveOptions(layout="blend", base="colour"))
    view.show_tile(tile)
    here = place(pane(view, "blend"), 5)
    view.set_wipe(1.0)
    assert pixel(view, here) == (128, 128, 128)
    view.set_wipe(0.0)
    depth = rgb(depth_table(0.3, 4.0, 0.001)[500])
    assert pixel(view, here) == depth
    view.set_wipe(0.5)
    assert pixel(view, here) == pytest.approx([(128 + value) / 2 for value in depth], abs=2)


def test_a_finger_blends(view, tile, finger):
    view.show_options(LiveOptions(layout="blend"))
    view.show_tile(tile)
    rect = pane(view, "blend")
    track = round(view._knob(rect, rect.center().x()).center().y())
    start, end = (QPoint(rect.x() + round(share * rect.width()), track) for share in (0.5, 0.9))
    QTest.touchEvent(view, finger).press(0, start, view).commit()
    QTest.touchEvent(view, finger).move(0, end, view).commit()
    QTest.touchEvent(view, finger).release(0, end, view).commit()
    assert view.wipe == pytest.approx(0.9, abs=0.01)


def test_a_tap_on_the_small_picture_in_the_corner_asks_to_swap(qtbot, view, tile):
    view.show_options(LiveOptions(layout="inset"))
    view.show_tile(tile)
    with qtbot.waitSignal(view.swap_requested):
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=pane(view, "raw").center())


def test_only_what_changed_is_filled_again(view, tile, make_camera):
    pictures, options = view._pictures, LiveOptions(layout="side")
    layers = ("colour", "raw", "refined")
    assert pictures.show(tile, options, layers, registered=False) == list(layers)
    assert pictures.show(tile, options, layers, registered=False) == []
    newer = replace(tile, frame=make_camera().frame())
    assert pictures.show(newer, options, layers, registered=False) == ["colour", "raw"]
    farther = replace(options, far_m=6.0)
    assert pictures.show(newer, farther, layers, registered=False) == ["raw", "refined"]


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


def test_another_colour_map_recolours_what_is_there(view, tile):
    view.show_tile(tile)
    view.show_options(LiveOptions(colour_map="inferno"))
    view.set_wipe(0.0)
    assert pixel(view, place(pane(view, "wipe"), 5)) == rgb(depth_table(0.3, 4.0, 0.001, "inferno")[500])


def test_a_frozen_picture_is_marked_with_its_age(view, tile):
    view.show_tile(replace(tile, frozen=True, frozen_s=12.2))
    assert view._frozen == "Frozen 12 s"
    corner = pane(view, "wipe").topLeft() + QPoint(1, 1)
    warning = QColor(theme.DARK.warning).getRgb()[:3]
    assert pixel(view, corner) == warning
    view.show_tile(tile)
    assert pixel(view, corner) != warning


def test_raw_depth_that_is_hidden_on_purpose_is_struck_out(view, tile):
    hidden = replace(tile.refined, hidden_share=1.0)
    view.show_options(LiveOptions(layout="one", shown="raw"))
    view.show_tile(tile)
    here = place(pane(view, "raw"), 5)
    assert pixel(view, here) == rgb(depth_table(0.3, 4.0, 0.001)[500])
    view.show_tile(replace(tile, refined=hidden))
    assert pixel(view, here) in HIDDEN_COLOURS
    view.show_tile(tile)
    assert pixel(view, here) == rgb(depth_table(0.3, 4.0, 0.001)[500])


def test_a_touch_on_raw_depth_of_a_camera_apart_is_read_where_colour_sees_it(view, tile, finger):
    apart = Calibration(tile.frame.calibration.color, Intrinsics(8, 6, 8.0, 8.0, 4.5, 2.5))
    two_walls = np.tile(np.repeat(np.array([500, 600], np.uint16), 4), (6, 1))
    frame = replace(tile.frame, calibration=apart, depth=DepthMap(two_walls, 0.001))
    view.show_options(LiveOptions(layout="one", shown="raw"))
    view.show_tile(replace(tile, frame=frame, refined=None))
    here = place(pane(view, "raw"), 6, 2.5)
    QTest.touchEvent(view, finger).press(0, here, view).commit()
    QTest.touchEvent(view, finger).release(0, here, view).commit()
    assert view._pinned.x() == pytest.approx(5.5 / 8)  # one pixel further left in the colour picture
    assert view.readout.raw == "600 mm"


@pytest.mark.parametrize("width", range(330, 700, 37))
def test_the_button_of_a_note_keeps_off_the_handle(view, tile, width):
    view.resize(width, 560)
    off = Note("Repair is off", "Choose a model to see refined depth.", choose_model=True)
    view.show_tile(replace(tile, refined=None, refined_note=off))
    rect = pane(view, "wipe")
    knob = view._knob(rect, rect.x() + round(view.wipe * rect.width())).toAlignedRect()
    assert not view._choose.isVisible() or not view._choose.geometry().intersects(knob.adjusted(-8, -8, 8, 8))


@pytest.mark.parametrize("share", [(0.1, 0.1), (0.5, 0.7), (0.5, 0.95), (0.9, 0.1)])
def test_the_readout_covers_neither_the_handle_nor_a_name(view, tile, share):
    view.show_tile(tile)
    view.grab()
    view._pinned = QPointF(*share)
    view.grab()
    assert len(view._in_front()) == 4
    gap = theme.GAP_PX
    near = view._loupe_rect.adjusted(2 - gap, 2 - gap, gap - 2, gap - 2)
    assert not [rect for rect in view._in_front() if rect.intersects(near)]
    assert view.rect().contains(near)


@pytest.mark.parametrize(("height", "y"), [(240, 0.7), (260, 0.2)])
def test_the_readout_lies_close_to_a_name_rather_than_on_it(view, tile, height, y):
    view.resize(300, height)
    view.show_tile(tile)
    view.grab()
    box = view._loupe_box(QPointF(0.3, y), QSize(250, 86))
    assert not [rect for rect in view._in_front() if rect.intersects(box)]


def test_the_readout_fits_into_a_narrow_picture(view, tile):
    view.resize(200, 460)
    view.show_tile(tile)
    view._pinned = QPointF(0.4, 0.4)
    view.grab()
    assert view.readout.provenance == "Measured: sensor value kept"
    assert view.rect().contains(view._loupe_rect)
    before = view._loupe_rect
    later = replace(tile.frame, captured_ns=tile.frame.captured_ns + round(1.8e9))
    view._said = None
    view.show_tile(replace(tile, frame=later))
    view.grab()
    assert view._loupe_rect.height() > before.height(), "it says that it is of another moment"
    assert view.rect().contains(view._loupe_rect)


def test_the_readout_and_the_veil_tell_the_same_age(view, tile):
    view._pinned = QPointF(0.3, 0.4)
    for age in ("7 s", "8 s"):  # quicker than figures are read anew
        view.show_tile(replace(tile, refined_note=Note(f"Refined depth is {age} old")))
        assert (view.readout.refined, view.readout.provenance) == ("too old", f"Refined depth is {age} old")


def test_the_readout_covers_no_ring_of_the_place_that_is_read(view, tile):
    view.resize(256, 556)  # the pictures stand over each other
    view.show_tile(tile)
    view.grab()
    assert [pane.kind for pane in view.panes] == ["wipe", "colour"]
    for share in [(x / 10, y / 10) for x in range(1, 10, 2) for y in range(1, 10)]:
        place = QPointF(*share)
        box = view._loupe_box(place, QSize(184, 86))
        rings = [view._point_in(pane, place).toPoint() for pane in view.panes]
        assert not [ring for ring in rings if box.adjusted(-9, -9, 9, 9).contains(ring)], share


def test_what_is_said_of_the_colour_picture_lies_over_the_heat(view, tile):
    view.show_options(LiveOptions(layout="side"))
    heat = np.full((2, 2), 1.0, np.float32)
    view.show_tile(replace(tile, camera_note=Note("No frames for 2.0 s")))
    view.show_attention(Attention(Asked("tiny", 0.1, 0.9), heat))
    white = QColor(theme.current().on_picture)
    picture, rect = view.grab().toImage(), pane(view, "colour")
    note = place_note(view._tile.camera_note, view._note_room(rect), hints=True, button=False).text
    dots = [picture.pixelColor(x, note.center().y()) for x in range(note.left(), note.right())]
    assert white in dots


def test_figures_stand_in_two_columns_where_they_are_low(view, tile):
    view.resize(360, 640)
    view.show_tile(tile)
    assert FLAT_FIGURES_PX[1] <= view._free.height() < FIGURES_HEIGHT_PX
