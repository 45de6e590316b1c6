"""Repair of real frames: the network alone, anchored, and what filling without a network does.

    python benchmarks/real_frames.py [--weights FILE] [--tokens N] [--parts hidden,gt,sparse] [--per-source 3]

Scored with the kit of the shared folder, whose README says what counts: `hidden` takes measured pixels away
and asks for them, `gt` gives the raw frame and asks for the ground truth. `sparse` leaves a few hundred
measured pixels, as structure from motion or a lidar would, and asks for all others. Sources weigh the same;
nothing is aligned; a rejected pixel counts as 0 m. Without the folder nothing is measured.
"""

import argparse
import importlib
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from model import checkpoint
from model.classical import guided_membrane, nearest
from model.config import PATCH_PX
from model.engine import MdmEngine
from model.mdm import token_grid
from model.sparse import with_every_point
from model.spec import DEMO

SHARED = Path(__file__).resolve().parents[2] / "shared"
UNIT_M = 0.0002  # the kit's depth ends at 10 m
LEVELS = ("easy", "medium", "hard", "extreme")
POINTS = (100, 300, 1000)
PARTS = ("hidden", "gt", "sparse")

Predict = Callable[[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float64]], NDArray[np.float32]]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with kit/ and real/")
    parser.add_argument("--weights", type=Path, default=DEMO.weights)
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--per-source", type=int, default=3)
    options = parser.parse_args()
    real = options.shared / "real"
    if not real.is_dir():
        print(f"{real} is not here; there is nothing to measure.")
        return 0
    kit = load_kit(options.shared / "kit")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    network = checkpoint.load(options.weights)
    methods: dict[str, Predict] = {
        "nearest": lambda _color, depth_m, _k: nearest(depth_m),
        "classical": lambda color, depth_m, _k: guided_membrane(color, depth_m),
        "network": predict(MdmEngine(network, "", anchor=False, tokens=options.tokens)),
        "anchored": predict(MdmEngine(network, "", tokens=options.tokens)),
    }
    print(f"{options.weights}, up to {options.per_source} frames per source")
    parts = options.parts.split(",")
    kit_parts = [part for part in parts if part != "sparse"]
    if kit_parts:
        rows, _ = kit.evaluate.evaluate(
            methods, str(real), LEVELS, options.per_source, kit_parts, log=lambda _key: None
        )
        show({name: kit.evaluate.table(found) for name, found in rows.items()})
    if "sparse" in parts:
        grid_tokens = options.tokens or network.config.num_tokens_range[0]
        rows = {name: [] for name in methods}
        seen = {count: [] for count in POINTS}
        for key in kit.data.suite(str(real), options.per_source):
            frame = kit.data.load(str(real / key), key)
            for count in POINTS:
                points = sparse(frame.depth, kit.masks.trusted(frame.depth), count, key)
                seen[count].append(visible_share(points, grid_tokens))
                asked = kit.masks.trusted(frame.depth) & (points == 0)
                for name, method in methods.items():
                    score = kit.metrics.score(method(frame.rgb, points, frame.K), frame.depth, asked)
                    where = {"part": "sparse", "level": f"{count:5}", "kind": "points", "key": key}
                    rows[name].append(where | score | {"source": key.split("/")[0]})
        show({name: kit.evaluate.table(found) for name, found in rows.items()})
        shares = ", ".join(f"{count} points {np.mean(found):.0%}" for count, found in seen.items())
        print(f"depth tokens that the network sees: {shares}")
    show_changes(kit, real, options.per_source, MdmEngine(network, "", tokens=options.tokens))
    return 0


def load_kit(folder: Path) -> SimpleNamespace:
    """The kit's modules, without its own baselines: they need numba and pyamg, and we bring our methods."""
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True  # the folder is read-only
    sys.modules["rgbdkit.baselines"] = ModuleType("rgbdkit.baselines")
    names = ("evaluate", "rgbdkit.data", "rgbdkit.masks", "rgbdkit.metrics")
    return SimpleNamespace(**{name.split(".")[-1]: importlib.import_module(name) for name in names})


def predict(engine: MdmEngine) -> Predict:
    def method(
        color: NDArray[np.uint8], depth_m: NDArray[np.float32], _k: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        return engine.repair(color, np.rint(depth_m / UNIT_M).astype(np.uint16), UNIT_M).depth_m

    return method


def sparse(
    depth_m: NDArray[np.float32], trusted: NDArray[np.bool_], count: int, key: str
) -> NDArray[np.float32]:
    """`count` of the trusted pixels, 0 elsewhere; the same ones on every machine."""
    rng = np.random.default_rng(zlib.crc32(f"{key}|sparse {count}".encode()))
    kept = rng.choice(np.flatnonzero(trusted), count, replace=False)
    out = np.zeros_like(depth_m)
    out.flat[kept] = depth_m.flat[kept]
    return out


def visible_share(points_m: NDArray[np.float32], tokens: int) -> float:
    """Share of the depth tokens that hold one of the points, as the engine shows them."""
    height, width = points_m.shape
    rows, cols = token_grid(tokens, height=height, width=width)
    shown = with_every_point((points_m > 0).astype(np.uint16), (rows, cols))
    cells = shown.reshape(rows, PATCH_PX, cols, PATCH_PX)
    return float((cells.max((1, 3)) > 0).mean())


def show(tables: dict[str, dict[tuple[str, str, str], dict[str, Any]]]) -> None:
    print(f"\n{'':26}" + "".join(f"{name:>34}" for name in tables))
    print(f"{'part level kind':26}" + f"{'RMSE m':>12} {'MAE m':>6} {'REL':>7} {'d1.05':>6}" * len(tables))
    for key in sorted(next(iter(tables.values())), key=order):
        cells = [table[key] for table in tables.values()]
        line = "".join(f"{c['rmse']:12.4f} {c['mae']:6.3f} {c['rel']:7.4f} {c['d105']:6.3f}" for c in cells)
        print(f"{' '.join(key):26}{line}")


def order(key: tuple[str, str, str]) -> tuple[str, int, str]:
    part, level, kind = key
    return part, LEVELS.index(level) if level in LEVELS else 0, kind if kind == "all" else f"{level} {kind}"


def show_changes(kit: SimpleNamespace, real: Path, per_source: int, engine: MdmEngine) -> None:
    """How many measured pixels are moved or rejected: on real rooms, most of what is measured is right."""
    print(f"\n{'measured pixels, raw frames':32}{'kept':>9}{'moved':>9}{'rejected':>9}")
    method = predict(engine)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for key in kit.data.suite(str(real), per_source):
        frame = kit.data.load(str(real / key), key)
        out = method(frame.rgb, frame.depth, frame.K)
        measured = frame.depth > 0
        kept = np.abs(out - frame.depth) <= UNIT_M
        shares = (kept[measured].mean(), np.isinf(out)[measured].mean())
        found.setdefault(key.split("/")[0], []).append((shares[0], 1 - sum(shares), shares[1]))
    for source, shares_of in found.items():
        print(f"{source:32}" + "".join(f"{share:9.4f}" for share in np.mean(shares_of, 0)))


if __name__ == "__main__":
    sys.exit(main())
