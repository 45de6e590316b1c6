from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from trainer.config import AugmentConfig, MaskingConfig, TrainConfig
from trainer.data.augment import as_jpeg, blurred, cropped, recoloured, with_shot_noise
from trainer.data.batches import on_device, read
from trainer.data.draws import draw
from trainer.data.samples import Sample


def draws(seed=0, **augment):
    return draw(np.random.default_rng(seed), AugmentConfig(**augment), MaskingConfig(), tokens=12)


def still(**changes):
    plain = draws(flip=0, jitter=0, blur=0, shot_noise=0, jpeg=0, crop=(1, 1))
    return replace(plain, grey=0.0, **changes)


def picture(height=48, width=64):
    rng = np.random.default_rng(0)
    small = rng.random((3, height // 8, width // 8), np.float32)
    return torch.nn.functional.interpolate(torch.from_numpy(small)[None], (height, width), mode="bilinear")[0]


def test_colour_depth_and_right_depth_are_cropped_and_mirrored_together():
    height, width = 40, 60
    place = np.arange(height * width, dtype=np.float32).reshape(height, width) + 1

    class Coded:
        def sample(self, number):
            color = np.repeat((place % 251).astype(np.uint8)[..., None], 3, 2)
            return Sample(color, place, place, place > 1e9)

        held_out = sample

    augment = AugmentConfig(jitter=0, blur=0, shot_noise=0, jpeg=0, crop=(0.5, 0.9))
    config = TrainConfig(recipe="x", steps=1, batch=8, grids=((2, 3),), augment=augment)
    raw = read(Coded(), config, 0, range(8))
    flips = set()
    for sample in raw.samples:
        flips.add(sample.draws.flip)
        color, depth, target = (
            cropped(torch.from_numpy(part.copy()), sample.draws)
            for part in (sample.color, sample.depth_m, sample.target_m)
        )
        assert torch.equal(depth, target)
        assert torch.equal((depth % 251).byte(), color[0])
        step = depth[0, 1] - depth[0, 0]
        assert step.item() == (-1 if sample.draws.flip else 1)
    assert flips == {True, False}
    batch = on_device(raw, torch.device("cpu"))
    assert batch.image.shape == (8, 3, 28, 42)
    assert batch.depth_m.shape == (8, 28, 42)
    assert batch.target_m.shape == (8, 32, 48)
    assert set(batch.target_m.unique().tolist()) <= set(place.ravel().tolist()), "depth is never averaged"


def test_nothing_drawn_changes_nothing():
    image = picture()
    assert torch.allclose(recoloured(image, still()), image, atol=1e-6)
    assert torch.equal(cropped(image, still()), image)


def test_colours_follow_gamma_gain_and_lift():
    image = torch.full((3, 4, 4), 0.25)
    out = recoloured(image, still(gamma=0.5, gain=(1.0, 0.8, 1.2), lift=0.1))
    assert out[:, 0, 0].tolist() == pytest.approx([0.6, 0.5, 0.7])


def test_motion_blur_spreads_a_point_along_its_direction_and_keeps_the_light():
    image = torch.zeros(3, 31, 31)
    image[:, 15, 15] = 1
    out = blurred(image, 7, 0.0)
    assert out[0].sum().item() == pytest.approx(1, abs=1e-5)
    rows, columns = torch.nonzero(out[0], as_tuple=True)
    assert rows.unique().tolist() == [15]
    assert columns.min() == 12
    assert columns.max() == 18


def test_shot_noise_grows_with_the_root_of_the_light_and_depends_on_its_seed():
    dark, bright = (with_shot_noise(torch.full((3, 200, 200), v), 0.02, 1) - v for v in (0.16, 0.64))
    assert bright.std().item() == pytest.approx(0.02 * 0.8, rel=0.02)
    assert (bright.std() / dark.std()).item() == pytest.approx(2, rel=0.03)
    again = with_shot_noise(torch.full((3, 200, 200), 0.64), 0.02, 1) - 0.64
    assert torch.equal(bright, again)


@pytest.mark.parametrize("quality", [30, 60, 90])
def test_jpeg_is_close_to_what_an_encoder_makes(quality):
    image = (picture(96, 128) * 255).round() / 255
    ours = as_jpeg(image, quality)
    bgr = (image.permute(1, 2, 0).numpy()[..., ::-1] * 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]
    theirs = cv2.imdecode(cv2.imencode(".jpg", bgr, options)[1], cv2.IMREAD_COLOR)[..., ::-1]
    theirs = torch.from_numpy(theirs.copy()).permute(2, 0, 1) / 255
    assert (ours - theirs).abs().mean() < 0.25 * (theirs - image).abs().mean() + 1 / 255
    assert (ours - image).abs().mean() > 0


def test_samples_without_known_emptiness_are_judged_where_there_is_depth():
    depth = np.full((28, 28), 2.0, np.float32)
    depth[:, :14] = 0

    class Half:
        def sample(self, number):
            return Sample(np.zeros((28, 28, 3), np.uint8), depth, depth)

        held_out = sample

    augment = AugmentConfig(flip=0, crop=(1, 1))
    config = TrainConfig(recipe="x", steps=1, batch=1, grids=((2, 2),), augment=augment)
    batch = on_device(read(Half(), config, 0, [0]), torch.device("cpu"))
    assert torch.equal(batch.nothing_known[0], (batch.target_m[0] > 0).float())
    assert not batch.nothing.any()


def test_neither_unknown_nor_very_far_pixels_are_judged_to_be_surfaces():
    depth = np.full((28, 28), 2.0, np.float32)
    depth[:, :21] = 0
    sky = np.zeros((28, 28), bool)
    sky[:, :14] = True

    class View:
        def sample(self, number):
            return Sample(np.zeros((28, 28, 3), np.uint8), depth, depth, sky)

        held_out = sample

    augment = AugmentConfig(flip=0, crop=(1, 1))
    config = TrainConfig(recipe="x", steps=1, batch=1, grids=((2, 2),), augment=augment)
    batch = on_device(read(View(), config, 0, [0]), torch.device("cpu"))
    known, nothing = batch.nothing_known[0], batch.nothing[0]
    assert known[:, :16].all()
    assert nothing[:, :16].all()
    assert not known[:, 16:24].any(), "that may be a far house as well as a hole in the data"
    assert known[:, 24:].all()
    assert not nothing[:, 16:].any()


def test_with_random_masks_the_sensors_holes_take_the_right_depth():
    depth = np.full((28, 28), 2.0, np.float32)
    depth[:, :14] = 0

    class Wall:
        def sample(self, number):
            return Sample(np.zeros((28, 28, 3), np.uint8), depth, np.full((28, 28), 3.0, np.float32))

    for masks, seen in (("natural", depth), ("random", np.where(depth > 0, depth, np.float32(3)))):
        config = TrainConfig(
            recipe="x",
            steps=1,
            batch=1,
            grids=((2, 2),),
            augment=AugmentConfig(flip=0, crop=(1, 1)),
            masking=MaskingConfig(masks=masks),
        )
        batch = on_device(read(Wall(), config, 0, [0]), torch.device("cpu"))
        assert np.array_equal(batch.depth_m[0].numpy(), seen)
