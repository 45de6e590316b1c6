"""The `train` verb: makes a run, or resumes one, and says how it goes."""

import argparse
import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import get_args

from trainer.config import MaskingConfig, Masks, SourceConfig, TrainConfig
from trainer.files import CONFIG, PROGRESS
from trainer.progress import Progress
from trainer.recipes import FORMER_NAMES, RANDOM, RECIPES, configuration

CHANGES = ("steps", "batch", "micro_batch", "workers", "parallel", "device", "patience", "wrong_weight")
"""Flags that are fields of the configuration."""
BOUND = ("batch", "wrong_weight")
"""Of those, what a resumed run keeps: they are part of what is learned."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's flags."""
    parser.add_argument("--run", type=Path, help="folder of the run: checkpoints and weights")
    parser.add_argument(
        "--estimate", action="store_true", help="do two steps, say how long all would take, and write nothing"
    )
    parser.add_argument(
        "--recipe",
        choices=[*RECIPES, *FORMER_NAMES],
        metavar="RECIPE",
        default="finetune_rig",
        help=f"{', '.join(RECIPES)} (finetune_rig)",
    )
    parser.add_argument(
        "--session", type=Path, action="append", default=[], help="recorded session; may be given often"
    )
    parser.add_argument(
        "--data",
        type=_source,
        action="append",
        default=[],
        metavar="KIND:FOLDER[@WEIGHT]",
        help="data set or shards; may be given often (kinds: shards, and those of: dataset convert --help)",
    )
    parser.add_argument(
        "--session-weight",
        type=_weight,
        default=1.0,
        metavar="WEIGHT",
        help="of all sessions together, beside those of the data sets (1)",
    )
    parser.add_argument(
        "--synthetic",
        type=_weight,
        nargs="?",
        const=1.0,
        default=0.0,
        metavar="WEIGHT",
        help="learn from simulated rooms as well, with this weight (1)",
    )
    parser.add_argument(
        "--renderer",
        choices=["auto", "drawn", "cast"],
        default="auto",
        help="simulated rooms are drawn by the processor (drawn) or cast on the device that trains (cast); "
        "auto casts on a GPU, unless processes read other samples",
    )
    parser.add_argument("--steps", type=int, help="instead of the recipe's own number, or of the run's")
    parser.add_argument(
        "--init",
        metavar="NAME|PATH|random",
        help="weights to start from, instead of the recipe's own; a DINOv2 backbone starts a new network, "
        "and random one that has learned nothing",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (0)")
    parser.add_argument(
        "--masks",
        choices=get_args(Masks),
        help="where hidden tokens lie: natural: where the sensor failed; random: anywhere; all: monocular",
    )
    parser.add_argument(
        "--wrong-weight",
        type=_weight,
        metavar="WEIGHT",
        help="how often pixels count that the sensor measured wrong, as it does through glass (1)",
    )
    parser.add_argument("--batch", type=int, help="samples for each step, of all processes together")
    parser.add_argument("--micro-batch", type=int, help="most samples at once in one process")
    parser.add_argument("--workers", type=int, help="processes that read samples; 0 reads in a thread")
    parser.add_argument(
        "--parallel", choices=["ddp", "fsdp"], help="how processes of torchrun share the network"
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], help="what computes")
    parser.add_argument(
        "--patience", type=int, help="evaluations without a better one that end the run; 0: none"
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves it to torch")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each event")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb and return its exit status; what fails is said as a last event."""
    parser = argparse.ArgumentParser(prog="depthmend train", description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    if arguments.run is None and not arguments.estimate:
        parser.error("--run FOLDER is missing")
    return run(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Run the parsed verb and return its exit status."""
    silent = os.environ.get("RANK", "0") != "0"
    log = Path(os.devnull) if arguments.estimate else arguments.run / PROGRESS
    progress = Progress(log, arguments.json, silent=silent)
    from drivers.errors import SessionError
    from model.errors import WeightsError
    from trainer.errors import TrainingError

    try:
        _run(arguments, progress)
    except (WeightsError, TrainingError, SessionError) as error:
        progress.failed(message=error.args[0], hint=error.hint)
    except ValueError as error:
        progress.failed(message=f"The run cannot begin: {error}.", hint="Change the choice and start again.")
    except OSError as error:
        progress.failed(
            message=f"The run's folder cannot be used: {error}.",
            hint="Make room on the disk or choose another folder; the last checkpoint is kept.",
        )
    else:
        return 0
    return 1


