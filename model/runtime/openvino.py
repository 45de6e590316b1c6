"""The middle of the network by OpenVINO: processors with AVX-512 or AMX, Intel's graphics and NPUs."""

import sys
import threading
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.jit import _recursive, _state

from model.errors import WeightsError
from model.masking import Kept, exact, padded
from model.mdm import MDM, Prepared
from model.runtime.core import DecoderCore, EncoderCore, Precision
from model.runtime.runner import Grid

if TYPE_CHECKING:
    import openvino

KEPT_GRIDS = 2
"""Token grids that stay compiled; each holds the weights once more."""
_TRACING = threading.Lock()
_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}


def is_installed() -> bool:
    """Whether OpenVINO can be asked at all."""
    return find_spec("openvino") is not None


@dataclass(frozen=True, eq=False)
class _Compiled:
    """Encoder and decoder of one grid."""

    encode: "openvino.InferRequest"
    decode: "openvino.InferRequest"


class OpenVinoHeads:
    """The network by OpenVINO, compiled for each grid when it is first needed.

    The number of depth tokens stays free where the device can do that: OpenVINO is as fast with it as with
    padding and a mask. NPUs cannot, so everything has one shape there. The decoder runs in float32 whatever
    the precision, for the reason that `set_precision` names.

    Args:
        model: in evaluation mode, float32, on the CPU.
        precision: of the encoder's products.
        device: as OpenVINO names it: CPU; GPU and NPU are Intel's.
        static: give every frame room for all depth tokens and mask those that it lacks; None leaves it to the
            device.

    Raises:
        WeightsError: the package openvino is missing, or has no such device.
    """

    def __init__(
        self, model: MDM, precision: Precision, *, device: str = "CPU", static: bool | None = None
    ) -> None:
        # Merely imported, OpenVINO reports to Google Analytics; without this package it has a stub that does
        # not.
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # None forbids the import
        try:
            import openvino
        except ImportError as error:
            raise WeightsError(
                "OpenVINO is not installed.",
                hint="Run: pip install 'depthmend[openvino]', or choose the CPU.",
            ) from error
        self._core = openvino.Core()
        if device not in self._core.available_devices:
            found = ", ".join(self._core.available_devices)
            raise WeightsError(
                f"OpenVINO finds no {device} here, only {found}.",
                hint=f"Install Intel's driver for the {device}, or choose the CPU.",
            )
        self._model = model
        self.precision: Precision = precision
        self._device = device
        self._static = device == "NPU" if static is None else static
        self._compiled: dict[tuple[Grid, float], _Compiled] = {}
        self.where = f"OpenVINO {device} {precision}"

    def __call__(self, prepared: Prepared, grid: Grid, aspect: float) -> Tensor:
        kept = self._kept(prepared, grid)
        if (grid, aspect) not in self._compiled:
            if len(self._compiled) >= KEPT_GRIDS:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[grid, aspect] = self._compile(prepared, kept, grid, aspect)
        compiled = self._compiled[grid, aspect]
        compiled.encode.infer([x.numpy() for x in _inputs(prepared, kept)], share_inputs=True)
        compiled.decode.infer([compiled.encode.get_output_tensor(i).data for i in (0, 1)], share_inputs=True)
        return torch.from_numpy(compiled.decode.get_output_tensor(0).data)

    def _kept(self, prepared: Prepared, grid: Grid) -> Kept:
        if not self._static:
            return exact(prepared.visible)
        front = 1 + self._model.encoder.backbone.registers + grid[0] * grid[1]
        return padded(prepared.visible, grid[0] * grid[1], front=front)

    def _compile(self, prepared: Prepared, kept: Kept, grid: Grid, aspect: float) -> _Compiled:
        encoder = EncoderCore(self._model, *grid).eval()
        decoder = DecoderCore(self._model, *grid, aspect).eval()
        width = self._model.config.encoder.sizes.width
        features, class_token = torch.zeros(1, width, *grid), torch.zeros(1, width)
        return _Compiled(
            self._request(encoder, _inputs(prepared, kept), self.precision, free=None if self._static else 2),
            self._request(decoder, (features, class_token), "fp32"),
        )

    def _request(
        self, module: nn.Module, example: tuple[Tensor, ...], precision: Precision, *, free: int | None = None
    ) -> "openvino.InferRequest":
        graph = converted(module, example)
        shapes = [list(x.shape) for x in example]
        if free is not None:
            shapes[free][1] = -1
        graph.reshape(dict(zip(graph.inputs, shapes, strict=True)))
        options = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        if self._device == "CPU":  # as in model/__init__.py: each frame keeps another number of depth tokens
            options["CPU_RUNTIME_CACHE_CAPACITY"] = 64
        return self._core.compile_model(graph, self._device, options).create_infer_request()


def _inputs(prepared: Prepared, kept: Kept) -> tuple[Tensor, ...]:
    return tuple(x for x in (prepared.image, prepared.depth, kept.places, kept.bias) if x is not None)


def converted(module: nn.Module, example: tuple[Tensor, ...]) -> "openvino.Model":
    """A module as a graph of OpenVINO."""
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with _TRACING, warnings.catch_warnings(), torch.no_grad():
        # OpenVINO 2026.4 reads dynamic shapes from torch.jit alone, which torch 2.13 calls deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            decoder = TorchScriptPythonDecoder(
                torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
            )
            reader = FrontEndManager().load_by_framework("pytorch")
            return reader.convert(reader.load(decoder))
        finally:
            _forget_traces()


def _forget_traces() -> None:
    """Let go of every class that torch.jit made of a module; by itself it keeps each until the program ends.

    It makes one of every part of the network at every trace: 14 MB for the bundled one, each time the tokens
    change. torch's own tests forget them in this way. Nothing else here uses torch.jit.
    """
    torch._C._jit_clear_class_registry()  # noqa: SLF001
    _recursive.concrete_type_store = _recursive.ConcreteTypeStore()
    _state._clear_class_state()  # noqa: SLF001
