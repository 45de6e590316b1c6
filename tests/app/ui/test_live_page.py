from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyle, QStyleOptionComboBox

from app.compose import InferenceState, InferenceStatus
from app.flow.attention import Attention
from app.quality.diagnosis import Finding, Fix
from app.ui import theme
from app.ui.live_page import make_page
from app.ui.tile_pictures import raw_depth
from app.viewmodels.checkup import CheckupView
from app.viewmodels.measure import Stroke
from model.spec import find
from tests.app.ui import pages

NO_EMITTER = Finding(
    "emitter", "Off", "It is off.", "Switch it on.", "error", Fix("On", {"depth.emitter": True})
)
NO_USB = Finding("usb", "The camera hangs on USB 2", "480 Mbit/s.", "Take another port.")


@pytest.fixture
def opened(qtbot, themed, tmp_path, make_camera):
    context, asked = pages.context_for(tmp_path)
    context.studio.open([make_camera("left"), make_camera("right")])
    page = make_page(context)
    page.resize(*pages.SIZES[0])
    page.show()
    page.shown()
    qtbot.waitExposed(page)
    qtbot.waitUntil(lambda: bool(page.model.titles) and page.model.tile("left").frame is not None)
    yield page, asked
    pages.discard(page)
    context.studio.close()


@pytest.fixture
def page(opened):
    return opened[0]


def test_the_3d_view_ends_with_the_page_without_having_been_shown(qtbot, themed, tmp_path):
    context, _ = pages.context_for(tmp_path)
    page = make_page(context)
    view = page._cloud.body
    assert shiboken6.isValid(view)
    page.deleteLater()
    qtbot.waitUntil(lambda: not shiboken6.isValid(page))
    assert not shiboken6.isValid(view)
    context.studio.close()


def test_without_a_camera_nothing_is_offered_that_acts_on_its_pictures(opened):
    page, _ = opened
    acting = (page._freeze, page._measure, page._stages, page._snapshot, page._why)
    assert all(button.isEnabled() for button in acting)
    assert "Freeze the pictures, or go on" in {command.words for command in page.commands()}
    page._measure.click()
    page._show_rig([])
    assert not any(button.isEnabled() for button in acting)
    assert not page._measure.isChecked(), "its panel has closed"
    assert "Freeze the pictures, or go on" not in {command.words for command in page.commands()}


@pytest.mark.parametrize("size", [(1280 - 104, 720 - 42), *pages.SIZES])
@pytest.mark.parametrize("opener", ["_range", "_measure", "_tune", None])
def test_everything_is_large_enough_and_nothing_is_squeezed(page, size, opener):
    page.resize(*size)
    if opener is not None:
        getattr(page, opener).click()
    QTest.qWait(30)
    pages.assert_fit_for_fingers(page)
    assert page.size().toTuple() == size
    assert page.minimumSizeHint().width() <= size[0]
    assert page._models.width() >= 150


