import math

import pytest

from app.viewmodels import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (62, "62 s"),
        (119, "119 s"),
        (120, "2 min"),
        (725, "12 min 5 s"),
        (7800, "2 h 10 min"),
        (3600, "1 h"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds, said):
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (7859, "2 h 10 min left"),
        (599, "9 min left"),
        (61, "1 min left"),
        (40.9, "40 s left"),
        (-1, "0 s left"),
        (math.inf, "over 2 days left"),
    ],
)
def test_time_left_never_promises_too_much(seconds, said):
    assert words.time_left(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(7.9, "00:07"), (725, "12:05"), (3723, "1:02:03")])
def test_a_timer_counts_whole_seconds(seconds, said):
    assert words.clock(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_500, "1.5 kB"),
        (820_000, "820 kB"),
        (1_240_000_000, "1.2 GB"),
        (4e12, "4.0 TB"),
    ],
)
def test_a_size_has_the_units_of_disks(count, said):
    assert words.size(int(count)) == said


def test_a_number_goes_with_its_noun():
    assert words.counted(1, "camera") == "1 camera"
    assert words.counted(5580, "frame") == "5,580 frames"


@pytest.mark.parametrize(("value_ms", "said"), [(0.4, "0 ms"), (480.2, "480 ms"), (1440.0, "1.4 s")])
def test_a_latency_is_in_milliseconds_below_a_second(value_ms, said):
    assert words.milliseconds(value_ms) == said


@pytest.mark.parametrize(("value_s", "said"), [(0.2, "0 s"), (12.4, "12 s"), (59.6, "00:59"), (125, "02:05")])
def test_an_age_is_in_seconds_below_a_minute(value_s, said):
    assert words.seconds(value_s) == said


def test_no_line_ends_within_a_unit_but_within_a_path():
    said = words.unbroken("431 MB/s in /data/MB/s, 3.1 of 4.0 Gbit/s")
    assert said == "431\u00a0MB/\u2060s in /data/MB/s, 3.1 of 4.0\u00a0Gbit/\u2060s"


def test_no_line_ends_within_a_chinese_word_or_between_a_count_and_what_is_counted():
    assert words.unbroken("2 台相机丢失 3 帧") == "2\u00a0台\u2060相\u2060机丢\u2060失 3\u00a0帧"
