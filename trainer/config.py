"""Everything a training run is made of, in one schema that is stored beside its checkpoints."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Masks = Literal["natural", "random", "all"]


class MaskingConfig(BaseModel):
    """Which depth tokens are hidden from the network in training (report, sections 2.2 and 3.3).

    Attributes:
        mixed_probability: chance that a patch with some holes is hidden.
        ratio: range of the share of tokens hidden in all, drawn evenly for each sample.
        natural: share of samples in which only patches without any depth are hidden, as at inference.
        masks: where the hidden tokens lie. "natural": first where the sensor failed. "random": as many, but
            anywhere; the sensor's holes take the right depth, so where a sensor fails teaches nothing.
            "all": everywhere, which leaves colour only (monocular). The last two are for comparison.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mixed_probability: float = Field(0.75, ge=0, le=1)
    ratio: tuple[float, float] = (0.6, 0.9)
    natural: float = Field(0.0, ge=0, le=1)
    masks: Masks = "natural"


class AugmentConfig(BaseModel):
    """How samples are changed (report, section 2.3): crop and mirror image change colour and depth together.

    Attributes:
        crop: range of the share of each side that is kept.
        flip: chance of a mirror image.
        jitter: strength of the colour changes; 0 leaves colours alone, 1 is the usual.
        blur: chance of motion blur.
        shot_noise: chance of noise that grows with the square root of the light.
        jpeg: chance of JPEG artefacts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: tuple[float, float] = (0.7, 1.0)
    flip: float = Field(0.5, ge=0, le=1)
    jitter: float = Field(1.0, ge=0)
    blur: float = Field(0.2, ge=0, le=1)
    shot_noise: float = Field(0.3, ge=0, le=1)
    jpeg: float = Field(0.3, ge=0, le=1)


class OptimiserConfig(BaseModel):
    """AdamW with one group for the backbone and one for the rest (report, section 2.3).

    Attributes:
        backbone_lr: after the warm-up.
        rest_lr: from the first step on.
        warmup_steps: linear from 0, for the backbone.
        warm_all: warm up the rest as well, which a start from nothing needs.
        schedule: "halving" halves both every `halve_every` steps; "cosine" falls to 0 at the last one; "tail"
            stays and falls evenly in the last quarter, so that a run can be made longer before that.
        clip_norm: largest norm of the gradient.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone_lr: float = Field(1e-5, gt=0)
    rest_lr: float = Field(1e-4, gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = Field(0.05, ge=0)
    warmup_steps: int = Field(2000, ge=0)
    warm_all: bool = False
    schedule: Literal["halving", "cosine", "tail"] = "halving"
    halve_every: int = Field(25_000, gt=0)
    clip_norm: float = Field(1.0, gt=0)


class SourceConfig(BaseModel):
    """One part of a mix.

    Attributes:
        kind: "synthetic", "synthetic_hard", "session", or a name of `trainer.data.kinds.KINDS`.
        path: of the session or the data set; None for simulated rooms.
        weight: share of the samples beside the weights of the others.
        masking: of its samples; None takes the run's.
        noise: Gaussian noise that is put on clean depth, one sigma as a share of the depth.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    path: Path | None = None
    weight: float = Field(1.0, gt=0)
    masking: MaskingConfig | None = None
    noise: float = Field(0.01, ge=0)


class TrainConfig(BaseModel):
    """One run.

    What is drawn depends on the seed, the step and the place in the batch only: neither the number of
    processes nor `micro_batch` nor `workers` changes which samples a step sees.

    Attributes:
        recipe: name of the recipe it came from.
        architecture: a `model_config`, for a start from nothing; None starts from `init`.
        init: weights to start from.
        sessions: recorded sessions to learn from.
        synthetic: share of samples from simulated rooms; the rest comes from the sessions.
        renderer: of simulated rooms: drawn by the processor, or cast ray by ray on the device that trains;
            `trainer.data.mix.with_renderer` chooses.
        hard: share of the simulated samples that are hard (`trainer.data.hardships`).
        mix: sources and their weights; where there are some, they stand instead of `sessions` and
            `synthetic`.
        grids: rows and columns of image tokens; each step draws one, evaluation takes the last.
        batch: samples for each step, of all processes together.
        micro_batch: most samples at once in one process; gradients of several are added up. 0 for all.
        steps: of the whole run.
        masking: of samples whose source has none of its own.
        augment: how samples are changed.
        even: measure each sample's errors in units of its mean depth; the report's loss is in metres.
        wrong_weight: how often a pixel counts in the loss that the sensor measured wrong by 5 %; the report's
            are all alike.
        mask_weight: of the mask head's loss beside the depth loss.
        ema: decay of the moving average of the weights that is evaluated and exported; 0 has none.
        patience: evaluations without a better score after which the run ends; 0 never ends it.
        precision: of the transformer and the decoder in training.
        parallel: how processes share the work: whole networks (DDP) or slices of one (FSDP2).
        workers: processes that read samples; 0 reads them in a thread.
        seed: of everything that is drawn.
        report_every: steps between two lines on the loss.
        score_every: steps between two evaluations.
        checkpoint_every: steps between two checkpoints.
        held_out: samples in each evaluation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    architecture: dict[str, object] | None = None
    init: Path | None = None
    sessions: tuple[Path, ...] = ()
    synthetic: float = Field(0.0, ge=0, le=1)
    renderer: Literal["drawn", "cast"] = "drawn"
    hard: float = Field(0.0, ge=0, le=1)
    mix: tuple[SourceConfig, ...] = ()
    grids: tuple[tuple[int, int], ...] = ((12, 16),)
    batch: int = Field(8, gt=0)
    micro_batch: int = Field(0, ge=0)
    steps: int = Field(gt=0)
    masking: MaskingConfig = MaskingConfig()
    augment: AugmentConfig = AugmentConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    even: bool = False
    wrong_weight: float = Field(1.0, gt=0)
    mask_weight: float = Field(0.1, ge=0)
    ema: float = Field(0.0, ge=0, lt=1)
    patience: int = Field(0, ge=0)
    precision: Literal["fp32", "bf16"] = "fp32"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    parallel: Literal["ddp", "fsdp"] = "ddp"
    workers: int = Field(0, ge=0)
    seed: int = 0
    report_every: int = Field(10, gt=0)
    score_every: int = Field(200, gt=0)
    checkpoint_every: int = Field(200, gt=0)
    held_out: int = Field(16, gt=0)

    @property
    def sources(self) -> tuple[SourceConfig, ...]:
        """Everything that the run learns from, as one weighted list."""
        if self.mix:
            return self.mix
        share = (1 - self.synthetic) / max(len(self.sessions), 1)
        if share <= 0:
            return self.rooms(self.synthetic)
        return self.rooms(self.synthetic) + tuple(
            SourceConfig(kind="session", path=path, weight=share) for path in self.sessions
        )

    def rooms(self, weight: float) -> tuple[SourceConfig, ...]:
        """Simulated rooms that weigh so much together; none for 0."""
        parts = (("synthetic", weight * (1 - self.hard)), ("synthetic_hard", weight * self.hard))
        return tuple(SourceConfig(kind=kind, weight=part) for kind, part in parts if part > 0)
