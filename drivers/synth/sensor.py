"""What real depth sensors make of a view: four kinds that fail in different places."""

import math
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.synth.arrays import Bytes, Float, floats, octets
from drivers.synth.render import View
from drivers.synth.shapes import Material

BANK_EDGE_PX = 1536
REACH_PX = 128
USUAL_NOISE_PX = 0.10


class SensorKind(Enum):
    """How depth is measured; the value is the wording of `CameraInfo.sensor`."""

    ACTIVE_STEREO = "active stereo"
    TIME_OF_FLIGHT = "time of flight"
    PASSIVE_STEREO = "passive stereo"
    STRUCTURED_LIGHT = "structured light"


@dataclass(frozen=True)
class SensorParams:
    """How badly one sensor does.

    Attributes:
        difficulty: 0 to 1, scales all failures; 0.5 is what SYNTH.md measured.
        baseline_m: of the stereo pair.
        noise_px: of the disparity, one standard deviation; of time of flight, beside the usual 0.1, a factor.
        step_px: the smallest difference in disparity that is told apart.
        fatten_px: how far foreground grows over the background.
        nearest_m: closer is not measured.
        farthest_m: what lies farther is not measured.
        see_through: share of glass and mirror answers that come from beyond the surface.
        blob_px: size of the holes' lumps at 640 pixels width.
        multipath: relative bias of time of flight in dark corners.
        power: of the projector, as a factor of its usual one; 0 for off.
        dense: matched at half the resolution, with small holes filled from behind, as Orbbec's cameras do.
        drift_px: where in the noise the lumps are cut; two frames with nearly equal drift have nearly equal
            lumps.
    """

    difficulty: float = 0.5
    baseline_m: float = 0.055
    noise_px: float = USUAL_NOISE_PX
    step_px: float = 1 / 32
    fatten_px: int = 3
    nearest_m: float = 0.20
    farthest_m: float = 10.0
    see_through: float = 0.45
    blob_px: float = 9.0
    multipath: float = 0.02
    power: float = 1.0
    dense: bool = False
    drift_px: tuple[float, float] = (0.0, 0.0)


DEFAULTS = {
    SensorKind.ACTIVE_STEREO: SensorParams(),
    SensorKind.TIME_OF_FLIGHT: SensorParams(
        baseline_m=0.02, farthest_m=5.4, nearest_m=0.15, see_through=0.55
    ),
    SensorKind.PASSIVE_STEREO: SensorParams(
        baseline_m=0.12, noise_px=0.28, fatten_px=5, nearest_m=0.3, blob_px=14
    ),
    SensorKind.STRUCTURED_LIGHT: SensorParams(
        baseline_m=0.075, noise_px=0.08, step_px=1 / 8, fatten_px=5, nearest_m=0.35, farthest_m=6.0,
        see_through=0.1, blob_px=12,
    ),
}  # fmt: skip

# Chance of no answer by material at difficulty 0.5, after SYNTH.md section 3 (MATTE first, as `Material`).
_HOLES = {
    SensorKind.ACTIVE_STEREO: (0.012, 0.05, 0.36, 0.42, 0.42, 0.42, 0.62, 0.30),
    SensorKind.TIME_OF_FLIGHT: (0.002, 0.02, 0.40, 0.55, 0.30, 0.22, 0.50, 0.25),
    SensorKind.PASSIVE_STEREO: (0.03, 0.06, 0.25, 0.40, 0.28, 0.20, 0.30, 0.55),
    SensorKind.STRUCTURED_LIGHT: (0.02, 0.08, 0.70, 0.45, 0.68, 0.97, 0.95, 0.90),
}
FILLED_PX = 40
"""A dense sensor fills holes smaller than this, at half its resolution."""
FILL_STEPS = 8
"""So many pixels inwards from their edge."""
_OWN_LIGHT = (SensorKind.TIME_OF_FLIGHT, SensorKind.STRUCTURED_LIGHT)
"""They measure nothing but their own light."""
SEEN_THROUGH = (Material.GLASS, Material.MIRROR)
"""Materials whose answer may come from beyond their surface; neighbours in the list of materials."""