def _run(arguments: argparse.Namespace, progress: Progress) -> None:
    import torch

    from trainer import checkpoints, loop, process
    from trainer.data.mix import source_for
    from trainer.distributed import joined

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.estimate:
        _estimate(arguments, progress)
        return
    folder: Path = arguments.run
    changes = _changes(arguments)
    config = checkpoints.newest(folder)[1].config if arguments.resume else _configuration(arguments, changes)
    with joined(config) as world, _interrupts() as interrupted:
        if arguments.resume:
            progress.doing("Reading the checkpoint.")
            free = {name: value for name, value in changes.items() if name not in BOUND}
            state = loop.resume(folder, world, **free)
        else:
            if world.first:
                folder.mkdir(parents=True, exist_ok=True)
                text = json.dumps(config.model_dump(mode="json"), indent=2)
                (folder / CONFIG).write_text(text, encoding="utf-8")
            progress.doing("Preparing the network.")
            state = loop.begin(config, world)
        if world.first:
            process.note(folder, os.getpid())
        progress.doing("Preparing the samples.")
        source = source_for(state.config, progress.warning)
        loop.train(state, source, folder, progress, interrupted=interrupted.is_set)


def _changes(arguments: argparse.Namespace) -> dict[str, object]:
    return {name: value for name in CHANGES if (value := getattr(arguments, name)) is not None}


def _estimate(arguments: argparse.Namespace, progress: Progress) -> None:
    from trainer.estimate import estimate

    found = estimate(_configuration(arguments, _changes(arguments)))
    progress.estimate(
        step_s=found.step_s,
        total_s=found.total_s,
        memory_mb=found.memory_mb,
        parameters=found.parameters,
        device=found.device,
    )


def _configuration(arguments: argparse.Namespace, changes: dict[str, object]) -> TrainConfig:
    from trainer.data.mix import with_renderer

    rest = {name: value for name, value in changes.items() if name != "steps"}
    config = configuration(
        arguments.recipe,
        steps=arguments.steps,
        sessions=tuple(path.resolve() for path in arguments.session),
        datasets=tuple(arguments.data),
        synthetic=arguments.synthetic,
        session_weight=arguments.session_weight,
        init=None if arguments.init == RANDOM else _weights(arguments.init),
        random=arguments.init == RANDOM,
        seed=arguments.seed,
        masks=arguments.masks,
        **rest,
    )
    return with_renderer(config, arguments.renderer, workers_asked=arguments.workers is not None)


def _source(text: str) -> SourceConfig:
    """One --data flag: KIND:FOLDER, and @WEIGHT behind it."""
    from trainer.data.kinds import KINDS

    kind, _, rest = text.partition(":")
    folder, at, weight = rest.rpartition("@")
    if not at or not _is_number(weight):
        folder, weight = rest, "1"
    if kind not in KINDS or not folder:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write KIND:FOLDER, where KIND is one of {', '.join(KINDS)}"
        )
    # Clean depth has no holes to hide tokens by, so that tokens are hidden at random (report, section 3.3).
    masking = MaskingConfig() if KINDS[kind].clean else None
    return SourceConfig(kind=kind, path=Path(folder).resolve(), weight=float(weight), masking=masking)


def _is_number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def _weight(text: str) -> float:
    if not _is_number(text):
        raise argparse.ArgumentTypeError(f"{text!r}: a weight is a number above 0")
    return float(text)


def _weights(name: str | None) -> Path | None:
    from model.spec import find

    if name is None:
        return None
    weights = find(name).weights
    if weights is None:
        raise ValueError(f"{name!r} has no weights to start from")
    return weights


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """The first Ctrl-C or `kill` asks for a checkpoint and the end; the second ends at once."""
    interrupted = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
