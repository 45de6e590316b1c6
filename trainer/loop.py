"""The training step, as straight code."""

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import JsonValue
from torch import Tensor, nn

from model import backbone, checkpoint
from model.mdm import MDM
from trainer import checkpoints
from trainer.average import Average, tensors_of
from trainer.board import Board
from trainer.config import TrainConfig
from trainer.data.batches import Batch
from trainer.data.loader import Loader
from trainer.data.samples import SampleSource
from trainer.distributed import World, alone, device_of, shared, whole, with_sync
from trainer.errors import TrainingError
from trainer.evaluate.holes import one_score
from trainer.files import BEST, STOP, WEIGHTS
from trainer.initialise import new_model
from trainer.losses import loss, pixels
from trainer.metrics import Errors, mean
from trainer.progress import Progress
from trainer.record import write_record
from trainer.samples_view import sample_strip
from trainer.schedule import optimiser_for, rates


@dataclass(eq=False)
class Run:
    """A network in training.

    Attributes:
        config: of the run.
        model: in training mode.
        trained: what is called in training: the model, or what shares it with other processes.
        optimiser: with one group for the backbone and one for the rest.
        world: the processes.
        average: moving average of the weights; None for none.
        step: steps done.
        micro_batch: most samples at once in one process.
        best_m: best score so far.
        waited: evaluations since then.
    """

    config: TrainConfig
    model: MDM
    trained: nn.Module
    optimiser: torch.optim.AdamW
    world: World
    average: Average | None
    step: int = 0
    micro_batch: int = 0
    best_m: float | None = None
    waited: int = 0

    @property
    def parts(self) -> checkpoints.Parts:
        """What a checkpoint keeps."""
        return checkpoints.Parts(self.model, self.optimiser, tensors_of(self.average))


def begin(config: TrainConfig, world: World | None = None) -> Run:
    """A run at step 0.

    Raises:
        WeightsError: the weights to start from cannot be used.
        TrainingError: the configuration names nothing to start from.
    """
    if config.architecture is not None:
        model = new_model(config.architecture, seed=config.seed)
    elif config.init is not None and config.init.is_file() and backbone.is_backbone(config.init):
        model = backbone.new_model(config.init, seed=config.seed)
    elif config.init is not None:
        model = checkpoint.load(config.init)
    else:
        raise TrainingError("There are no weights to start from.", hint="Name some with --init.")
    return _run(config, model, world)


def resume(folder: Path, world: World | None = None, **changes: object) -> Run:
    """The run as its last checkpoint left it; every draw depends on seed and step, so it goes on exactly.

    Args:
        folder: of the run.
        world: the processes; as many as are wanted, whatever wrote the checkpoint.
        **changes: fields of the configuration that do not touch what is learned, such as `workers`.

    Raises:
        TrainingError: there is no checkpoint, or it cannot be read.
    """
    from model.config import ModelConfig

    path, facts = checkpoints.newest(folder)
    config = facts.config.model_copy(update=changes)
    run = _run(config, MDM(ModelConfig.parse(facts.architecture)), world)
    checkpoints.read(path, run.parts, run.world)
    run.step = facts.step
    if "micro_batch" not in changes:
        run.micro_batch = min(run.micro_batch, facts.micro_batch)
    run.best_m, run.waited = facts.best_m, facts.waited
    return run


def _run(config: TrainConfig, model: MDM, world: World | None) -> Run:
    world = world or alone(device_of(config))
    model.to(world.device).train()
    if config.parallel != "fsdp" or world.size == 1:
        # Channels last nearly halves the time of the decoder's convolutions on a CPU (docs/performance.md);
        # FSDP2 slices contiguous parameters only.
        for parameter in model.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    trained = shared(model, config, world)
    average = Average(model, config.ema) if config.ema else None
    share = config.batch // world.size
    micro_batch = min(config.micro_batch or share, share)
    return Run(config, model, trained, optimiser_for(model, config.optimiser), world, average, 0, micro_batch)


def train(
    run: Run,
    source: SampleSource,
    folder: Path,
    progress: Progress,
    *,
    interrupted: Callable[[], bool] = lambda: False,
) -> bool:
    """Train until the last step, until a file named "stop" is in the folder, or until `interrupted()`.

    Returns:
        Whether the run has ended, by its last step or because nothing gets better; if not, the checkpoint is
        written and the run can be resumed.

    Raises:
        TrainingError: the loss is no number, samples cannot be read, or there is too little memory or disk.
    """
    config, world = run.config, run.world
    progress.started(step=run.step, steps=config.steps)
    if world.first:
        write_record(folder, config, world)
    loader = Loader(config, source, world.device, progress.warning, rank=world.rank, world=world.size)
    stop = _Stop(folder / STOP, world, interrupted)
    meter = _Meter(run)
    with (
        Board(folder, enabled=world.first, step=run.step) as board,
        closing(loader.steps(run.step, run.micro_batch)) as steps,
    ):
        if board.missing:
            progress.warning('There are no TensorBoard files: pip install "depthmend[train]"')
        if run.step == 0:
            _show_samples(run, source, folder, board)
        while run.step < config.steps:
            if stop.asked():
                _keep(run, folder, progress)
                progress.stopped(step=run.step)
                return False
            began = time.perf_counter()
            batches = next(steps)
            meter.waited(time.perf_counter() - began)
            meter.loss(train_step(run, batches, progress))
            last = run.step == config.steps
            if run.step % config.report_every == 0 or last:
                meter.report(progress, board)
            if run.step % config.score_every == 0 or last:
                result = report_score(run, source, progress, board)
                _show_samples(run, source, folder, board)
                if _is_best(run, result) and config.patience:
                    _export(run, folder / BEST)
                meter.start()
                if config.patience and run.waited >= config.patience:
                    return _end_early(run, folder, progress)
            if run.step % config.checkpoint_every == 0 or last:
                _keep(run, folder, progress)
                meter.start()
    progress.done(step=run.step)
    return True


