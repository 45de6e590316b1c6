import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from app.quality.planes import Region
from app.quality.sensor import KINDS, Exposure, SensorWatch, nothing
from drivers.depth import DepthMap, depth_map
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics

LENS = Intrinsics(320, 240, 230.0, 230.0, 159.5, 119.5)
STEREO = Calibration(LENS, LENS, ir=LENS, baseline_m=0.055)
KEYS = {kind.key for kind in KINDS}


def wall(distance_m, sigma_m=0.004, seed=0):
    noise = np.random.default_rng(seed).normal(0, sigma_m, (240, 320))
    return depth_map(distance_m + noise, unit_m=0.0001)


def exposure(raw, refined=None, *, truth=None, calibration=STEREO, words="Repair is off"):
    color = np.full((240, 320, 3), 120, np.uint8)
    frame = Frame("front", 0, 0, 0, color, raw, calibration, truth=truth)
    return Exposure(frame, raw, refined, words, {"raw": 12.0, "refined": 80.0})


def test_a_wall_gives_every_figure_of_both_streams():
    watch = SensorWatch("front")
    for seed in range(8):
        newest = exposure(wall(2.0, 0.004, seed), wall(2.02, 0.001, seed + 50))
        watch.note(newest)
    quality = watch.measure(newest, distance_m=2.0)
    raw, refined = quality.streams["raw"].figures, quality.streams["refined"].figures
    assert raw.keys() == refined.keys() == KEYS
    assert raw["plane_rms"].value == pytest.approx(4.0, rel=0.02)
    assert refined["plane_rms"].value == pytest.approx(1.0, rel=0.02)
    assert raw["subpixel"].value == pytest.approx(230 * 0.055 * 0.004 / 2.0**2, rel=0.02)
    assert refined["z_accuracy"].value == pytest.approx(0.01, abs=3e-4)
    assert raw["z_accuracy"].words in {"+0.00%", "\u22120.00%", "+0.01%", "\u22120.01%"}
    assert raw["noise"].value == pytest.approx(4.0, rel=0.02)
    assert raw["fill"].words == "100.0%"
    assert (raw["latency"].words, refined["latency"].words) == ("12 ms", "80 ms")
    assert quality.against == "2.000 m"
    assert quality.frames == 8
    assert [quality.better(key) for key in ("plane_rms", "noise", "latency", "fill")] == [
        "refined", "refined", "raw", "",
    ]  # fmt: skip


def test_a_frame_that_a_paused_replay_shows_again_is_no_frame_without_noise():
    watch, noisy = SensorWatch("left"), [exposure(wall(1.2, seed=seed)) for seed in range(6)]
    for shown in noisy:
        watch.note(shown)
    played = watch.measure(noisy[-1])
    for _ in range(20):
        watch.note(replace(noisy[-1], frame=replace(noisy[-1].frame, captured_ns=time.monotonic_ns())))

    paused = watch.measure(noisy[-1])

    assert paused.frames == played.frames == 6
    for name in ("noise", "flicker"):
        assert paused.streams["raw"].figures[name].value == played.streams["raw"].figures[name].value > 0


def test_without_a_plane_it_says_so():
    rough = depth_map(np.random.default_rng(1).uniform(1, 3, (240, 320)))
    quality = SensorWatch("front").measure(exposure(rough, rough))
    assert quality.region is None
    for stream in quality.streams.values():
        for key in ("fill", "plane_rms", "subpixel", "z_accuracy"):
            assert stream.figures[key].words == "no plane found"
        assert stream.figures["fill_all"].value == 1
        assert stream.figures["edge"].words == "no clear edges"


def test_without_a_repair_the_reason_stands_in_every_row():
    quality = SensorWatch("front").measure(exposure(wall(2.0)))
    assert {figure.words for figure in quality.streams["refined"].figures.values()} == {"Repair is off"}
    assert quality.streams["raw"].figures["plane_rms"].value is not None
    assert quality.better("plane_rms") == ""


def test_without_a_distance_truth_is_taken_where_it_is_known_and_asked_for_where_not():
    watch = SensorWatch("front")
    known = watch.measure(exposure(wall(2.1), truth=depth_map(np.full((240, 320), 2.0))))
    assert known.streams["raw"].figures["z_accuracy"].value == pytest.approx(0.05, abs=1e-3)
    assert known.against == "exact depth"
    unknown = watch.measure(exposure(wall(2.1)))
    assert unknown.streams["raw"].figures["z_accuracy"].words == "type distance"


def test_several_images_of_few_noisy_edges_make_a_width():
    def step(seed, near_m=1.0):
        """One edge of 1 px deviation and 100 mm, with 1 % of noise."""
        depth_m = near_m + 0.1 * ndtr(np.arange(320) - 160.3)
        return exposure(depth_map(depth_m * (1 + noise(seed)), unit_m=0.0001))

    def noise(seed):
        return 0.01 * np.random.default_rng(seed).standard_normal((240, 320))

    def edge(newest):
        return watch.measure(newest).streams["raw"].figures["edge"]

    watch = SensorWatch("front")
    figures = [edge(step(seed)) for seed in range(16)]
    assert figures[0].words == "few edges"
    assert figures[-1].value == pytest.approx(2.563, rel=0.02)
    newest = step(20)
    assert edge(newest) == edge(newest), "an image counts once"
    again = replace(newest, frame=replace(newest.frame, captured_ns=time.monotonic_ns()))
    assert edge(newest) == edge(again), "also when a paused replay shows it again"


def test_a_sensor_without_a_pair_has_no_subpixel_error():
    flight = Calibration(LENS, LENS)
    quality = SensorWatch("front").measure(exposure(wall(2.0), calibration=flight))
    assert quality.streams["raw"].figures["subpixel"].words == "no stereo pair"


def test_a_chosen_region_is_measured_wherever_it_is():
    values = wall(2.0).values.copy()
    values[:120, :160] = 0
    chosen = Region(0.0, 0.0, 0.4, 0.4)
    quality = SensorWatch("front").measure(exposure(DepthMap(values, 0.0001)), chosen=chosen)
    figures = quality.streams["raw"].figures
    assert quality.region == chosen
    assert quality.chosen
    assert figures["fill"].value == 0
    assert figures["plane_rms"].words == "too few depths"


def test_the_found_region_stays_where_it_is_while_it_is_a_plane():
    watch = SensorWatch("front")
    regions = {watch.measure(exposure(wall(2.0, 0.004, seed))).region for seed in range(4)}
    assert len(regions) == 1


def test_nothing_has_every_row():
    assert nothing("Camera lost").figures.keys() == KEYS


def test_fill_is_better_when_there_is_more_and_figures_that_are_alike_are_no_victory():
    holey = wall(2.0, 0.004).values.copy()
    holey[::4] = 0
    quality = SensorWatch("front").measure(exposure(DepthMap(holey, 0.0001), wall(2.0, 0.00402, 1)))
    assert quality.better("fill") == quality.better("fill_all") == "refined"
    assert quality.better("plane_rms") == ""
