"""Painted surfaces: wood, stone, fabric, prints and the like, as (h, w, 3) uint8 without any light."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = tuple[float, float, float]
Pixels = NDArray[np.uint8]
Painter = Callable[[np.random.Generator, int, int, Rgb], Pixels]


def noise(  # noqa: PLR0917 - sizes in the order of all arrays
    rng: np.random.Generator, h: int, w: int, cells_y: float, cells_x: float, octaves: int = 3
) -> NDArray[np.float32]:
    """(h, w) float32 around 0.5, smooth over 1/cells of the picture."""
    out = np.zeros((h, w), np.float32)
    weight, total = 1.0, 0.0
    for octave in range(octaves):
        ny = int(min(max(cells_y * 2**octave, 2), h)) + 1
        nx = int(min(max(cells_x * 2**octave, 2), w)) + 1
        grid = rng.random((ny, nx), np.float32)
        out += np.float32(weight) * cv2.resize(grid, (w, h), interpolation=cv2.INTER_CUBIC)
        total += weight
        weight *= 0.55
    return np.asarray(out / np.float32(total), np.float32)


def mix(a: Rgb, b: Rgb, share: NDArray[np.float32]) -> Pixels:
    """(h, w, 3) uint8 from colour `a` where `share` is 0 to `b` where it is 1."""
    first, second = np.array(a, np.float32), np.array(b, np.float32)
    out = first + np.clip(share, 0, 1)[..., None] * (second - first)
    return np.clip(out, 0, 255).astype(np.uint8)


def shade(color: Rgb, factor: float) -> Rgb:
    """`color` made darker or brighter."""
    r, g, b = (min(255.0, c * factor) for c in color)
    return r, g, b


def plain(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """Paint: one colour with the faintest unevenness."""
    return mix(shade(color, 0.97), shade(color, 1.03), noise(rng, h, w, 5, 5))


def plaster(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """Rough wall: visible grain."""
    return mix(shade(color, 0.85), shade(color, 1.12), noise(rng, h, w, h / 10, w / 10, 3))


def wood(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """One board with grain along its rows."""
    warp = noise(rng, h, w, 4, 1.5, 2)
    rings = 0.5 + 0.5 * np.sin((warp * 9 + np.linspace(0, 3, h, dtype=np.float32)[:, None]) * 6.28)
    fibres = noise(rng, h, w, h / 2, 5, 1)
    return mix(shade(color, 0.72), shade(color, 1.1), 0.45 * rings + 0.55 * fibres)


def planks(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """A wooden floor; boards run along the rows."""
    rows = int(rng.integers(8, 20))
    out = wood(rng, h, w, color).astype(np.float32)
    gain = np.ones((h, w), np.float32)
    edges = np.linspace(0, h, rows + 1).astype(int)
    for top, bottom in pairwise(edges):
        cuts = np.sort(rng.integers(0, w, 3))
        for left, right in zip([0, *cuts], [*cuts, w], strict=True):
            gain[top:bottom, left:right] = rng.uniform(0.78, 1.12)
            gain[top:bottom, max(right - 2, 0) : right] = 0.5
        out[top:bottom] = np.roll(out[top:bottom], int(rng.integers(0, w)), axis=1)
        gain[max(bottom - 2, 0) : bottom] = 0.55
    return np.asarray(np.clip(out * gain[..., None], 0, 255), np.uint8)


def tiles(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """Ceramic tiles with grout."""
    cell = max(8, int(min(h, w) / rng.integers(6, 16)))
    tone = np.kron(
        rng.uniform(0.9, 1.08, (h // cell + 1, w // cell + 1)).astype(np.float32),
        np.ones((cell, cell), np.float32),
    )[:h, :w]
    ys, xs = np.arange(h) % cell, np.arange(w) % cell
    grout = (ys[:, None] < max(1, cell // 24)) | (xs[None] < max(1, cell // 24))
    out = mix(shade(color, 0.94), shade(color, 1.05), noise(rng, h, w, 20, 20)).astype(np.float32)
    out *= tone[..., None]
    out[grout] = np.array(shade(color, 0.62), np.float32)
    return np.clip(out, 0, 255).astype(np.uint8)


def fabric(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """Woven cloth with stripes or checks."""
    period = float(rng.integers(16, 64))
    xs = np.sin(np.arange(w, dtype=np.float32) * np.float32(6.28 / period))[None]
    ys = np.sin(np.arange(h, dtype=np.float32) * np.float32(6.28 / period))[:, None]
    pattern = (xs > 0.3) * 0.5 + (ys > 0.3) * (0.5 if rng.random() < 0.6 else 0.0)
    weave = rng.random((h, w), np.float32)
    other: Rgb = tuple(rng.uniform(40, 230, 3))
    base = mix(color, other, np.asarray(pattern, np.float32)).astype(np.float32)
    return np.asarray(np.clip(base * (0.82 + 0.3 * weave[..., None]), 0, 255), np.uint8)


def stone(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """Polished stone: clouds, veins, a little grain."""
    field = noise(rng, h, w, 5, 5, 4)
    veins = np.clip(1 - 14 * np.abs(noise(rng, h, w, 4, 4, 4) - 0.5), 0, 1)
    grain = rng.random((h, w), np.float32)
    out = mix(shade(color, 0.78), shade(color, 1.15), field * 0.85 + grain * 0.15)
    light = np.array(shade(color, 1.5 if sum(color) < 380 else 0.6), np.float32)
    share = (0.35 * veins)[..., None]
    return np.asarray(np.clip(out * (1 - share) + light * share, 0, 255), np.uint8)


def carpet(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """Thick pile."""
    grain = cv2.GaussianBlur(rng.random((h, w), np.float32), (3, 3), 0.7)
    return mix(shade(color, 0.6), shade(color, 1.3), 0.7 * grain + 0.3 * noise(rng, h, w, 12, 12))


def printed(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """A package or a magazine page: blocks, discs and lines of type."""
    out = np.ascontiguousarray(plain(rng, h, w, color))
    for _ in range(int(rng.integers(3, 9))):
        ink = tuple(int(c) for c in rng.integers(20, 255, 3))
        x, y = int(rng.integers(0, w)), int(rng.integers(0, h))
        if rng.random() < 0.5:
            size = (int(rng.integers(w // 8, w // 2 + 1)), int(rng.integers(h // 10, h // 3 + 1)))
            cv2.rectangle(out, (x, y), (x + size[0], y + size[1]), ink, -1)
        else:
            cv2.circle(
                out, (x, y), int(rng.integers(min(h, w) // 12, min(h, w) // 3 + 1)), ink, -1, cv2.LINE_AA
            )
    ink = (20, 20, 25) if sum(color) > 330 else (235, 235, 230)
    height = h * float(rng.uniform(0.03, 0.06))
    for line in range(int(rng.integers(2, 9))):
        word = "".join(rng.choice(list("aeionstrlmdkHTB "), int(rng.integers(6, 18))))
        place = (int(w * 0.08), int(h * 0.15 + line * height * 1.7))
        cv2.putText(out, word, place, cv2.FONT_HERSHEY_SIMPLEX, max(height / 22, 0.2), ink, 1, cv2.LINE_AA)
    return out


def painting(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """A framed picture of soft hills."""
    sky: Rgb = tuple(rng.uniform(120, 240, 3))
    out = mix(sky, color, np.repeat(np.linspace(0, 1, h, dtype=np.float32)[:, None], w, 1)).astype(np.float32)
    for k in range(5):
        line = (0.3 + 0.13 * k) * h + 0.12 * h * np.sin(
            np.arange(w) / w * rng.uniform(3, 12) + rng.uniform(0, 6)
        )
        tone = rng.uniform(30, 220, 3).astype(np.float32)
        out[np.arange(h)[:, None] > line[None]] = tone
    out *= (0.85 + 0.3 * noise(rng, h, w, 12, 20, 3))[..., None]
    edge = max(2, min(h, w) // 16)
    frame = np.array(rng.choice([[40, 30, 25], [150, 110, 60], [225, 222, 215]]), np.float32)
    out[:edge] = out[-edge:] = out[:, :edge] = out[:, -edge:] = frame
    return np.clip(out, 0, 255).astype(np.uint8)


def outdoors(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """A bright view through a window, with its bars."""
    sky = mix((215, 232, 250), (250, 252, 255), noise(rng, h, w, 3, 4))
    green = mix((120, 150, 95), (190, 205, 150), noise(rng, h, w, 14, 14))
    horizon = h * rng.uniform(0.5, 0.75) + h * 0.08 * (noise(rng, 1, w, 1, 7, 3)[0] - 0.5) * 2
    out = np.where((np.arange(h)[:, None] > horizon[None])[..., None], green, sky)
    bar = max(2, min(h, w) // 28)
    out[:, w // 2 - bar // 2 : w // 2 + bar // 2 + 1] = color
    out[: 2 * bar] = out[-2 * bar :] = out[:, : 2 * bar] = out[:, -2 * bar :] = color
    return np.asarray(out, np.uint8)


def view(rng: np.random.Generator, h: int, w: int, _color: Rgb) -> Pixels:
    """What is outside: sky and trees, without a window's bars."""
    sky = mix((205, 226, 250), (250, 252, 255), noise(rng, h, w, 3, 4))
    green = mix((70, 96, 52), (150, 170, 110), noise(rng, h, w, 14, 14))
    horizon = h * rng.uniform(0.4, 0.75) + h * 0.16 * (noise(rng, 1, w, 1, 9, 4)[0] - 0.5)
    out = np.where((np.arange(h)[:, None] > horizon[None])[..., None], green, sky)
    return np.asarray(out, np.uint8)


