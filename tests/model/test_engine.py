import numpy as np
import pytest
import torch

from model import checkpoint
from model.anchor import FULL, SMALL
from model.backbone import architecture
from model.config import ModelConfig
from model.engine import MdmEngine, build, candidates, trust_in
from model.errors import WeightsError
from model.mdm import MDM
from model.repair import Provenance, SensorNoise
from model.spec import EngineChoice, catalogue, find

TINY = {
    "encoder": {"backbone": "mdm_vitt14_8", "intermediate_layers": 1, "dim_out": 192, "pos_grid": 4},
    "neck": {
        "dim_in": [194, 2, 2, 2, 2],
        "dim_res_blocks": [16, 8, 8, 8, 8],
        "num_res_blocks": 0,
        "resamplers": ["bilinear"] * 4,
    },
    "depth_head": {
        "dim_in": [16, 8, 8, 8, 8],
        "dim_res_blocks": [16, 8, 8, 8, 8],
        "dim_out": [None, None, None, None, 1],
        "num_res_blocks": 0,
        "resamplers": ["bilinear"] * 4,
    },
    "num_tokens_range": [12, 12],
}


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MDM(ModelConfig.parse({**TINY, "mask_head": TINY["depth_head"]})).eval()


def image(height=48, width=64):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def wall(height=48, width=64, counts=1500):
    values = np.full((height, width), counts, np.uint16)
    values[10:30, 20:40] = 0
    return values


def test_the_engine_without_anchor_returns_the_networks_own_numbers(model):
    color, counts = image(), wall()
    repair = MdmEngine(model, "tiny", anchor=False).repair(color, counts, 0.001)
    own = model.infer(
        torch.from_numpy(color).permute(2, 0, 1).float() / 255,
        torch.from_numpy(counts * np.float32(0.001)),
        num_tokens=12,
    )
    kept = own.mask.numpy()
    assert np.array_equal(np.isfinite(repair.depth_m), kept)
    assert np.allclose(repair.depth_m[kept], own.depth_m.numpy().clip(0.01)[kept], rtol=1e-5)
    assert np.allclose(repair.valid_probability, own.mask_prob.numpy())


def test_monocular_repair_does_not_look_at_depth(model):
    engine = MdmEngine(model, "tiny", anchor=False, monocular=True)
    one = engine.repair(image(), wall(), 0.001)
    other = engine.repair(image(), wall(counts=4000), 0.001)
    assert np.array_equal(one.depth_m, other.depth_m)


def test_monocular_repair_says_so_and_claims_no_measurement(model):
    engine = MdmEngine(model, "tiny", monocular=True)
    repair = engine.repair(image(), wall(), 0.001)
    assert engine.label == "tiny, monocular"
    assert set(np.unique(repair.provenance)) <= {Provenance.INVENTED, Provenance.REJECTED}
    assert repair.confidence is None


def test_depth_of_half_the_resolution_and_sparse_points_are_repaired_in_the_colour_grid(model):
    engine = MdmEngine(model, "tiny")
    half = engine.repair(image(), wall()[::2, ::2].copy(), 0.001)
    points = np.zeros((48, 64), np.uint16)
    points[::8, ::8] = 1500
    sparse = engine.repair(image(), points, 0.001)
    for repair in (half, sparse):
        assert repair.depth_m.shape == repair.confidence.shape == (48, 64)
    kept = sparse.provenance == Provenance.MEASURED
    assert kept[points > 0].any()
    assert not kept[points == 0].any()


def test_a_tenth_of_a_millimetre_is_a_unit_like_any_other(model):
    engine = MdmEngine(model, "tiny", anchor=False)
    coarse = engine.repair(image(), wall(counts=1500), 0.001)
    fine = engine.repair(image(), wall(counts=15000), 0.0001)
    assert np.allclose(coarse.depth_m, fine.depth_m, rtol=1e-4)


def test_building_from_a_file_takes_its_own_configuration(model, tmp_path):
    path = tmp_path / "mine.safetensors"
    checkpoint.save(path, model, {})
    engine = build(EngineChoice(model=str(path), device="cpu"))
    assert engine.label == "MDM: mine"
    assert engine.repair(image(), wall(), 0.001).depth_m.shape == (48, 64)


