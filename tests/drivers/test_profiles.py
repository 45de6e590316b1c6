import pytest

from drivers.errors import ModeUnsupported
from drivers.profiles import USB_2_BUDGET, Profile, Stream, Wish, choose

BYTES = {Stream.COLOR: 2, Stream.DEPTH: 2, Stream.IR_LEFT: 1, Stream.IR_RIGHT: 1}
SIZES = ((1280, 720), (848, 480), (640, 480), (480, 270))


def offers(streams=tuple(Stream), sizes=SIZES, rates=(60, 30, 15, 6)):
    return [Profile(s, w, h, rate, BYTES[s]) for s in streams for w, h in sizes for rate in rates]


def test_the_wish_is_taken_where_it_is_offered():
    chosen = choose(offers(), Wish(848, 480, 60))

    assert set(chosen) == set(Stream)
    assert {(p.width, p.height, p.rate_hz) for p in chosen.values()} == {(848, 480, 60)}


def test_the_nearest_size_and_rate_are_taken_otherwise():
    chosen = choose(offers(sizes=((1280, 720), (480, 270)), rates=(25, 5)), Wish(640, 480, 30))

    assert {(p.width, p.height, p.rate_hz) for p in chosen.values()} == {(480, 270, 25)}


def test_a_narrow_link_costs_frames_first():
    chosen = choose(offers(), Wish(640, 480, 30, budget=USB_2_BUDGET))

    assert set(chosen) == set(Stream)
    assert chosen[Stream.DEPTH].rate_hz == 15
    assert sum(p.bytes_per_s for p in chosen.values()) <= USB_2_BUDGET


def test_infrared_goes_before_everything():
    per_frame = 640 * 480 * 4
    chosen = choose(offers(sizes=((640, 480),), rates=(30,)), Wish(budget=per_frame * 30))

    assert set(chosen) == {Stream.COLOR, Stream.DEPTH}


def test_infrared_has_the_size_of_depth():
    modes = [
        Profile(Stream.DEPTH, 848, 480, 30, 2),
        Profile(Stream.COLOR, 640, 480, 30, 2),
        Profile(Stream.IR_LEFT, 640, 480, 30, 1),
        Profile(Stream.IR_LEFT, 848, 480, 30, 1),
    ]

    assert choose(modes, Wish(640, 480))[Stream.IR_LEFT].width == 848


def test_a_rate_that_colour_lacks_is_not_taken():
    modes = [*offers([Stream.DEPTH], rates=(30, 15)), *offers([Stream.COLOR], rates=(15,))]

    assert {p.rate_hz for p in choose(modes, Wish()).values()} == {15}


def test_a_camera_without_colour_still_gives_depth():
    assert set(choose(offers([Stream.DEPTH, Stream.IR_LEFT]), Wish())) == {Stream.DEPTH, Stream.IR_LEFT}


@pytest.mark.parametrize(("streams", "budget"), [([Stream.COLOR], 1e9), (tuple(Stream), 1e3)])
def test_no_depth_or_no_room_is_refused(streams, budget):
    with pytest.raises(ModeUnsupported):
        choose(offers(streams), Wish(budget=budget))
