"""Recipes: each returns a whole, documented configuration."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from model.spec import DEMO
from trainer.config import AugmentConfig, MaskingConfig, Masks, OptimiserConfig, SourceConfig, TrainConfig


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


def smoke(steps: int) -> TrainConfig:
    """Shows in a minute on a CPU that everything works: a small network, small grids, simulated rooms."""
    return TrainConfig(
        recipe="smoke",
        architecture=SMALL,
        steps=steps,
        synthetic=1.0,
        grids=((6, 8),),
        batch=4,
        masking=MaskingConfig(ratio=(0.3, 0.9), natural=0.5),
        optimiser=OptimiserConfig(
            backbone_lr=3e-4, rest_lr=3e-4, warmup_steps=5, warm_all=True, schedule="cosine"
        ),
        ema=0.9,
        report_every=5,
        score_every=max(steps // 2, 1),
        checkpoint_every=max(steps // 2, 1),
        held_out=4,
    )


def bundled(steps: int) -> TrainConfig:
    """Trains the bundled network from nothing on simulated rooms.

    The report's rates fit a pretrained ViT-L; a small one from nothing wants larger ones and a fall to
    zero at the end. Lower hiding ratios join the report's, because at inference nothing but the holes is
    hidden, and a short run cannot afford to learn that by itself. Most rooms are hard ones, and each sample's
    errors count in units of its depth: a glass at arm's length is to weigh as much as a far wall.
    """
    return TrainConfig(
        recipe="bundled",
        architecture=SMALL,
        steps=steps,
        synthetic=1.0,
        hard=0.75,
        batch=8,
        even=True,
        precision="bf16",
        masking=MaskingConfig(ratio=(0.3, 0.9), natural=0.8),
        optimiser=OptimiserConfig(
            backbone_lr=3e-4,
            rest_lr=3e-4,
            betas=(0.9, 0.98),
            warmup_steps=min(100, steps // 10),
            warm_all=True,
            schedule="tail",
        ),
        ema=0.995,
        score_every=500,
        checkpoint_every=250,
        held_out=32,
    )


def finetune_rig(steps: int) -> TrainConfig:
    """Adapts existing weights to recorded sessions, with the report's rates and masking."""
    every = max(steps // 4, 10)
    return TrainConfig(
        recipe="finetune_rig",
        init=DEMO.weights,
        steps=steps,
        batch=4,
        optimiser=OptimiserConfig(warmup_steps=min(20, steps // 5)),
        report_every=1,
        score_every=every,
        checkpoint_every=every,
        held_out=8,
    )


def finetune_glass(steps: int) -> TrainConfig:
    """Adapts existing weights to what sensors see through: rooms with glass, mirrors and steel.

    Nothing but the holes is hidden in half of the samples: the holes of a sensor lie where the glass is, and
    those are to be learned. What the sensor measured wrong counts six times: glass is a fiftieth of what such
    views show, and otherwise stays unlearned. ClearGrasp and sessions of glass, where given, join the rooms.
    """
    every = max(steps // 10, 10)
    return TrainConfig(
        recipe="finetune_glass",
        init=DEMO.weights,
        steps=steps,
        synthetic=1.0,
        batch=8,
        masking=MaskingConfig(ratio=(0.3, 0.8), natural=0.5),
        augment=AugmentConfig(crop=(0.5, 1.0)),
        wrong_weight=6.0,
        optimiser=OptimiserConfig(
            backbone_lr=3e-5, rest_lr=1e-4, warmup_steps=min(50, steps // 10), schedule="cosine"
        ),
        ema=0.99,
        patience=5,
        report_every=5,
        score_every=every,
        checkpoint_every=every,
        held_out=32,
    )


def _vit(recipe: str, size: str, steps: int) -> TrainConfig:
    from model.backbone import architecture  # brings torch, which a menu does without

    return TrainConfig(
        recipe=recipe,
        architecture=architecture(size).model_dump(mode="json"),
        steps=steps,
        synthetic=1.0,
        grids=((24, 32), (30, 40)),
        batch=64,
        micro_batch=16,
        precision="bf16",
        masking=MaskingConfig(natural=0.3),
        optimiser=OptimiserConfig(warmup_steps=min(2000, steps // 10)),
        ema=0.9995,
        workers=8,
        report_every=50,
        score_every=2_000,
        checkpoint_every=1_000,
        held_out=128,
    )


def vits(steps: int) -> TrainConfig:
    """ViT-S/14 with the published decoder on one GPU; --init takes DINOv2's backbone, which fits."""
    return _vit("vits", "dinov2_vits14", steps)


def vitb(steps: int) -> TrainConfig:
    """ViT-B/14 with the published decoder on one GPU; --init takes DINOv2's backbone, which fits."""
    return _vit("vitb", "dinov2_vitb14", steps)


def paper_vitl(steps: int) -> TrainConfig:
    """The report's own numbers (arXiv 2601.17895, section 2.3): 128 GPUs with 8 samples each, 7.5 days.

    It starts from DINOv2's ViT-L/14 (--init). On fewer GPUs the same batch of 1,024 is added up from
    micro-batches of 8. The grids are not published; ours are those of a 640 x 480 camera.
    """
    return TrainConfig(
        recipe="paper_vitl",
        steps=steps,
        synthetic=1.0,
        batch=1024,
        micro_batch=8,
        grids=((30, 40),),
        precision="bf16",
        workers=8,
        report_every=50,
        score_every=5_000,
        checkpoint_every=1_000,
        held_out=256,
    )


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "finetune_rig",
            "Fine-tune on my rig",
            "Adapts the chosen weights to your sessions, on a CPU within minutes.",
            200,
            True,
            finetune_rig,
        ),
        Recipe(
            "finetune_glass",
            "Fine-tune on glass",
            "Adapts the chosen weights to glass, mirrors and steel in simulated rooms; an hour on a CPU.",
            1_000,
            True,
            finetune_glass,
        ),
        Recipe(
            "bundled",
            "Small, from nothing",
            "Trains the bundled network on simulated rooms; about two hours on two cores.",
            4_000,
            False,
            bundled,
        ),
        Recipe(
            "smoke",
            "Trial",
            "Shows in a minute that training works here; its weights are no good.",
            30,
            False,
            smoke,
        ),
        Recipe(
            "vits", "ViT-S", "The published decoder on a ViT-S/14; two days on one GPU.", 100_000, False, vits
        ),
        Recipe(
            "vitb",
            "ViT-B",
            "The published decoder on a ViT-B/14; three days on one GPU.",
            150_000,
            False,
            vitb,
        ),
        Recipe(
            "paper_vitl",
            "As published",
            "Rates, masking and schedule of arXiv 2601.17895; 128 GPUs and a week.",
            250_000,
            True,
            paper_vitl,
        ),
    )
}
RANDOM = "random"
"""Instead of weights to start from: a network that has learned nothing, of the recipe's size."""
FROM_BACKBONES = {"paper_vitl": "dinov2_vitl14"}
"""Recipes that start from a backbone as a rule, and which."""
FORMER_NAMES = {"fine-tune": "finetune_rig", "small": "bundled", "report": "paper_vitl"}


def configuration(
    name: str,
    *,
    steps: int | None = None,
    sessions: tuple[Path, ...] = (),
    datasets: tuple[SourceConfig, ...] = (),
    synthetic: float = 0.0,
    session_weight: float = 1.0,
    init: Path | None = None,
    random: bool = False,
    seed: int = 0,
    masks: Masks | None = None,
    **changes: object,
) -> TrainConfig:
    """The recipe `name`, with what the caller decides filled in.

    Args:
        name: of a recipe.
        steps: instead of the recipe's own number.
        sessions: to learn from.
        datasets: to learn from.
        synthetic: weight of simulated rooms; 0 leaves them out, unless there is nothing else and the recipe
            has them.
        session_weight: of all sessions together.
        init: weights to start from, instead of the recipe's own.
        random: start a network of the recipe's size that has learned nothing.
        seed: of everything that is drawn.
        masks: where hidden tokens lie, instead of the recipe's own.
        **changes: further fields of `TrainConfig`.

    Raises:
        ValueError: there is no such recipe, nothing to learn from, or a change that cannot be.
    """
    name = FORMER_NAMES.get(name, name)
    if name not in RECIPES:
        raise ValueError(f"there is no recipe {name!r}; there are {', '.join(RECIPES)}")
    recipe = RECIPES[name]
    config = recipe.make(recipe.steps if steps is None else steps)
    share = config.synthetic
    if sessions or datasets:
        share = synthetic / (synthetic + session_weight)
    elif synthetic:
        share = 1.0
    if not sessions and not datasets and share == 0:
        raise ValueError("there is nothing to learn from: name a session, a data set or the simulated rooms")
    changes |= {"sessions": sessions, "synthetic": share, "seed": seed}
    if datasets:
        rooms = config.rooms(synthetic) if synthetic else ()
        each = session_weight / max(len(sessions), 1)
        recorded = tuple(SourceConfig(kind="session", path=path, weight=each) for path in sessions)
        changes["mix"] = (*datasets, *recorded, *rooms)
    if init is not None:
        changes |= {"init": init, "architecture": None}
    if random and config.architecture is None:
        if name not in FROM_BACKBONES:
            raise ValueError(f"{name} adapts weights, so it cannot start from random ones")
        from model.backbone import architecture  # brings torch, which a menu does without

        size = architecture(FROM_BACKBONES[name]).model_dump(mode="json")
        changes |= {"architecture": size, "init": None}
    if masks is not None:
        changes["masking"] = config.masking.model_copy(update={"masks": masks})
    # Not `model_copy`, which checks nothing.
    return TrainConfig.model_validate({**config.model_dump(), **changes})
