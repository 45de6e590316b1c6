"""Simulated sensors held against real ones: holes, their sizes and places, and noise against range.

    python benchmarks/realism.py [--out FOLDER] [--samples 40] [--size 640x480] [--only drawn]

The same views of the same rooms with the same sensors come from all three renderers: "drawn" at camera rate,
"cast" on torch tensors, "physical" by Mitsuba (or, with --shards, from a set that `synth` made). They and the
real frames of the shared folder (--shared) are measured with the same code, from colour and from the sensor's
own depth alone, since real frames know no more; one page shows tables and pictures. A renderer that is not
installed is named and left out. Five minutes on two cores, most of it for "physical", seconds for "drawn".

Exit status 1 if, of any renderer, the share of holes or their lift at edges is not within a factor of 1.5 of
the real frames', the share of torn steps not within a factor of 2, or the noise not within a factor of 3 in a
range where both have smooth surfaces.
"""

import argparse
import itertools
import math
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import torch

from trainer.data.shards import Shards
from trainer.errors import TrainingError
from trainer.evaluate.frames import frames_of
from trainer.evaluate.pictures import depth_picture, embedded, small
from trainer.simulation.tensors.chance import generators
from trainer.simulation.tensors.sensors import measured
from trainer.simulation.tensors.upload import uploaded
from trainer.simulation.tensors.view import rendered_in
from trainer.synth.make import shot, stored_sample
from trainer.synth.physical.library import load, use_one_core
from trainer.synth.plan import SynthPlan
from trainer.synth.realism import RANGES_M, SIZES_PX, Frame, Statistics, statistics

SHARED = Path(__file__).resolve().parents[2] / "shared"
RENDERERS = {"physical": "mitsuba", "cast": "opencv", "drawn": "opencv"}
"""Slowest first, so that no core waits at the end; with what their plan calls the maker of stored samples."""
VIEWS_PER_ROOM = 4
NOISE_FACTOR = 3.0
SHARE_FACTOR = 1.5
TORN_FACTOR = 2.0
"""Of real sensors, some tear hardly any step and some every one."""
PAGE = Template("""<!DOCTYPE html><html lang="en"><meta charset="utf-8">
<title>Simulated and real sensors</title>
<style>body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem }
table { border-collapse: collapse; margin-bottom: 2rem }
td, th { padding: .2rem .5rem; border-bottom: 1px solid #ddd; text-align: right }
td:first-child { text-align: left } img { width: 240px; margin: 0 6px 6px 0 }</style>
<h1>Simulated and real sensors</h1><p>All frames at 640 pixels across. Lift: share of hole pixels within 4
pixels of a colour edge, over that of all pixels; inner: of holes that do not touch the border. Torn: share of
the steps in the sensor's own depth that lie in a hole. Noise: on smooth surfaces, without the plane through
the neighbours; "too few" where fewer than a thousand pixels lie on such.</p>
<table>$columns</table><h2>Holes by material, in per cent of its pixels</h2><table>$materials</table>
<h2>Each source and sensor</h2><table>$groups</table>$pictures</html>
""")
SHOWN = 3


