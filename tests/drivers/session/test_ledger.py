import numpy as np
import pytest
from session_recordings import make_frame, record

from drivers.session.audit import audit
from drivers.session.ledger import Ledger, LostFrames, Stage, by_stage, missing, unaccounted
from drivers.session.reader import Session


def lost(first, last, stage=Stage.QUEUE):
    return LostFrames(first=first, last=last, stage=stage)


def test_neighbours_that_are_lost_at_one_place_are_one_entry():
    ledger = Ledger()
    for number in (3, 4, 5, 9):
        ledger.lose(number, number, Stage.QUEUE)
    ledger.lose(10, 12, Stage.DEVICE)
    ledger.lose(13, 12, Stage.DEVICE)
    assert ledger.ranges == (lost(3, 5), lost(9, 9), lost(10, 12, Stage.DEVICE))
    assert by_stage(ledger.ranges) == {"queue": 4, "device": 3}


def test_news_are_told_once():
    ledger = Ledger()
    ledger.lose(3, 3, Stage.QUEUE)
    assert ledger.news() == (lost(3, 3),)
    assert ledger.news() == ()
    ledger.lose(4, 4, Stage.QUEUE)
    assert ledger.news() == (lost(4, 4),)
    assert ledger.ranges == (lost(3, 4),)


@pytest.mark.parametrize(
    ("held", "losses", "why"),
    [
        ([7, 8, 9], [], ""),
        ([7, 10], [lost(8, 9)], ""),
        ([7, 8, 10], [], "numbers 9 to 9"),
        ([7, 10], [lost(8, 8)], "numbers 9 to 9"),
        ([7, 8, 9], [lost(8, 8)], "number 8 is accounted for twice"),
        ([7], [lost(8, 10), lost(10, 12)], "number 10 is accounted for twice"),
        ([7, 8, 3, 4], [], ""),
        ([], [], ""),
    ],
)
def test_each_number_is_held_or_lost_and_never_both(held, losses, why):
    found = unaccounted(np.array(held, np.int64), losses)
    assert why in found
    assert bool(found) == bool(why)


def test_what_is_neither_held_nor_known_to_be_lost_went_with_the_crash():
    held = np.array([3, 4, 9, 20], np.int64)
    gone = missing(held, [lost(5, 6), lost(10, 30)])
    assert gone == (lost(7, 8, Stage.CRASH),)
    assert missing(np.array([], np.int64), []) == ()


def test_a_scan_counts_what_the_file_holds(tmp_path):
    frames = [make_frame(index, camera_id) for index in (2, 3, 5) for camera_id in ("left", "right")]
    manifest = record(tmp_path / "s", frames).close()
    found = audit(tmp_path / "s" / "seg_00000.mcap")
    assert found.counts == manifest.files[0].counts
    assert found.numbers["left"].tolist() == [2, 3, 5]
    assert found.incomplete == 0
    assert manifest.lost["right"] == (lost(4, 4, Stage.DEVICE),)


def test_a_frame_that_never_reached_its_file_makes_the_session_dishonest(tmp_path):
    writer = record(tmp_path / "s", [make_frame(index) for index in range(4)])
    add = writer._segment.add

    def forgetful(name, data, *, sequence, **times):
        if not (sequence == 4 and name.endswith("frame_meta")):
            add(name, data, sequence=sequence, **times)

    writer._segment.add = forgetful
    from drivers.session.encode import encode

    for index in (4, 5):
        writer.write(encode(make_frame(index)))
    manifest = writer.close({"left": writer._totals()["left"]})
    assert not manifest.honest
    assert "left" in manifest.dishonest_because
    assert Session(tmp_path / "s").count("left") == 5
