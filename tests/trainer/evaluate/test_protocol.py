import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from trainer.evaluate.protocol import (
    LEVELS,
    blocks,
    color_regions,
    corrupted,
    draws,
    edge_bands,
    hidden,
    kinect,
    trusted,
)

SHARED = Path(__file__).resolve().parents[4] / "shared"
SHAPE = (480, 640)


@pytest.mark.parametrize("name", list(LEVELS))
def test_blocks_cover_the_share_of_their_level_and_no_more_than_one_block_beyond(name):
    level = LEVELS[name]
    shares = [blocks(SHAPE, level, np.random.default_rng(seed)).mean() for seed in range(10)]
    one = level.side_px[1] ** 2 / (480 * 640)
    assert min(shares) >= level.area
    assert max(shares) <= level.area + one


def test_blocks_scale_with_the_image():
    level = LEVELS["medium"]
    rng = np.random.default_rng
    small = np.mean([blocks((48, 64), level, rng(seed)).mean() for seed in range(5)])
    assert small == pytest.approx(level.area, abs=0.05)


def test_the_noise_is_the_axial_term_of_the_kinect_model():
    level = LEVELS["medium"]
    for z in (0.8, 2.0):
        out = kinect(np.full((400, 400), z, np.float32), level, np.random.default_rng(0))
        good = np.abs(out - z) < 0.2
        # Rounding to eighths of a pixel adds a uniform error of one step.
        step = z**2 / (35.13 * 8)
        expected = np.hypot(0.0012 + 0.0019 * (z - 0.4) ** 2, step / np.sqrt(12))
        assert (out - z)[good].std() == pytest.approx(expected, rel=0.1)


def test_shots_hit_their_share_of_pixels_and_stay_within_the_scene():
    depth = np.tile(np.linspace(1, 4, 400, dtype=np.float32), (400, 1))
    out = kinect(depth, replace(LEVELS["extreme"], noise=0.0), np.random.default_rng(0))
    far_off = np.abs(out - depth) > 0.3
    assert 0.01 < far_off.mean() < 0.02, "of 2 % of the pixels, most land elsewhere"
    assert out.min() > 0.9
    assert out.max() < 4.2


def test_holes_stay_holes_in_protocol_1():
    truth = np.full(SHAPE, 2.0, np.float32)
    truth[:50] = 0
    depth, removed = corrupted("a/b", truth, "hard")
    assert not depth[:50].any()
    assert not depth[removed].any()
    assert (depth > 0).mean() == pytest.approx(0.4 * 430 / 480, abs=0.06)


def test_everything_is_the_same_for_the_same_frame_and_another_for_another():
    rng = np.random.default_rng(0)
    color = rng.integers(0, 255, (*SHAPE, 3), np.uint8)
    depth = np.full(SHAPE, 2.0, np.float32)
    one, same, other = (hidden(key, color, depth, "easy")["block"] for key in ("a/0", "a/0", "a/1"))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_bands_lie_along_depth_steps_and_nowhere_else():
    depth = np.full(SHAPE, 3.0, np.float32)
    depth[:, :320] = 1.5
    band = edge_bands(depth, LEVELS["hard"])
    columns = np.flatnonzero(band.any(0))
    assert band[:, 318:322].all()
    assert columns.min() > 280
    assert columns.max() < 360


def test_regions_are_patches_of_one_colour():
    color = np.full((*SHAPE, 3), 200, np.uint8)
    color[100:180, 100:200] = (30, 60, 90)
    region = color_regions(color, LEVELS["easy"], np.random.default_rng(0))
    inside = region[100:180, 100:200].mean()
    assert inside > 0.9
    assert region.sum() < 1.3 * 80 * 100


def test_a_flying_pixel_is_not_trusted():
    depth = np.full((40, 40), 2.0, np.float32)
    depth[20, 20] = 2.5
    depth[5:8, 5:8] = 0
    good = trusted(depth)
    assert not good[20, 20]
    assert not good[6, 6]
    assert good[30, 30]


@pytest.mark.skipif(not (SHARED / "kit").is_dir(), reason="the kit lies in ../shared")
@pytest.mark.parametrize("level", list(LEVELS))
def test_masks_and_noise_are_those_of_the_kit(level, monkeypatch):
    monkeypatch.syspath_prepend(str(SHARED / "kit"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    from rgbdkit import masks

    rng = np.random.default_rng(1)
    color = np.kron(rng.integers(0, 255, (12, 16, 3)), np.ones((20, 20, 1))).astype(np.uint8)
    depth = np.kron(rng.uniform(0.5, 4, (6, 8)), np.ones((40, 40))).astype(np.float32)
    depth[::7, ::5] = 0
    frame = SimpleNamespace(key="source/3", rgb=color, depth=depth)
    theirs, ours = masks.hide(frame, level), hidden("source/3", color, depth, level)
    assert all(np.array_equal(theirs[name], ours[name]) for name in ("block", "edge", "segment"))
    assert np.array_equal(masks.trusted(depth), trusted(depth))
    noise = kinect(depth, LEVELS[level], draws("source/3", f"{level}/noise"))
    assert np.array_equal(masks.sensor_noise(depth, level, "source/3"), noise)
