from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model import checkpoint
from model.config import ModelConfig
from model.errors import WeightsError
from model.mdm import MDM
from model.spec import RECOMMENDED, find

STACK = {
    "dim_res_blocks": [16, 8],
    "num_res_blocks": [0, 1],
    "res_block_in_norm": "none",
    "res_block_hidden_norm": "none",
    "resamplers": ["bilinear"],
}
CONFIG = {
    "encoder": {"backbone": "mdm_vitt14_8", "dim_out": 192, "pos_grid": 4},
    "neck": {**STACK, "dim_in": [194, 2]},
    "depth_head": {**STACK, "dim_in": [16, 8], "dim_out": [None, 1]},
}
Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def model() -> MDM:
    torch.manual_seed(0)
    return MDM(ModelConfig.parse(CONFIG)).eval()


@pytest.fixture
def published(model: MDM, tmp_path: Path) -> Callable[[Weights], Path]:
    """Writes a file as upstream does, from weights."""

    def write(weights: Weights) -> Path:
        path = tmp_path / "model.pt"
        torch.save({"model_config": CONFIG, "model": weights}, path)
        return path

    return write


def assert_same(a: MDM, b: MDM) -> None:
    assert a.config == b.config
    torch.testing.assert_close(dict(a.state_dict()), dict(b.state_dict()), rtol=0, atol=0)


def test_a_published_file_loads(model: MDM, published: Callable[[Weights], Path]) -> None:
    loaded = checkpoint.load(published(model.state_dict()))

    assert_same(loaded, model)
    assert not loaded.training


def test_a_saved_file_comes_back_with_its_metadata(model: MDM, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"

    checkpoint.save(path, model, {"name": "small", "record": {"steps": 3}})

    assert_same(checkpoint.load(path), model)
    assert checkpoint.read(path).metadata == {"name": "small", "record": {"steps": 3}}
    assert [p.name for p in tmp_path.iterdir()] == ["small.safetensors"]


def test_a_loaded_network_can_be_trained(model: MDM, published: Callable[[Weights], Path]) -> None:
    loaded = checkpoint.load(published(model.state_dict())).train()

    loaded(torch.rand(1, 3, 28, 28), torch.rand(1, 28, 28) + 1.5, num_tokens=4).depth.sum().backward()

    assert loaded.encoder.backbone.cls_token.grad is not None


def test_the_other_name_of_the_depth_embedding_is_understood(
    model: MDM, published: Callable[[Weights], Path]
) -> None:
    weights = {
        k.replace(".depth_patch_embed.", ".depth_mask_patch_embed."): t for k, t in model.state_dict().items()
    }

    assert_same(checkpoint.load(published(weights)), model)


def test_one_error_lists_every_weight_that_does_not_fit(
    model: MDM, published: Callable[[Weights], Path]
) -> None:
    weights = dict(model.state_dict())
    del weights["encoder.backbone.cls_token"], weights["neck.input_blocks.0.bias"]
    weights["points_head.weight"] = torch.zeros(3)
    weights["encoder.backbone.norm.weight"] = torch.zeros(7)

    with pytest.raises(WeightsError) as error:
        checkpoint.load(published(weights))

    message = str(error.value)
    assert message.startswith("4 weights")
    for name in ("cls_token", "neck.input_blocks.0.bias", "points_head.weight", "norm.weight is (7,)"):
        assert name in message


def test_the_list_of_what_does_not_fit_ends_somewhere(
    model: MDM, published: Callable[[Weights], Path]
) -> None:
    names = len(model.state_dict())

    with pytest.raises(WeightsError) as error:
        checkpoint.load(published({f"head.{n}": torch.zeros(1) for n in range(500)}))

    message = error.value.args[0]
    assert message.startswith(f"{names + 500} weights")
    assert message.count(";") == checkpoint.MOST_LISTED
    assert message.endswith(f"and {names + 500 - checkpoint.MOST_LISTED} more.")


def test_two_depth_embeddings_are_one_too_many(model: MDM, published: Callable[[Weights], Path]) -> None:
    weights = dict(model.state_dict())
    other = "encoder.backbone.depth_mask_patch_embed.proj.bias"
    weights[other] = torch.zeros_like(weights["encoder.backbone.depth_patch_embed.proj.bias"])

    with pytest.raises(WeightsError, match=f"^1 weights.*unexpected {other}"):
        checkpoint.load(published(weights))


def test_a_published_name_does_not_cover_for_another_file(model: MDM, tmp_path: Path) -> None:
    path = tmp_path / RECOMMENDED.name / "model.pt"
    path.parent.mkdir()
    torch.save({"model_config": CONFIG, "model": model.state_dict()}, path)

    with pytest.raises(WeightsError, match=f"has {path.stat().st_size} bytes"):
        checkpoint.load(path)


def test_a_published_model_that_is_not_here_can_be_got() -> None:
    absent = find(RECOMMENDED.name).weights
    assert absent is not None

    with pytest.raises(WeightsError, match="is not on this machine") as error:
        checkpoint.load(absent)
    assert f"models get {RECOMMENDED.name}`" in error.value.hint


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "model.pt"
    torch.save({"model_config": CONFIG, "model": Evil()}, path)

    with pytest.raises(WeightsError):
        checkpoint.load(path)
    assert not (tmp_path / "ran").exists()


def test_a_truncated_file_is_called_damaged(
    model: MDM, published: Callable[[Weights], Path], tmp_path: Path
) -> None:
    whole = published(model.state_dict())
    checkpoint.save(tmp_path / "whole.safetensors", model, {})
    for path in (whole, tmp_path / "whole.safetensors"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

        with pytest.raises(WeightsError, match="damaged") as error:
            checkpoint.load(path)
        assert "Download it again" in error.value.hint


@pytest.mark.parametrize("name", ["notes.pt", "notes.safetensors"])
@pytest.mark.parametrize("content", [b"", b"these are no weights, but a few words about them\n"])
def test_a_file_without_weights_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(WeightsError):
        checkpoint.load(path)


def test_a_checkpoint_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"state_dict": {"weight": torch.zeros(2)}}, path)

    with pytest.raises(WeightsError, match="model_config"):
        checkpoint.load(path)


def test_a_configuration_that_cannot_be_built_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"model_config": {**CONFIG, "encoder": {"backbone": "vgg", "dim_out": 4}}, "model": {}}, path)

    with pytest.raises(WeightsError, match="vgg"):
        checkpoint.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="absent"):
        checkpoint.load(tmp_path / "absent.pt")


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")

    # FIPS 180-2, appendix B.1
    assert checkpoint.sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