def test_with_intrinsics_there_are_points_in_the_camera(model):
    camera = np.array([[50.0, 0, 31.0], [0, 40.0, 20.0], [0, 0, 1]])
    for engine in (MdmEngine(model, "tiny"), build(EngineChoice(model="classical"))):
        repair = engine.repair(image(), wall(), 0.001, intrinsics=camera)
        x, y, z = repair.points_m[22, 41]
        assert z == repair.depth_m[22, 41]
        assert np.allclose((x, y, z), (0.2 * 1.5, 0.05 * 1.5, 1.5))
        rejected = ~np.isfinite(repair.depth_m)
        assert np.isinf(repair.points_m[rejected]).all()
        assert engine.repair(image(), wall(), 0.001).points_m is None


def test_the_noise_of_the_sensor_decides_what_was_refined(model):
    engine = MdmEngine(model, "tiny", anchor=False)
    exact = engine.repair(image(), wall(), 0.001, noise=SensorNoise())
    vague = engine.repair(image(), wall(), 0.001, noise=SensorNoise(constant_m=100.0))
    measured = (wall() > 0) & np.isfinite(exact.depth_m)
    assert (exact.provenance[measured] == Provenance.REFINED).mean() > 0.9
    assert (vague.provenance[measured] == Provenance.MEASURED).all()


@pytest.mark.parametrize(
    ("choice", "hurry", "names"),
    [
        (EngineChoice(), False, ["torch fp32"]),
        (EngineChoice(), True, ["torch fp32", "torch bf16"]),
        (EngineChoice(precision="bf16"), True, ["torch bf16"]),
        (EngineChoice(device="cpu"), True, ["torch fp32", "torch bf16"]),
        (EngineChoice(device="openvino-npu", precision="fp16"), True, ["OpenVINO NPU fp16"]),
        (EngineChoice(device="openvino-gpu"), True, [f"OpenVINO GPU {p}" for p in ("fp16", "bf16", "fp32")]),
        (EngineChoice(device="tensorrt"), True, ["TensorRT fp16", "TensorRT bf16", "TensorRT fp32"]),
    ],
)
def test_a_hurry_makes_rounding_a_choice_and_exactness_stays_the_first(
    model, monkeypatch, choice, hurry, names
):
    monkeypatch.setattr("model.engine.is_installed", lambda: False)
    assert [way.name for way in candidates(model, choice, hurry=hurry)] == names


def test_openvino_is_one_of_the_ways_where_it_is_installed(model, monkeypatch):
    monkeypatch.setattr("model.engine.is_installed", lambda: True)
    names = [way.name for way in candidates(model, EngineChoice(), hurry=True)]
    assert names == ["torch fp32", "OpenVINO CPU fp32", "torch bf16", "OpenVINO CPU bf16"]


def test_networks_of_dinov2_sizes_have_the_last_word_and_our_small_one_has_half(model):
    assert trust_in(model.config) is SMALL
    assert trust_in(architecture("dinov2_vits14")) is FULL


def test_the_classical_filler_never_poses_as_the_network():
    engine = build(EngineChoice(model="classical"))
    assert engine.label == "Classical filling"
    repair = engine.repair(image(), wall(), 0.001)
    assert set(np.unique(repair.provenance)) == {Provenance.MEASURED, Provenance.INVENTED}
    assert (
        engine.repair(image(), np.zeros((48, 64), np.uint16), 0.001).provenance == Provenance.REJECTED
    ).all()


@pytest.mark.parametrize("content", [None, b"", b"text"])
def test_weights_that_cannot_be_used_are_one_error_with_a_hint(tmp_path, content):
    path = tmp_path / "bad.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError) as failure:
        build(EngineChoice(model=str(path)))
    assert failure.value.hint


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_cuda_device_is_said(model, tmp_path):
    path = tmp_path / "mine.safetensors"
    checkpoint.save(path, model, {})
    with pytest.raises(WeightsError, match="CUDA"):
        build(EngineChoice(model=str(path), device="cuda"))


def test_the_menu_offers_weights_files_below_its_folders(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "weights.safetensors").touch()
    (tmp_path / "run" / "checkpoint.pt").touch()
    names = [spec.title for spec in catalogue(tmp_path)]
    assert names == ["MDM small (demo weights)", "Classical filling", "run", "Off"]
    assert find("demo").weights is not None
