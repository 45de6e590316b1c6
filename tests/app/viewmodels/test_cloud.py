from dataclasses import replace

import pytest

from app.flow.capture import CameraStatus
from app.viewmodels.cloud import age_words, missing_words, raw_cloud, refined_cloud
from app.viewmodels.live import Note, TileView


@pytest.fixture
def tile(make_camera, make_refined):
    frame = make_camera().frame()
    return TileView("tiny", frame=frame, refined=make_refined(frame), age_ms=985.0)


def test_a_frozen_cloud_has_an_age_and_is_not_missing(tile):
    assert age_words(tile) == ("refined 985 ms old", False)
    tile = TileView("tiny", frame=tile.frame, refined=tile.refined, age_ms=12_000.0, frozen=True)
    assert age_words(tile) == ("refined 12 s old", False)


def test_a_cloud_that_is_too_old_or_missing_says_so(tile):
    stale = TileView("tiny", refined=tile.refined, age_ms=12_000.0, refined_note=Note("Refined is 12 s old"))
    assert age_words(stale) == ("refined 12 s old", True)
    assert age_words(TileView("tiny", camera_note=Note("Camera lost"))) == ("Camera lost", True)
    assert age_words(TileView("tiny")) == ("", False)


def test_an_old_cloud_is_drawn_with_its_age_and_only_what_is_not_drawn_is_missing(tile):
    old = replace(tile, refined_note=Note("Refined depth is 7 s old"))
    assert (refined_cloud(old).old, raw_cloud(old).old) == ("Refined depth is 7 s old", "")
    assert missing_words(old) == {}
    silent = replace(tile, camera_note=Note("No frames for 2.0 s"))
    assert (refined_cloud(silent).old, raw_cloud(silent).old) == ("", "No frames for 2.0 s")
    off = replace(tile, refined=None, refined_note=Note("Repair is off"))
    assert (refined_cloud(off), missing_words(off)) == (None, {"refined": "Repair is off"})
    gone = Note("Camera lost")
    lost = replace(tile, camera_note=gone, refined_note=gone, status=CameraStatus.LOST)
    assert (raw_cloud(lost), refined_cloud(lost)) == (None, None)
    assert missing_words(lost) == {"raw": "Camera lost", "refined": "Camera lost"}
    assert refined_cloud(replace(lost, frozen=True, refined_note=None)) is not None, "a held moment stays"
