"""Repairs the newest frame of each camera in turn."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.flow.hiding import PATCHES, without_hidden
from app.flow.slot import Slot
from drivers.depth import DepthMap, depth_map
from drivers.frame import Frame
from drivers.geometry import register_depth
from model.repair import Repair
from model.stabilise import Stabiliser


class Engine(Protocol):
    """Whatever repairs depth."""

    @property
    def label(self) -> str:
        """What the screen calls it, such as "MDM small (demo weights)"."""

    @property
    def note(self) -> str:
        """How it runs at the moment: "CPU fp32, 192 tokens"; after trouble, also what became of it."""

    def repair(self, color: NDArray[np.uint8], counts: NDArray[np.uint16], unit_m: float) -> Repair:
        """Repaired depth in the colour grid.

        Args:
            color: (H, W, 3) uint8 RGB.
            counts: (H, W) uint16 depth registered to colour, 0 for a hole.
            unit_m: metres per count.
        """


@dataclass(frozen=True, eq=False)
class Refined:
    """A frame and its repaired depth.

    Attributes:
        frame: what was captured.
        raw: the measured depth in the colour grid.
        depth: the repaired depth in the colour grid, 0 where it was rejected.
        provenance: (H, W) uint8 of `model.repair.Provenance`.
        engine: label of the engine that made it.
        took_ms: registration and repair together.
        ready_ns: when it was ready, on the monotonic clock.
        confidence: (H, W) float32 in 0..1, or None from a repair that has none.
        hidden_share: of the depth patches that were hidden from the repair on purpose, 0 to 1; `raw` has them
            all the same. Such a result is for the screen only.
        patches: into which the picture was cut to hide some, about.
        stabilised: whether `depth` is steadied over time (`model.stabilise`).
    """

    frame: Frame
    raw: DepthMap
    depth: DepthMap
    provenance: NDArray[np.uint8]
    engine: str
    took_ms: float
    ready_ns: int
    confidence: NDArray[np.float32] | None = None
    hidden_share: float = 0.0
    patches: int = PATCHES
    stabilised: bool = False

    @property
    def age_ms(self) -> float:
        """From the middle of the exposure to the result."""
        return (self.ready_ns - self.frame.captured_ns) / 1e6


def refine_frame(
    engine: Engine, frame: Frame, *, hidden_share: float = 0.0, stabiliser: Stabiliser | None = None
) -> Refined:
    """Register, repair, and round to the sensor's own counts.

    Args:
        engine: does the repair.
        frame: what was captured.
        hidden_share: as in `Refined`; what is made worse on purpose is not steadied.
        stabiliser: of this camera; None for the repair of the single frame.
    """
    started_ns = time.monotonic_ns()
    raw = register_depth(frame.depth, frame.calibration)
    patches = getattr(engine, "tokens", PATCHES)  # filling without a network has none
    repair = engine.repair(frame.color, without_hidden(raw, hidden_share, patches).values, raw.unit_m)
    if stabiliser is not None and not hidden_share:
        repair = stabiliser.steadied(frame.color, raw.metres, repair)
    for image in (repair.provenance, repair.confidence):
        if image is not None:
            image.flags.writeable = False
    depth = depth_map(repair.depth_m, unit_m=raw.unit_m)
    ready_ns = time.monotonic_ns()
    return Refined(
        frame,
        raw,
        depth,
        repair.provenance,
        engine.label,
        (ready_ns - started_ns) / 1e6,
        ready_ns,
        repair.confidence,
        hidden_share,
        patches,
        stabiliser is not None and not hidden_share,
    )


def refine_in_turn(
    sources: Mapping[str, Slot[Frame]],
    engine: Engine,
    deliver: Callable[[Refined], None],
    stop: Callable[[], bool],
    wake: threading.Event,
    *,
    hidden_share: Callable[[], float] = lambda: 0.0,
    stabiliser: Callable[[str], Stabiliser | None] = lambda _camera_id: None,
) -> None:
    """Serve the cameras round robin until `stop()`.

    Each turn takes a camera's newest frame; frames that came between two turns are skipped. A camera without
    a new frame loses its turn.

    Args:
        sources: newest frame of each camera.
        engine: does the repair.
        deliver: gets each result, in this thread.
        stop: asked between any two frames.
        wake: set by whoever has a new frame; waited for when no camera has one.
        hidden_share: asked before each frame; as in `Refined`.
        stabiliser: asked before each frame for that of its camera.
    """
    seen = dict.fromkeys(sources, 0)
    while not stop():
        wake.clear()
        served = False
        for camera_id, slot in sources.items():
            if stop():
                return
            newer = slot.newer_than(seen[camera_id], timeout_s=0)
            if newer is None:
                continue
            seen[camera_id], frame = newer
            steady = stabiliser(camera_id)
            deliver(refine_frame(engine, frame, hidden_share=hidden_share(), stabiliser=steady))
            served = True
        if not served:
            wake.wait(0.1)
