"""Out of memory or out of device: no frame is lost, and the engine says what became of it."""

import copy
import importlib.util

import numpy as np
import pytest
import torch

from model import checkpoint
from model.engine import MdmEngine, build, runner_for
from model.errors import WeightsError
from model.governor import Governor
from model.mdm import MDM
from model.runtime import gate
from model.runtime.graphs import GraphRunner
from model.spec import EngineChoice
from tests.model.small_networks import small_network


class Fragile(MDM):
    """A network on a device that fails when it is told to."""

    def __init__(self, whole):
        super().__init__(whole.config)
        self.load_state_dict(whole.state_dict())
        self.eval()
        self.room_tokens = 10_000
        self.broken = False
        self.asked = []

    def prepare(self, image, depth_m, *, num_tokens):
        rows, cols = num_tokens
        self.asked.append(rows * cols)
        if self.broken:
            raise torch.AcceleratorError(
                "CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA"
            )
        if rows * cols > self.room_tokens:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return super().prepare(image, depth_m, num_tokens=num_tokens)


@pytest.fixture(scope="module")
def whole():
    return small_network()


@pytest.fixture
def model(whole):
    return Fragile(whole)


@pytest.fixture(scope="module")
def shot():
    return gate.made_up_shots(96, 128, [0.3])[0]


def engine(model, whole, *, tokens=60, fall_back=True):
    return MdmEngine(
        model,
        "small",
        tokens=tokens,
        anchor=False,
        runner=GraphRunner(model, "fp32", "eager"),
        fall_back=(lambda: runner_for(copy.deepcopy(whole), "fp32")) if fall_back else None,
    )


def repair(engine, shot):
    return engine.repair(shot.color, shot.counts, shot.unit_m)


def test_without_memory_the_same_frame_comes_with_fewer_tokens(model, whole, shot):
    small = engine(model, whole)
    model.room_tokens = 40

    repaired = repair(small, shot)

    want = gate.plain(whole, [shot], (5, 6))[0]  # 29 tokens asked for: 60, then 42, then 29
    assert small.tokens == 29
    accepted = want[1] > 0.5
    assert np.allclose(repaired.depth_m[accepted], want[0][accepted], rtol=1e-3)
    assert small.note == "CPU fp32, 29 tokens: more do not fit into memory"


def test_it_does_not_ask_for_too_much_again(model, whole, shot):
    small = engine(model, whole)
    model.room_tokens = 40
    repair(small, shot)
    model.asked.clear()
    repair(small, shot)
    assert len(model.asked) == 1


def test_with_no_room_at_all_the_processor_goes_on(model, whole, shot):
    small = engine(model, whole)
    model.room_tokens = 0

    repaired = repair(small, shot)

    want = gate.plain(whole, [shot], (3, 4))[0]
    accepted = want[1] > 0.5
    assert np.allclose(repaired.depth_m[accepted], want[0][accepted], rtol=1e-3)
    assert small.note == "CPU fp32, 12 tokens: not enough memory on the device on CPU fp32"


def test_a_lost_device_costs_no_frame(model, whole, shot):
    small = engine(model, whole)
    assert repair(small, shot).depth_m.shape == (96, 128)
    model.broken = True

    repaired = repair(small, shot)

    assert repaired.depth_m.shape == (96, 128)
    assert "the device failed (CUDA error: unspecified launch failure) on CPU fp32" in small.note
    assert not small.batches


def test_a_batch_survives_as_a_whole(model, whole, shot):
    small = engine(model, whole)
    model.broken = True
    assert len(small.repair_batch([shot, shot, shot])) == 3


@pytest.mark.parametrize("how", ["broken", "room_tokens"])
def test_where_nothing_is_left_the_reason_is_raised(model, whole, shot, how):
    small = engine(model, whole, fall_back=False)
    setattr(model, how, how == "broken" and 1)
    with pytest.raises((torch.AcceleratorError, torch.OutOfMemoryError)):
        repair(small, shot)


def test_the_governor_never_asks_for_more_than_fits(model, whole, shot):
    governor = Governor([12, 60], target_hz=1000, cameras=1)
    small = MdmEngine(
        model, "small", tokens=60, runner=GraphRunner(model, "fp32", "eager"), governor=governor
    )
    assert small.tokens == 12
    governor._level = 1
    assert small.tokens == 60
    model.room_tokens = 40
    repair(small, shot)
    assert small.tokens == 29


def test_times_of_frames_reach_the_governor(whole, shot):
    seen = []

    class Listening(Governor):
        def observe(self, took_s, *, now_s):
            seen.append(took_s)

    listening = Listening([12], target_hz=1, cameras=2)
    MdmEngine(whole, "small", governor=listening).repair_batch([shot, shot])
    assert len(seen) == 1
    assert seen[0] > 0


@pytest.mark.parametrize("device", ["cpu", "openvino"])
def test_an_engine_that_fails_its_gate_is_not_built(whole, tmp_path, monkeypatch, device):
    if device == "openvino" and importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, whole, {})
    assert build(EngineChoice(model=str(path), device=device)).label == "MDM: small"

    plain = gate.plain
    monkeypatch.setattr(gate, "plain", lambda *a: [answer * 1.01 for answer in plain(*a)])
    with pytest.raises(WeightsError, match="does not give what the network gives"):
        build(EngineChoice(model=str(path), device=device))


def test_tokens_that_nobody_chose_follow_the_rate(whole, tmp_path, shot):
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, whole, {})
    unhurried = build(EngineChoice(model=str(path), device="cpu", precision="fp32"), target_hz=1e-3)
    chosen = build(EngineChoice(model=str(path), device="cpu", tokens=48), target_hz=1e-3)
    assert (unhurried.tokens, chosen.tokens) == (12, 48)

    clock = iter(range(0, 100_000, 100))
    unhurried._governor = Clocked(unhurried._governor, clock)
    for _ in range(20):
        repair(unhurried, shot)
    assert unhurried.tokens == 24
    assert unhurried.note == "CPU fp32, 24 tokens"


class Clocked:
    """A governor to which every frame seems to come later than it does."""

    def __init__(self, governor, clock):
        self._governor, self._clock = governor, clock

    @property
    def tokens(self):
        return self._governor.tokens

    def observe(self, took_s, *, now_s):
        self._governor.observe(took_s, now_s=float(next(self._clock)))
