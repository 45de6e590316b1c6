"""Semi-global matching on tensors: what `cv2.StereoSGBM` does, for several pairs at once on any device.

The same costs (Birchfield and Tomasi's, of the clipped horizontal gradient and of a quarter of the grey
levels, summed over a block), the same penalties, uniqueness, sub-pixel parabola and left-right check; costs
are gathered along three directions, as in its mode SGBM_3WAY (Hirschmueller, "Stereo processing by semiglobal
matching and mutual information", 2008).
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from drivers.synth.sensor import FILL_STEPS, FILLED_PX
from trainer.simulation.stereo import SATURATED, Matcher
from trainer.simulation.tensors.processor import evened, seen_by_both, without_rims

GRADIENT_CAP = 31
JUMPS = 16
"""Rounds in which every pixel of a patch learns its number: each one doubles how far that travels."""


def matched(left: Tensor, right: Tensor, matcher: Matcher, *, most_px: int) -> Tensor:
    """(V, H, W) float32 disparity of the left pictures, 0 where there is no answer.

    Args:
        left: (V, H, W) float32 of 0 to 255, whole numbers.
        right: likewise.
        matcher: says how.
        most_px: largest disparity that is looked for.
    """
    if matcher.half:
        small = _matched(_halved(left), _halved(right), matcher, most_px=most_px // 2 + 1)
        whole = 2 * _filled(evened(_kept(_median(small), matcher)))
        return F.interpolate(whole[:, None], left.shape[1:], mode="nearest-exact")[:, 0]
    return _kept(_matched(left, right, matcher, most_px=most_px), matcher)


def _kept(disparity: Tensor, matcher: Matcher) -> Tensor:
    both = seen_by_both(disparity)
    return without_rims(both, matcher.rim_px) if matcher.rim_px else both


def _matched(left: Tensor, right: Tensor, matcher: Matcher, *, most_px: int) -> Tensor:
    count = -(-max(most_px, 16) // 16) * 16
    area = matcher.block_px**2
    total = aggregated(costs(left, right, count, matcher.block_px), matcher.p1 * area, matcher.p2 * area)
    disparity = _chosen(total, matcher.uniqueness)
    columns = torch.arange(left.shape[2], device=left.device, dtype=torch.float32)
    good = (disparity >= 0.5) & (columns >= disparity)
    good &= contrast(left, 7) > matcher.texture
    good &= _box((left >= SATURATED).float(), 5) < 0.7
    disparity = torch.where(good, disparity, 0)
    if matcher.speckle_px:
        disparity = torch.where(_patch_px(disparity) >= matcher.speckle_px, disparity, 0)
    return disparity


def costs(left: Tensor, right: Tensor, count: int, block_px: int) -> Tensor:
    """(V, count, H, W) float32 difference of the block around each pixel at each disparity."""
    volume = left.new_zeros(len(left), count, *left.shape[1:])
    pairs = ((_gradient(left), _gradient(right), 1.0), (left, right, 0.25))
    for own, other, weight in pairs:
        low, high = _between(own)
        other_low, other_high = _between(other)
        for d in range(count):
            v, v0, v1 = (_moved(image, d) for image in (other, other_low, other_high))
            here = torch.maximum(own - v1, v0 - own).clamp_min(0)
            there = torch.maximum(v - high, low - v).clamp_min(0)
            volume[:, d] += torch.floor(torch.minimum(here, there) * weight)
    block = F.pad(volume, (block_px // 2,) * 4, mode="replicate")
    for side in ((1, block_px), (block_px, 1)):  # sums of whole numbers: exact, in whatever order
        block = F.avg_pool2d(block, side, 1, divisor_override=1)
    return block


def aggregated(cost: Tensor, p1: float, p2: float) -> Tensor:
    """(V, D, H, W) costs gathered from the left, the right and above."""
    across = torch.stack([cost, cost.flip(3)]).permute(4, 0, 1, 3, 2)  # (W, 2, V, H, D)
    gathered = _along(across, p1, p2).permute(1, 2, 4, 3, 0)  # (2, V, D, H, W)
    total = gathered[0] + gathered[1].flip(3)
    down = cost.permute(2, 0, 3, 1)  # (H, V, W, D)
    return total + _along(down, p1, p2).permute(1, 3, 0, 2)


def _along(cost: Tensor, p1: float, p2: float) -> Tensor:
    """(S, ..., D) costs gathered along the first axis."""
    out = torch.empty_like(cost)
    out[0] = before = cost[0]
    large = torch.finfo(cost.dtype).max / 4
    for step in range(1, len(cost)):
        least = before.amin(dim=-1, keepdim=True)
        beside = F.pad(before, (1, 1), value=large)
        near = torch.minimum(beside[..., :-2], beside[..., 2:]) + p1
        best = torch.minimum(torch.minimum(before, near), least + p2)
        before = torch.add(cost[step], best - least, out=out[step])
    return out


def _chosen(total: Tensor, uniqueness: int) -> Tensor:
    """(V, H, W) disparity with the least cost, 0 where others are as good or the right picture disagrees."""
    count, width = total.shape[1], total.shape[3]
    least, best = total.min(dim=1)
    numbers = torch.arange(count, device=total.device)[:, None, None]
    apart = (numbers - best[:, None]).abs() > 1
    second = torch.where(apart, total, torch.inf).amin(dim=1)
    unique = second * (100 - uniqueness) >= least * 100
    inner = best.clamp(1, count - 2)
    below, above = (total.gather(1, (inner + k)[:, None])[:, 0] for k in (-1, 1))
    curve = (below + above - 2 * least).clamp_min(1)
    fraction = torch.where(inner == best, (below - above) / (2 * curve), 0)
    disparity = torch.round((best + fraction) * 16) / 16
    # Of all left pixels that claim a right pixel, the one with the least cost has it.
    columns = torch.arange(width, device=total.device)
    place = (columns - best).clamp_min(0)
    key = torch.where(
        unique & (columns >= best), (least.long() * (2 * count) + best), torch.iinfo(torch.int64).max
    )
    owner = torch.full_like(key, torch.iinfo(torch.int64).max).scatter_reduce(2, place, key, "amin")
    owned = torch.where(owner < torch.iinfo(torch.int64).max, owner % (2 * count), -1)
    agrees = torch.zeros_like(unique)
    for whole in (disparity.floor().long(), disparity.ceil().long()):
        at = columns - whole
        theirs = owned.gather(2, at.clamp(0, width - 1))
        agrees |= (at < 0) | (theirs < 0) | ((theirs - whole).abs() <= 1)
    return torch.where(unique & agrees, disparity, 0)


def _gradient(image: Tensor) -> Tensor:
    """Sobel's horizontal derivative, clipped to 0 to twice the cap."""
    padded = F.pad(image[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    across = padded[:, :, 2:] - padded[:, :, :-2]
    steep = across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]
    return steep.clamp(-GRADIENT_CAP, GRADIENT_CAP) + GRADIENT_CAP


def _between(image: Tensor) -> tuple[Tensor, Tensor]:
    """Least and most that the line through a pixel and its neighbours takes within half a pixel."""
    padded = F.pad(image, (1, 1), mode="replicate")
    before, after = torch.floor((image + padded[..., :-2]) / 2), torch.floor((image + padded[..., 2:]) / 2)
    low = torch.minimum(torch.minimum(before, after), image)
    return low, torch.maximum(torch.maximum(before, after), image)


def _moved(image: Tensor, columns: int) -> Tensor:
    """The image moved to the right; its first column goes on at the left."""
    if not columns:
        return image
    moved = torch.empty_like(image)
    kept = max(image.shape[2] - columns, 0)
    moved[:, :, columns:] = image[:, :, :kept]
    moved[:, :, :columns] = image[:, :, :1]
    return moved


def contrast(image: Tensor, side: int) -> Tensor:
    """(V, H, W) standard deviation in a square of `side` pixels."""
    mean = _box(image, side)
    return (_box(image * image, side) - mean * mean).clamp_min(0).sqrt()


def _box(image: Tensor, side: int) -> Tensor:
    return F.avg_pool2d(F.pad(image[:, None], (side // 2,) * 4, mode="reflect"), side, 1)[:, 0]


def _halved(image: Tensor) -> Tensor:
    return F.avg_pool2d(image[:, None], 2)[:, 0].round()


def _median(image: Tensor) -> Tensor:
    padded = F.pad(image[:, None], (1, 1, 1, 1), mode="replicate")
    return padded.unfold(2, 3, 1).unfold(3, 3, 1).flatten(-2).median(dim=-1).values[:, 0]


def _filled(disparity: Tensor) -> Tensor:
    """Small holes take the farther side's disparity, as processors on cameras do."""
    hole = disparity <= 0
    small = hole & (_patch_px(hole.float(), of=hole) < FILLED_PX)
    far = torch.where(hole, 1e6, disparity)
    for _ in range(FILL_STEPS):
        around = -F.max_pool2d(-far[:, None], 3, 1, 1)[:, 0]
        far = torch.where(far > 1e5, around, far)
    return torch.where(small & (far < 1e5), far, disparity)


def _patch_px(values: Tensor, *, of: Tensor | None = None) -> Tensor:
    """(V, H, W) size of the patch of values within 1 of each other that each pixel belongs to.

    Args:
        values: (V, H, W).
        of: (V, H, W) bool what counts as a patch; where `values` is above 0 if None.
    """
    inside = values > 0 if of is None else of
    shape = values.shape
    label = torch.arange(values.numel(), device=values.device).reshape(shape)
    across = inside[:, :, 1:] & inside[:, :, :-1] & ((values[:, :, 1:] - values[:, :, :-1]).abs() <= 1)
    down = inside[:, 1:] & inside[:, :-1] & ((values[:, 1:] - values[:, :-1]).abs() <= 1)
    for _ in range(JUMPS):
        top = label.clone()
        right, left = label[:, :, 1:], label[:, :, :-1]
        top[:, :, :-1] = torch.where(across, torch.maximum(top[:, :, :-1], right), top[:, :, :-1])
        top[:, :, 1:] = torch.where(across, torch.maximum(top[:, :, 1:], left), top[:, :, 1:])
        below, above = label[:, 1:], label[:, :-1]
        top[:, :-1] = torch.where(down, torch.maximum(top[:, :-1], below), top[:, :-1])
        top[:, 1:] = torch.where(down, torch.maximum(top[:, 1:], above), top[:, 1:])
        # The owner of a number learns of higher ones too, and a number stands for its owner's.
        owner = label.flatten().scatter_reduce(0, label.flatten(), top.flatten(), "amax")
        label = owner[owner[top.flatten()]].reshape(shape)
    count = torch.zeros(values.numel(), dtype=torch.int64, device=values.device)
    count.scatter_add_(0, label.flatten(), inside.flatten().long())
    return torch.where(inside, count[label], 0)
