import threading

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices
from PySide6.QtTest import QTest

from app.quality.planes import Region
from app.quality.sensor import KINDS, STREAMS, Figure, SensorQuality, StreamQuality, nothing, unmeasured
from app.ui import theme
from app.ui.compare_column import SMALLEST_TYPE_PX, CompareColumn, FiguresTable, basis
from app.ui.compare_page import make_page
from app.viewmodels.colouring import depth_table
from app.viewmodels.live import CameraTitle, LiveOptions, Note, TileView
from drivers.cameras.synthetic import SyntheticCamera
from drivers.synth.sensor import SensorKind
from tests.app.ui import pages


def quality(refined_words=None, camera_id="left"):
    figures = {
        name: {k.key: Figure(1.0 + n, k.words(1.0 + n)) for k in KINDS} for n, name in enumerate(STREAMS)
    }
    streams = {name: StreamQuality(values) for name, values in figures.items()}
    if refined_words:
        streams["refined"] = nothing(refined_words)
    return SensorQuality(camera_id, streams, Region(0.2, 0.2, 0.4, 0.4), against="1.500 m", frames=12)


@pytest.fixture
def made(qtbot, themed, tmp_path):
    context, asked = pages.context_for(tmp_path)
    page = make_page(context)
    qtbot.addWidget(page)
    page.resize(*pages.SIZES[0])
    page.show()
    yield page, asked, context.studio
    pages.discard(page)
    context.studio.close()


@pytest.fixture
def running(qtbot, made, make_camera):
    page, asked, studio = made
    studio.open([make_camera("left"), make_camera("right")])
    page.shown()
    qtbot.waitUntil(lambda: len(page.area.columns) == 2 and page.model.live.tile("right").frame is not None)
    return page, asked, studio


