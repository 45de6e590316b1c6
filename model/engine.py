"""Repairs as functions of arrays: colour and depth counts in, metres and provenance out."""

import copy
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from model import checkpoint
from model.checkpoint import WeightsError
from model.classical import guided_membrane
from model.finish import finished
from model.governor import Governor, levels
from model.mdm import MDM, token_grid
from model.repair import Provenance, Repair, provenance
from model.runtime import gate
from model.runtime.core import Precision
from model.runtime.cpu import CpuRunner, TorchHeads
from model.runtime.graphs import GraphRunner
from model.runtime.openvino import OpenVinoHeads
from model.runtime.runner import Grid, Runner, Shot
from model.sparse import with_every_point
from model.spec import CLASSICAL, DEMO, EngineChoice, find

log = logging.getLogger(__name__)

GATE_TOKENS = 300
"""Most tokens for which a processor is asked to compare; more show nothing more and take minutes."""
GATE_HOLES = (0.4, 0.0, 1.0)
"""Shares of holes in the frames that engines are compared with."""
STEP_DOWN = 0.7
"""Share of the tokens that is tried after the device ran out of memory."""


@dataclass(frozen=True, eq=False)
class ClassicalEngine:
    """Hole filling without a network: measured pixels stay, holes get a colour-guided membrane."""

    label: str = CLASSICAL.title
    note: str = ""

    def repair(self, color: NDArray[np.uint8], counts: NDArray[np.uint16], unit_m: float) -> Repair:
        """Like `MdmEngine.repair`; an image without any measurement comes back as rejected."""
        measured_m = counts * np.float32(unit_m)
        if not counts.any():
            return _nothing(measured_m)
        depth_m = guided_membrane(color, measured_m)
        return Repair(depth_m, provenance(measured_m, depth_m))

    def repair_batch(self, shots: Sequence[Shot]) -> list[Repair]:
        """Like `MdmEngine.repair_batch`."""
        return [self.repair(shot.color, shot.counts, shot.unit_m) for shot in shots]


class MdmEngine:
    """The network behind arrays.

    Out of memory or out of device, no frame is lost: the engine takes fewer tokens, then the processor, does
    the same frame again, and says so in `note`.

    Args:
        model: in evaluation mode, on its device; left as it is.
        label: what the screen calls it.
        tokens: RGB tokens for each frame; 0 takes the fewest of the model's own range.
        anchor: pull the network's depth onto the measurement (`model.anchor`).
        monocular: show the network no depth at all.
        runner: what runs it, if not torch in float32 where `model` is.
        fall_back: makes the runner to go on with when the device is lost; None where there is no other.
        governor: chooses the tokens by how long frames take; None keeps them.
    """

    def __init__(
        self,
        model: MDM,
        label: str,
        *,
        tokens: int = 0,
        anchor: bool = True,
        monocular: bool = False,
        runner: Runner | None = None,
        fall_back: Callable[[], Runner] | None = None,
        governor: Governor | None = None,
    ) -> None:
        self.label = f"{label}, monocular" if monocular else label
        self._runner = runner or runner_for(copy.deepcopy(model), "fp32")
        self._fewest = self._runner.config.num_tokens_range[0]
        self._tokens = tokens or self._fewest
        self._anchor = anchor and not monocular  # who hides the measurement wants to see none of it
        self._monocular = monocular
        self._fall_back = fall_back
        self._governor = governor
        self._trouble = ""

    @property
    def note(self) -> str:
        """How it runs at the moment, and why not as it was asked to: "CPU bf16, 1200 tokens"."""
        running = f"{self._runner.where}, {self.tokens} tokens"
        return f"{running}: {self._trouble}" if self._trouble else running

    @property
    def tokens(self) -> int:
        """RGB tokens for each frame, at present."""
        return self._tokens if self._governor is None else min(self._tokens, self._governor.tokens)

    @property
    def batches(self) -> bool:
        """Whether several frames at once take less time than one after the other."""
        return self._runner.batches

    def repair(self, color: NDArray[np.uint8], counts: NDArray[np.uint16], unit_m: float) -> Repair:
        """Repaired depth in the colour grid.

        Args:
            color: (H, W, 3) uint8 RGB.
            counts: (h, w) uint16 depth over the same field of view, 0 for a hole; normally h = H, w = W.
            unit_m: metres per count.
        """
        return self.repair_batch([Shot(color, counts, unit_m)])[0]

    def repair_batch(self, shots: Sequence[Shot]) -> list[Repair]:
        """The same for frames of several cameras; on a GPU those of one size run at once."""
        shown = [self._shown(shot) for shot in shots]
        started_s = time.perf_counter()
        answers = self._run(shown)
        took_s = time.perf_counter() - started_s
        if self._governor is not None:
            self._governor.observe(took_s / len(shots), now_s=time.monotonic())
        return [self._repair(shot, answer) for shot, answer in zip(shown, answers, strict=True)]

    def _shown(self, shot: Shot) -> Shot:
        return Shot(shot.color, np.zeros_like(shot.counts), shot.unit_m) if self._monocular else shot

    def _repair(self, shot: Shot, answer: NDArray[np.float32]) -> Repair:
        height, width = shot.color.shape[:2]
        measured_m = np.asarray(shot.counts * np.float32(shot.unit_m), np.float32)
        if measured_m.shape != (height, width):
            resized = cv2.resize(measured_m, (width, height), interpolation=cv2.INTER_NEAREST)
            measured_m = np.asarray(resized, np.float32)
        network_m, probability = answer
        masked = self._runner.config.mask_head is not None
        return finished(
            shot.color, network_m, measured_m, probability if masked else None, anchored=self._anchor
        )

    def _run(self, shots: Sequence[Shot]) -> list[NDArray[np.float32]]:
        while True:
            try:
                grid = grid_for(shots[0], self.tokens)
                seen = [replace(shot, counts=with_every_point(shot.counts, grid)) for shot in shots]
                return self._runner.run(seen, grid)
            except (torch.OutOfMemoryError, MemoryError) as error:
                self._make_do_with_less(error)
            except torch.AcceleratorError as error:
                self._leave_device(f"the device failed ({_first_line(error)})", error)

    def _make_do_with_less(self, error: Exception) -> None:
        if self.tokens <= self._fewest:
            self._leave_device("not enough memory on the device", error)
            return
        self._tokens = max(int(self.tokens * STEP_DOWN), self._fewest)
        self._trouble = "more do not fit into memory"
        log.warning("out of memory; going on with %d tokens", self._tokens, exc_info=error)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _leave_device(self, why: str, error: Exception) -> None:
        if self._fall_back is None:
            raise error
        log.error("%s; going on without %s", why, self._runner.where, exc_info=error)
        self._trouble = f"{why} on {self._runner.where}"
        make, self._fall_back = self._fall_back, None
        self._runner = make()
        self._tokens = self._fewest