@dataclass(frozen=True, eq=False)
class Simulated:
    """One sample.

    Attributes:
        renderer: a name of `RENDERERS`, or "shards".
        number: samples of one number are the same view.
        sensor: that measured it.
        frame: what it measured.
    """

    renderer: str
    number: int
    sensor: str
    frame: Frame


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--shards", type=Path, help="made by: synth; instead of the renderers")
    parser.add_argument("--samples", type=int, default=40, help="of each renderer")
    parser.add_argument("--size", type=_size, default=(640, 480), metavar="WxH")
    parser.add_argument("--only", choices=list(RENDERERS), action="append")
    parser.add_argument("--processes", type=int, default=0, help="0 for one per core")
    parser.add_argument("--out", type=Path, default=Path("realism"))
    options = parser.parse_args()
    real_folder = options.shared / "real"
    if not real_folder.is_dir():
        print(f"{real_folder} is not here; there is nothing to compare with.")
        return 0
    cv2.setNumThreads(1)
    real: dict[str, list[Frame]] = {}
    for found in frames_of(str(real_folder), per_source=100):
        real.setdefault(f"real: {found.source}", []).append(Frame(found.color, found.depth_m))
    made = list(of_shards(options.shards, options.samples) if options.shards else of_renderers(options))
    names = [name for name in ("drawn", "cast", "physical", "shards") if name in {s.renderer for s in made}]
    groups = dict(real)
    for name, sensor in itertools.product(names, sorted({s.sensor for s in made})):
        frames = [s.frame for s in made if (s.renderer, s.sensor) == (name, sensor)]
        groups |= {f"{name}: {sensor}": frames} if frames else {}
    columns = {"real": statistics(list(itertools.chain(*real.values())))}
    columns |= {name: statistics([s.frame for s in made if s.renderer == name]) for name in names}
    by_group = {name: statistics(frames) for name, frames in groups.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    shown = "".join(strip(name, frames[:SHOWN]) for name, frames in real.items()) + views(made, names)
    (options.out / "realism.html").write_text(page(columns, by_group, shown), encoding="utf-8")
    print_table(columns)
    print_table(by_group)
    broken = [words for name in names for words in broken_limits(name, columns[name], columns["real"])]
    for words in broken:
        print(f"LIMIT: {words}")
    print(options.out / "realism.html")
    return int(bool(broken))


def of_shards(folder: Path, count: int) -> Iterator[Simulated]:
    stored = Shards(folder)
    for number in range(min(count, len(stored))):
        sample = stored.stored(number)
        frame = Frame(sample.color, sample.depth.metres, sample.material)
        yield Simulated("shards", number, sample.sensor or "unknown", frame)


def of_renderers(options: argparse.Namespace) -> Iterator[Simulated]:
    """Samples of all renderers, a room at a time, on all cores."""
    width, height = options.size
    tasks = []
    for renderer, maker in RENDERERS.items():
        if options.only and renderer not in options.only:
            continue
        plan = SynthPlan(
            scenes=math.ceil(options.samples / VIEWS_PER_ROOM),
            samples=options.samples,
            width=width,
            height=height,
            matched_width=width * 3 // 4,  # as `synth` does
            matched_height=height * 3 // 4,
            renderer=maker,
        )
        try:
            if renderer == "physical":
                load()  # says what is missing
        except TrainingError as error:
            print(f"{renderer} is left out: {error} {error.hint}")
            continue
        starts = range(0, options.samples, VIEWS_PER_ROOM)
        tasks += [(renderer, plan, range(start, start + VIEWS_PER_ROOM)) for start in starts]
    count = options.processes or os.cpu_count() or 1
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(render, *zip(*tasks, strict=True)):
            yield from part


def render(renderer: str, plan: SynthPlan, numbers: Sequence[int]) -> list[Simulated]:
    """Samples of one renderer, on one core."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    if renderer == "physical":
        use_one_core()
    wanted = [number for number in numbers if number < plan.samples]
    return [cast(plan, number) if renderer == "cast" else stored(renderer, plan, number) for number in wanted]


def stored(renderer: str, plan: SynthPlan, number: int) -> Simulated:
    """A sample as `synth` stores it."""
    sample = stored_sample(plan, number)
    assert sample.sensor is not None
    return Simulated(
        renderer, number, sample.sensor, Frame(sample.color, sample.depth.metres, sample.material)
    )


@torch.no_grad()
def cast(plan: SynthPlan, number: int) -> Simulated:
    """The same view as `stored` gives, cast and measured as training on the fly does."""
    seen, device = shot(plan, number), torch.device("cpu")
    camera = seen.camera
    room = [uploaded(seen.scene, device)]
    pose = torch.tensor(seen.pose[None], dtype=torch.float32)
    lens = torch.tensor([[camera.fx, camera.fy, camera.cx, camera.cy]])
    view = rendered_in(room, pose, lens, (camera.height, camera.width))
    draws = generators([number], device)
    size = (plan.matched_height, plan.matched_width)
    depth_m = measured(room, pose, view, [seen.setup], draws, size=size)[0].numpy()
    color = view.color[0].to(torch.uint8).permute(1, 2, 0).numpy()
    material = view.material[0].numpy().astype(np.uint8)
    frame = Frame(np.ascontiguousarray(color), depth_m, material)
    return Simulated("cast", number, seen.setup.sensor, frame)


def broken_limits(name: str, ours: Statistics, real: Statistics) -> list[str]:
    """What is farther from the real frames than it may be, in words."""
    out = []
    for what, mine, theirs, factor in (
        ("holes", ours.mean, real.mean, SHARE_FACTOR),
        ("lift at edges", ours.lift, real.lift, SHARE_FACTOR),
        ("torn steps", ours.torn, real.torn, TORN_FACTOR),
    ):
        if not 1 / factor <= mine / theirs <= factor:
            out.append(f"{name}: {what} {mine:.2f}, real {theirs:.2f}")
    for low, mine_m, theirs_m in zip(RANGES_M, ours.noise_m, real.noise_m, strict=False):
        if mine_m is None or theirs_m is None:
            continue
        if not 1 / NOISE_FACTOR <= mine_m / theirs_m <= NOISE_FACTOR:
            words = f"{1000 * mine_m:.1f} mm, real {1000 * theirs_m:.1f} mm"
            out.append(f"{name}: noise from {low} m on {words}")
    return out


def cells(found: Statistics) -> dict[str, str]:
    """Figures by what they say."""
    sizes = ["<10", *(f"{low}-{high}" for low, high in itertools.pairwise(SIZES_PX)), f">{SIZES_PX[-1]}"]
    ranges = [f"{low}-{high} m" for low, high in itertools.pairwise(RANGES_M)]
    return {
        "frames": f"{found.frames}",
        "holes, %": f"{100 * found.mean:.1f}",
        "of frames, p5/25/50/75/95": "/".join(f"{100 * each:.0f}" for each in found.holes),
        f"in holes of {', '.join(sizes)} px, %": "/".join(f"{100 * each:.0f}" for each in found.sizes),
        "holes at edges, %": f"{100 * found.near_edges:.0f}",
        "lift": f"{found.lift:.2f}",
        "inner lift": f"{found.inner_lift:.2f}",
        "steps torn, %": f"{100 * found.torn:.0f}",
    } | {
        f"noise {label}, mm": "too few" if noise_m is None else f"{1000 * noise_m:.1f}"
        for label, noise_m in zip(ranges, found.noise_m, strict=True)
    }


def print_table(columns: Mapping[str, Statistics]) -> None:
    """A line for each group."""
    shown = {name: cells(found) for name, found in columns.items()}
    heads = list(next(iter(shown.values())))
    wide = max(len(name) for name in shown)
    widths = [max(len(each[head]) for each in shown.values()) for head in heads]
    print("; ".join(heads))
    for name, each in shown.items():
        print(f"{name:{wide}}", *(f"{each[head]:>{w}}" for head, w in zip(heads, widths, strict=True)))
    print()


def page(columns: Mapping[str, Statistics], groups: Mapping[str, Statistics], pictures: str) -> str:
    by_material = {name: found.by_material for name, found in columns.items() if found.by_material}
    materials = {
        kind: {name: f"{100 * shares[kind]:.0f}" for name, shares in by_material.items() if kind in shares}
        for kind in dict.fromkeys(kind for shares in by_material.values() for kind in shares)
    }
    return PAGE.substitute(
        columns=table(list(columns), transposed({name: cells(found) for name, found in columns.items()})),
        materials=table(list(by_material), materials),
        groups=table(list(cells(columns["real"])), {name: cells(found) for name, found in groups.items()}),
        pictures=pictures,
    )


def transposed(rows: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    heads = next(iter(rows.values()))
    return {head: {name: row[head] for name, row in rows.items()} for head in heads}


def table(heads: list[str], rows: Mapping[str, Mapping[str, str]]) -> str:
    """Rows of an HTML table; a dash for a cell that a row lacks."""
    head = "".join(f"<th>{escape(each)}</th>" for each in ["", *heads])
    body = ""
    for name, row in rows.items():
        values = "".join(f"<td>{escape(row.get(each, '-'))}</td>" for each in heads)
        body += f"<tr><td>{escape(name)}</td>{values}</tr>"
    return f"<tr>{head}</tr>{body}"


def views(made: Sequence[Simulated], names: Sequence[str]) -> str:
    """Some views of each sensor, as all renderers show them."""
    out = []
    for sensor in sorted({each.sensor for each in made}):
        numbers = sorted({each.number for each in made if each.sensor == sensor})[:SHOWN]
        for number in numbers:
            shown = {each.renderer: each.frame for each in made if each.number == number}
            title = f"{sensor}, view {number}: {', '.join(name for name in names if name in shown)}"
            out.append(strip(title, [shown[name] for name in names if name in shown]))
    return "".join(out)


def strip(title: str, frames: Sequence[Frame]) -> str:
    images = []
    for frame in frames:
        measured_m = frame.depth_m[frame.depth_m > 0]
        near, far = np.percentile(measured_m, [2, 98]) if measured_m.size else (0.5, 5.0)
        images += [small(frame.color), small(depth_picture(frame.depth_m, near, far))]
    shown = "".join(f'<img alt="{escape(title)}" src="{embedded(image)}">' for image in images)
    return f"<h3>{escape(title)}</h3><div>{shown}</div>"


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


if __name__ == "__main__":
    sys.exit(main())
