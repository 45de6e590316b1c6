"""Every way to run a network gives what the plain network gives, with holes of every kind."""

import copy
import gc
import importlib.util

import numpy as np
import pytest
import torch

from model.errors import WeightsError
from model.masking import Padding
from model.runtime import gate
from model.runtime.core import set_precision
from model.runtime.frames import FrameRunner, TorchHeads
from model.runtime.graphs import GraphRunner
from model.runtime.onnx import OnnxRunner
from model.runtime.openvino import OpenVinoHeads
from model.shot import Shot
from tests.model.small_networks import small_network

GRID = (6, 8)
HOLES = (0.3, 0.0, 1.0, 0.7, 0.97)
HAS_ONNXRUNTIME = importlib.util.find_spec("onnxruntime") is not None
HAS_OPENVINO = importlib.util.find_spec("openvino") is not None
needs_openvino = pytest.mark.skipif(not HAS_OPENVINO, reason="openvino is not installed")


@pytest.fixture(scope="module")
def model():
    return small_network()


@pytest.fixture(scope="module")
def shots():
    return gate.made_up_shots(96, 128, HOLES)


@pytest.fixture(scope="module")
def want(model, shots):
    return gate.plain(model, shots, GRID)


def runner(kind, model, precision):
    model = copy.deepcopy(model)
    make = {
        "torch": lambda: FrameRunner(model, TorchHeads(model, precision)),
        "static": lambda: GraphRunner(model, precision, "eager"),
        "lengths": lambda: GraphRunner(model, precision, "eager", Padding("lengths")),
        "openvino": lambda: FrameRunner(model, OpenVinoHeads(model, precision)),
        "openvino static": lambda: FrameRunner(model, OpenVinoHeads(model, precision, static=True)),
    }
    return make[kind]()


KINDS = [
    "torch",
    "static",
    "lengths",
    pytest.param("openvino", marks=needs_openvino),
    pytest.param("openvino static", marks=needs_openvino),
]


@pytest.mark.parametrize(
    ("kind", "precision"),
    [
        ("torch", "fp32"),
        ("torch", "bf16"),
        ("static", "fp32"),
        ("static", "bf16"),
        ("lengths", "fp32"),
        ("lengths", "bf16"),
        pytest.param("openvino", "fp32", marks=needs_openvino),
        pytest.param("openvino", "bf16", marks=needs_openvino),
        pytest.param("openvino static", "fp32", marks=needs_openvino),
    ],
)
def test_every_engine_passes_its_gate(model, shots, want, kind, precision):
    found = gate.check(runner(kind, model, precision), shots, GRID, want, precision)
    assert {deviation.region for deviation in found} == {"holes", "measured pixels"}


def test_fp16_passes_its_gate(model, shots, want):
    gate.check(runner("static", model, "fp16"), shots, GRID, want, "fp16")


@pytest.mark.parametrize(
    "config", [{"mask_head": None}, {"remap_depth_out": "linear"}, {"fill_patches": True}]
)
@pytest.mark.parametrize("kind", KINDS)
def test_other_networks_pass_too(shots, kind, config):
    model = small_network(**config)
    want = gate.plain(model, shots[:2], GRID)
    gate.check(runner(kind, model, "fp32"), shots[:2], GRID, want, "fp32")


@pytest.mark.skipif(not HAS_ONNXRUNTIME, reason="onnxruntime is not installed")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_tensorrt_the_error_says_what_to_install(model):
    with pytest.raises(WeightsError, match="has no TensorRT") as failure:
        OnnxRunner(copy.deepcopy(model), "fp16")
    assert "onnxruntime-gpu" in failure.value.hint


@needs_openvino
def test_another_number_of_tokens_leaves_nothing_of_the_last_one_in_memory(model, shots):
    running = runner("openvino", model, "fp32")
    running.run(shots[:1], GRID)

    def classes() -> int:
        gc.collect()
        return len(torch.nn.Module.__subclasses__())

    before = classes()
    for columns in (7, 6, 5):
        running.run(shots[:1], (6, columns))
    assert classes() == before


@needs_openvino
def test_an_intel_device_that_is_missing_is_named(model):
    with pytest.raises(WeightsError, match="finds no NPU here") as failure:
        OpenVinoHeads(model, "fp16", device="NPU")
    assert "driver" in failure.value.hint


