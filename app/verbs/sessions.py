"""recover, verify, copy, merge and export: what can be done with sessions without a window."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from app.console import Console
from app.exporting import export_frames
from app.messages import Message, message
from app.verbs.verb import Verb
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
            report = recover(path)
        except SessionError as error:
            console.failed(message(error))
            failed += 1
            continue
        frames = sum((report.frames or {}).values())
        console.say(
            "recovered" if report.needed else "whole",
            f"{path} is whole: {frames} frames, about {report.lost_estimate_s:.1f} s lost."
            if report.needed
            else f"{path} was whole already: {frames} frames.",
            session=str(path),
            frames=frames,
            lost_estimate_s=report.lost_estimate_s,
            salvaged_messages=report.salvaged_messages,
            damaged_chunks=report.damaged_chunks,
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
        choices=["frames"],
        default="frames",
        help="frames: a folder for each frame, in the layout that refine reads",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files go")


def _export(args: Namespace, console: Console) -> int:
    def wrote(done: int, total: int, folder: Path) -> None:
        console.progress(str(folder.relative_to(args.out)), done=done, total=total)

    count = export_frames(Session(args.session), args.out, wrote=wrote)
    console.say("done", f"{count} frames are in {args.out}", frames=count, out=str(args.out))
    return 0


RECOVER = Verb(
    "recover", "make sessions whole that a crash left unfinished", _add_recover_arguments, _recover
)
VERIFY = Verb("verify", "tell whether sessions still are what was recorded", _add_verify_arguments, _verify)
MERGE = Verb("merge", "bring sessions of several folders together, verified", _add_merge_arguments, _merge)
COPY = Verb("copy", "copy sessions to another disk, read them back and compare", _add_copy_arguments, _copy)
EXPORT = Verb("export", "write a session's frames as ordinary files", _add_export_arguments, _export)
