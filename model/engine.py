"""Repairs as functions of arrays: colour and depth counts in, metres and provenance out."""

import copy
import logging
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from model import checkpoint
from model.anchor import FULL, SMALL, Trust
from model.backbone import OFFICIAL
from model.checkpoint import WeightsError
from model.classical import guided_membrane
from model.config import ModelConfig
from model.finish import finished
from model.governor import Governor, levels
from model.masking import Hide, Padding
from model.mdm import MDM, token_grid
from model.repair import USUAL_NOISE, Provenance, Repair, SensorNoise, provenance
from model.runtime import gate
from model.runtime.core import Precision
from model.runtime.export import Sizes, export
from model.runtime.fastest import Candidate, fastest, never, stop_if
from model.runtime.frames import FrameRunner, TorchHeads
from model.runtime.gate import Deviation
from model.runtime.graphs import GraphRunner
from model.runtime.onnx import CPU, OnnxRunner
from model.runtime.openvino import OpenVinoHeads, is_installed
from model.runtime.runner import Grid, Runner
from model.shot import Shot
from model.sparse import with_every_point
from model.spec import CLASSICAL, DEMO, Device, EngineChoice, find

log = logging.getLogger(__name__)

GATE_TOKENS = 300
"""Most tokens for which a processor is asked to compare; more show nothing more and take minutes."""
GATE_HOLES = (0.4, 0.0, 1.0)
"""Shares of holes in the frames that engines are compared with."""
HALF = frozenset({"tensorrt", "openvino-gpu", "openvino-npu"})
"""Devices that half precision is made for; processors that have such products round to bf16."""
STEP_DOWN = 0.7
"""Share of the tokens that is tried after the device ran out of memory."""


@dataclass(frozen=True, eq=False)
class ClassicalEngine:
    """Hole filling without a network: measured pixels stay, holes get a colour-guided membrane."""

    label: str = CLASSICAL.title
    note: str = ""
    precision: Precision = "fp32"
    batches: bool = False
    troubled: bool = False

    def repair(
        self,
        color: NDArray[np.uint8],
        counts: NDArray[np.uint16],
        unit_m: float,
        *,
        intrinsics: NDArray[np.float64] | None = None,
        noise: SensorNoise = USUAL_NOISE,
    ) -> Repair:
        """Like `MdmEngine.repair`; an image without any measurement comes back as rejected."""
        measured_m = counts * np.float32(unit_m)
        if not counts.any():
            return _nothing(measured_m)
        depth_m = guided_membrane(color, measured_m)
        return Repair(depth_m, provenance(measured_m, depth_m, noise=noise), intrinsics=intrinsics)

    def repair_batch(self, shots: Sequence[Shot]) -> list[Repair]:
        """Like `MdmEngine.repair_batch`."""
        return [
            self.repair(s.color, s.counts, s.unit_m, intrinsics=s.intrinsics, noise=s.noise) for s in shots
        ]


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
        self._trust = trust_in(self._runner.config)
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
    def troubled(self) -> bool:
        """Whether it had to take fewer tokens, or to leave its device."""
        return bool(self._trouble)

    @property
    def tokens(self) -> int:
        """RGB tokens for each frame, at present."""
        return self._tokens if self._governor is None else min(self._tokens, self._governor.tokens)

    @property
    def batches(self) -> bool:
        """Whether several frames at once take less time than one after the other."""
        return self._runner.batches

    @property
    def precision(self) -> Precision:
        """Of the products, at present."""
        return self._runner.precision

    def repair(
        self,
        color: NDArray[np.uint8],
        counts: NDArray[np.uint16],
        unit_m: float,
        *,
        intrinsics: NDArray[np.float64] | None = None,
        noise: SensorNoise = USUAL_NOISE,
    ) -> Repair:
        """Repaired depth in the colour grid.

        Args:
            color: (H, W, 3) uint8 RGB.
            counts: (h, w) uint16 depth over the same field of view, 0 for a hole; normally h = H, w = W.
            unit_m: metres per count.
            intrinsics: (3, 3) camera matrix of `color` in pixels, for `Repair.points_m`.
            noise: of the depth sensor, for provenance.
        """
        return self.repair_batch([Shot(color, counts, unit_m, intrinsics, noise)])[0]

    def repair_batch(self, shots: Sequence[Shot]) -> list[Repair]:
        """The same for frames of several cameras; on a GPU those of one size run at once."""
        started_s = time.perf_counter()
        shown = [self._shown(shot) for shot in shots]
        answers, grid = self._run(shown)
        repairs = [self._repair(shot, answer, grid) for shot, answer in zip(shown, answers, strict=True)]
        if self._governor is not None:
            took_s = time.perf_counter() - started_s
            self._governor.observe(took_s / len(shots), now_s=time.monotonic())
        return repairs

    def _shown(self, shot: Shot) -> Shot:
        return replace(shot, counts=np.zeros_like(shot.counts)) if self._monocular else shot

    def _repair(self, shot: Shot, answer: NDArray[np.float32], grid: Grid) -> Repair:
        height, width = shot.color.shape[:2]
        measured_m = np.asarray(shot.counts * np.float32(shot.unit_m), np.float32)
        if measured_m.shape != (height, width):
            resized = cv2.resize(measured_m, (width, height), interpolation=cv2.INTER_NEAREST)
            measured_m = np.asarray(resized, np.float32)
        network_m, probability = answer
        masked = self._runner.config.mask_head is not None
        repair = finished(
            shot.color,
            network_m,
            measured_m,
            probability if masked else None,
            anchored=self._anchor,
            trust=self._trust,
            noise=shot.noise,
            token_px=math.sqrt(height * width / (grid[0] * grid[1])),
        )
        return replace(repair, intrinsics=shot.intrinsics)

    def _run(self, shots: Sequence[Shot]) -> tuple[list[NDArray[np.float32]], Grid]:
        while True:
            try:
                grid = grid_for(shots[0], self.tokens)
                seen = [replace(shot, counts=with_every_point(shot.counts, grid)) for shot in shots]
                return self._runner.run(seen, grid), grid
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


