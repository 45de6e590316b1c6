import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest

from app.ui.depth_view import DepthView
from app.ui.measure_panel import MeasurePanel
from app.ui.profile_chart import limits, runs
from app.viewmodels.live import TileView
from app.viewmodels.measure import Mark, Stroke, measured


@pytest.fixture(scope="session")
def finger(qapp):
    return QTest.createTouchDevice()


@pytest.fixture
def tile(make_camera, make_refined):
    frame = make_camera().frame()
    return TileView("tiny", frame=frame, refined=make_refined(frame))


@pytest.fixture
def panel(qtbot, themed):
    made = MeasurePanel()
    qtbot.addWidget(made)
    made.resize(340, 700)
    made.show()
    return made


@pytest.fixture
def view(qtbot, themed, tile):
    made = DepthView()
    qtbot.addWidget(made)
    made.resize(900, 500)
    made.show()
    qtbot.waitExposed(made)
    made.show_tile(tile)
    return made


def at(column, row):
    return (column + 0.5) / 8, (row + 0.5) / 6


def on(view, column, row):
    """Where a pixel of the 8 x 6 picture lies in the large picture."""
    rect = view._depth_pane().rect
    x, y = at(column, row)
    return QPoint(round(rect.x() + x * rect.width()), round(rect.y() + y * rect.height()))


def drag(view, finger, start, end):
    QTest.touchEvent(view, finger).press(0, start, view).commit()
    QTest.touchEvent(view, finger).move(0, (start + end) / 2, view).commit()
    QTest.touchEvent(view, finger).move(0, end, view).commit()
    QTest.touchEvent(view, finger).release(0, end, view).commit()


def near(place, truth):
    return place == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("tool", ["distance", "area", "line"])
def test_a_finger_drags_a_measurement(qtbot, view, finger, tool):
    view.set_tool(tool)
    with qtbot.waitSignal(view.drawn) as drawn:
        drag(view, finger, on(view, 1, 1), on(view, 6, 3))
    stroke = drawn.args[0]
    assert stroke.tool == tool
    assert near(stroke.start, at(1, 1))
    assert near(stroke.end, at(6, 3))
    assert view.readout is None


def test_two_taps_measure_a_distance(qtbot, view, finger):
    heard = []
    view.drawn.connect(heard.append)
    view.set_tool("distance")
    for place in (on(view, 1, 1), on(view, 6, 3)):
        QTest.touchEvent(view, finger).press(0, place, view).commit()
        QTest.touchEvent(view, finger).release(0, place, view).commit()
    assert len(heard) == 1
    assert near(heard[0].start, at(1, 1))
    assert near(heard[0].end, at(6, 3))


def test_one_tap_pins_a_point(qtbot, view, finger):
    heard = []
    view.drawn.connect(heard.append)
    view.set_tool("point")
    QTest.touchEvent(view, finger).press(0, on(view, 2, 2), view).commit()
    assert view.readout.raw == "200 mm"  # the loupe, above the finger
    QTest.touchEvent(view, finger).release(0, on(view, 2, 2), view).commit()
    assert [stroke.tool for stroke in heard] == ["point"]
    assert near(heard[0].start, at(2, 2))


def test_shift_measures_an_area_whatever_the_tool(qtbot, view):
    view.set_tool("line")
    with qtbot.waitSignal(view.drawn) as drawn:
        QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, on(view, 1, 1))
        QTest.mouseMove(view, on(view, 5, 5))
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=on(view, 5, 5))
    assert drawn.args[0].tool == "area"


def test_a_drag_beyond_the_picture_ends_at_its_edge(qtbot, view, finger):
    view.set_tool("line")
    with qtbot.waitSignal(view.drawn) as drawn:
        drag(view, finger, on(view, 2, 3), QPoint(3, on(view, 2, 3).y()))
    assert drawn.args[0].end[0] == 0.0


def test_a_mark_is_painted_where_it_was_drawn(view, tile):
    stroke = Stroke("line", at(1, 5), at(3, 5))

    def across():
        picture, here = view.grab().toImage(), on(view, 2, 5)
        return [picture.pixelColor(here + QPoint(0, dy)).getRgb()[:3] for dy in range(-3, 4)]

    before = across()
    assert (255, 255, 255) not in before
    view.show_marks([measured(Mark(1, "tiny", stroke), tile)])
    assert (255, 255, 255) in across()
    view.show_marks([])
    assert across() == before


def test_the_panel_has_the_figures_of_an_area(panel, tile):
    panel.show_marks([measured(Mark(1, "tiny", Stroke("area", at(0, 0), at(7, 5))), tile)])
    rows = {row[0]: row[1:] for row in panel.cards[1].rows}
    assert rows["Median"] == ("400 mm", "450 mm")
    assert rows["Std"] == ("200 mm", "229 mm")
    assert rows["Fill Rate"] == ("87.5%", "100.0%")


def test_the_panel_has_both_lengths(panel, tile):
    panel.show_marks([measured(Mark(4, "tiny", Stroke("distance", at(0, 2), at(5, 2))), tile)])
    assert panel.cards[4].rows[1][1] == "none"
    assert panel.cards[4].rows[1][2].endswith("mm")


def test_cards_come_newest_first_and_go_with_their_marks(qtbot, panel, tile):
    marks = [
        measured(Mark(number, "tiny", Stroke("point", at(number, 2), at(number, 2))), tile)
        for number in (1, 2, 3)
    ]
    panel.show_marks(marks)
    QTest.qWait(10)
    assert panel.cards[3].y() < panel.cards[2].y() < panel.cards[1].y()
    with qtbot.waitSignal(panel.remove_requested) as asked:
        panel.cards[2].remove.click()
    assert asked.args == [2]
    panel.show_marks(marks[:1])
    assert list(panel.cards) == [1]
    assert panel.clear.isEnabled()
    panel.show_marks([])
    assert not panel.clear.isEnabled()


def test_the_chart_interrupts_its_curve_at_a_hole():
    values = np.array([1.0, 1.1, np.nan, 1.2, 1.3, 1.4], np.float32)
    found = runs(values, QRectF(10, 20, 100, 40), 1.0, 1.4)
    assert [run.count() for run in found] == [2, 3]
    assert found[0][0].x() == 10
    assert found[0][0].y() == pytest.approx(60)
    assert found[1][2].x() == 110
    assert found[1][2].y() == pytest.approx(20)


@pytest.mark.parametrize(
    ("low_m", "high_m", "ends"),
    [(1.0, 1.0, (0.99, 1.01)), (0.503, 0.781, (0.5, 0.79)), (0.5, 3.21, (0.5, 3.3))],
)
def test_the_axis_has_round_ends_and_does_not_magnify_noise(low_m, high_m, ends):
    assert limits(low_m, high_m) == pytest.approx(ends)
