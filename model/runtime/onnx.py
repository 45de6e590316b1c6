"""The middle of the network by onnxruntime: on NVIDIA's cards a TensorRT build, which takes minutes once."""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from platformdirs import user_cache_path
from torch import Tensor

from model.errors import WeightsError
from model.masking import bucket, padded
from model.mdm import MDM, Prepared
from model.runtime.core import Precision, set_precision
from model.runtime.export import export
from model.runtime.runner import Grid

if TYPE_CHECKING:
    import onnxruntime

TENSORRT = "TensorrtExecutionProvider"
FALL_BACKS = {TENSORRT: ("CUDAExecutionProvider",)}
"""What computes the operators that a provider leaves out."""
TITLES = {TENSORRT: "TensorRT", "CPUExecutionProvider": "ONNX Runtime CPU"}
KEPT_GRIDS = 2
"""Token grids that stay built."""


class OnnxHeads:
    """The network by onnxruntime, exported and built for each grid when it is first needed.

    Every shape is fixed: there is room for all depth tokens, and a mask hides those that a frame lacks. The
    exported graph has the precision of every product in it, with the float32 parts that `set_precision`
    leaves; TensorRT may round more, which is for the parity gate to find.

    Args:
        model: in evaluation mode, float32, on the device of the provider; its layers are rounded.
        precision: of the products.
        provider: as onnxruntime names it.
        cache: folder for builds, which are made anew for other weights, grids and versions; None takes that
            of the user.

    Raises:
        WeightsError: onnxruntime or what exports for it is missing, or has no such provider.
    """

    def __init__(
        self, model: MDM, precision: Precision, *, provider: str = TENSORRT, cache: Path | None = None
    ) -> None:
        title = TITLES.get(provider, provider)
        try:
            import onnxruntime
        except ImportError as error:
            raise WeightsError(
                f"{title} needs onnxruntime.",
                hint="Run: pip install 'depthmend[onnx]'; TensorRT needs onnxruntime-gpu in its place.",
            ) from error
        if provider not in onnxruntime.get_available_providers():
            raise WeightsError(
                f"This onnxruntime {onnxruntime.__version__} has no {title}.",
                hint="Run: pip uninstall -y onnxruntime; pip install onnxruntime-gpu; and install NVIDIA's "
                "TensorRT of the version that its page names. Or choose the GPU.",
            )
        self._onnxruntime = onnxruntime
        self._provider = provider
        self._cache = user_cache_path("depthmend") / "builds" if cache is None else cache
        set_precision(model, precision)
        self._model = model
        self.precision: Precision = precision
        self._sessions: dict[tuple[Grid, float], onnxruntime.InferenceSession] = {}
        self.where = f"{title} {precision}"

    def __call__(self, prepared: Prepared, grid: Grid, aspect: float) -> Tensor:
        tokens = grid[0] * grid[1]
        front = 1 + self._model.encoder.backbone.registers + tokens
        kept = padded(prepared.visible, bucket(tokens, tokens=tokens, front=front), front=front)
        assert kept.bias is not None
        if (grid, aspect) not in self._sessions:
            if len(self._sessions) >= KEPT_GRIDS:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[grid, aspect] = self._session(grid, aspect, tokens)
        inputs = {"image": prepared.image, "depth": prepared.depth, "places": kept.places, "bias": kept.bias}
        channels = 1 if self._model.mask_head is None else 2
        heads = prepared.image.new_empty((1, channels, 16 * grid[0], 16 * grid[1]))
        _run(self._sessions[grid, aspect], inputs, heads)
        return heads

    def _session(self, grid: Grid, aspect: float, tokens: int) -> "onnxruntime.InferenceSession":
        with tempfile.TemporaryDirectory(prefix="depthmend-") as folder:
            path = Path(folder) / "network.onnx"
            device = self._model.encoder.image_mean.device
            export(self._model.cpu(), path, rows=grid[0], cols=grid[1], aspect=aspect, count=tokens)
            self._model.to(device)
            options = self._onnxruntime.SessionOptions()
            options.intra_op_num_threads = torch.get_num_threads()
            options.log_severity_level = 3  # it warns of every operator that it places elsewhere
            return self._onnxruntime.InferenceSession(path, options, providers=self._providers(path))

    def _providers(self, path: Path) -> Sequence[str | tuple[str, Mapping[str, str]]]:
        if self._provider != TENSORRT:
            return [self._provider, *FALL_BACKS.get(self._provider, ())]
        # TensorRT does not notice that weights have changed, so they are part of the folder's name.
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        folder = self._cache / f"onnxruntime-{self._onnxruntime.__version__}" / digest
        folder.mkdir(parents=True, exist_ok=True)
        options = {
            "trt_fp16_enable": str(self.precision == "fp16"),
            "trt_bf16_enable": str(self.precision == "bf16"),
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": str(folder),
            "trt_timing_cache_enable": "True",
            "trt_timing_cache_path": str(self._cache),
        }
        return [(TENSORRT, options), *FALL_BACKS[TENSORRT]]


def _run(session: "onnxruntime.InferenceSession", inputs: Mapping[str, Tensor], heads: Tensor) -> None:
    """Compute `heads` where it is, from tensors where they are: nothing is copied."""
    binding = session.io_binding()
    device = heads.device
    place = (device.type, device.index or 0)
    # Bound by their addresses, so these have to live until the end.
    packed = {name: tensor.contiguous() for name, tensor in inputs.items()}
    for name, tensor in packed.items():
        kind = np.int64 if tensor.dtype == torch.int64 else np.float32
        binding.bind_input(name, *place, kind, list(tensor.shape), tensor.data_ptr())
    binding.bind_output("heads", *place, np.float32, list(heads.shape), heads.data_ptr())
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()  # onnxruntime computes in a stream of its own
    session.run_with_iobinding(binding)
    binding.synchronize_outputs()
