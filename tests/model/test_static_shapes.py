"""The forms with shapes that do not follow the holes give what dropping the empty depth tokens gives."""

import pytest
import torch

from model.masking import bucket, exact, padded
from tests.model.small_networks import small_network

GRID = (6, 8)
TOKENS = 48
FRONT = 1 + TOKENS


@pytest.fixture(scope="module")
def model():
    return small_network()


def scene(pattern: str) -> tuple[torch.Tensor, torch.Tensor]:
    """One 84 x 112 px frame, a pixel for each of the network's, whose depth has holes of that pattern."""
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(1, 3, 84, 112, generator=generator)
    depth = torch.rand(1, 84, 112, generator=generator) * 3 + 0.4
    share = {"no hole": 0.0, "nothing measured": 1.0, "30 %": 0.3, "70 %": 0.7, "97 %": 0.97}.get(pattern)
    if share is not None:
        holes = torch.rand(1, 1, *GRID, generator=generator) < share
        depth[holes.repeat_interleave(14, 2).repeat_interleave(14, 3)[:, 0]] = 0
    elif pattern == "one pixel":
        pixel = depth[0, 50, 60].item()
        depth.zero_()[0, 50, 60] = pixel
    elif pattern == "left half":
        depth[..., 56:] = 0
    elif pattern == "last token only":
        depth[:, :70] = 0
        depth[..., :98] = 0
    elif pattern == "speckle":
        depth[torch.rand(depth.shape, generator=generator) < 0.995] = 0
    elif pattern == "exactly one metre":
        depth[:, :28] = 1
    return image, depth


def decoded(model, encoding) -> torch.Tensor:
    return model.decode(encoding, model.uv_maps(*GRID, 4 / 3, torch.device("cpu")))


PATTERNS = [
    "no hole",
    "nothing measured",
    "30 %",
    "70 %",
    "97 %",
    "one pixel",
    "left half",
    "last token only",
    "speckle",
    "exactly one metre",
]


@pytest.mark.parametrize("pattern", PATTERNS)
@torch.inference_mode()
def test_padding_and_gathering_equal_dropping(model, pattern):
    image, depth = scene(pattern)
    prepared = model.prepare(image, depth, num_tokens=GRID)
    count = int(prepared.visible.sum())
    dropped = decoded(model, model.encode(image, depth, num_tokens=GRID))

    sizes = {bucket(count, tokens=TOKENS, front=FRONT), bucket(TOKENS, tokens=TOKENS, front=FRONT), TOKENS}
    ways = [(size, hide) for size in sizes for hide in ("bias", "lengths")]
    forms = [padded(prepared.visible, size, front=FRONT, hide=hide) for size, hide in ways]
    forms.append(exact(prepared.visible))

    for kept in forms:
        encoding = model.encoder(prepared.image, prepared.depth, kept)
        heads = decoded(model, encoding)
        torch.testing.assert_close(heads, dropped, rtol=2e-5, atol=2e-5 * dropped.std().item())


@pytest.mark.parametrize("hide", ["bias", "lengths"])
@torch.inference_mode()
def test_a_ragged_batch_in_one_bucket_equals_its_samples_alone(model, hide):
    frames = [scene(pattern) for pattern in PATTERNS]
    image, depth = (torch.cat(parts) for parts in zip(*frames, strict=True))
    prepared = model.prepare(image, depth, num_tokens=GRID)

    kept = padded(prepared.visible, bucket(TOKENS, tokens=TOKENS, front=FRONT), front=FRONT, hide=hide)
    batch = decoded(model, model.encoder(prepared.image, prepared.depth, kept))

    alone = torch.cat([decoded(model, model.encode(i, d, num_tokens=GRID)) for i, d in frames])
    torch.testing.assert_close(batch, alone, rtol=2e-5, atol=2e-5 * alone.std().item())


@torch.inference_mode()
def test_padding_would_show_if_keys_were_not_masked(model):
    image, depth = scene("30 %")
    prepared = model.prepare(image, depth, num_tokens=GRID)
    kept = padded(prepared.visible, TOKENS, front=FRONT)
    masked = decoded(model, model.encoder(*prepared[:2], kept))
    seen = decoded(model, model.encoder(*prepared[:2], kept._replace(bias=None)))
    assert (masked - seen).abs().max() > 1e-3 * masked.std()


def test_a_bucket_holds_its_count_and_there_are_nine_of_them():
    buckets = [bucket(count, tokens=1200, front=1201) for count in range(1201)]
    assert all(size >= count for count, size in enumerate(buckets))
    assert len(set(buckets)) == 9
    assert all((1201 + size) % 16 == 0 for size in buckets)
    assert max(size - count for count, size in enumerate(buckets)) < 1200 / 8 + 16


def test_padding_keeps_row_order_and_lets_only_visible_tokens_count():
    visible = torch.tensor([[False, True, False, True, True], [False, False, False, False, False]])
    kept = padded(visible, 4, front=2)
    assert kept.places[0, :3].tolist() == [1, 3, 4]
    assert (kept.bias[:, 0, 0] == 0).tolist() == [[True] * 5 + [False], [True] * 2 + [False] * 4]
    by_lengths = padded(visible, 4, front=2, hide="lengths")
    assert by_lengths.bias is None
    assert torch.equal(by_lengths.places, kept.places)
    assert by_lengths.lengths.tolist() == [5, 2]


@torch.inference_mode()
def test_attention_in_bfloat16_is_the_attention_of_torch():
    from torch.nn.functional import scaled_dot_product_attention

    from model.vit import attend

    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 3, 600, 64, generator=generator) for _ in range(3))
    bias = torch.zeros(2, 1, 1, 600).index_fill(3, torch.arange(500, 600), -torch.inf)
    for b in (None, bias):
        want = scaled_dot_product_attention(q, k, v, attn_mask=b)
        got = attend(q.bfloat16(), k.bfloat16(), v.bfloat16(), b)
        assert (got - want).abs().mean() < 0.01 * want.std()
