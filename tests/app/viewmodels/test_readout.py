from dataclasses import replace

import pytest

from app.viewmodels.live import Note, TileView
from app.viewmodels.readout import depth_words, figures, readout
from model.repair import Provenance


@pytest.mark.parametrize(
    ("depth_m", "words"), [(0.8124, "812 mm"), (1.0, "1.000 m"), (2.3456, "2.346 m"), (0, "none")]
)
def test_depth_is_in_millimetres_below_a_metre(depth_m, words):
    assert depth_words(depth_m) == words


def test_nothing_is_read_before_the_first_frame():
    assert readout(TileView("tiny"), 0.5, 0.5) is None


def test_a_hole_that_was_filled_is_called_invented(make_camera, make_refined):
    frame = make_camera().frame()
    said = readout(TileView("tiny", frame=frame, refined=make_refined(frame)), 0.01, 0.5)
    assert (said.raw, said.refined) == ("none", "800 mm")
    assert said.provenance.startswith("Invented")


def test_the_pixel_under_the_finger_is_read(make_camera, make_refined):
    frame = make_camera().frame()
    said = readout(TileView("tiny", frame=frame, refined=make_refined(frame)), 5.5 / 8, 0.5)
    assert (said.raw, said.refined) == ("500 mm", "500 mm")


def test_without_a_current_result_the_reason_stands_there(make_camera, make_refined):
    frame = make_camera().frame()
    tile = TileView("tiny", frame=frame, refined_note=Note("Repair is off"))
    said = readout(tile, 5.5 / 8, 0.5)
    assert (said.raw, said.refined, said.provenance) == ("500 mm", "\N{EM DASH}", "Repair is off")
    old = replace(tile, refined=make_refined(frame), refined_note=Note("Refined depth is 7 s old"))
    assert readout(old, 5.5 / 8, 0.5).refined == "too old"


@pytest.mark.parametrize(
    ("later_s", "words"), [(0.9, ("", "")), (1.8, ("1.8 s before this picture", "1.8 s before"))]
)
def test_figures_of_another_moment_than_the_picture_say_so(make_camera, make_refined, later_s, words):
    frame = make_camera().frame()
    shown = replace(frame, captured_ns=frame.captured_ns + round(later_s * 1e9))
    assert readout(TileView("tiny", frame=shown, refined=make_refined(frame)), 0.5, 0.5).before == words


def test_figures_are_shares_of_all_pixels(make_camera, make_refined):
    counted = figures(make_refined(make_camera().frame()))
    assert counted.shares[Provenance.INVENTED] == pytest.approx(1 / 8)
    assert sum(counted.shares.values()) == pytest.approx(1)
