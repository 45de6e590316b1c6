"""Repairs the newest frame of each camera in turn."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.flow.hiding import PATCHES, without_hidden
from app.flow.slot import Slot
from drivers.depth import DepthMap, depth_map
from drivers.frame import Frame
from drivers.geometry import Calibration, register_depth
from model.repair import USUAL_NOISE, Repair, SensorNoise, sensor_noise
from model.shot import Shot
from model.stabilise import Stabiliser


class Engine(Protocol):
    """Whatever repairs depth."""

    @property
    def label(self) -> str:
        """What the screen calls it, such as "MDM small (demo weights)"."""

    @property
    def note(self) -> str:
        """How it runs at the moment: "CPU fp32, 192 tokens"; after trouble, also what became of it."""

    @property
    def precision(self) -> str:
        """Of its numbers: "fp32"."""

    @property
    def batches(self) -> bool:
        """Whether several frames at once take less time than one after the other."""

    @property
    def troubled(self) -> bool:
        """Whether it does not run any more as it was built to."""

    def repair_batch(self, shots: Sequence[Shot]) -> list[Repair]:
        """Repaired depth in the colour grid of each shot, whose counts lie in that grid."""


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


def noise_of(calibration: Calibration, sensor: str) -> SensorNoise:
    """The noise of a camera's depth.

    Args:
        calibration: of the camera.
        sensor: how it measures, as cameras say it; empty where nobody knows.
    """
    matched = calibration.ir or calibration.depth
    return sensor_noise(sensor, focal_px=matched.fx, baseline_m=calibration.baseline_m)


def refine_frames(
    engine: Engine,
    frames: Sequence[Frame],
    *,
    noise: Callable[[Frame], SensorNoise] = lambda _frame: USUAL_NOISE,
    hidden_share: float = 0.0,
    stabiliser: Callable[[str], Stabiliser | None] = lambda _camera_id: None,
) -> list[Refined]:
    """Register, repair at once, and round to the sensors' own counts; each frame takes its share of the time.

    Args:
        engine: does the repair.
        frames: of different cameras.
        noise: of a frame's sensor.
        hidden_share: as in `Refined`; what is made worse on purpose is not steadied.
        stabiliser: of a camera; None for the repair of the single frame.
    """
    started_ns = time.monotonic_ns()
    patches = getattr(engine, "tokens", PATCHES)  # filling without a network has none
    raws = [register_depth(frame.depth, frame.calibration) for frame in frames]
    shots = [
        Shot(
            frame.color,
            without_hidden(raw, hidden_share, patches).values,
            raw.unit_m,
            frame.calibration.color.matrix,
            noise(frame),
        )
        for frame, raw in zip(frames, raws, strict=True)
    ]
    steady = [None if hidden_share else stabiliser(frame.camera_id) for frame in frames]
    repairs = [
        repair if by is None else by.steadied(frame.color, raw.metres, repair)
        for by, frame, raw, repair in zip(steady, frames, raws, engine.repair_batch(shots), strict=True)
    ]
    depths = [depth_map(repair.depth_m, unit_m=raw.unit_m) for repair, raw in zip(repairs, raws, strict=True)]
    ready_ns = time.monotonic_ns()
    took_ms = (ready_ns - started_ns) / 1e6 / len(frames)
    for repair in repairs:
        for image in (repair.provenance, repair.confidence):
            if image is not None:
                image.flags.writeable = False
    return [
        Refined(
            frame,
            raw,
            depth,
            repair.provenance,
            engine.label,
            took_ms,
            ready_ns,
            repair.confidence,
            hidden_share,
            patches,
            by is not None,
        )
        for frame, raw, repair, depth, by in zip(frames, raws, repairs, depths, steady, strict=True)
    ]


def refine_in_turn(
    sources: Mapping[str, Slot[Frame]],
    engine: Engine,
    deliver: Callable[[Refined], None],
    stop: Callable[[], bool],
    wake: threading.Event,
    *,
    noise: Callable[[Frame], SensorNoise] = lambda _frame: USUAL_NOISE,
    hidden_share: Callable[[], float] = lambda: 0.0,
    stabiliser: Callable[[str], Stabiliser | None] = lambda _camera_id: None,
) -> None:
    """Serve the cameras round robin until `stop()`, or all at once where that takes less time.

    Each turn takes a camera's newest frame; frames that came between two turns are skipped. A camera without
    a new frame loses its turn.

    Args:
        sources: newest frame of each camera.
        engine: does the repair.
        deliver: gets each result, in this thread.
        stop: asked between any two repairs.
        wake: set by whoever has a new frame; waited for when no camera has one.
        noise: of a frame's sensor.
        hidden_share: asked before each repair; as in `Refined`.
        stabiliser: asked before each repair for those of its cameras.
    """
    seen = dict.fromkeys(sources, 0)
    while not stop():
        wake.clear()
        newest = _newest(sources, seen)
        served = False
        for frames in [list(newest)] if engine.batches else ([frame] for frame in newest):
            if stop():
                return
            if not frames:
                break
            results = refine_frames(
                engine, frames, noise=noise, hidden_share=hidden_share(), stabiliser=stabiliser
            )
            for refined in results:
                deliver(refined)
            served = True
        if not served:
            wake.wait(0.1)


def _newest(sources: Mapping[str, Slot[Frame]], seen: dict[str, int]) -> Iterator[Frame]:
    """What each camera has that was not seen before, looked up when its turn comes."""
    for camera_id, slot in sources.items():
        newer = slot.newer_than(seen[camera_id], timeout_s=0)
        if newer is not None:
            seen[camera_id], frame = newer
            yield frame