def test_raw_depth_is_shown_after_the_vendors_filters_when_they_are_wanted(qtbot, page):
    from drivers.registry import SDKS

    if not SDKS[0].state().ready:
        pytest.skip("pyrealsense2 is not here")
    page._tune.click()
    QTest.mouseClick(page._repair.filters.button("hole filling"), Qt.MouseButton.LeftButton)

    qtbot.waitUntil(lambda: page.model.tile("left").filtered is not None)

    assert page.model.options.filters == ("hole filling",)
    tile = page.model.tile("left")
    assert raw_depth(tile, registered=True) is tile.filtered.depth
    QTest.mouseClick(page._repair.filters.button("hole filling"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.model.tile("left").filtered is None)


def test_filters_of_another_vendor_let_go_of_the_first_and_say_which_cameras_they_take(qtbot, page):
    from drivers.registry import SDKS

    if not all(sdk.state().ready for sdk in SDKS[:2]):
        pytest.skip("an SDK is not here")
    page._tune.click()
    panel = page._repair
    QTest.mouseClick(panel.filters.button("spatial"), Qt.MouseButton.LeftButton)
    assert page.model.options.filters == ("spatial",)

    QTest.mouseClick(panel.orbbec_filters.button("orbbec temporal"), Qt.MouseButton.LeftButton)

    assert page.model.options.filters == ("orbbec temporal",)
    assert panel.filters.selected == []
    qtbot.waitUntil(lambda: "only frames of Orbbec's cameras" in panel._filters_problem.text())
    assert page.model.tile("left").filtered is None
    QTest.mouseClick(panel.orbbec_filters.button("orbbec temporal"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel._filters_problem.text() == "")


def test_one_panel_is_open_at_a_time_and_measuring_ends_with_its_panel(page):
    page._measure.click()
    assert page.measure.tool == "point"
    page._marks.tools.button("area").click()
    assert page.measure.tool == "area"
    page._range.click()
    assert not page._measure.isChecked()
    assert page._colours.isVisible()
    assert page.measure.tool == "read"
    page._range.click()
    assert not page._panel.isVisible()


def test_a_mark_is_in_panel_and_picture_and_is_cleared_by_one_touch(page):
    page._measure.click()
    page.measure.add("left", Stroke("point", (0.7, 0.5), (0.7, 0.5)))
    first, second = (tile.view for tile in page._tiles.tiles)
    assert len(first._marks) == 1
    assert not second._marks
    assert len(page._marks.cards) == 1
    QTest.mouseClick(page._marks.clear, Qt.MouseButton.LeftButton)
    assert not first._marks
    assert not page._marks.cards


def test_a_touch_chooses_the_layer_and_the_legend_follows(page):
    page._layers.layers.button("difference").click()
    assert page.model.options.shown == "difference"
    assert page._legend.isVisible()
    page._colours.differences.button("0.5").click()
    assert "+500 mm" in page._legend.currentWidget().accessibleName()
    page._layers.layers.button("refined").click()
    assert not page._legend.isVisible()


def test_a_tap_on_the_picture_in_the_corner_swaps(page):
    page._layouts.button("inset").click()
    view = page._tiles.tiles[0].view
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.panes[-1].rect.center())
    assert (page.model.options.base, page.model.options.shown) == ("refined", "raw")


@pytest.mark.parametrize("width", [1280, 1920])
def test_freezing_moves_no_other_button(qtbot, page, width):
    page.resize(width, 1000)
    QTest.qWait(20)
    before = page._measure.x()
    page._freeze.click()
    page.model.set_stages(True)
    QTest.qWait(20)
    assert page._measure.x() == before
    page.resize(1920, 1000)
    QTest.qWait(20)
    assert page._freeze.text() == "Go on"
    before = page._measure.x()
    page._freeze.click()
    QTest.qWait(20)
    assert (page._freeze.text(), page._measure.x()) == ("Freeze", before)


def test_rates_and_latencies_are_shown_on_demand(qtbot, page):
    bar = page._tiles.tiles[0].stages
    assert not bar.isVisible()
    page._stages.click()
    qtbot.waitUntil(lambda: bar.isVisible() and "Raw shown" in bar.accessibleName(), timeout=3000)
    assert bar.geometry().bottom() < page._tiles.tiles[0].view.geometry().top()


def test_a_picture_is_saved_and_the_operator_told_where(opened, tmp_path):
    page, asked = opened
    page._snapshot.click()
    notice = asked.notices[-1]
    file = Path(notice.hint) / notice.text.removeprefix("Saved ").removesuffix(".")
    assert file.is_relative_to(tmp_path)
    assert QImage(str(file)).size() == page._tiles.size()


def test_every_layout_has_a_key(page):
    page.window().activateWindow()
    for key, layout in zip("OWBSI", ("one", "wipe", "blend", "side", "inset"), strict=True):
        QTest.keyClick(page, getattr(Qt.Key, f"Key_{key}"))
        assert page.model.options.layout == layout
    QTest.keyClick(page, Qt.Key.Key_G)
    assert page.model.options.stages


def test_depth_is_steadied_by_one_touch_and_after_the_next_start(opened, page):
    page._tune.click()
    QTest.mouseClick(page._repair.stabilise, Qt.MouseButton.LeftButton)
    assert page.model.stabilise
    assert page._context.studio.pipeline.stabilise
    assert page._context.settings.stabilise
    page._repair.stabilise.click()
    assert not page._context.studio.pipeline.stabilise


@pytest.mark.parametrize("layout", ["one", "wipe", "blend", "side", "inset", "cloud"])
def test_two_rows_of_buttons_are_enough_on_a_small_screen(page, layout):
    page.resize(1280 - 104, 720 - 42)
    page.model.set_layout(layout)
    QTest.qWait(20)
    tops = {w.mapTo(page, w.rect().topLeft()).y() for w in (page._freeze, page._tune)}
    below = {w.mapTo(page, w.rect().topLeft()).y() for w in (page._why, page._snapshot, page._more)}
    assert len(tops) == 1
    assert below == {min(tops) + theme.TARGET_PX + theme.GAP_PX}


def test_the_choices_of_the_3d_view_fit_their_panel_and_follow_what_is_chosen(page):
    page.model.set_layout("cloud")
    page._cloud.opener.click()
    options = page._cloud.options
    assert options.isVisible()
    assert options.minimumSizeHint().width() <= page._panel._stack.currentWidget().viewport().width()
    pages.assert_fit_for_fingers(page)
    options.larger.click()
    options.mesh.click()
    assert page._cloud.body.look.point_size > 1
    assert page._cloud.body.look.mesh
    assert not options.larger.isEnabled(), "a mesh has no points"
    page._measure.click()
    assert page._cloud.body.measuring
    assert options.measure.isChecked()
    options.measure.click()
    assert not page._cloud.body.measuring
    assert not page._measure.isChecked()
    page._measure.click()
    page.model.set_layout("wipe")
    assert not page._cloud.body.measuring
    assert not page._panel.isVisible()


def test_saving_a_3d_view_that_is_not_there_says_so(opened, page):
    for button in (page._cloud.options.ply, page._cloud.options.picture):
        button.click()
        assert opened[1].notices[-1].level == "error"
        assert "3D" in opened[1].notices[-1].hint


def test_why_it_is_bad_is_asked_by_one_touch_and_mended_by_another(qtbot, page):
    page._why.click()
    assert page.checkup.view.busy
    assert page._checkup._busy.isVisible()
    page._checkup.show_view(CheckupView("left", done=True, findings=(NO_EMITTER, NO_USB)))
    QTest.qWait(20)
    emitter, usb = page._checkup.cards
    assert emitter.button.isVisible()
    assert not usb.button.isVisible()
    assert page._checkup.minimumSizeHint().width() <= page._panel._stack.currentWidget().viewport().width()
    pages.assert_fit_for_fingers(page)
    with qtbot.waitSignal(page._checkup.fix_requested) as caught:
        QTest.mouseClick(emitter.button, Qt.MouseButton.LeftButton)
    assert caught.args == [NO_EMITTER.fix]
    page._why.click()
    assert not page._panel.isVisible()


def test_hiding_depth_is_said_and_ended_by_one_touch(opened, page):
    page._tune.click()
    page._repair.hidden.setValue(12)
    assert page.model.options.hidden_share == pytest.approx(0.6)
    assert page._hiding.isVisible()
    assert "60%" in page._hiding.accessibleName()
    page._hiding._end.click()
    assert page.model.options.hidden_share == 0
    assert not page._hiding.isVisible()
    assert page._repair.hidden.value() == 0


def test_the_panel_changes_how_the_repair_runs(page):
    page._context.studio.close()  # nothing is loaded without a rig
    page._tune.click()
    page.model.choose_model("demo")
    page._offer_models()
    page._repair.tokens.button("432").click()
    page._repair.modes.button("monocular").click()
    choice = page.model.choice
    assert (choice.model, choice.tokens, choice.monocular) == ("demo", 432, True)
    assert not page._repair.anchor.isEnabled()


def test_a_repair_without_a_network_has_no_tokens_to_choose(page):
    page._context.studio.close()
    page._tune.click()
    page.model.choose_model("classical")
    page._offer_models()
    assert not page._repair.tokens.isVisible()
    assert page._repair.hidden.isVisible()


def test_what_the_repair_runs_on_is_spelled_as_on_the_switches(page):
    page._repair.show_state(InferenceState(InferenceStatus.RUNNING, "MDM", "OpenVINO CPU fp32, 192 tokens"))
    assert page._repair._state.text() == "Runs on OpenVINO CPU FP32, 192 tokens"


def test_every_command_does_something_and_says_it_once(page):
    commands = page.commands()
    words = [command.words for command in commands]
    assert len(set(words)) == len(words)
    keys = [key for command in commands for key in command.keys]
    assert len(set(keys)) == len(keys)
    for command in commands:
        if "picture of" not in command.words and not command.words.startswith(
            ("Repair with", "Turn the repair")
        ):
            command.act()


def test_commands_reach_what_has_no_key(page):
    by_words = {command.words: command.act for command in page.commands()}
    by_words["Colour depth from 0 m to 6 m"]()
    by_words["Colour depth with Viridis"]()
    by_words["Measure: area"]()
    assert (page.model.options.far_m, page.model.options.colour_map) == (6.0, "viridis")
    assert page.measure.tool == "area"
    assert page._marks.isVisible()


@pytest.mark.parametrize("opener", ["_range", "_measure", "_tune"])
def test_no_panel_is_wider_than_its_room(page, opener):
    page._context.studio.close()
    page.model.choose_model("demo")
    page._offer_models()
    getattr(page, opener).click()
    area = page._panel._stack.currentWidget()
    QTest.qWait(20)
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()


def test_the_panel_follows_the_menu(page):
    page._context.studio.close()
    page._tune.click()
    page._models.select("demo")
    page._models.picked.emit("demo")
    assert page._repair._model.text() == find("demo").title
    assert page._repair.tokens.isVisible()


def test_the_name_of_the_bundled_model_fits_the_narrowest_screen(page):
    page._context.studio.close()
    page.resize(1280 - 104, 720 - 42)
    page.model.choose_model("demo")
    page._offer_models()
    QTest.qWait(20)
    picker = page._models
    option = QStyleOptionComboBox()
    picker.initStyleOption(option)
    style = QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField
    room = picker.style().subControlRect(*style, picker).width()
    assert picker.currentText() == find("demo").title
    assert picker.fontMetrics().horizontalAdvance(picker.currentText()) <= room - 2


def test_a_tap_asks_what_a_patch_attends_to_and_says_what_became_of_it(qtbot, page):
    page._tune.click()
    page._repair.attention.click()
    view = page._tiles.tiles[0].view
    pane = view._depth_pane().rect
    QTest.mouseClick(
        view, Qt.MouseButton.LeftButton, pos=pane.topLeft() + (pane.bottomRight() - pane.topLeft()) / 4
    )
    words = page._repair._attention_words
    qtbot.waitUntil(lambda: words.text().startswith("Without a network"), timeout=5000)
    asked = page.model._pipeline.attention.asked
    assert (asked.x, asked.y) == pytest.approx((0.25, 0.25), abs=0.01)

    before = view.grab().toImage()
    heat = np.zeros((3, 4), np.float32)
    heat[2, 3] = 1.0
    page._show_attention(Attention(asked, heat))
    after = view.grab().toImage()
    colour = next(pane.rect for pane in view.panes if pane.kind == "colour")
    bright, dark = colour.bottomRight() - QPoint(9, 9), colour.topLeft() + QPoint(9, 40)
    assert after.pixelColor(bright).lightness() > before.pixelColor(bright).lightness()
    assert after.pixelColor(dark).lightness() < before.pixelColor(dark).lightness()

    page._tune.click()
    assert page.model._pipeline.attention.asked is None
    assert page.measure.tool == "read"
