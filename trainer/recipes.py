"""Recipes: each returns a whole, documented configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from model.spec import DEMO
from trainer.config import MaskingConfig, OptimiserConfig, TrainConfig


@dataclass(frozen=True)
class Recipe:
    """One entry of the recipe menu.

    Attributes:
        name: what flags say.
        title: what the screen says.
        note: one line on what it is for.
        steps: how many it takes unless told otherwise.
        needs_weights: whether it starts from weights.
        make: the configuration, given where to start.
    """

    name: str
    title: str
    note: str
    steps: int
    needs_weights: bool
    make: Callable[[int], TrainConfig]


def _stack(**entries: object) -> dict[str, object]:
    return {
        **entries,
        "res_block_in_norm": "none",
        "res_block_hidden_norm": "none",
        "resamplers": ["conv_transpose", "conv_transpose", "conv_transpose", "bilinear"],
    }


_LEVELS = [128, 64, 32, 16, 8]
_HEAD = _stack(
    dim_in=_LEVELS,
    dim_res_blocks=_LEVELS,
    dim_out=[None, None, None, None, 1],
    num_res_blocks=[0, 1, 1, 0, 0],
)
SMALL: dict[str, object] = {
    "encoder": {"backbone": "mdm_vitt14_8", "intermediate_layers": 1, "dim_out": 192, "pos_grid": 16},
    "neck": _stack(
        dim_in=[194, 2, 2, 2, 2], dim_res_blocks=_LEVELS, dim_out=None, num_res_blocks=[0, 1, 1, 1, 0]
    ),
    "depth_head": _HEAD,
    "mask_head": _HEAD,
    "remap_depth_in": "log",
    "remap_depth_out": "exp",
    "num_tokens_range": [192, 432],
    "fill_patches": True,
}
"""The bundled network: the published architecture with 8 blocks of width 192 and a slim decoder."""


def fine_tune(steps: int) -> TrainConfig:
    """Adapts existing weights to recorded sessions, with the report's rates and masking."""
    return TrainConfig(
        recipe="fine-tune",
        init=DEMO.weights,
        steps=steps,
        batch=4,
        optimiser=OptimiserConfig(warmup_steps=min(20, steps // 5)),
        report_every=1,
        score_every=max(steps // 4, 10),
        checkpoint_every=max(steps // 4, 10),
        held_out=8,
    )


def small(steps: int) -> TrainConfig:
    """Trains the bundled network from nothing on simulated rooms.

    The report's rates fit a pretrained ViT-L; a small one from nothing wants larger ones and a fall to zero.
    Lower hiding ratios join the report's, because at inference nothing but the holes is hidden, and a short
    run cannot afford to learn that by itself.
    """
    return TrainConfig(
        recipe="small",
        architecture=SMALL,
        steps=steps,
        synthetic=1.0,
        batch=8,
        precision="bf16",
        masking=MaskingConfig(ratio=(0.3, 0.9), natural=0.8),
        optimiser=OptimiserConfig(
            backbone_lr=3e-4,
            rest_lr=3e-4,
            betas=(0.9, 0.98),
            warmup_steps=min(100, steps // 10),
            warm_all=True,
            schedule="cosine",
        ),
        score_every=500,
        checkpoint_every=250,
        held_out=32,
    )


def report(steps: int) -> TrainConfig:
    """The report's own numbers; made for many GPUs."""
    return TrainConfig(
        recipe="report",
        init=DEMO.weights,
        steps=steps,
        batch=8,
        grids=((30, 40),),
        precision="bf16",
        score_every=5_000,
        checkpoint_every=1_000,
    )


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "fine-tune",
            "Fine-tune",
            "Adapts the chosen weights to your sessions; minutes on a CPU.",
            200,
            True,
            fine_tune,
        ),
        Recipe(
            "small",
            "Small, from nothing",
            "Trains the bundled network on simulated rooms; about two hours on two cores.",
            4_000,
            False,
            small,
        ),
        Recipe(
            "report",
            "As in the report",
            "Rates, masking and schedule of arXiv 2601.17895; needs GPUs and weeks.",
            250_000,
            True,
            report,
        ),
    )
}


def configuration(
    name: str,
    *,
    steps: int | None = None,
    sessions: tuple[Path, ...] = (),
    synthetic: bool = False,
    init: Path | None = None,
    seed: int = 0,
) -> TrainConfig:
    """The recipe `name`, with what the caller decides filled in.

    Raises:
        ValueError: there is no such recipe, or nothing to learn from.
    """
    if name not in RECIPES:
        raise ValueError(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    config = recipe.make(recipe.steps if steps is None else steps)
    share = config.synthetic
    if sessions:
        share = 0.5 if synthetic else 0.0
    elif synthetic:
        share = 1.0
    if not sessions and share == 0:
        raise ValueError("there is nothing to learn from: name a session or the simulated rooms")
    changes: dict[str, object] = {"sessions": sessions, "synthetic": share, "seed": seed}
    if init is not None:
        changes |= {"init": init, "architecture": None}
    return config.model_copy(update=changes)