class Wrong:
    """An engine that is right everywhere but for a few millimetres in the holes."""

    where = "wrong"

    def __init__(self, answers, shots, off_m):
        self._answers = []
        for answer, shot in zip(answers, shots, strict=True):
            wrong = answer.copy()
            wrong[0][gate.hole_mask(shot)] += off_m
            self._answers.append(wrong)

    def run(self, shots, grid):
        return self._answers


@pytest.mark.parametrize("off_m", [0.5, np.nan])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_engine_that_is_wrong_in_the_holes_is_refused(shots, want, precision, off_m):
    with pytest.raises(WeightsError, match=r"wrong does not give .* in holes"):
        gate.check(Wrong(want, shots, off_m), shots, GRID, want, precision)


def test_the_gate_would_see_holes_that_are_not_masked(model, shots, want):
    class Unmasked(GraphRunner):
        def run(self, shots, grid):
            whole = [
                Shot(s.color, np.where(s.counts == 0, 1500, s.counts).astype(np.uint16), s.unit_m)
                for s in shots
            ]
            return super().run(whole, grid)

    with pytest.raises(WeightsError, match="holes"):
        gate.check(Unmasked(copy.deepcopy(model), "bf16", "eager"), shots, GRID, want, "bf16")


def test_a_batch_of_cameras_of_two_sizes_keeps_its_order(model):
    shots = [
        gate.made_up_shots(height, width, [share])[0]
        for height, width, share in ((96, 128, 0.3), (80, 100, 0.0), (96, 128, 0.9))
    ]
    together = runner("static", model, "fp32").run(shots, GRID)
    for shot, answer in zip(shots, together, strict=True):
        alone = gate.plain(model, [shot], GRID)[0]
        np.testing.assert_allclose(answer, alone, rtol=1e-4, atol=1e-4)


def test_depth_of_another_resolution_is_taken_as_it_is(model):
    shot = gate.made_up_shots(96, 128, [0.2])[0]
    small = Shot(shot.color, np.ascontiguousarray(shot.counts[::2, ::2]), shot.unit_m)
    want = gate.plain(model, [small], GRID)
    for kind in ("torch", "static", "lengths"):
        gate.check(runner(kind, model, "fp32"), [small], GRID, want, "fp32")


def test_counts_above_half_the_range_are_no_negative_depth(model):
    shot = gate.made_up_shots(96, 128, [0.2])[0]
    fine = Shot(
        shot.color, (shot.counts.astype(np.uint32) * 20 - 8).clip(0, 65535).astype(np.uint16), 0.00005
    )
    coarse = runner("torch", model, "fp32").run([shot], GRID)[0]
    assert fine.counts.max() > 32768
    np.testing.assert_allclose(
        runner("torch", model, "fp32").run([fine], GRID)[0], coarse, rtol=0.05, atol=0.05
    )


def test_bf16_keeps_depth_free_of_steps(model):
    """Published, a linear head in bfloat16 leaves 128 values between 1 m and 2 m, that is steps of 7.8 mm."""
    shots = gate.made_up_shots(96, 128, [0.3])
    model = small_network(remap_depth_out="linear")
    want = gate.plain(model, shots, GRID)[0][0]
    published = torch.from_numpy(want).bfloat16().float().numpy()
    for kind in ("torch", "static") + (("openvino",) if HAS_OPENVINO else ()):
        depth_m = runner(kind, model, "bf16").run(shots, GRID)[0][0]
        assert len(np.unique(depth_m)) > 4 * len(np.unique(published))


def test_bf16_is_nearer_to_fp32_than_plain_autocast(model, shots, want):
    holes = [gate.hole_mask(shot) for shot in shots]
    with torch.autocast("cpu", torch.bfloat16):
        plain = gate.plain(model, shots, GRID)
    before = gate.deviations(want, plain, holes)
    after = gate.deviations(want, runner("torch", model, "bf16").run(shots, GRID), holes)
    assert all(a.mean < b.mean for a, b in zip(after, before, strict=True))


def test_rounding_leaves_norms_and_the_last_convolutions_alone(model):
    rounded = copy.deepcopy(model)
    set_precision(rounded, "fp16")
    kept = {name for name, weight in rounded.named_parameters() if weight.dtype == torch.float32}
    assert {"depth_head.output_blocks.4.weight", "mask_head.output_blocks.4.weight"} <= kept
    assert not {
        name for name in kept if any(part in name for part in ("qkv", "mlp", "res_blocks", "input_blocks"))
    }
