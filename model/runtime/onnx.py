"""Runs an exported network by onnxruntime: on NVIDIA's cards as a TensorRT build, made in minutes once."""

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from platformdirs import user_cache_path
from torch import Tensor

from model.config import ModelConfig
from model.errors import WeightsError
from model.mdm import MDM
from model.runtime.core import Precision, set_precision
from model.runtime.export import Sizes, export
from model.runtime.runner import Grid, unpack
from model.shot import Shot

if TYPE_CHECKING:
    import onnxruntime

TENSORRT = "TensorrtExecutionProvider"
CPU = "CPUExecutionProvider"
TITLES = {TENSORRT: "TensorRT", CPU: "ONNX Runtime CPU"}
KEPT_SIZES = 2
"""Combinations of frame size and token grid that stay built."""


class OnnxRunner:
    """A network by onnxruntime, exported and built for each size when it is first needed.

    The exported graph has the precision of every product in it, with the float32 parts that `set_precision`
    leaves; TensorRT may round more, which is for the parity gate to find.

    Args:
        model: in evaluation mode, float32; its layers are rounded.
        precision: of the products.
        provider: as onnxruntime names it.
        file: an exported network to run instead of exporting the model; its sizes are the only ones then.
        cache: folder for builds, which are made anew for other weights, sizes and versions; None takes that
            of the user.

    Attributes:
        model: what was given, rounded, on the CPU.

    Raises:
        WeightsError: onnxruntime is missing, or has no such provider.
    """

    batches = False  # one frame is what is exported

    def __init__(
        self,
        model: MDM,
        precision: Precision,
        *,
        provider: str = TENSORRT,
        file: Path | None = None,
        cache: Path | None = None,
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
        self._file = file
        self._cache = user_cache_path("depthmend") / "builds" if cache is None else cache
        set_precision(model, precision)
        self._device = torch.device("cuda" if provider == TENSORRT else "cpu")
        self.model = model.cpu()
        self.precision: Precision = precision
        self._sessions: dict[Sizes, onnxruntime.InferenceSession] = {}
        self.where = f"{title} {precision}"

    @property
    def config(self) -> ModelConfig:
        """Of the network."""
        return self.model.config

    @torch.inference_mode()
    def run(self, shots: Sequence[Shot], grid: Grid) -> list[NDArray[np.float32]]:
        """As in `Runner`."""
        return [self._one(shot, grid) for shot in shots]

    def _one(self, shot: Shot, grid: Grid) -> NDArray[np.float32]:
        height, width = shot.color.shape[:2]
        sizes = Sizes(grid, (height, width), (shot.counts.shape[0], shot.counts.shape[1]))
        if sizes not in self._sessions:
            if len(self._sessions) >= KEPT_SIZES:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[sizes] = self._session(sizes)
        color = torch.tensor(shot.color, device=self._device)[None]
        counts = torch.tensor(shot.counts.view(np.int16), device=self._device)[None]
        unit_m = torch.full((1, 1, 1), shot.unit_m, dtype=torch.float32, device=self._device)
        image, depth_m = unpack(color, counts, unit_m)
        answer = image.new_empty((1, 2, height, width))
        # Bound by their addresses, so these have to live until the end.
        inputs = {"image": image.contiguous(), "depth_m": depth_m.contiguous()}
        _run(self._sessions[sizes], inputs, answer)
        out: NDArray[np.float32] = answer[0].cpu().numpy()
        return out

    def _session(self, sizes: Sizes) -> "onnxruntime.InferenceSession":
        with tempfile.TemporaryDirectory(prefix="depthmend-") as folder:
            path = self._file
            if path is None:
                path = Path(folder) / "network.onnx"
                export(self.model, path, sizes)
            options = self._onnxruntime.SessionOptions()
            options.intra_op_num_threads = torch.get_num_threads()
            options.log_severity_level = 3  # it warns of every operator that it places elsewhere
            return self._onnxruntime.InferenceSession(path, options, providers=self._providers(path))

    def _providers(self, path: Path) -> Sequence[str | tuple[str, Mapping[str, str]]]:
        if self._provider != TENSORRT:
            return [self._provider]
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
        return [
            (TENSORRT, options),
            "CUDAExecutionProvider",
        ]  # the latter for operators that the former lacks


def _run(session: "onnxruntime.InferenceSession", inputs: Mapping[str, Tensor], answer: Tensor) -> None:
    """Compute `answer` where it is, from tensors where they are: nothing is copied."""
    binding = session.io_binding()
    device = answer.device
    place = (device.type, device.index or 0)
    for name, tensor in inputs.items():
        binding.bind_input(name, *place, np.float32, list(tensor.shape), tensor.data_ptr())
    binding.bind_output("answer", *place, np.float32, list(answer.shape), answer.data_ptr())
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()  # onnxruntime computes in a stream of its own
    session.run_with_iobinding(binding)
    binding.synchronize_outputs()
