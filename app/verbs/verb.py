"""What a verb is, and the flags that several of them share."""

from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from app import settings
from app.console import Console
from app.settings import Settings
from model.spec import EngineChoice, resolved

SETTING_FLAGS = ("source", "model", "device", "precision", "tokens", "anchor", "record_compact")
"""Flags of these names stand above environment and settings file."""


@dataclass(frozen=True)
class Verb:
    """One verb of the command line.

    Attributes:
        name: what is typed.
        help: one line.
        add_arguments: declares its flags.
        run: does it and returns the exit status; errors that `app.messages` has words for may leave it.
    """

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Console], int]


def chosen_settings(args: Namespace) -> Settings:
    """The settings with the flags of the command line on top.

    Raises:
        SettingsError: the settings file cannot be used.
    """
    return with_flags(settings.load(), args)


def with_flags(stored: Settings, args: Namespace) -> Settings:
    """`stored` with the flags of the command line on top."""
    flags = {name: getattr(args, name, None) for name in SETTING_FLAGS}
    return stored.overridden(**{name: value for name, value in flags.items() if value is not None})


def engine_choice(chosen: Settings, *, monocular: bool = False) -> EngineChoice:
    """The repair that the settings ask for."""
    return EngineChoice(
        model=resolved(chosen.model),
        device=chosen.device,
        precision=chosen.precision,
        tokens=chosen.tokens,
        anchor=chosen.anchor,
        monocular=monocular,
    )


def add_model_flags(parser: ArgumentParser) -> None:
    """Flags that choose the repair; absent ones leave it to the settings.

    They have no default of their own, or a verb's would wipe out what stands before the verb.
    """
    parser.add_argument(
        "--model",
        metavar="NAME|PATH|HUB_ID",
        default=SUPPRESS,
        help="auto, demo, classical, off, a weights file, or one that the verb `models` lists",
    )
    parser.add_argument("--device", default=SUPPRESS, choices=_choices("device"), help="what computes")
    parser.add_argument(
        "--precision", default=SUPPRESS, choices=_choices("precision"), help="of the network's numbers"
    )
    parser.add_argument(
        "--tokens", type=token_count, default=SUPPRESS, metavar="N", help="per frame; 0 lets the model decide"
    )


def add_anchor_flag(parser: ArgumentParser) -> None:
    """The flag that shows the network's own output."""
    parser.add_argument(
        "--no-anchor",
        dest="anchor",
        action="store_false",
        default=None,
        help="the network's own output, not pulled onto measured pixels",
    )


def token_count(text: str) -> int:
    """For argparse: a whole number within the range of the setting."""
    tokens = int(text)
    if not 0 <= tokens <= 10_000:
        raise ValueError(text)
    return tokens


def positive(text: str) -> float:
    """For argparse: a positive number."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _choices(name: str) -> tuple[str, ...]:
    return get_args(Settings.model_fields[name].annotation)