def trust_in(config: ModelConfig) -> Trust:
    """How far the word of a network goes: one of DINOv2's sizes is trusted, our small one in part."""
    return FULL if config.encoder.backbone in OFFICIAL else SMALL


def build(
    choice: EngineChoice,
    *,
    target_hz: float | None = None,
    cameras: int = 1,
    given_up: Callable[[], bool] = never,
) -> MdmEngine | ClassicalEngine:
    """The engine that `choice` names, loaded, and compared with the plain network.

    Args:
        choice: what was asked for.
        target_hz: repairs of each camera in a second; what the choice leaves open follows it: tokens, and the
            way that takes the least time on this machine. None takes the exact one.
        cameras: how many there are.
        given_up: whether nobody waits any more; asked between any two steps.

    Raises:
        GivenUpError: nobody waits any more.
        WeightsError: the weights are missing, damaged or of another network, the device is not there, or what
            runs there does not give what the network gives.
    """
    spec = find(choice.model)
    if spec == CLASSICAL:
        return ClassicalEngine()
    if spec.weights is None:
        raise WeightsError(f"{spec.title} is no repair.", hint="Choose a model.")
    weights = spec.weights
    device = _torch_device(choice.device)
    stop_if(given_up)
    model = checkpoint.load(weights, device=device)
    stop_if(given_up)
    fewest, most = model.config.num_tokens_range
    governor = None
    if target_hz is not None and not choice.tokens:
        governor = Governor(levels((fewest, most)), target_hz=target_hz, cameras=cameras)
    tokens = choice.tokens or fewest
    ways = candidates(model, choice, hurry=target_hz is not None)
    runner = gated(model, ways, tokens=tokens, cameras=cameras, given_up=given_up)

    def on_cpu() -> Runner:
        return runner_for(checkpoint.load(weights), "fp32")

    return MdmEngine(
        model,
        spec.title if spec == DEMO else f"MDM: {spec.title}",
        tokens=tokens if governor is None else most,
        anchor=choice.anchor,
        monocular=choice.monocular,
        runner=runner,
        fall_back=None if choice.device == "cpu" else on_cpu,
        governor=governor,
    )


def candidates(model: MDM, choice: EngineChoice, *, hurry: bool) -> list[Candidate]:
    """The ways to run a model that a choice allows, the ones to be preferred first.

    Args:
        model: in evaluation mode, float32, on the device of the choice; each way makes a copy.
        choice: what was asked for.
        hurry: what is left open may be rounded.
    """
    on_gpu = model.encoder.image_mean.device.type == "cuda"
    precisions: tuple[Precision, ...]
    if choice.precision != "auto":
        precisions = (choice.precision,)
    elif not hurry:
        precisions = ("fp32",)
    else:
        precisions = ("fp16", "bf16", "fp32") if on_gpu or choice.device in HALF else ("fp32", "bf16")
    ways = _WAYS.get(choice.device, _torch)
    if choice.device == "auto" and hurry:
        ways = _cuda if on_gpu else _torch_or_openvino
    return [candidate for precision in precisions for candidate in ways(model, precision)]


def _torch(model: MDM, precision: Precision) -> list[Candidate]:
    return [Candidate(f"torch {precision}", precision, lambda: runner_for(copy.deepcopy(model), precision))]


def _cuda(model: MDM, precision: Precision) -> list[Candidate]:
    if precision == "fp32":
        return _torch(model, precision)  # FlashAttention has no such products

    def by(hide: Hide) -> Candidate:
        return Candidate(
            f"graphs {precision}, padding hidden by {hide}",
            precision,
            lambda: GraphRunner(copy.deepcopy(model), precision, padding=Padding(hide)),
        )

    return [by("bias"), by("lengths")]