def random_params(rng: np.random.Generator, kind: SensorKind) -> SensorParams:
    """Another unit of this kind, in another mood; for training."""
    base = DEFAULTS[kind]
    return replace(
        base,
        difficulty=float(np.clip(rng.normal(0.5, 0.22), 0.05, 1.0)),
        baseline_m=base.baseline_m * float(rng.uniform(0.7, 1.6)),
        noise_px=base.noise_px * float(np.exp(rng.uniform(-0.7, 0.7))),
        step_px=float(rng.choice([1 / 8, 1 / 16, 1 / 32, 1 / 32, 1 / 64])),
        fatten_px=int(rng.choice([1, 3, 3, 5])),
        see_through=float(rng.uniform(0.1, 0.9)),
        blob_px=base.blob_px * float(np.exp(rng.uniform(-0.6, 0.8))),
        multipath=float(rng.uniform(0.0, 0.05)),
        drift_px=(float(rng.uniform(0, 2000)), float(rng.uniform(0, 2000))),
    )


def measure(
    view: View, kind: SensorKind, rng: np.random.Generator, params: SensorParams | None = None
) -> NDArray[np.uint16]:
    """(H, W) uint16 millimetres that a sensor of this kind reports for `view`, in the view's own grid.

    Args:
        view: what an ideal camera sees there.
        kind: of sensor.
        rng: noise of this frame.
        params: of this unit; the kind's usual ones if None.
    """
    p = params or DEFAULTS[kind]
    if not p.power and kind in _OWN_LIGHT:
        return np.zeros(view.material.shape, np.uint16)
    if kind is SensorKind.TIME_OF_FLIGHT:
        return _time_of_flight(view, rng, p)
    return _stereo(view, kind, rng, p)


