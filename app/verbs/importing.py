"""import: makes sessions of what other programs recorded."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from app import settings
from app.console import Console
from app.importing import import_recording
from app.messages import UsageError, expected, message
from app.verbs.verb import Verb
from drivers.imports.table import IMPORTERS


def _add_arguments(parser: ArgumentParser) -> None:
    formats = "; ".join(f"{importer.name}: {importer.files}" for importer in IMPORTERS)
    parser.add_argument("path", type=Path, nargs="+", help=formats)
    parser.add_argument(
        "--into", type=Path, metavar="LIBRARY", help="the sessions folder; that of the settings if absent"
    )
    parser.add_argument("--out", type=Path, metavar="SESSION", help="the session's own folder, for one path")
    parser.add_argument("--site", default="", help="where it was recorded")
    parser.add_argument("--scene", default="", help="category")
    parser.add_argument(
        "--jpeg", action="store_true", help="colour and infrared as JPEG instead of without loss: smaller"
    )


def _run(args: Namespace, console: Console) -> int:
    if args.out is not None and len(args.path) > 1:
        raise UsageError("One folder cannot hold several sessions.", hint="Give --into instead of --out.")
    library = args.into or settings.load().sessions_folder
    failed = 0
    for path in args.path:

        def progress(done: int, total: int, name: str = path.name) -> bool:
            console.progress(f"frames of {name}", done=done, total=total)
            return True

        try:
            done = import_recording(
                path,
                library if args.out is None else args.out.parent,
                progress=progress,
                session=args.out,
                exact=not args.jpeg,
                site=args.site,
                scene=args.scene,
            )
        except expected() as error:
            console.failed(message(error))
            failed += 1
            continue
        frames = sum(done.frames.values())
        console.say(
            "imported",
            f"{path} is a session now: {done.folder}, {frames} frames. {' '.join(done.notes)}".strip(),
            path=str(path),
            session=str(done.folder),
            frames=frames,
            cameras=dict(done.frames),
            notes=list(done.notes),
        )
    console.say(
        "done",
        f"Imported: {len(args.path) - failed}; failed: {failed}.",
        imported=len(args.path) - failed,
        failed=failed,
    )
    return 1 if failed else 0


IMPORT = Verb("import", "make sessions of what other programs recorded", _add_arguments, _run)
