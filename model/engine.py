"""Repairs as functions of arrays: colour and depth counts in, metres and provenance out."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from model import checkpoint
from model.anchor import anchored
from model.checkpoint import WeightsError
from model.classical import guided_membrane
from model.mdm import MASK_THRESHOLD, MDM
from model.repair import Provenance, Repair, provenance
from model.spec import CLASSICAL, DEMO, EngineChoice, find

NEAREST_M = 0.01


@dataclass(frozen=True, eq=False)
class ClassicalEngine:
    """Hole filling without a network: measured pixels stay, holes get a colour-guided membrane."""

    label: str = CLASSICAL.title

    def repair(self, color: NDArray[np.uint8], counts: NDArray[np.uint16], unit_m: float) -> Repair:
        """Like `MdmEngine.repair`; an image without any measurement comes back as rejected."""
        measured_m = counts * np.float32(unit_m)
        if not counts.any():
            return _nothing(measured_m)
        depth_m = guided_membrane(color, measured_m)
        return Repair(depth_m, provenance(measured_m, depth_m))


class MdmEngine:
    """The network behind arrays.

    Args:
        model: in evaluation mode, on its device.
        label: what the screen calls it.
        tokens: RGB tokens for each frame; 0 takes the fewest of the model's own range.
        bf16: run transformer and decoder in bfloat16.
        anchor: pull the network's depth onto the measurement (`model.anchor`).
        monocular: show the network no depth at all.
    """

    def __init__(
        self,
        model: MDM,
        label: str,
        *,
        tokens: int = 0,
        bf16: bool = False,
        anchor: bool = True,
        monocular: bool = False,
    ) -> None:
        self.label = label
        self._model = model
        self._tokens = tokens or model.config.num_tokens_range[0]
        self._bf16 = bf16
        self._anchor = anchor and not monocular  # who hides the measurement wants to see none of it
        self._monocular = monocular
        self._device = next(model.parameters()).device

    def repair(self, color: NDArray[np.uint8], counts: NDArray[np.uint16], unit_m: float) -> Repair:
        """Repaired depth in the colour grid.

        Args:
            color: (H, W, 3) uint8 RGB.
            counts: (h, w) uint16 depth over the same field of view, 0 for a hole; normally h = H, w = W.
            unit_m: metres per count.
        """
        height, width = color.shape[:2]
        measured_m = np.asarray(counts * np.float32(unit_m), np.float32)
        if measured_m.shape != (height, width):
            resized = cv2.resize(measured_m, (width, height), interpolation=cv2.INTER_NEAREST)
            measured_m = np.asarray(resized, np.float32)
        depth_m, probability = self._run(color, measured_m)
        accepted = probability > MASK_THRESHOLD
        if self._anchor:
            depth_m = anchored(color, depth_m, measured_m)
        out = np.where(accepted, depth_m, np.inf).astype(np.float32)
        return Repair(out, provenance(measured_m, out), probability)

    @torch.inference_mode()
    def _run(
        self, color: NDArray[np.uint8], measured_m: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        image = torch.tensor(color).to(self._device)  # a copy: frames are read-only, which torch dislikes
        image = image.permute(2, 0, 1).float() / 255  # (3, H, W)
        shown = np.zeros_like(measured_m) if self._monocular else measured_m
        out = self._model.infer(
            image,
            torch.from_numpy(shown).to(self._device),
            num_tokens=self._tokens,
            apply_mask=False,
            bf16=self._bf16,
        )
        depth_m = out.depth_m.clamp(min=NEAREST_M).float().cpu().numpy()
        if out.mask_prob is None:
            return depth_m, np.ones_like(depth_m)
        return depth_m, out.mask_prob.float().cpu().numpy()


def build(choice: EngineChoice) -> MdmEngine | ClassicalEngine:
    """The engine that `choice` names, loaded and tried once.

    Raises:
        WeightsError: the weights are missing, damaged or of another network, or the device is not there.
    """
    spec = find(choice.model)
    if spec == CLASSICAL:
        return ClassicalEngine()
    if spec.weights is None:
        raise WeightsError(f"{spec.title} is no repair.", hint="Choose a model.")
    device = _device(choice.device)
    model = checkpoint.load(spec.weights, device=device)
    engine = MdmEngine(
        model,
        spec.title if spec == DEMO else f"MDM: {spec.title}",
        tokens=choice.tokens,
        bf16=choice.precision == "bf16",
        anchor=choice.anchor,
        monocular=choice.monocular,
    )
    engine.repair(np.zeros((48, 64, 3), np.uint8), np.full((48, 64), 1500, np.uint16), 0.001)
    return engine


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise WeightsError(
            "No CUDA device was found, or this torch was built without CUDA.",
            hint="Choose the CPU, or install a CUDA build of torch (see README).",
        )
    return torch.device(name)


def _nothing(measured_m: NDArray[np.float32]) -> Repair:
    return Repair(np.full_like(measured_m, np.inf), np.full(measured_m.shape, Provenance.REJECTED, np.uint8))
