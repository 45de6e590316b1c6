"""The optimiser and its rates (report, section 2.3)."""

from math import cos, pi

import torch

from model.mdm import MDM
from trainer.config import OptimiserConfig

TAIL = 0.25
"""Last share of the steps in which the schedule "tail" falls to 0."""


def optimiser_for(model: MDM, config: OptimiserConfig) -> torch.optim.AdamW:
    """AdamW with the backbone's parameters in its first group and all others in its second."""
    backbone = [p for name, p in model.named_parameters() if "backbone" in name and p.requires_grad]
    rest = [p for name, p in model.named_parameters() if "backbone" not in name]
    groups = [{"params": backbone, "lr": config.backbone_lr}, {"params": rest, "lr": config.rest_lr}]
    return torch.optim.AdamW(groups, betas=config.betas, weight_decay=config.weight_decay)


def rates(config: OptimiserConfig, step: int, steps: int) -> tuple[float, float]:
    """Learning rates of backbone and rest in `step`, which counts from 0."""
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "cosine":
        fall = 0.5 * (1 + cos(pi * step / max(steps, 1)))
    elif config.schedule == "tail":
        fall = min(1.0, (steps - step) / max(steps * TAIL, 1))
    else:
        fall = 0.5 ** (step // config.halve_every)
    return config.backbone_lr * warm * fall, config.rest_lr * (warm if config.warm_all else 1.0) * fall
