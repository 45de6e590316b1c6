from itertools import combinations

import pytest
from PySide6.QtCore import QRect

from app.ui.marks import covered_by, placed_labels
from app.ui.panes import nearest_free
from app.viewmodels.measure import Mark, Measured, Stroke

PICTURE = QRect(0, 0, 360, 270)
STROKES = (
    Stroke("distance", (0.3, 0.5), (0.7, 0.6)),
    Stroke("area", (0.2, 0.2), (0.5, 0.4)),
    Stroke("point", (0.6, 0.8), (0.6, 0.8)),
    Stroke("line", (0.1, 0.55), (0.9, 0.62)),
)


def measured(*strokes):
    words = ("raw 1.062 m", "refined 1.062 m")
    return [Measured(Mark(n, "tiny", stroke), words) for n, stroke in enumerate(strokes, 1)]


def test_no_label_lies_on_a_mark_on_the_handle_or_on_another_label(qtbot, themed):
    handle = QRect(158, 212, 44, 44)
    placed = placed_labels(PICTURE, measured(*STROKES), [handle])
    boxes = [box for box, _ in placed]
    marked = [part for stroke in STROKES for part in covered_by(PICTURE, stroke)]
    assert all(PICTURE.contains(box) for box in boxes)
    assert not [box for box in boxes for other in (*marked, handle) if box.intersects(other)]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].intersects(pair[1])]


def test_the_label_of_an_area_stays_at_its_edge(qtbot, themed):
    names = [QRect(6, 6, 52, 26), QRect(284, 6, 70, 26)]
    boxes = [box for box, _ in placed_labels(PICTURE, measured(*STROKES), names)]
    area = covered_by(PICTURE, STROKES[1])[0]
    assert boxes[1].adjusted(-1, -1, 1, 1).intersects(area)


def test_a_mark_without_room_for_words_has_its_number(qtbot, themed):
    whole = Stroke("area", (0.0, 0.0), (1.0, 0.85))
    ((box, words),) = placed_labels(PICTURE, measured(whole))
    assert words == ()
    assert not box.intersects(covered_by(PICTURE, whole)[0])


@pytest.mark.parametrize(
    ("taken", "found"),
    [
        ([], QRect(10, 10, 20, 10)),
        ([QRect(0, 0, 100, 14)], QRect(10, 14, 20, 10)),
        ([QRect(0, 0, 100, 60)], None),
    ],
)
def test_a_box_goes_to_the_nearest_free_place(taken, found):
    assert nearest_free(QRect(0, 0, 100, 60), QRect(10, 10, 20, 10), taken, farthest_px=40) == found