def colour_right_of_the_middle(column):
    """Of the fifth of the tiny camera's eight columns."""
    picture = column.picture
    pane = picture.panes[0]
    return picture.grab().toImage().pixelColor(pane.center() + QPoint(pane.width() // 16, 0)).rgb()


def test_without_a_camera_the_way_to_the_demo_is_shown(qtbot, made):
    page, asked, _ = made
    page.shown()
    assert page._nothing.isVisible()
    assert not page.report.isEnabled()
    page._nothing.button.click()
    assert asked.sources == ["demo"]


@pytest.mark.parametrize("size", pages.SIZES)
def test_everything_can_be_pressed_with_gloves_and_lies_on_the_page(qtbot, running, size):
    page, *_ = running
    page.resize(*size)
    page.distance.click()
    page._range.click()
    qtbot.waitUntil(lambda: page.pad.isVisible())
    pages.assert_fit_for_fingers(page)
    for part in (page.hold, page.report, page.pad, *page.area.columns):
        assert page.rect().contains(part.mapTo(page, part.rect().bottomRight())), part
    assert page.hold.height() >= theme.BIG_TARGET_PX
    assert page.hold.width() > 400


def test_the_page_fits_the_smallest_window(made):
    page, *_ = made
    assert page.minimumSizeHint().width() <= 1024 - 104


def test_columns_share_the_width_and_do_not_overlap(running):
    page, *_ = running
    left, right = page.area.columns
    assert left.width() == right.width()
    assert left.geometry().right() < right.geometry().left()
    for column in (left, right):
        parts = [column.header.geometry(), column.picture.geometry(), column.table.geometry()]
        assert not any(a.intersects(b) for i, a in enumerate(parts) for b in parts[:i])
        assert all(column.rect().contains(part) for part in parts)


def test_raw_is_shown_for_as_long_as_the_button_is_pressed(qtbot, running):
    page, *_ = running
    shown = lambda: [column.picture.shown for column in page.area.columns]  # noqa: E731
    assert shown() == [("refined",)] * 2
    qtbot.waitUntil(lambda: page.model.live.tile("left").frame is not None)
    QTest.mousePress(page.hold, Qt.MouseButton.LeftButton)
    assert shown() == [("raw",)] * 2
    table = depth_table(page.model.live.options.near_m, page.model.live.options.far_m, 0.001)
    expected = int(table[page.model.live.tile("left").frame.depth.values[3, 4]])
    assert colour_right_of_the_middle(page.area.columns[0]) == expected
    QTest.mouseRelease(page.hold, Qt.MouseButton.LeftButton)
    assert shown() == [("refined",)] * 2
    QTest.keyPress(page, Qt.Key.Key_Space)
    assert shown() == [("raw",)] * 2
    QTest.keyRelease(page, Qt.Key.Key_Space)
    assert shown() == [("refined",)] * 2


def test_a_finger_holds_as_a_mouse_does(qtbot, running):
    page, *_ = running
    device = QTest.createTouchDevice()
    middle = page.hold.rect().center()
    QTest.touchEvent(page.hold, device).press(0, middle, page.hold).commit()
    assert page.area.columns[0].picture.shown == ("raw",)
    QTest.touchEvent(page.hold, device).release(0, middle, page.hold).commit()
    assert page.area.columns[0].picture.shown == ("refined",)


def test_a_key_that_is_held_while_the_page_goes_away_lets_go(running):
    page, *_ = running
    QTest.keyPress(page, Qt.Key.Key_Space)
    page.hidden()
    assert page.area.columns[0].picture.shown == ("refined",)


def test_raw_and_refined_are_shown_together(running):
    page, *_ = running
    page.views.button("both").click()
    column = page.area.columns[0]
    assert column.picture.shown == ("raw", "refined")
    first, second = column.picture.panes
    assert not first.intersects(second)
    assert first.size() == second.size()
    assert not page.hold.isEnabled()
    page.views.button("colour").click()
    assert column.picture.shown == ("colour",)
    assert page.hold.isEnabled()


def test_a_tap_chooses_the_plane_there(qtbot, running):
    page, *_ = running
    picture = page.area.columns[1].picture
    pane = picture.panes[0]
    QTest.mouseClick(
        picture, Qt.MouseButton.LeftButton, pos=pane.topLeft() + QPoint(pane.width() // 2, pane.height() // 4)
    )
    region = page.model.wish("right").region
    assert (region.left + region.right) / 2 == pytest.approx(0.5, abs=0.02)
    assert (region.top + region.bottom) / 2 == pytest.approx(0.25, abs=0.02)
    assert page._find.isEnabled()
    page._find.click()
    assert page.model.wish("right").region is None
    assert not page._find.isEnabled()


def test_a_distance_is_typed_for_one_sensor(running):
    page, *_ = running
    page.distance.click()
    page.pad_sensors.button("right").click()
    for key in "1.5":
        page.pad.keys[key].click()
    page.pad.done.click()
    assert page.model.wish("right").distance_m == 1.5
    assert page.model.wish("left").distance_m is None
    assert not page.pad.isVisible()
    assert not page.distance.isChecked()


def test_the_pad_lies_over_another_sensor_than_the_one_it_is_about(running):
    page, *_ = running
    page.distance.click()
    for title in page.model.sensors:
        page.pad_sensors.button(title.camera_id).click()
        column = page._column(title.camera_id)
        assert not page.pad.geometry().intersects(column.geometry().translated(page.area.pos()))
        place = page.pad.pos()
        page.pad.keys["1"].click()
        assert page.pad.pos() == place


def test_alone_neither_plane_nor_z_accuracy_is_hidden_by_the_pad(qtbot, running):
    page, *_ = running
    first = page.model.sensors[0].camera_id
    page.model.live.set_focus(first)
    qtbot.waitUntil(lambda: page.model.quality(first) is not None)
    page.model.choose_region(first, 0.5, 0.5)
    qtbot.waitUntil(lambda: page.model.quality(first).chosen)
    page.distance.click()
    column = page._column(first)
    assert len(column.judged) == 2
    for rect in column.judged:
        assert not page.pad.geometry().intersects(rect.translated(column.mapTo(page, QPoint(0, 0))))


def test_where_the_repair_is_off_a_button_leads_to_the_models(qtbot, running):
    page, asked, _ = running
    qtbot.waitUntil(page.choose_model.isVisible)
    pages.assert_fit_for_fingers(page)
    page.choose_model.click()
    assert asked.pages == ["Settings"]


def test_the_way_to_the_models_stays_though_a_camera_is_lost_and_goes_with_the_rig(qtbot, running):
    page, _, studio = running
    live = page.model.live
    qtbot.waitUntil(page.choose_model.isVisible)
    studio.pipeline.lines["right"].camera.lost = True
    qtbot.waitUntil(lambda: live.tile("right").camera_note is not None, timeout=5000)
    live.tile_changed.emit(live.tile("right"))
    assert page.choose_model.isVisible()
    studio.open([])
    qtbot.waitUntil(lambda: not live.titles)
    assert page.choose_model.isHidden()


def test_a_header_shows_one_sensor_alone(running):
    page, *_ = running
    left, right = page.area.columns
    left.header.click()
    assert left.width() == page.area.width()
    assert not right.isVisible()
    assert left.table.x() > left.picture.geometry().right()
    left.header.click()
    assert right.isVisible()


def test_one_range_holds_for_every_picture(running):
    page, *_ = running
    page._presets.button("0-6").click()
    assert {(c.picture._options.near_m, c.picture._options.far_m) for c in page.area.columns} == {(0.0, 6.0)}


def test_figures_come_and_a_report_is_saved_by_one_touch(qtbot, running, tmp_path, monkeypatch):
    page, asked, _ = running
    qtbot.waitUntil(page.report.isEnabled, timeout=20_000)
    page.report.click()
    assert not page.report.isEnabled()
    qtbot.waitUntil(lambda: bool(asked.notices), timeout=30_000)
    [notice] = asked.notices
    [saved] = (tmp_path / "reports").glob("*.html")
    assert saved.name in notice.text
    assert str(saved.parent) in notice.hint
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    notice.action()
    assert opened == [QUrl.fromLocalFile(str(saved))]
    assert saved.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
    assert "Tiny left" in saved.read_text()
    qtbot.waitUntil(page.report.isEnabled, timeout=5000)


def test_hidden_it_neither_polls_nor_measures(qtbot, running):
    page, *_ = running
    page.hidden()
    qtbot.waitUntil(lambda: "quality" not in {t.name for t in threading.enumerate()}, timeout=10_000)
    assert not page.model.live._timer.isActive()


def test_only_simulated_cameras_have_a_difficulty(qtbot, made, make_camera):
    page, _, studio = made
    camera = SyntheticCamera("sim", SensorKind.ACTIVE_STEREO, width=32, height=24)
    studio.open([camera])
    page.shown()
    assert page._simulation.isVisible()
    assert page.still.isChecked()
    page.difficulty.setValue(90)
    assert camera.difficulty == 0.9
    assert page._difficulty_words.text() == "Scene difficulty 90%"
    page.still.click()
    assert not camera.still
    studio.open([make_camera("left")])
    qtbot.waitUntil(lambda: not page._simulation.isVisible(), timeout=5000)


@pytest.mark.parametrize("size", [(280, 590), (377, 510), (377, 590), (571, 590), (594, 870), (900, 870)])
@pytest.mark.parametrize("layers", [("refined",), ("raw", "refined")])
def test_a_column_of_any_size_has_large_pictures_and_readable_figures(qtbot, themed, size, layers):
    column = CompareColumn(CameraTitle("left", 1, "Left", "tiny sensor"))
    qtbot.addWidget(column)
    column.resize(*size)
    column.show()
    column.show_layers(layers)
    shown = column.picture.panes
    assert all(column.picture.rect().contains(pane) for pane in shown)
    assert all(pane.width() / pane.height() == pytest.approx(4 / 3, rel=0.02) for pane in shown)
    covered = (
        sum(pane.width() * pane.height() for pane in shown) + column.table.width() * column.table.height()
    )
    assert covered > 0.7 * column.width() * (column.height() - column.header.height())
    assert column.table._type_size() >= 13


def test_words_stand_where_figures_cannot_be_had(qtbot, themed):
    table = FiguresTable()
    qtbot.addWidget(table)
    table.resize(380, 250)
    table.show_quality(quality("Repair is off"))
    assert "Plane Fit RMS: raw 1.0 mm, refined Repair is off" in table.accessibleDescription()
    without = table.grab().toImage()
    table.show_quality(quality())
    assert "refined 2.0 mm" in table.accessibleDescription()
    assert table.grab().toImage() != without
    assert basis(quality()) == "plane found  ·  Z: 1.500 m  ·  12 frames"


def test_figures_of_a_silent_camera_stay_and_turn_grey_and_none_is_the_better(qtbot, themed, make_camera):
    column = CompareColumn(CameraTitle("left", 1, "Left", "tiny sensor"))
    qtbot.addWidget(column)
    column.resize(380, 560)
    column.show_quality(quality())
    frame = make_camera("left").frame()
    column.show_tile(TileView("left", frame=frame))
    fresh = column.table.grab().toImage()
    column.show_tile(TileView("left", frame=frame, camera_note=Note("No frames for 0.9 s")))
    late = column.table.grab().toImage()
    cells = column.table.cells_of("latency")
    title = QRect(0, cells.y(), cells.x(), cells.height())
    assert fresh.copy(title) == late.copy(title)
    assert fresh.copy(cells) != late.copy(cells)
    table = column.table.rect()
    inks = [
        {image.pixelColor(x, y).name() for x in range(table.width()) for y in range(table.height())}
        for image in (fresh, late)
    ]
    colours = theme.current()
    better, old = QColor(colours.accent_text).name(), QColor(colours.muted).name()
    assert better in inks[0]
    assert better not in inks[1]
    assert old in inks[1]


def test_a_silence_that_is_over_is_not_told_beside_a_living_picture(qtbot, themed, make_camera):
    column = CompareColumn(CameraTitle("left", 1, "Left", "tiny sensor"))
    qtbot.addWidget(column)
    frame = make_camera("left").frame()
    column.show_tile(TileView("left", frame=frame, camera_note=Note("No frames for 1.9 s")))
    column.show_quality(unmeasured("left", "No frames for 1.9 s"))
    assert "No frames for 1.9 s" in column.table.accessibleDescription()
    column.show_tile(TileView("left", frame=frame))
    assert column.table.accessibleDescription() == "", "it is measured again"
    column.show_quality(quality("Repair is off"))
    assert "Repair is off" in column.table.accessibleDescription()


@pytest.mark.parametrize("words", ["no plane found", "camera moved", "no stereo pair", "too few depths"])
def test_words_are_never_cut_in_the_narrowest_column(qtbot, themed, words):
    from PySide6.QtGui import QFontMetrics

    from app.ui.compare_column import _fitting

    table = FiguresTable()
    qtbot.addWidget(table)
    table.resize(282, 242)
    _, raw, _ = table._cells(table._row(3))
    font = _fitting(words, raw.width(), 15, bold=False)
    assert font.pixelSize() >= SMALLEST_TYPE_PX
    assert (
        QFontMetrics(font).horizontalAdvance(words) <= raw.width() + 14
    )  # the gap between title and figures


def test_a_picture_says_why_it_is_missing(qtbot, themed, make_camera, make_refined):
    column = CompareColumn(CameraTitle("left", 1, "Left", "tiny sensor"))
    qtbot.addWidget(column)
    column.resize(380, 560)
    column.show()
    frame = make_camera("left").frame()
    options = LiveOptions()
    column.picture.show_options(options)
    column.show_tile(TileView("left", frame=frame, refined_note=Note("Repair is off")))
    assert column.picture._note("refined").text == "Repair is off"
    assert column.picture._note("raw") is None
    column.show_tile(TileView("left", frame=frame, refined=make_refined(frame)))
    hole_column = column.picture.panes[0].topLeft() + QPoint(8, column.picture.panes[0].height() // 2)
    image = column.picture.grab().toImage()
    assert image.pixelColor(hole_column).rgb() == int(depth_table(options.near_m, options.far_m, 0.001)[800])
    assert np.isclose(column.picture.aspect, 8 / 6)


def test_sensors_of_unknown_place_are_not_put_into_one_space_and_the_way_to_calibrate_is_shown(running):
    page, asked, _ = running
    page.views.button("space").click()
    assert page.space.isVisible()
    assert page.space.chosen == ["left", "right"]
    assert "Tiny left, Tiny right" in page.space.note.text()
    page.space.calibrate.click()
    assert asked.pages == ["Cameras"]
    page.space.sensors.button("right").click()
    assert not page.space.note.isVisible()
    page.space.sensors.button("left").click()
    assert page.space.chosen == ["left"]


def test_chosen_sensors_of_a_calibrated_rig_are_drawn_in_one_space(qtbot, running, monkeypatch):
    page, *_ = running
    drawn = []
    monkeypatch.setattr(page.space.panel.body, "show_rig", drawn.append)
    page.views.button("space").click()
    apart = np.eye(4)
    apart[0, 3] = 0.5
    tiles = []

    def seen():  # a busy machine may have an old picture of one of them for a while
        tiles[:] = [page.model.live.tile(camera_id) for camera_id in ("left", "right")]
        return all(tile.frame is not None and tile.camera_note is None for tile in tiles)

    qtbot.waitUntil(seen)
    page.space.show_tiles(tiles, {"left": np.eye(4), "right": apart}, moving=False)
    assert not page.space.note.isVisible()
    (cloud,) = drawn[-1].raw
    assert np.allclose(cloud.world_from_color, apart)
    assert [frustum.name for frustum in drawn[-1].frusta] == ["Tiny left", "Tiny right"]


def test_raw_is_held_in_3d_too_and_the_view_is_freed_with_the_page(running):
    page, *_ = running
    page.views.button("space").click()
    assert not page.hold.isEnabled(), "raw is shown already"
    page.space.panel._layouts.button("refined").click()
    assert page.hold.isEnabled()
    page.hold.pressed.emit()
    assert page.space.panel._held
    page.hold.released.emit()
    assert not page.space.panel._held
    page.hidden()
    assert not page.space.panel.active


def test_in_3d_nothing_is_offered_that_needs_a_plane(running):
    page, *_ = running
    first = page.model.sensors[0].camera_id
    page.model.choose_region(first, 0.5, 0.5)
    page.distance.click()
    assert page.pad.isVisible()
    page.views.button("space").click()
    assert not page.pad.isVisible()
    assert not page.distance.isEnabled()
    assert not page._find.isEnabled()
    assert page._tap.text() == "Drag to turn, pinch to zoom"
    page.views.button("refined").click()
    assert page.distance.isEnabled()
    assert page._find.isEnabled()
    assert page._tap.text() == "Tap a plane to measure it"


@pytest.mark.parametrize("size", [pages.SIZES[0], (800 - 104, 1280 - 42)])
def test_the_3d_space_has_the_choices_of_live_by_touch(qtbot, running, size):
    page, *_ = running
    page.resize(*size)
    page.views.button("space").click()
    panel, options = page.space.panel, page.space.panel.options
    panel.opener.click()
    qtbot.waitUntil(options.isVisible)
    pages.assert_fit_for_fingers(page)
    assert options.minimumSizeHint().width() <= page.space.side._stack.currentWidget().viewport().width()
    assert not page.space.side.geometry().intersects(panel.body.geometry())
    assert page.space.rect().contains(page.space.side.geometry())
    with qtbot.waitSignal(options.view_chosen) as seen:
        options.views.button("top").click()
    assert seen.args == ["top"]
    options.larger.click()
    options.grid.click()
    options.measure.click()
    assert (panel.body.look.point_size > 1, panel.body.look.grid, panel.body.measuring) == (True,) * 3
    panel.opener.click()
    assert not options.isVisible()
    assert not panel.body.measuring, "taps measure only while it is said what they measure"


def test_the_clip_box_of_the_3d_space_cuts_and_what_is_saved_is_told(qtbot, running, monkeypatch):
    page, asked, _ = running
    page.views.button("space").click()
    panel = page.space.panel
    monkeypatch.setattr(panel.body, "visible_points", lambda: np.array([[-1, -1, 1], [1, 1, 3]], np.float32))
    panel.opener.click()
    panel.options.box.click()
    box = panel.body.look.box
    assert box is not None
    panel.options.sides[2, "high"].value_changed.emit(2.0)
    assert panel.body.look.box.high_m[2] == 2.0
    panel.options.box.click()
    assert panel.body.look.box is None
    monkeypatch.setattr(panel, "clouds", dict)
    panel.options.ply.click()
    assert asked.notices[-1].level == "error"


def test_the_palette_offers_what_can_be_done_here(running):
    page, _, _ = running
    commands = {command.words: command for command in page.commands()}

    commands["Show the colour pictures"].act()
    assert page.views.choice == "colour"
    commands[f"Show {page.model.sensors[0].name} large, or all alike"].act()
    assert page.model.live.options.focus == "left"
    assert commands["Write this comparison as a report"].keys == ("Ctrl+S",)
