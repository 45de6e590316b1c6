from dataclasses import replace

import pytest

from app.viewmodels.live import Note, TileView
from app.viewmodels.measure import MOST, Mark, MeasureModel, Stroke, length_words, measured


def at(column, row=3):
    return (column + 0.5) / 8, (row + 0.5) / 6


@pytest.fixture
def tile(make_camera, make_refined):
    frame = make_camera().frame()
    return TileView("tiny", frame=frame, refined=make_refined(frame))


@pytest.fixture
def tiles(tile):
    return {"tiny": tile}


@pytest.fixture
def model(qapp, tiles):
    made = MeasureModel(tiles.get)
    yield made
    made.stop()


def test_a_point_says_raw_refined_and_where_it_comes_from(tile):
    found = measured(Mark(1, "tiny", Stroke("point", at(0), at(0))), tile)
    assert found.words == ("raw \N{EM DASH}", "refined 800 mm")
    assert found.point.provenance.startswith("Invented")


def test_a_distance_into_a_hole_exists_in_refined_depth_only(tile):
    found = measured(Mark(1, "tiny", Stroke("distance", at(0), at(5))), tile)
    assert found.raw_m is None
    # Lens: f = 8 px, cx = 3.5. Column 0 was filled with 0.8 m, column 5 is at 0.5 m.
    x0, x5 = 0.8 * (0 - 3.5) / 8, 0.5 * (5 - 3.5) / 8
    y0, y5 = 0.8 * (3 - 2.5) / 8, 0.5 * (3 - 2.5) / 8
    truth = ((x5 - x0) ** 2 + (y5 - y0) ** 2 + 0.3**2) ** 0.5
    assert found.refined_m == pytest.approx(truth)
    assert found.words == ("raw \N{EM DASH}", f"refined {truth * 1000:.0f} mm")


def test_an_area_has_statistics_of_both(tile):
    found = measured(Mark(1, "tiny", Stroke("area", at(0, 0), at(7, 5))), tile)
    assert found.raw_stats.fill == pytest.approx(7 / 8)
    assert found.refined_stats.fill == 1
    assert found.raw_stats.median_m == pytest.approx(0.4)


def test_a_line_has_a_profile_of_both(tile):
    found = measured(Mark(1, "tiny", Stroke("line", at(1), at(4))), tile)
    assert found.raw_profile == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert found.refined_profile == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_without_a_repair_raw_alone_is_measured(tile):
    found = measured(Mark(1, "tiny", Stroke("line", at(1), at(4))), replace(tile, refined=None))
    assert found.refined_m is None
    assert found.refined_profile is None
    assert len(found.words) == 1
    assert (found.withheld, found.note) == ("\N{EM DASH}", "")


@pytest.mark.parametrize("tool", ["point", "distance", "area", "line"])
def test_refined_depth_that_is_withheld_is_called_too_old_for_every_tool(tile, tool):
    note = Note("Refined depth is 7 s old")
    found = measured(Mark(1, "tiny", Stroke(tool, at(1), at(4))), replace(tile, refined_note=note))
    assert (found.withheld, found.note) == ("too old", note.text)
    assert len(found.words) == 1


@pytest.mark.parametrize(("length_m", "words"), [(None, "none"), (0.0, "0 mm"), (0.25, "250 mm")])
def test_a_length_of_zero_is_a_length(length_m, words):
    assert length_words(length_m) == words


def test_values_follow_the_pictures(qtbot, model, tiles, make_camera, make_refined):
    heard = []
    model.measured.connect(heard.append)
    model.start()
    model.add("tiny", Stroke("point", at(5), at(5)))
    assert heard[-1][0].words == ("raw 500 mm", "refined 500 mm")
    before = len(heard)
    model.look()
    assert len(heard) == before  # nothing new, nothing said
    frame = make_camera(unit_m=0.002).frame()
    tiles["tiny"] = TileView("tiny", frame=frame, refined=make_refined(frame))
    qtbot.waitUntil(lambda: heard[-1][0].words == ("raw 1.000 m", "refined 1.000 m"), timeout=2000)


def test_marks_are_numbered_undone_removed_and_cleared(model):
    for column in range(4):
        model.add("tiny", Stroke("point", at(column), at(column)))
    assert [mark.number for mark in model.marks] == [1, 2, 3, 4]
    model.undo()
    model.remove(2)
    assert [mark.number for mark in model.marks] == [1, 3]
    model.clear()
    assert model.marks == []


def test_the_oldest_mark_makes_room(model):
    for _ in range(MOST + 3):
        model.add("tiny", Stroke("point", at(1), at(1)))
    assert len(model.marks) == MOST
    assert model.marks[0].number == 4


def test_a_mark_on_a_camera_that_has_gone_has_no_values(model, tiles):
    heard = []
    model.measured.connect(heard.append)
    model.add("tiny", Stroke("point", at(5), at(5)))
    tiles.clear()
    model.look()
    assert heard[-1][0].words == ()
