"""recover, verify, copy, merge and export: what can be done with sessions without a window."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from app.console import Console
from app.exporting.repairing import EngineRepairer, load_repairer
from app.exporting.source import ExportOptions
from app.exporting.table import BY_NAME, EXPORTERS, export
from app.messages import Message, UsageError, message
from app.verbs.verb import Verb, add_model_flags, chosen_settings, engine_choice
from drivers.errors import SessionError
from drivers.session.library import is_session, sessions
from drivers.session.merge import Fate, merge
from drivers.session.reader import Session
from drivers.session.recover import recover, unfinished
from drivers.session.transfer import copy_session
from drivers.session.verify import Progress, verify

MEGA = 1_000_000


def _add_recover_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("session", type=Path, help="a session, or a folder of sessions")


def _recover(args: Namespace, console: Console) -> int:
    single = is_session(args.session) or not args.session.is_dir()
    found = [args.session] if single else unfinished(args.session)
    failed = 0
    for path in found:
        try:
            report = recover(path, check=single)
        except SessionError as error:
            console.failed(message(error))
            failed += 1
            continue
        frames = sum((report.frames or {}).values())
        words = f"{path} was whole already: {frames} frames."
        if report.needed and report.frames_lost:
            words = f"{path} is whole: {frames} frames; {report.frames_lost} were damaged and are left out."
        elif report.needed:
            words = f"{path} is whole: {frames} frames, about {report.lost_estimate_s:.1f} s lost."
        console.say(
            "recovered" if report.needed else "whole",
            words,
            session=str(path),
            frames=frames,
            lost_estimate_s=report.lost_estimate_s,
            salvaged_messages=report.salvaged_messages,
            damaged_chunks=report.damaged_chunks,
            frames_lost=report.frames_lost,
        )
    if not found:
        console.say("done", f"No session in {args.session} needs recovery.", sessions=0)
    return 1 if failed else 0


def _add_verify_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("session", type=Path, help="a session, or a folder of sessions")


def _verify(args: Namespace, console: Console) -> int:
    single = is_session(args.session) or not args.session.is_dir()
    paths = [args.session] if single else [found.path for found in reversed(sessions(args.session))]
    damaged = 0
    for path in paths:
        try:
            faults = verify(path, _megabytes(console, path.name))
        except SessionError as error:
            console.failed(message(error))
            damaged += 1
            continue
        damaged += bool(faults)
        for fault in faults:
            console.say(
                "fault",
                f"{path / fault.file}: {fault.text}",
                session=str(path),
                file=fault.file,
                text=fault.text,
            )
        text = f"{path} is damaged." if faults else f"{path} is as it was recorded."
        console.say("damaged" if faults else "whole", text, session=str(path), faults=len(faults))
    console.say(
        "done",
        f"Sessions verified: {len(paths)}; damaged: {damaged}.",
        sessions=len(paths),
        damaged=damaged,
    )
    return 1 if damaged else 0


def _add_copy_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("session", type=Path, help="a session, or a folder of sessions")
    parser.add_argument("to", type=Path, metavar="FOLDER", help="the sessions folder it shall be in")


def _copy(args: Namespace, console: Console) -> int:
    single = is_session(args.session) or not args.session.is_dir()
    paths = [args.session] if single else [found.path for found in reversed(sessions(args.session))]
    failed = 0
    for path in paths:
        try:
            there = copy_session(path, args.to, _megabytes(console, path.name))
        except SessionError as error:
            console.failed(message(error))
            failed += 1
            continue
        console.say("copied", f"{there} is there, read back and the same.", session=str(there))
    console.say(
        "done",
        f"Sessions copied: {len(paths) - failed}; failed: {failed}.",
        sessions=len(paths) - failed,
        failed=failed,
    )
    return 1 if failed else 0


def _add_merge_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="a folder of sessions")
    parser.add_argument("--into", type=Path, required=True, metavar="LIBRARY", help="the sessions folder")


def _merge(args: Namespace, console: Console) -> int:
    done = merge(args.folders, args.into, _megabytes(console, "a session"))
    for each in done:
        if each.fate is Fate.FAILED:
            console.failed(Message("Not merged", f"{each.source}: {each.problem}.", each.hint))
        else:
            text = f"{each.source}: {each.fate.value}: {each.target}"
            console.say(each.fate.name.lower(), text, session=str(each.source), to=str(each.target))
    failed = sum(each.fate is Fate.FAILED for each in done)
    copied = sum(each.fate in {Fate.COPIED, Fate.RENAMED} for each in done)
    console.say(
        "done",
        f"Sessions merged into {args.into}: {copied}; there already: {len(done) - copied - failed}; "
        f"failed: {failed}.",
        copied=copied,
        failed=failed,
        sessions=len(done),
    )
    return 1 if failed else 0


def _megabytes(console: Console, name: str) -> Progress:
    def show(done: int, total: int) -> bool:
        console.progress(f"MB of {name}", done=done // MEGA, total=total // MEGA)
        return True

    return show


def _add_export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("session", type=Path, help="a session")
    parser.add_argument(
        "--format",
        choices=tuple(BY_NAME),
        default="frames",
        help="; ".join(f"{each.name}: {each.writes}" for each in EXPORTERS).replace("%", "%%"),
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")
    names = ", ".join(each.name for each in EXPORTERS if each.chooses_depth)
    parser.add_argument(
        "--depth",
        choices=("raw", "refined"),
        default="raw",
        help=f"which depth, in formats that hold one ({names}); the others hold what there is",
    )
    parser.add_argument("--every", type=_count, default=1, metavar="N", help="of so many frames one")
    parser.add_argument(
        "--camera", action="append", default=[], metavar="ID", help="only this camera; may be given again"
    )
    parser.add_argument("--from", dest="from_s", type=float, default=0.0, metavar="S", help="seconds")
    parser.add_argument("--to", dest="to_s", type=float, metavar="S", help="seconds from the start")
    parser.add_argument(
        "--repair", action="store_true", help="repair now with the chosen model instead of what was recorded"
    )
    add_model_flags(parser)


def _export(args: Namespace, console: Console) -> int:
    def progress(done: int, total: int) -> bool:
        console.progress("frames", done=done, total=total)
        return True

    options = ExportOptions(args.depth, args.every, tuple(args.camera), args.from_s, args.to_s)
    session = Session(args.session)
    repair = _repairer(args) if args.repair else None
    done = export(session, BY_NAME[args.format], args.out, options=options, progress=progress, repair=repair)
    left_out = f" {done.left_out} frames without refined depth are left out." if done.left_out else ""
    console.say(
        "done",
        f"{done.frames} frames are in {args.out}; {done.fresh} of them are new.{left_out}",
        frames=done.frames,
        fresh=done.fresh,
        left_out=done.left_out,
        out=str(args.out),
    )
    return 0


def _repairer(args: Namespace) -> EngineRepairer:
    choice = engine_choice(chosen_settings(args))
    if choice.model == "off":
        raise UsageError("The model is off, so there is nothing to repair with.", hint="Add --model demo.")
    return load_repairer(choice)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


RECOVER = Verb(
    "recover", "make sessions whole that a crash left unfinished", _add_recover_arguments, _recover
)
VERIFY = Verb("verify", "tell whether sessions still are what was recorded", _add_verify_arguments, _verify)
MERGE = Verb("merge", "bring sessions of several folders together, verified", _add_merge_arguments, _merge)
COPY = Verb("copy", "copy sessions to another disk, read them back and compare", _add_copy_arguments, _copy)
EXPORT = Verb("export", "write a session in the formats of other programs", _add_export_arguments, _export)
