"""What a network looks like: the `model_config` that a checkpoint carries, checked and with its defaults."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

log = logging.getLogger(__name__)

PATCH_PX = 14
GROUP_CHANNELS = 32

Norm = Literal["none", "layer_norm", "group_norm", "instance_norm"]
Activation = Literal["relu", "leaky_relu", "silu", "elu"]
# Upstream also knows pixel_unshuffle, avg_pool and max_pool; they shrink where this pyramid doubles.
Resampler = Literal["conv_transpose", "bilinear", "nearest", "pixel_shuffle"]
Remap = Literal["log", "linear"]


@dataclass(frozen=True)
class Backbone:
    """Sizes of a vision transformer; heads are always 64 wide."""

    width: int
    blocks: int
    heads: int
    mlp_width: int
    swiglu: bool = False
    registers: int = 0


_PLAIN = {
    "dinov2_vits14": Backbone(384, 12, 6, 1536),
    "dinov2_vitb14": Backbone(768, 12, 12, 3072),
    "dinov2_vitl14": Backbone(1024, 24, 16, 4096),
    "dinov2_vitg14": Backbone(1536, 40, 24, 4096, swiglu=True),
}
BACKBONES: Mapping[str, Backbone] = {
    **_PLAIN,
    **{f"{n}_reg": Backbone(b.width, b.blocks, b.heads, b.mlp_width, b.swiglu, 4) for n, b in _PLAIN.items()},
    "mdm_vitt14": Backbone(192, 12, 3, 768),
    "mdm_vitt14_8": Backbone(192, 8, 3, 768),
}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EncoderConfig(_Section):
    """The transformer and the projections of its taken layers.

    Attributes:
        intermediate_layers: n for the last n blocks, or the zero-based blocks in their order.
        pos_grid: side of the square grid that `pos_embed` is stored for; ours, 37 everywhere upstream.
    """

    backbone: str
    intermediate_layers: PositiveInt | tuple[int, ...] = 1
    dim_out: PositiveInt
    depth_emb_mode: Literal["conv_1c"] = "conv_1c"
    img_depth_fuse_mode: Literal["cat_token"] = "cat_token"
    pos_grid: PositiveInt = 37
    img_mask_ratio: float = 0.0
    strict: bool = False
    ignore_layers: tuple[str, ...] = ()
    depth_mask_ratio: float | tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.backbone not in BACKBONES:
            raise ValueError(f"backbone {self.backbone!r} is not one of {', '.join(BACKBONES)}")
        if self.dim_out != self.sizes.width:
            raise ValueError(
                f"dim_out {self.dim_out} must be the width {self.sizes.width} of {self.backbone}:"
                " the class token is added to the map"
            )
        if self.img_mask_ratio != 0:
            raise ValueError(f"img_mask_ratio {self.img_mask_ratio} must be 0")
        blocks = self.sizes.blocks
        taken = self.taken_layers
        if not taken or list(taken) != sorted(set(taken)) or taken[0] < 0 or taken[-1] >= blocks:
            raise ValueError(f"intermediate_layers {self.intermediate_layers} do not lie in 0..{blocks - 1}")
        return self

    @property
    def sizes(self) -> Backbone:
        """Sizes of the backbone named."""
        return BACKBONES[self.backbone]

    @property
    def taken_layers(self) -> tuple[int, ...]:
        """Zero-based blocks whose outputs are projected, in their order."""
        if isinstance(self.intermediate_layers, int):
            return tuple(range(self.sizes.blocks - self.intermediate_layers, self.sizes.blocks))
        return self.intermediate_layers


class StackConfig(_Section):
    """One convolutional pyramid; every tuple has an entry per level, None meaning no convolution there."""

    dim_in: tuple[PositiveInt | None, ...]
    dim_res_blocks: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    dim_out: tuple[PositiveInt | None, ...]
    num_res_blocks: tuple[Annotated[int, Field(ge=0)], ...]
    resamplers: tuple[Resampler, ...]
    dim_times_res_block_hidden: PositiveInt = 1
    res_block_in_norm: Norm = "layer_norm"
    res_block_hidden_norm: Norm = "group_norm"
    activation: Activation = "relu"

    @model_validator(mode="before")
    @classmethod
    def _one_value_for_all_levels(cls, raw: object) -> object:
        if not isinstance(raw, Mapping) or not isinstance(raw.get("dim_res_blocks"), list | tuple):
            return raw
        levels = len(raw["dim_res_blocks"])
        spread = {
            key: [value] * levels
            for key, value in ((k, raw.get(k, d)) for k, d in _STACK_DEFAULTS.items())
            if not isinstance(value, list | tuple)
        }
        return {**raw, **spread}

    @model_validator(mode="after")
    def _possible(self) -> Self:
        levels = self.levels
        for key in ("dim_in", "dim_out", "num_res_blocks"):
            if len(getattr(self, key)) != levels:
                raise ValueError(f"{key} has {len(getattr(self, key))} entries for {levels} levels")
        if len(self.resamplers) != levels - 1:
            raise ValueError(f"resamplers has {len(self.resamplers)} entries for {levels - 1} steps")
        for dim, count in zip(self.dim_res_blocks, self.num_res_blocks, strict=True):
            hidden = dim * self.dim_times_res_block_hidden
            grouped = ((self.res_block_in_norm, dim), (self.res_block_hidden_norm, hidden))
            if count and any(norm == "group_norm" and width % GROUP_CHANNELS for norm, width in grouped):
                raise ValueError(f"group_norm needs multiples of {GROUP_CHANNELS} channels, not {dim}")
        return self

    @property
    def levels(self) -> int:
        """Number of levels; each doubles the one before."""
        return len(self.dim_res_blocks)

    @property
    def dim_given(self) -> tuple[int, ...]:
        """Channels that each level's input must have."""
        return tuple(i or r for i, r in zip(self.dim_in, self.dim_res_blocks, strict=True))

    @property
    def dim_results(self) -> tuple[int, ...]:
        """Channels of each level's output."""
        return tuple(o or r for o, r in zip(self.dim_out, self.dim_res_blocks, strict=True))


