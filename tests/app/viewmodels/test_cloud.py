import pytest

from app.viewmodels.cloud import age_words
from app.viewmodels.live import Note, TileView


@pytest.fixture
def tile(make_camera, make_refined):
    frame = make_camera().frame()
    return TileView("tiny", frame=frame, refined=make_refined(frame), age_ms=985.0)


def test_a_frozen_cloud_has_an_age_and_is_not_missing(tile):
    assert age_words(tile) == ("refined 985 ms old", False)
    tile = TileView("tiny", frame=tile.frame, refined=tile.refined, age_ms=12_000.0, frozen=True)
    assert age_words(tile) == ("refined 12.0 s old", False)


def test_a_cloud_that_is_missing_says_so(tile):
    stale = TileView("tiny", refined=tile.refined, age_ms=12_000.0, refined_note=Note("Refined is 12 s old"))
    assert age_words(stale) == ("refined 12.0 s old", True)
    assert age_words(TileView("tiny", camera_note=Note("Camera lost"))) == ("Camera lost", True)
    assert age_words(TileView("tiny")) == ("", False)
