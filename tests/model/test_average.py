"""Weights are averaged, and the file says of what."""

from pathlib import Path

import pytest
import torch

from model import checkpoint
from model.average import average
from model.errors import WeightsError
from tests.model.small_networks import small_network


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    model = small_network()
    checkpoint.save(first, model, {"steps": 100})
    with torch.no_grad():
        for weight in model.parameters():
            weight += 1
    checkpoint.save(second, model, {"steps": 200})
    return first, second


@pytest.mark.parametrize("half", [False, True])
def test_each_weight_lies_between_those_of_the_two(two: tuple[Path, Path], half: bool) -> None:
    first, second = two
    out = first.with_name("out.safetensors")
    average(out, first, second, share=0.25, half=half)
    was = dict(checkpoint.load(first).named_parameters())
    for name, weight in checkpoint.load(out).named_parameters():
        torch.testing.assert_close(weight, was[name] + 0.25, rtol=1e-3 if half else 1e-6, atol=1e-3)
    assert (out.stat().st_size < 0.6 * first.stat().st_size) == half


def test_the_record_says_of_what_it_was_made(two: tuple[Path, Path]) -> None:
    first, second = two
    out = first.with_name("out.safetensors")
    average(out, first, second, share=0.25)
    parts = checkpoint.read(out).metadata["average"]
    assert [(p["share"], p["sha256"], p["record"]) for p in parts] == [
        (0.75, checkpoint.sha256(first), {"steps": 100}),
        (0.25, checkpoint.sha256(second), {"steps": 200}),
    ]


def test_networks_of_two_architectures_are_not_averaged(two: tuple[Path, Path]) -> None:
    other = two[0].with_name("other.safetensors")
    checkpoint.save(other, small_network(fill_patches=True), {})
    with pytest.raises(WeightsError, match="different architectures"):
        average(two[0].with_name("out.safetensors"), two[0], other)
    assert not two[0].with_name("out.safetensors").exists()
