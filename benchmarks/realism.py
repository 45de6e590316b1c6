"""Simulated sensors held against real ones: holes, their sizes and places, and noise against range.

    python benchmarks/realism.py [--out FOLDER] [--samples 40] [--shared ../shared]

Renders samples (or reads --shards), measures them and the real frames of the shared folder with the same
code, and writes one page with tables and pictures. Exit status 1 if simulated holes lie outside of what the
real sources show, or the noise differs by more than a factor of 3 where both have some.
"""

import argparse
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import itertools

import cv2
import numpy as np

from trainer.data.shards import Shards
from trainer.data.stored import StoredSample
from trainer.evaluate.frames import frames_of
from trainer.evaluate.pictures import depth_picture, embedded, small
from trainer.synth.make import stored_sample
from trainer.synth.plan import SynthPlan
from trainer.synth.realism import RANGES_M, SIZES_PX, Frame, Statistics, statistics

SHARED = Path(__file__).resolve().parents[2] / "shared"
NOISE_FACTOR = 3.0
PAGE = Template("""<!DOCTYPE html><html lang="en"><meta charset="utf-8">
<title>Simulated and real sensors</title>
<style>body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem }
table { border-collapse: collapse; margin-bottom: 2rem }
td, th { padding: .2rem .5rem; border-bottom: 1px solid #ddd; text-align: right }
td:first-child { text-align: left } img { width: 320px; margin: 0 6px 6px 0 }</style>
<h1>Simulated and real sensors</h1><p>All frames at 640 pixels across. Lift: share of hole pixels within 4
pixels of a colour edge, over that of all pixels. Noise: on smooth surfaces, without the plane through the
neighbours.</p>
<table><tr>$head</tr>$rows</table><h2>Holes by material</h2><table>$materials</table>$pictures</html>
""")
SHOWN = 3


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--shards", type=Path, help="made by: synth")
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("realism"))
    options = parser.parse_args()
    real_folder = options.shared / "real"
    if not real_folder.is_dir():
        print(f"{real_folder} is not here; there is nothing to compare with.")
        return 0
    cv2.setNumThreads(1)
    groups: dict[str, list[Frame]] = {}
    for frame in frames_of(str(real_folder), per_source=100):
        groups.setdefault(f"real: {frame.source}", []).append(Frame(frame.color, frame.depth_m))
    real = list(groups)
    for sample in simulated(options.shards, options.samples):
        frame = Frame(sample.color, sample.depth.metres, sample.material)
        groups.setdefault(f"simulated: {sample.sensor}", []).append(frame)
    found = {name: statistics(frames) for name, frames in groups.items()}
    all_real = statistics([frame for name in real for frame in groups[name]])
    all_simulated = statistics([frame for name in groups if name not in real for frame in groups[name]])
    found |= {"ALL REAL": all_real, "ALL SIMULATED": all_simulated}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "realism.html").write_text(page(found, groups), encoding="utf-8")
    for name, each in found.items():
        print(line(name, each))
    broken = broken_limits(all_simulated, [found[name] for name in real], all_real)
    for words in broken:
        print(f"LIMIT: {words}")
    print(options.out / "realism.html")
    return int(bool(broken))


def simulated(shards: Path | None, count: int) -> Iterator[StoredSample]:
    if shards is not None:
        stored = Shards(shards)
        yield from (stored.stored(number) for number in range(min(count, len(stored))))
        return
    plan = SynthPlan(scenes=max(1, count // 4), samples=count)
    yield from (stored_sample(plan, number) for number in range(count))


def broken_limits(ours: Statistics, sources: list[Statistics], real: Statistics) -> list[str]:
    out = []
    shares = [source.mean for source in sources]
    if not min(shares) <= ours.mean <= max(shares):
        out.append(f"holes {ours.mean:.1%}, real sources show {min(shares):.1%} to {max(shares):.1%}")
    lifts = [source.lift for source in sources]
    if not min(lifts) <= ours.lift <= max(lifts):
        out.append(f"edge lift {ours.lift:.2f}, real sources show {min(lifts):.2f} to {max(lifts):.2f}")
    for low, mine, theirs in zip(RANGES_M, ours.noise_m, real.noise_m, strict=False):
        if mine is not None and theirs is not None and not 1 / NOISE_FACTOR <= mine / theirs <= NOISE_FACTOR:
            out.append(f"noise from {low} m on: {1000 * mine:.1f} mm, real {1000 * theirs:.1f} mm")
    return out


def line(name: str, found: Statistics) -> str:
    noise = " ".join("   -" if each is None else f"{1000 * each:4.1f}" for each in found.noise_m)
    sizes = " ".join(f"{100 * each:3.0f}" for each in found.sizes)
    return (
        f"{name:34} n={found.frames:<3} holes {100 * found.mean:5.1f} % (median {100 * found.holes[2]:5.1f})"
        f"  sizes % {sizes}  edges {100 * found.near_edges:3.0f} % lift {found.lift:4.2f}  noise mm {noise}"
    )


def page(found: dict[str, Statistics], groups: dict[str, list[Frame]]) -> str:
    bounds = [
        "<10",
        *(f"{low}-{high}" for low, high in itertools.pairwise(SIZES_PX)),
        f">{SIZES_PX[-1]}",
    ]
    ranges = [f"{low}-{high} m" for low, high in itertools.pairwise(RANGES_M)]
    names = ["frames", "holes %", *(f"p{p}" for p in (5, 25, 50, 75, 95)), *(f"{b} px %" for b in bounds)]
    names += ["near edges %", "lift", *(f"noise {r} mm" for r in ranges)]
    head = "".join(f"<th>{escape(name)}</th>" for name in ["", *names])
    rows = "".join(row(name, each) for name, each in found.items())
    materials = "".join(
        f"<tr><td>{escape(name)}</td><td>"
        + ", ".join(f"{escape(kind)} {100 * share:.0f} %" for kind, share in each.by_material.items())
        + "</td></tr>"
        for name, each in found.items()
        if each.by_material
    )
    pictures = "".join(strip(name, frames) for name, frames in groups.items())
    return PAGE.substitute(head=head, rows=rows, materials=materials, pictures=pictures)


def row(name: str, found: Statistics) -> str:
    cells = [f"{found.frames}", f"{100 * found.mean:.1f}", *(f"{100 * each:.1f}" for each in found.holes)]
    cells += [f"{100 * each:.0f}" for each in found.sizes]
    cells += [f"{100 * found.near_edges:.0f}", f"{found.lift:.2f}"]
    cells += ["-" if each is None else f"{1000 * each:.1f}" for each in found.noise_m]
    return f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def strip(name: str, frames: list[Frame]) -> str:
    images = []
    for frame in frames[:SHOWN]:
        measured = frame.depth_m[frame.depth_m > 0]
        near, far = np.percentile(measured, [2, 98]) if measured.size else (0.5, 5.0)
        images += [small(frame.color), small(depth_picture(frame.depth_m, near, far))]
    shown = "".join(f'<img alt="{escape(name)}" src="{embedded(image)}">' for image in images)
    return f"<h2>{escape(name)}</h2><div>{shown}</div>"


if __name__ == "__main__":
    sys.exit(main())