def train_step(run: Run, batches: Sequence[Batch], progress: Progress | None = None) -> float:
    """One step of the optimiser over all micro-batches; returns the loss before it.

    Raises:
        TrainingError: the loss is no number, or there is too little memory for a single sample.
    """
    config = run.config
    groups = run.optimiser.param_groups
    for group, rate in zip(groups, rates(config.optimiser, run.step, config.steps), strict=True):
        group["lr"] = rate
    of = run.world.summed(pixels(batches))
    value = None
    while value is None:
        run.optimiser.zero_grad(set_to_none=True)
        try:
            value = _gradients(run, [part for batch in batches for part in split(batch, run.micro_batch)], of)
        except (torch.OutOfMemoryError, MemoryError) as error:
            _make_room(run, error, progress)
    total = run.world.summed(value).item()
    if total != total or total in {float("inf"), float("-inf")}:
        raise TrainingError(
            f"The loss is {total} in step {run.step + 1}.",
            hint="Resume from the checkpoint before it, or start anew with a smaller rate of learning.",
        )
    nn.utils.clip_grad_norm_(run.model.parameters(), config.optimiser.clip_norm)
    run.optimiser.step()
    run.step += 1
    if run.average is not None:
        run.average.follow(run.step)
    return total


def _gradients(run: Run, batches: Sequence[Batch], of: Tensor) -> Tensor:
    """Add up the gradients of all micro-batches; returns this process's part of the loss."""
    config, device = run.config, run.world.device
    total = torch.zeros((), device=device)
    for number, batch in enumerate(batches):
        with with_sync(run.trained, last=number == len(batches) - 1):
            with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
                out = run.trained(
                    batch.image,
                    batch.depth_m,
                    num_tokens=batch.grid,
                    keep_depth_tokens=batch.keep,
                    output_size="grid",
                )
            value = loss(
                out,
                batch,
                of=of,
                mask_weight=config.mask_weight,
                even=config.even,
                wrong_weight=config.wrong_weight,
            )
            # DDP and FSDP2 average over the processes, while the parts of the loss are meant to add up.
            torch.autograd.backward(value * run.world.size)
        total += value.detach()
    return total


def split(batch: Batch, most: int) -> list[Batch]:
    """The batch in parts of at most `most` samples."""
    if batch.image.shape[0] <= most:
        return [batch]
    grid, *tensors = vars(batch).values()
    return [Batch(grid, *parts) for parts in zip(*(tensor.split(most) for tensor in tensors), strict=True)]


def _make_room(run: Run, error: BaseException, progress: Progress | None) -> None:
    run.optimiser.zero_grad(set_to_none=True)
    if run.micro_batch <= 1:
        raise TrainingError(
            "There is too little memory for a single sample.",
            hint="Use smaller grids, BF16, or a smaller network.",
        ) from error
    if run.world.size > 1:
        fewer = run.micro_batch // 2
        raise TrainingError(
            f"There is too little memory for {run.micro_batch} samples at once.",
            hint=f"Start again with --micro-batch {fewer}, or resume so.",
        ) from error
    run.micro_batch = (run.micro_batch + 1) // 2
    if run.world.device.type == "cuda":
        torch.cuda.empty_cache()
    if progress is not None:
        progress.warning(
            f"Too little memory: from here on, gradients of {run.micro_batch} samples at a time are added up."
        )


class _Stop:
    """Whether somebody asked to stop; all processes hear it in the same step."""

    def __init__(self, file: Path, world: World, interrupted: Callable[[], bool]) -> None:
        self._file = file
        self._world = world
        self._interrupted = interrupted

    def asked(self) -> bool:
        here = self._interrupted() or (self._world.first and self._file.exists())
        if not self._world.any(here):
            return False
        if self._world.first:
            self._file.unlink(missing_ok=True)
        return True


