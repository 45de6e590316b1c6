"""What is written as ONNX gives what the plain network gives, run by onnxruntime."""

import importlib.util

import numpy as np
import pytest
import torch

from model.masking import bucket, padded
from model.runtime import gate
from model.runtime.export import export
from model.runtime.runner import answer, unpack
from tests.model.small_networks import small_network

ROWS, COLS = 6, 8
MISSING = [name for name in ("onnx", "onnxruntime", "onnxscript") if importlib.util.find_spec(name) is None]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


class OnnxRunner:
    """Frames through onnxruntime, as someone with only the file would run them."""

    where = "onnxruntime"

    def __init__(self, path, model):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._model = model

    @torch.inference_mode()
    def run(self, shots, grid):
        answers = []
        for shot in shots:
            image, depth_m = unpack(
                torch.tensor(shot.color)[None],
                torch.tensor(shot.counts.view(np.int16))[None],
                torch.full((1, 1, 1), shot.unit_m),
            )
            image, depth, visible = self._model.prepare(image, depth_m, num_tokens=grid)
            front = 1 + ROWS * COLS
            size = bucket(ROWS * COLS, tokens=ROWS * COLS, front=front)
            given = {"image": image, "depth": depth} | padded(visible, size, front=front)._asdict()
            (heads,) = self._session.run(None, {name: value.numpy() for name, value in given.items()})
            answers.append(answer(self._model, torch.from_numpy(heads), shot.color.shape[:2])[0].numpy())
        return answers


@pytest.mark.timeout(300)
def test_the_exported_network_passes_the_gate_with_every_kind_of_hole(tmp_path):
    model = small_network()
    path = tmp_path / "small.onnx"
    export(model, path, rows=ROWS, cols=COLS, height=96, width=128, count=ROWS * COLS)

    shots = gate.made_up_shots(96, 128, (0.3, 0.0, 1.0, 0.7))
    want = gate.plain(model, shots, (ROWS, COLS))
    gate.check(OnnxRunner(path, model), shots, (ROWS, COLS), want, "fp32")
