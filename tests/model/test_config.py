import copy
import logging
from typing import Any

import pytest

from model.config import BACKBONES, ModelConfig

STACK = {
    "dim_res_blocks": [64, 32],
    "num_res_blocks": [0, 1],
    "res_block_in_norm": "none",
    "res_block_hidden_norm": "none",
    "resamplers": ["bilinear"],
}


def raw() -> dict[str, Any]:
    return copy.deepcopy(
        {
            "encoder": {"backbone": "dinov2_vits14", "dim_out": 384},
            "neck": {**STACK, "dim_in": [386, 2]},
            "depth_head": {**STACK, "dim_in": [64, 32], "dim_out": [None, 1]},
        }
    )


def test_missing_entries_get_the_official_defaults() -> None:
    config = ModelConfig.parse(raw())

    assert (config.remap_depth_in, config.remap_depth_out) == ("log", "exp")
    assert config.num_tokens_range == (1200, 3600)
    assert config.encoder.taken_layers == (11,)
    assert config.mask_head is None


def test_resolution_levels_truncate() -> None:
    config = ModelConfig.parse({**raw(), "num_tokens_range": [30, 90]})

    assert [config.num_tokens(level) for level in (0, 4, 9)] == [30, 56, 90]


def test_a_dumped_configuration_parses_to_the_same() -> None:
    config = ModelConfig.parse(raw())

    assert ModelConfig.parse(config.model_dump(mode="json")) == config


def test_unknown_entries_are_kept_by_name_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    entries = raw()
    entries["colour"] = 1
    entries["neck"]["depth"] = 2

    with caplog.at_level(logging.WARNING):
        config = ModelConfig.parse(entries)

    assert config.unknown_keys == ("colour", "neck.depth")
    assert "neck.depth" in caplog.text


def test_every_attention_head_is_64_channels_wide() -> None:
    assert {b.width // b.heads for b in BACKBONES.values()} == {64}


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("encoder", "backbone", "resnet50", "resnet50"),
        ("encoder", "dim_out", 256, "384"),
        ("encoder", "intermediate_layers", [3, 12], "0..11"),
        ("encoder", "img_mask_ratio", 0.5, "must be 0"),
        ("neck", "dim_in", [384, 2], "386"),
        ("neck", "resamplers", "bilinear", "resamplers"),
        ("neck", "resamplers", ["bilinear", "bilinear"], "1 steps"),
        ("neck", "num_res_blocks", [1], "2 levels"),
        ("depth_head", "dim_in", [32, 32], "neck gives"),
        ("depth_head", "dim_out", [None, 3], "3 channels"),
    ],
)
def test_an_impossible_network_is_refused_with_the_value(
    section: str, key: str, value: Any, message: str
) -> None:
    entries = raw()
    entries[section][key] = value

    with pytest.raises(ValueError, match=message):
        ModelConfig.parse(entries)


def test_group_norm_of_too_few_channels_is_refused() -> None:
    entries = raw()
    entries["neck"] |= {"dim_res_blocks": [64, 16], "res_block_in_norm": "group_norm"}

    with pytest.raises(ValueError, match="16"):
        ModelConfig.parse(entries)