def _openvino(model: MDM, precision: Precision, device: str = "CPU") -> list[Candidate]:
    def make() -> Runner:
        mine = copy.deepcopy(model)
        return FrameRunner(mine, OpenVinoHeads(mine, precision, device=device))

    return [Candidate(f"OpenVINO {device} {precision}", precision, make)]


def _torch_or_openvino(model: MDM, precision: Precision) -> list[Candidate]:
    return _torch(model, precision) + (_openvino(model, precision) if is_installed() else [])


def _tensorrt(model: MDM, precision: Precision) -> list[Candidate]:
    def make() -> Runner:
        return OnnxRunner(copy.deepcopy(model), precision)

    return [Candidate(f"TensorRT {precision}", precision, make)]


_WAYS: Mapping[Device, Callable[[MDM, Precision], list[Candidate]]] = {
    "cpu": _torch,
    "cuda": _cuda,
    "tensorrt": _tensorrt,
    "openvino": _openvino,
    "openvino-gpu": partial(_openvino, device="GPU"),
    "openvino-npu": partial(_openvino, device="NPU"),
}


def exported(
    model: MDM,
    path: Path,
    *,
    color: tuple[int, int],
    depth: tuple[int, int],
    tokens: int | None,
    precision: Precision,
) -> tuple[Sizes, list[Deviation]]:
    """Write a network as ONNX; what onnxruntime does not find equal to the original is not written.

    Args:
        model: in evaluation mode, float32, on the CPU.
        path: the .onnx file; it is there whole and compared, or not at all.
        color: height and width of colour in pixels.
        depth: height and width of depth in pixels.
        tokens: for each frame; None takes the fewest of the model's range.
        precision: of the products: fp32 or fp16.

    Returns:
        What was fixed, and how far the file is from the original.

    Raises:
        WeightsError: a package is missing, or the two differ by more than the precision explains.
    """
    made_up = gate.made_up_shots(*color, GATE_HOLES)
    rows, columns = (np.arange(small) * big // small for small, big in zip(depth, color, strict=True))
    shots = [replace(shot, counts=shot.counts[np.ix_(rows, columns)]) for shot in made_up]
    sizes = Sizes(grid_for(shots[0], tokens or model.config.num_tokens_range[0]), color, depth)
    want = gate.plain(model, shots, sizes.grid)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        part = Path(folder) / path.name
        runner = OnnxRunner(copy.deepcopy(model), precision, provider=CPU, file=part)
        export(runner.model, part, sizes)
        found = gate.check(runner, shots, sizes.grid, want, precision)
        for file in sorted(Path(folder).iterdir()):  # weights above 2 GB lie beside it
            file.replace(path.with_name(file.name))
    return sizes, found


def gated(
    model: MDM,
    ways: Sequence[Candidate],
    *,
    tokens: int,
    cameras: int = 1,
    given_up: Callable[[], bool] = never,
) -> Runner:
    """The best of some ways to run a model, warm, and compared with the plain network there.

    Args:
        model: in evaluation mode, float32.
        ways: of `candidates`.
        tokens: for each frame; what is compared has at most `GATE_TOKENS` on a processor.
        cameras: how many there are.
        given_up: whether nobody waits any more.

    Raises:
        GivenUpError: nobody waits any more.
        WeightsError: none gives what the network gives.
    """
    on_gpu = model.encoder.image_mean.device.type == "cuda"
    shots = gate.made_up_shots(480, 640, GATE_HOLES)
    grid = grid_for(shots[0], tokens if on_gpu else min(tokens, GATE_TOKENS))
    want = gate.plain(model, shots, grid)
    return fastest(ways, shots, grid, want, cameras=cameras, given_up=given_up)


def runner_for(model: MDM, precision: Precision) -> Runner:
    """What runs a model best where it is, by torch; it belongs to the runner afterwards."""
    if model.encoder.image_mean.device.type == "cuda":
        return GraphRunner(model, precision)
    return FrameRunner(model, TorchHeads(model, precision))


def grid_for(shot: Shot, tokens: int) -> Grid:
    """Rows and columns of about so many tokens for a frame."""
    height, width = shot.color.shape[:2]
    return token_grid(tokens, height=height, width=width)


def _torch_device(name: Device) -> str:
    """Where torch keeps the network for a device of the choice."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name not in {"cuda", "tensorrt"}:
        return "cpu"
    if not torch.cuda.is_available():
        raise WeightsError(
            "No CUDA device was found, or this torch was built without CUDA.",
            hint="Choose the CPU, or install a CUDA build of torch (see README).",
        )
    return "cuda"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")


def _nothing(measured_m: NDArray[np.float32]) -> Repair:
    return Repair(np.full_like(measured_m, np.inf), np.full(measured_m.shape, Provenance.REJECTED, np.uint8))