def build(
    choice: EngineChoice, *, target_hz: float | None = None, cameras: int = 1
) -> MdmEngine | ClassicalEngine:
    """The engine that `choice` names, loaded, and compared with the plain network.

    Args:
        choice: what was asked for.
        target_hz: repairs of each camera in a second; tokens that the choice leaves open follow it.
        cameras: how many there are.

    Raises:
        WeightsError: the weights are missing, damaged or of another network, the device is not there, or what
            runs there does not give what the network gives.
    """
    spec = find(choice.model)
    if spec == CLASSICAL:
        return ClassicalEngine()
    if spec.weights is None:
        raise WeightsError(f"{spec.title} is no repair.", hint="Choose a model.")
    weights = spec.weights
    device = _device(choice.device)
    model = checkpoint.load(weights, device="cpu" if device == "openvino" else device)
    fewest, most = model.config.num_tokens_range
    governor = None
    if target_hz is not None and not choice.tokens:
        governor = Governor(levels((fewest, most)), target_hz=target_hz, cameras=cameras)
    tokens = choice.tokens or fewest
    runner = gated(model, choice.precision, openvino=device == "openvino", tokens=tokens)

    def on_cpu() -> Runner:
        return runner_for(checkpoint.load(weights), "fp32")

    return MdmEngine(
        model,
        spec.title if spec == DEMO else f"MDM: {spec.title}",
        tokens=tokens if governor is None else most,
        anchor=choice.anchor,
        monocular=choice.monocular,
        runner=runner,
        fall_back=None if device == "cpu" else on_cpu,
        governor=governor,
    )


def gated(model: MDM, precision: Precision, *, openvino: bool, tokens: int) -> Runner:
    """What runs the model on its device, warm, and compared with the plain network there.

    Args:
        model: in evaluation mode, float32; belongs to the runner afterwards.
        precision: of the products.
        openvino: run it by OpenVINO.
        tokens: for each frame; what is compared has at most `GATE_TOKENS` on a processor.

    Raises:
        WeightsError: it does not give what the network gives.
    """
    on_gpu = model.encoder.image_mean.device.type == "cuda"
    shots = gate.made_up_shots(480, 640, GATE_HOLES)
    grid = grid_for(shots[0], tokens if on_gpu else min(tokens, GATE_TOKENS))
    want = gate.plain(model, shots, grid)
    runner = CpuRunner(model, OpenVinoHeads(model, precision)) if openvino else runner_for(model, precision)
    gate.check(runner, shots, grid, want, precision)
    return runner


def runner_for(model: MDM, precision: Precision) -> Runner:
    """What runs a model best where it is, by torch; it belongs to the runner afterwards."""
    if model.encoder.image_mean.device.type == "cuda":
        return GraphRunner(model, precision)
    return CpuRunner(model, TorchHeads(model, precision))


def grid_for(shot: Shot, tokens: int) -> Grid:
    """Rows and columns of about so many tokens for a frame."""
    height, width = shot.color.shape[:2]
    return token_grid(tokens, height=height, width=width)


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise WeightsError(
            "No CUDA device was found, or this torch was built without CUDA.",
            hint="Choose the CPU, or install a CUDA build of torch (see README).",
        )
    return name


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def _nothing(measured_m: NDArray[np.float32]) -> Repair:
    return Repair(np.full_like(measured_m, np.inf), np.full(measured_m.shape, Provenance.REJECTED, np.uint8))
