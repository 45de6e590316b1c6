import pytest

from drivers.errors import ModeUnsupported
from drivers.profiles import RATE, SIZE, USB_2_BUDGET, Profile, Stream, Wish, choose, mode_controls, wish_with

BYTES = {Stream.COLOR: 2, Stream.DEPTH: 2, Stream.IR_LEFT: 1, Stream.IR_RIGHT: 1}
"""Of a stereo camera, which has no confidence."""
SIZES = ((1280, 720), (848, 480), (640, 480), (480, 270))


def offers(streams=tuple(BYTES), sizes=SIZES, rates=(60, 30, 15, 6)):
    return [Profile(s, w, h, rate, BYTES[s]) for s in streams for w, h in sizes for rate in rates]


def test_the_wish_is_taken_where_it_is_offered():
    chosen = choose(offers(), Wish(848, 480, 60))

    assert set(chosen) == set(BYTES)
    assert {(p.width, p.height, p.rate_hz) for p in chosen.values()} == {(848, 480, 60)}


def test_the_nearest_size_and_rate_are_taken_otherwise():
    chosen = choose(offers(sizes=((1280, 720), (480, 270)), rates=(25, 5)), Wish(640, 480, 30))

    assert {(p.width, p.height, p.rate_hz) for p in chosen.values()} == {(480, 270, 25)}


def test_a_narrow_link_costs_frames_first():
    chosen = choose(offers(), Wish(640, 480, 30, budget=USB_2_BUDGET))

    assert set(chosen) == set(BYTES)
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


@pytest.mark.parametrize(("streams", "budget"), [([Stream.COLOR], 1e9), (tuple(BYTES), 1e3)])
def test_no_depth_or_no_room_is_refused(streams, budget):
    with pytest.raises(ModeUnsupported):
        choose(offers(streams), Wish(budget=budget))


def test_modes_are_controls_and_come_back_as_a_wish():
    offered = [*offers(rates=(60, 30)), Profile(Stream.DEPTH, 848, 100, 300, 2)]  # a rate without colour
    chosen = choose(offered, Wish(848, 480, 60))

    size, rate = mode_controls(offered, chosen.values(), Wish())

    assert (size.name, size.value, size.default) == (SIZE, "848 x 480", "640 x 480")
    assert size.choices == ("480 x 270", "640 x 480", "848 x 480", "1280 x 720")
    assert (rate.name, rate.value, rate.default, rate.choices) == (RATE, "60 Hz", "30 Hz", ("30 Hz", "60 Hz"))
    assert wish_with(Wish(), SIZE, "1280 x 720") == Wish(1280, 720, 30)
    assert wish_with(Wish(), RATE, "60 Hz") == Wish(rate_hz=60)


def test_confidence_has_the_size_of_depth_and_goes_with_infrared():
    offered = [*offers(), Profile(Stream.CONFIDENCE, 640, 480, 30, 1)]

    assert choose(offered, Wish())[Stream.CONFIDENCE].width == 640
    assert Stream.CONFIDENCE not in choose(offered, Wish(848, 480, 30))