def _stereo(view: View, kind: SensorKind, rng: np.random.Generator, p: SensorParams) -> NDArray[np.uint16]:
    h, w = view.material.shape
    if p.dense and min(h, w) > 64:
        half = view.scaled(view.camera.scaled(w // 2, h // 2))
        small = _filled(_stereo(half, kind, rng, replace(p, dense=False)))
        return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST), np.uint16)
    scale = np.float32(view.camera.fx * p.baseline_m)
    inverse = _answering_surface(view, p)
    if p.fatten_px > 1 and min(h, w) > 16:
        inverse = floats(cv2.dilate(inverse, np.ones((p.fatten_px, p.fatten_px), np.uint8)))
    # Where there is no answer is decided on half the resolution: a quarter of the work, and matchers whose
    # holes come in steps of two pixels exist.
    coarse = view.scaled(view.camera.scaled(w // 2, h // 2)) if min(h, w) > 64 else view
    holes, wrong = _stereo_holes(coarse, kind, rng, p)
    if coarse is not view:
        holes = octets(cv2.resize(holes, (w, h), interpolation=cv2.INTER_NEAREST))
    noise = _noise(h, w, rng)
    noise_px = p.noise_px * (1.2 if kind is SensorKind.PASSIVE_STEREO else 1.0)
    steps_per_px = 1 / p.step_px
    steps = floats(cv2.addWeighted(inverse, float(scale) * steps_per_px, noise, noise_px * steps_per_px, 0))
    if wrong is not None:  # matches with what only looks alike
        wrong = octets(cv2.resize(wrong, (w, h), interpolation=cv2.INTER_NEAREST))
        cv2.copyTo(cv2.scaleAdd(noise, 5.0 * steps_per_px, steps), wrong, steps)
    np.rint(steps, out=steps)
    with np.errstate(divide="ignore"):
        np.divide(np.float32(1000.0 * float(scale) * steps_per_px), steps, out=steps)
    return _counts(steps, holes, p)


def _filled(counts: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Small holes take the farther side's depth, as processors on cameras do."""
    far = counts
    for _ in range(FILL_STEPS):
        far = np.where(far > 0, far, np.asarray(cv2.dilate(far, np.ones((3, 3), np.uint8)), np.uint16))
    return np.where(small_holes(counts == 0), far, counts)


def small_holes(missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) bool, those of the missing pixels that a dense sensor fills, at its own (half) resolution."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(missing.astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < FILLED_PX
    small[0] = False
    return np.asarray(small[labels])


def _stereo_holes(
    view: View, kind: SensorKind, rng: np.random.Generator, p: SensorParams
) -> tuple[Bytes, Bytes | None]:
    """(H, W) uint8 of 255 where there is no answer, and where it is a wrong match; None for nowhere."""
    h, w = view.material.shape
    gain = 2 * p.difficulty
    chance = cv2.LUT(view.material, chances(kind, p.difficulty))
    slope = _slope(view)
    wrong = None
    lumps = _lumps(h, w, p)
    if kind is SensorKind.PASSIVE_STEREO:
        bare = _bareness(view)
        chance = cv2.scaleAdd(bare, 0.62 * (0.4 + 0.6 * gain), chance)
        # The lumps between 0.85 and 1 never became holes: some of them match wrongly.
        wrong = cv2.compare(lumps, 1 - bare * np.float32(0.08), cv2.CMP_GT)
    else:  # dots come back weakly from what is dark or far
        far = cv2.multiply(view.depth_m, view.depth_m, scale=0.010 * gain / p.power)
        chance = cv2.add(chance, cv2.multiply(cv2.LUT(_grey(view), darkness()), far))
    chance = cv2.scaleAdd(slope, 0.055 * gain, chance)
    holes = cv2.compare(lumps, chance, cv2.CMP_LT)
    # Along silhouettes the matcher gives up in thin ragged slivers.
    ragged = cv2.compare(_grain(h, w, rng), slope * np.float32(0.05), cv2.CMP_LT)
    cv2.bitwise_or(holes, ragged, dst=holes)
    cv2.bitwise_or(holes, hidden_from_right(view.inverse_depth, view.camera.fx * p.baseline_m), dst=holes)
    return octets(holes), None if wrong is None else octets(wrong)


def _time_of_flight(view: View, rng: np.random.Generator, p: SensorParams) -> NDArray[np.uint16]:
    h, w = view.material.shape
    gain = 2 * p.difficulty
    inverse = _answering_surface(view, p)
    slope = _slope(view)
    with np.errstate(divide="ignore"):
        depth = np.divide(np.float32(1), np.maximum(inverse, np.float32(1e-4)))
    # Pixels on a silhouette mix near and far: flying pixels. Blurring depth where the slope is large is that.
    edge = cv2.inRange(slope, 6.0, 1e9)
    if min(h, w) > 16:
        cv2.copyTo(cv2.blur(depth, (3, 3)), edge, depth)
    grey = _grey(view)
    chance = cv2.LUT(view.material, chances(SensorKind.TIME_OF_FLIGHT, p.difficulty))
    dark = cv2.LUT(grey, darkness())
    weak = cv2.multiply(dark, cv2.multiply(depth, depth), scale=0.035 * gain / p.power)
    chance = cv2.add(chance, weak)
    chance = cv2.scaleAdd(np.minimum(slope, np.float32(20)), 0.02 * gain, chance)
    holes = cv2.compare(_lumps(h, w, p), chance, cv2.CMP_LT)
    # Light that came by way of another wall makes concave places deeper.
    if min(h, w) > 64 and p.multipath:
        small = cv2.resize(inverse, (w // 8, h // 8), interpolation=cv2.INTER_AREA)
        around = cv2.blur(small, (9, 9))
        bias = np.clip(around / np.maximum(small, np.float32(1e-4)) - np.float32(1), 0, 1) * np.float32(
            2 * p.multipath * gain
        )
        depth += depth * cv2.resize(bias, (w, h), interpolation=cv2.INTER_LINEAR)
    noise = _noise(h, w, rng)
    spread = cv2.scaleAdd(
        cv2.multiply(depth, floats(dark) + np.float32(0.35)), 0.006, np.full((h, w), 0.001, np.float32)
    )
    depth += cv2.multiply(noise, spread, scale=1.4 * p.noise_px / USUAL_NOISE_PX)
    return _counts(depth * np.float32(1000), octets(holes), p)


def _counts(millimetres: Float, holes: Bytes, p: SensorParams) -> NDArray[np.uint16]:
    """(H, W) uint16, 0 at holes and out of range; `millimetres` is used up."""
    farthest = min(p.farthest_m * 1000, 65535.0)
    cv2.threshold(millimetres, farthest, 0, cv2.THRESH_TOZERO_INV, dst=millimetres)
    cv2.threshold(millimetres, p.nearest_m * 1000, 0, cv2.THRESH_TOZERO, dst=millimetres)
    counts = millimetres.astype(np.uint16)
    cv2.copyTo(np.zeros_like(counts), holes, counts)
    return counts


def _answering_surface(view: View, p: SensorParams) -> Float:
    """(H, W) float32 1/z of the surface that light came back from: lumps of glass and mirror let it pass."""
    if view.beyond is view.inverse_depth:
        return view.inverse_depth
    see_through = cv2.inRange(view.material, int(min(SEEN_THROUGH)), int(max(SEEN_THROUGH)))
    x, y, w, h = cv2.boundingRect(see_through)
    if not w:
        return view.inverse_depth
    inside = (slice(y, y + h), slice(x, x + w))
    height, width = view.material.shape
    drift_px = (p.drift_px[0] + 400, p.drift_px[1] + 900)
    field = _lumps(height, width, replace(p, drift_px=drift_px, blob_px=p.blob_px * 1.6), inside)
    passed = cv2.inRange(field, -1.0, p.see_through)
    cv2.bitwise_and(passed, see_through[inside], dst=passed)
    out = view.inverse_depth.copy()
    cv2.copyTo(view.beyond[inside], passed, out[inside])
    return out


def hidden_from_right(inverse: Float, scale: float, *, outside: bool = True) -> Bytes:
    """(H, W) uint8, 255 where another camera on the right has no line of sight.

    Args:
        inverse: (H, W) float32 1/z.
        scale: focal length in pixels times the distance between both.
        outside: whether that camera does not see what lies outside of its picture.
    """
    # A pixel at u lands at u - d in the right picture; hidden if something right of it lands left of that.
    # Each step doubles how far to the right `leftmost` has looked.
    w = inverse.shape[1]
    landing = np.arange(w, dtype=np.float32) - inverse * np.float32(scale)
    leftmost = landing.copy()
    step_px = 1
    while step_px < min(w, REACH_PX):
        cv2.min(leftmost[:, :-step_px], leftmost[:, step_px:], dst=leftmost[:, :-step_px])
        step_px *= 2
    leftmost += np.float32(0.75)
    blocked = cv2.compare(landing, leftmost, cv2.CMP_GT)
    if not outside:
        return octets(blocked)
    edge_px = min(w, math.ceil(float(inverse.max()) * scale) + 1)
    band = blocked[:, :edge_px]
    cv2.bitwise_or(band, cv2.inRange(landing[:, :edge_px], -1e9, 0.0), dst=band)
    return octets(blocked)


def shadow(inverse: Float, shift_px: float, *, to_left: bool) -> Bytes:
    """(H, W) uint8, 255 where a camera beside this one does not see what this one sees.

    Args:
        inverse: (H, W) float32 1/z of this camera's view.
        shift_px: focal length times the distance of the two, in pixels times metres.
        to_left: which side the other stands on.
    """
    if not to_left:
        return hidden_from_right(inverse, shift_px)
    mirrored = hidden_from_right(np.ascontiguousarray(inverse[:, ::-1]), shift_px)
    return np.ascontiguousarray(mirrored[:, ::-1])


def _slope(view: View) -> Float:
    """(H, W) float32 how steeply depth changes: about the tangent of the angle to the line of sight."""
    inverse = view.inverse_depth
    if min(inverse.shape) < 8:
        return np.zeros_like(inverse)
    across = cv2.Sobel(inverse, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    along = cv2.Sobel(inverse, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    steep = floats(cv2.multiply(cv2.magnitude(across, along), view.depth_m, scale=view.camera.fx))
    return floats(np.maximum(steep - np.float32(1.2), np.float32(0)))


def _grey(view: View) -> Bytes:
    return np.asarray(cv2.cvtColor(view.color, cv2.COLOR_RGB2GRAY), np.uint8)


def _bareness(view: View) -> Float:
    """(H, W) float32, 1 where a matching window holds no texture, 0 where it holds plenty."""
    grey = _grey(view)
    across = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 1, 0, ksize=3))
    window = 15 if min(grey.shape) > 32 else 3
    energy = cv2.blur(across, (window, window))
    return np.asarray(cv2.LUT(energy, _bare_table()), np.float32)


@lru_cache(maxsize=1)
def _bare_table() -> Float:
    energy = np.arange(256, dtype=np.float32)
    return np.asarray(np.clip(1.0 - (energy - 1.8) / 6.5, 0, 1), np.float32)


@lru_cache(maxsize=1)
def darkness() -> Float:
    """(256,) float32: 1 for black, falling to 0 at middle grey."""
    return floats(np.clip(1.0 - np.arange(256, dtype=np.float32) / 90.0, 0, 1))


@lru_cache(maxsize=64)
def chances(kind: SensorKind, difficulty: float) -> Float:
    """(256,) float32 by material: how likely there is no answer."""
    table = np.zeros(256, np.float32)
    table[: len(Material)] = np.array(_HOLES[kind], np.float32)
    # Odds, not chances, grow with difficulty: nothing exceeds 1.
    odds = table / (1 - table) * np.float32(4.0 ** (2 * difficulty - 1))
    return np.asarray(odds / (1 + odds), np.float32)


@lru_cache(maxsize=1)
def _uniform_bank() -> Float:
    """Lumpy noise, evenly spread over 0 to 1, with lumps of about 6 px and finer grain; wraps around."""
    rng = np.random.default_rng(2024)
    edge = BANK_EDGE_PX
    fine = rng.standard_normal((edge, edge), np.float32)
    total = np.zeros_like(fine)
    for sigma, weight in ((1.0, 0.25), (3.0, 1.0), (8.0, 0.8)):
        padded = cv2.copyMakeBorder(fine, 40, 40, 40, 40, cv2.BORDER_WRAP)
        layer = cv2.GaussianBlur(padded, (0, 0), sigma)[40:-40, 40:-40]
        total += np.float32(weight) * layer / np.float32(layer.std())
    ranks = np.searchsorted(np.sort(total[::4, ::4].ravel()), total.ravel()).reshape(total.shape)
    return np.asarray(ranks / ranks.max(), np.float32)


@lru_cache(maxsize=1)
def _noise_bank() -> Float:
    """Normal noise, slightly blurred as a matching window does, of unit deviation."""
    rng = np.random.default_rng(2025)
    noise = cv2.GaussianBlur(rng.standard_normal((BANK_EDGE_PX, BANK_EDGE_PX), np.float32), (0, 0), 0.9)
    return np.asarray(noise / noise.std(), np.float32)


@lru_cache(maxsize=1)
def _grain_bank() -> Float:
    rng = np.random.default_rng(2026)
    grain = cv2.GaussianBlur(rng.random((BANK_EDGE_PX, BANK_EDGE_PX), np.float32), (3, 3), 0.6)
    grain = (grain - grain.min()) / (grain.max() - grain.min())
    return np.asarray(np.clip(grain * 1.4 - 0.2, 0.004, 1), np.float32)


def _lumps(h: int, w: int, p: SensorParams, inside: tuple[slice, slice] | None = None) -> Float:
    """(h, w) float32 of 0 to 1, evenly spread, in lumps, or a part of it; the same for the same drift."""
    zoom = p.blob_px / 9.0 * max(w / 640.0, 0.05)
    size = (max(min(round(h / zoom), BANK_EDGE_PX), 1), max(min(round(w / zoom), BANK_EDGE_PX), 1))
    top = int(p.drift_px[1]) % (BANK_EDGE_PX - size[0] + 1)
    left = int(p.drift_px[0]) % (BANK_EDGE_PX - size[1] + 1)
    if inside is not None:
        rows, columns = inside
        top, left = top + int(rows.start / zoom), left + int(columns.start / zoom)
        h, w = rows.stop - rows.start, columns.stop - columns.start
        size = (max(round(h / zoom), 1), max(round(w / zoom), 1))
        top, left = min(top, BANK_EDGE_PX - size[0]), min(left, BANK_EDGE_PX - size[1])
    part = _uniform_bank()[top : top + size[0], left : left + size[1]]
    if part.shape == (h, w):
        return part
    return floats(
        cv2.resize(part, (w, h), interpolation=cv2.INTER_NEAREST if zoom < 1.3 else cv2.INTER_LINEAR)
    )


def _noise(h: int, w: int, rng: np.random.Generator) -> Float:
    return _crop(_noise_bank(), h, w, rng)


def _grain(h: int, w: int, rng: np.random.Generator) -> Float:
    return _crop(_grain_bank(), h, w, rng)


def _crop(bank: Float, h: int, w: int, rng: np.random.Generator) -> Float:
    if h >= bank.shape[0] or w >= bank.shape[1]:
        bank = np.tile(bank, (h // bank.shape[0] + 2, w // bank.shape[1] + 2))
    top, left = int(rng.integers(bank.shape[0] - h)), int(rng.integers(bank.shape[1] - w))
    return bank[top : top + h, left : left + w]