_STACK_DEFAULTS: Mapping[str, object] = {"dim_in": None, "dim_out": None, "num_res_blocks": 0}


class ModelConfig(_Section):
    """Everything needed to build the network of a checkpoint.

    Attributes:
        num_tokens_range: token counts of resolution levels 0 and 9.
        fill_patches: close the holes inside visible patches before the embedding; ours, never upstream.
        unbuilt: stacks that upstream accepts and builds no module for.
        unknown_keys: entries that mean nothing to us, as dotted names.
    """

    encoder: EncoderConfig
    neck: StackConfig
    depth_head: StackConfig
    mask_head: StackConfig | None = None
    remap_depth_in: Remap = "log"
    remap_depth_out: Literal["exp", "linear"] = "exp"
    num_tokens_range: tuple[PositiveInt, PositiveInt] = (1200, 3600)
    fill_patches: bool = False
    unbuilt: tuple[str, ...] = Field(default=(), exclude=True)
    unknown_keys: tuple[str, ...] = Field(default=(), exclude=True)

    @classmethod
    def parse(cls, raw: Mapping[str, object]) -> Self:
        """The configuration in a checkpoint's `model_config`; unknown keys are logged, not refused.

        Raises:
            ValueError: an entry is missing or describes a network that cannot be built.
        """
        unbuilt = tuple(key for key in _UNBUILT if raw.get(key))
        unknown = tuple(_unknown(raw))
        if unknown:
            log.warning("model_config has entries that are not used: %s", ", ".join(unknown))
        return cls.model_validate({**raw, "unbuilt": unbuilt, "unknown_keys": unknown})

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        want = self.encoder.dim_out + 2
        if self.neck.dim_given[0] != want:
            raise ValueError(
                f"neck dim_in[0] is {self.neck.dim_given[0]}, not {want}: the map and two UV channels"
            )
        if any(dim != 2 for dim in self.neck.dim_given[1:]):
            raise ValueError(f"neck dim_in {self.neck.dim_given} must be 2, the UV channels, above level 0")
        for name, head in (("depth_head", self.depth_head), ("mask_head", self.mask_head)):
            if head is None:
                continue
            if head.dim_given != self.neck.dim_results:
                raise ValueError(
                    f"{name} dim_in {head.dim_given} is not what the neck gives: {self.neck.dim_results}"
                )
            if head.dim_results[-1] != 1:
                raise ValueError(f"{name} ends in {head.dim_results[-1]} channels instead of 1")
        low, high = self.num_tokens_range
        if low > high:
            raise ValueError(f"num_tokens_range {low}..{high} runs backwards")
        return self

    def num_tokens(self, resolution_level: int) -> int:
        """Token count of a resolution level, 0 the coarsest and 9 the finest; truncated as upstream does."""
        low, high = self.num_tokens_range
        return int(low + (resolution_level / 9) * (high - low))


_UNBUILT = ("normal_head", "scale_head")
_SECTIONS: Mapping[str, type[_Section]] = {
    "encoder": EncoderConfig,
    "neck": StackConfig,
    "depth_head": StackConfig,
    "mask_head": StackConfig,
}


def _unknown(raw: Mapping[str, object]) -> list[str]:
    known = set(ModelConfig.model_fields) - {"unbuilt", "unknown_keys"}
    unknown = [key for key in raw if key not in known and key not in _UNBUILT]
    for name, section in _SECTIONS.items():
        entries = raw.get(name)
        if isinstance(entries, Mapping):
            unknown += [f"{name}.{key}" for key in entries if key not in section.model_fields]
    return unknown