def desktop(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """A screen that is on: windows with type, in a narrow dark frame."""
    tones: Rgb = tuple(rng.uniform(20, 150, 3))
    out = np.ascontiguousarray(mix(tones, shade(tones, 1.6), noise(rng, h, w, 2, 2)))
    for _ in range(int(rng.integers(1, 4))):
        height, width = int(h * rng.uniform(0.4, 0.8)), int(w * rng.uniform(0.3, 0.6))
        top, left = int(rng.integers(0, h - height)), int(rng.integers(0, w - width))
        out[top : top + height, left : left + width] = printed(rng, height, width, color)
        out[top : top + max(2, h // 30), left : left + width] = (60, 64, 72)
    edge = max(1, min(h, w) // 40)
    out[:edge] = out[-edge:] = out[:, :edge] = out[:, -edge:] = (20, 20, 22)
    return out


def screen(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """A switched-off screen with a narrow frame."""
    out = mix(shade(color, 0.8), shade(color, 1.2), noise(rng, h, w, 2, 2))
    edge = max(1, min(h, w) // 40)
    out[:edge] = out[-edge:] = out[:, :edge] = out[:, -edge:] = (38, 38, 40)
    return out


def spines(rng: np.random.Generator, h: int, w: int, _color: Rgb) -> Pixels:
    """A row of book backs."""
    out = np.zeros((h, w, 3), np.uint8)
    x = 0
    while x < w:
        width = int(rng.integers(max(3, w // 16), max(5, w // 8)))
        tone = tuple(int(c) for c in rng.integers(30, 225, 3))
        cv2.rectangle(out, (x, 0), (x + width, h), tone, -1)
        cv2.rectangle(out, (x, 0), (x + 1, h), tuple(c // 2 for c in tone), -1)
        for band in rng.uniform(0.08, 0.92, 3):
            y = int(band * h)
            cv2.rectangle(out, (x + 2, y), (x + width - 2, y + max(1, h // 40)), (225, 205, 150), -1)
        x += width
    return out


def leaf(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """(h, w, 4) a leaf with its outline in alpha."""
    out = np.zeros((h, w, 4), np.uint8)
    out[..., :3] = mix(shade(color, 0.75), shade(color, 1.2), noise(rng, h, w, 6, 3))
    ys, xs = np.linspace(-1, 1, h)[:, None], np.linspace(-1, 1, w)[None]
    inside = np.abs(xs) < 0.95 * np.sqrt(np.clip(1 - ys**2, 0, 1)) * (0.65 - 0.35 * ys)
    out[..., 3] = inside * 255
    out[np.abs(xs) * np.ones((h, 1)) < 0.05] = (*(int(c) for c in shade(color, 1.35)), 0)
    out[..., 3] = inside * 255
    return out


def steel(rng: np.random.Generator, h: int, w: int, color: Rgb) -> Pixels:
    """What polished metal shows all around: bright windows and dark corners."""
    bands = noise(rng, 1, w // 2, 1, 9, 2)
    bands = np.concatenate([bands, bands[:, ::-1]], axis=1)
    bands = cv2.resize(np.clip((bands - 0.28) * 2.2, 0, 1), (w, 1))
    rows = np.linspace(0.25, -0.15, h, dtype=np.float32)[:, None]
    scratches = (rng.random((h, 1), np.float32) - 0.5) * np.float32(0.12)
    return mix((38, 40, 44), shade(color, 1.15), bands + rows + scratches)


WALLS: tuple[Painter, ...] = (plain, plain, plain, plaster, plaster, tiles, fabric)
FLOORS: tuple[Painter, ...] = (planks, planks, tiles, carpet, stone, plain)
THINGS: tuple[Painter, ...] = (printed, printed, wood, fabric, plain, plaster, stone)
