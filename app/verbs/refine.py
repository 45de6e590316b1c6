"""refine: repairs stored frames and writes results, pictures and point clouds."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from app.console import Console
from app.messages import UsageError, message
from app.refining import UNREADABLE, StoredFrame, repair_frame, stored_frames, write_repair
from app.verbs.verb import Verb, add_anchor_flag, add_model_flags, chosen_settings, engine_choice
from model.repair import Provenance, Repair


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "input", type=Path, help="a frame folder, a folder of frame folders at any depth, or a session"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    add_model_flags(parser)
    parser.add_argument("--mono", action="store_true", help="show the network the colour image only")
    add_anchor_flag(parser)


def _run(args: Namespace, console: Console) -> int:
    choice = engine_choice(chosen_settings(args), monocular=args.mono)
    if choice.model == "off":
        raise UsageError("The model is off, so there is nothing to repair with.", hint="Add --model demo.")
    if args.out.resolve() == args.input.resolve():
        raise UsageError("The results would overwrite the input.", hint="Choose another folder with --out.")
    waiting = stored_frames(args.input)
    from model.engine import build  # torch takes seconds to import

    engine = build(choice)
    began_s = time.perf_counter()
    failed = 0
    for done, frame in enumerate(waiting, 1):
        try:
            stored = frame.read()
        except UNREADABLE as error:
            console.failed(message(error))
            failed += 1
            continue
        started_s = time.perf_counter()
        repair = repair_frame(engine, stored)
        took_ms = (time.perf_counter() - started_s) * 1000
        write_repair(args.out / frame.name, stored, repair, title=engine.label)
        console.progress(f"{frame.name}  {took_ms:.0f} ms", done=done, total=len(waiting))
        console.detail("frame", name=str(frame.name), took_ms=round(took_ms, 1), **_shares(stored, repair))
    count = len(waiting) - failed
    elapsed_s = time.perf_counter() - began_s
    console.say(
        "done",
        f"{count} of {len(waiting)} frames repaired with {engine.label} in {elapsed_s:.1f} s; "
        f"results and pictures are in {args.out}",
        frames=count,
        failed=failed,
        engine=engine.label,
        out=str(args.out),
    )
    return 1 if failed else 0


def _shares(frame: StoredFrame, repair: Repair) -> dict[str, float]:
    """Shares of the image, 0 to 1."""
    shares = {kind.name.lower(): float(np.mean(repair.provenance == kind)) for kind in Provenance}
    return {"holes": round(float(np.mean(frame.counts == 0)), 4)} | {
        name: round(share, 4) for name, share in shares.items()
    }


REFINE = Verb("refine", "repair stored frames", _add_arguments, _run)
