"""The `train` verb: makes a run, or resumes one, and says how it goes."""

import argparse
import json
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from trainer.files import CONFIG, PROGRESS
from trainer.progress import Progress
from trainer.recipes import RECIPES, configuration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's flags."""
    parser.add_argument("--run", type=Path, required=True, help="folder of the run: checkpoints and weights")
    parser.add_argument("--recipe", choices=list(RECIPES), default="fine-tune", help="what to do (fine-tune)")
    parser.add_argument(
        "--session", type=Path, action="append", default=[], help="recorded session; may be given often"
    )
    parser.add_argument("--synthetic", action="store_true", help="learn from simulated rooms as well")
    parser.add_argument("--steps", type=int, help="instead of the recipe's own number")
    parser.add_argument(
        "--init",
        metavar="NAME|PATH",
        help="weights to start from, instead of the recipe's own; a DINOv2 backbone starts a new network",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn (0)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 leaves it to torch")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each event")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb and return its exit status; what fails is said as a last event."""
    parser = argparse.ArgumentParser(prog="depthmend train", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(argv))


def run(arguments: argparse.Namespace) -> int:
    """Run the parsed verb and return its exit status."""
    progress = Progress(arguments.run / PROGRESS, arguments.json)
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

    from trainer import loop
    from trainer.data.mix import source_for

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    folder: Path = arguments.run
    if arguments.resume:
        progress.doing("Reading the checkpoint.")
        state = loop.resume(folder)
    else:
        config = configuration(
            arguments.recipe,
            steps=arguments.steps,
            sessions=tuple(path.resolve() for path in arguments.session),
            synthetic=arguments.synthetic,
            init=_weights(arguments.init),
            seed=arguments.seed,
        )
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(config.model_dump(mode="json"), indent=2)
        (folder / CONFIG).write_text(text, encoding="utf-8")
        progress.doing("Preparing the network.")
        state = loop.begin(config)
    progress.doing("Preparing the samples.")
    source = source_for(state.config)
    with _interrupts() as interrupted:
        loop.train(state, source, folder, progress, interrupted=interrupted.is_set)


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
