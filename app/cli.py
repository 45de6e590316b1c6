"""The command line: a window without a verb, and every verb without a window."""

import logging
import os
import sys
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from app import crash, headless, logs, paths, settings
from app.compose import Studio
from app.console import Console
from app.memory import ControlMemory
from app.messages import Message, UsageError, expected, message
from app.settings import EnvironmentSettingError, SettingsError
from app.verbs.calibrate import BOARD, CALIBRATE
from app.verbs.devices import DEVICES
from app.verbs.doctor import DOCTOR, has_display
from app.verbs.importing import IMPORT
from app.verbs.models import MODELS
from app.verbs.record import RECORD
from app.verbs.refine import REFINE
from app.verbs.sessions import COPY, EXPORT, MERGE, RECOVER, VERIFY
from app.verbs.verb import Verb, add_model_flags, chosen_settings, engine_choice, with_flags
from drivers.errors import SessionError
from drivers.registry import open_source
from drivers.session.library import is_session

log = logging.getLogger(__name__)

INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""
BROKEN_PIPE = 141
"""What shells expect of a program whose reader went away."""


def main(argv: Sequence[str]) -> int:
    """Do what the arguments say and return the exit status."""
    if argv and argv[0] in TRAINER_VERBS:
        with logs.started(argv[0]):  # two processes cannot rotate one file
            main_of = import_module(TRAINER_VERBS[argv[0]][0]).main
            return int(main_of(list(argv[1:])))
    parser = build_parser()
    args = parser.parse_args(argv)
    console = Console(json_lines=args.json)
    verb: Verb | None = args.verb
    with logs.started(), crash.hooks(paths.log_folder(), tell=_tell):
        try:
            return _open(args, console) if verb is None else verb.run(args, console)
        except BrokenPipeError:
            # Whoever read our output has seen enough; what is still buffered must not fail once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
        except expected() as error:
            log.info("%s failed", "the window" if verb is None else verb.name, exc_info=True)
            console.failed(message(error))
            return 1
        except KeyboardInterrupt:
            return INTERRUPTED


def build_parser() -> ArgumentParser:
    """The whole command line; the help texts are made from it."""
    parser = ArgumentParser(
        prog="depthmend",
        description="Captures a rig of RGB-D cameras, repairs their depth live, records, replays, trains. "
        "Without a verb it opens the window.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--source",
        metavar="S",
        help="demo, auto, a camera (see devices), a session, a recording, or a folder of frames",
    )
    add_model_flags(parser)
    parser.add_argument(
        "--kiosk", action="store_true", help="full screen, left only by holding the button in the corner"
    )
    _add_json_flag(parser)
    parser.set_defaults(verb=None, json=False)
    children = parser.add_subparsers(title="verbs", metavar="VERB")
    for verb in VERBS:
        child = children.add_parser(
            verb.name, help=verb.help, description=_capitalised(verb.help), allow_abbrev=False
        )
        verb.add_arguments(child)
        _add_json_flag(child)
        child.set_defaults(verb=verb)
    return parser


def _add_json_flag(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", default=SUPPRESS, help="print one JSON object per line"
    )


def _open(args: Namespace, console: Console) -> int:
    """The window; where there is no display, the same job without one."""
    if not has_display():
        status = headless.run(chosen_settings(args), console)
        headless.say_how_to_get_the_window()
        return status
    notice = None
    try:
        stored = settings.load()
    except EnvironmentSettingError:
        raise
    except SettingsError as error:
        notice = _put_aside(error)
        stored = settings.load()
    chosen = with_flags(stored, args)
    from app.gui import run

    studio = Studio(
        engine_choice(chosen), stabilise=chosen.stabilise, memory=ControlMemory(paths.controls_file())
    )
    return run(studio, chosen, kiosk=args.kiosk or chosen.kiosk, open_source=open_source, notice=notice)


def _put_aside(error: SettingsError) -> Message:
    """Move the settings file that cannot be used aside, so that it is not overwritten, and say so."""
    where = settings.set_aside()
    hint = f"DepthMend starts with the default settings; the file is kept as {where}."
    log.warning("%s %s", message(error).sentence, hint)
    return Message("Settings", message(error).sentence, hint)


def _add_play_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("session", type=Path, help="a session")
    add_model_flags(parser)
    parser.add_argument(
        "--kiosk", action="store_true", help="full screen, left only by holding the button in the corner"
    )


def _play(args: Namespace, console: Console) -> int:
    if not is_session(args.session):
        raise SessionError(f"{args.session} is no session.", hint="Give a folder that holds a session.json.")
    if not has_display():
        raise UsageError(
            "There is no display to play on.",
            hint=f"Start from a desktop, or write the frames with: export {args.session} --out FOLDER",
        )
    args.source = str(args.session)
    return _open(args, console)


def _misplaced(args: Namespace, _console: Console) -> int:
    name = args.verb.name
    raise UsageError(f"Flags of {name} stand behind the verb.", hint=f"See: {name} --help")


def _tell(sentence: str) -> None:
    sys.stderr.write(f"{sentence} The details are in {logs.log_file()}\n")


def _capitalised(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


PLAY = Verb("play", "open the window on a session", _add_play_arguments, _play)
TRAINER_VERBS = {
    "train": ("trainer.cli", "train the network; `train --help` says how"),
    "dataset": ("trainer.data.cli", "turn data sets into shards; `dataset --help` says how"),
    "synth": ("trainer.synth.cli", "make shards of simulated rooms; `synth --help` says how"),
    "evaluate": ("trainer.evaluate.cli", "score repairs on frames; `evaluate --help` says how"),
}
"""Verbs that the trainer parses itself, so that nothing of the app is loaded for them."""
VERBS: tuple[Verb, ...] = (
    REFINE,
    RECORD,
    PLAY,
    RECOVER,
    VERIFY,
    COPY,
    MERGE,
    EXPORT,
    IMPORT,
    *(Verb(name, text, lambda _parser: None, _misplaced) for name, (_, text) in TRAINER_VERBS.items()),
    MODELS,
    BOARD,
    CALIBRATE,
    DEVICES,
    DOCTOR,
)