class _Meter:
    """Loss, pace and time spent waiting for samples since the last report."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._losses: list[float] = []
        self.start()

    def start(self) -> None:
        """Leave out what came before: an evaluation is no training."""
        self._since, self._since_step = time.perf_counter(), self._run.step
        self._waited_s = 0.0

    def waited(self, seconds: float) -> None:
        self._waited_s += seconds

    def loss(self, value: float) -> None:
        self._losses.append(value)

    def report(self, progress: Progress, board: Board) -> None:
        run = self._run
        seconds = time.perf_counter() - self._since
        done = run.step - self._since_step
        mean_loss = sum(self._losses) / max(len(self._losses), 1)
        lr = run.optimiser.param_groups[1]["lr"]
        rate_hz = done / seconds if done else 0.0
        wait_share = self._waited_s / seconds if done else 0.0
        progress.step(step=run.step, loss=mean_loss, rate_hz=rate_hz, lr=lr, wait_share=wait_share)
        board.numbers(
            run.step,
            train__loss=mean_loss,
            train__rate_of_learning=lr,
            speed__samples_per_second=rate_hz * run.config.batch,
            speed__share_waiting_for_samples=wait_share,
        )
        self._losses.clear()
        self.start()


def report_score(run: Run, source: SampleSource, progress: Progress, board: Board | None = None) -> Errors:
    """Evaluate on held-out samples, shared by all processes, and say so."""
    world, grid = run.world, run.config.grids[-1]
    rounds = -(-run.config.held_out // world.size)
    mine: list[tuple[int, Errors | None]] = []
    run.model.eval()
    with run.average.in_place() if run.average is not None else nullcontext():
        for number in range(world.rank, rounds * world.size, world.size):
            # Slices of a shared network have to be asked equally often, so some answers are not counted.
            found = one_score(run.model, source.held_out(number % run.config.held_out), grid=grid)
            if number < run.config.held_out:
                mine.append((number, found))
    run.model.train()
    parts = sorted((pair for pairs in world.gathered(mine) for pair in pairs), key=lambda pair: pair[0])
    answered = [errors for _, errors in parts if errors is not None]
    if not answered:
        raise TrainingError(
            "No held-out sample has a hole whose depth is known.", hint="Give the run more or other samples."
        )
    result = mean(answered)
    progress.score(
        step=run.step, mae_m=result.mae_m, rmse_m=result.rmse_m, rel=result.rel, of="held-out holes"
    )
    if board is not None:
        board.numbers(
            run.step, held_out__mae_m=result.mae_m, held_out__rmse_m=result.rmse_m, held_out__rel=result.rel
        )
    return result


def _is_best(run: Run, result: Errors) -> bool:
    better = run.best_m is None or result.mae_m < run.best_m
    run.best_m = result.mae_m if better or run.best_m is None else run.best_m
    run.waited = 0 if better else run.waited + 1
    return better


def _end_early(run: Run, folder: Path, progress: Progress) -> bool:
    save(run, folder)
    if run.world.first:
        shutil.copyfile(folder / BEST, folder / f"{WEIGHTS}.partial")
        (folder / f"{WEIGHTS}.partial").replace(folder / WEIGHTS)
    run.world.wait()
    progress.weights(step=run.step, path=folder / WEIGHTS)
    progress.done(step=run.step, early=True)
    return True


def _show_samples(run: Run, source: SampleSource, folder: Path, board: Board) -> None:
    """Pictures of one held-out sample before and after this much training, for the window and TensorBoard."""
    # A sliced network would need all processes for a picture.
    if not run.world.first or (run.world.size > 1 and run.config.parallel == "fsdp"):
        return
    run.model.eval()
    with run.average.in_place() if run.average is not None else nullcontext():
        picture = sample_strip(
            run.model, source.held_out(0), grid=run.config.grids[-1], folder=folder, step=run.step
        )
    run.model.train()
    board.picture(run.step, "held_out/colour, input, output, right", picture)


def _keep(run: Run, folder: Path, progress: Progress) -> None:
    save(run, folder)
    progress.weights(step=run.step, path=export(run, folder))


def save(run: Run, folder: Path) -> None:
    """Write the checkpoint whole or not at all.

    Raises:
        TrainingError: the folder cannot be written.
    """
    facts = checkpoints.Facts(
        format=checkpoints.FORMAT,
        step=run.step,
        config=run.config,
        architecture=run.model.config.model_dump(mode="json"),
        micro_batch=run.micro_batch,
        best_m=run.best_m,
        waited=run.waited,
        processes=run.world.size,
    )
    checkpoints.write(folder, run.parts, facts, run.world)


def export(run: Run, folder: Path) -> Path:
    """Write the weights as the program loads them, with the record of how they were made.

    Raises:
        OSError: the folder cannot be written.
    """
    return _export(run, folder / WEIGHTS)


def _export(run: Run, path: Path) -> Path:
    with run.average.in_place() if run.average is not None else nullcontext():
        state = {name: whole(value) for name, value in run.model.state_dict().items()}
        if run.world.first:
            # Written while the average is in place: on a processor these are the network's own tensors.
            plain = MDM(run.model.config)
            plain.load_state_dict(state)
            checkpoint.save(path, plain, _record(run))
    run.world.wait()
    return path


def _record(run: Run) -> dict[str, JsonValue]:
    return {
        "recipe": run.config.recipe,
        "step": run.step,
        "steps": run.config.steps,
        "config": run.config.model_dump(mode="json"),
        "torch": torch.__version__,
    }
