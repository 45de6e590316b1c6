from app.recording.shedding import Shedding

PERIOD_NS = 33_333_333


def dropped(shedding, waiting, now_ns, ids):
    return [shedding.drops(camera_id, waiting, now_ns) for camera_id in ids]


def test_a_full_queue_loses_the_same_moment_of_all_cameras():
    shedding = Shedding({"a": 30.0, "b": 30.0, "c": 30.0}, 10)
    assert dropped(shedding, 7, 0, "abc") == [False, False, False]
    assert dropped(shedding, 8, PERIOD_NS, "abc") == [True, True, True]
    # Room has come meanwhile, but half of this moment is lost already.
    assert dropped(shedding, 8, 2 * PERIOD_NS, "a") == [True]
    assert dropped(shedding, 3, 2 * PERIOD_NS, "bc") == [True, True]
    assert dropped(shedding, 3, 3 * PERIOD_NS, "abc") == [False, False, False]


def test_the_slowest_camera_leads_and_room_is_for_all_frames_of_its_period():
    shedding = Shedding({"fast": 30.0, "slow": 15.0}, 10)
    assert dropped(shedding, 8, 0, ["slow", "fast", "fast"]) == [True, True, True]
    assert dropped(shedding, 7, 2 * PERIOD_NS, ["slow", "fast", "fast"]) == [False, False, False]


def test_a_leader_that_died_stops_nobody():
    shedding = Shedding({"a": 30.0, "b": 30.0}, 10)
    assert dropped(shedding, 10, 0, "ab") == [True, True]
    assert dropped(shedding, 2, 4 * PERIOD_NS, "b") == [False]
    assert dropped(shedding, 10, 5 * PERIOD_NS, "b") == [True]


def test_a_queue_always_holds_one_set():
    assert Shedding({"a": 30.0, "b": 30.0, "c": 30.0}, 1).room == 3
