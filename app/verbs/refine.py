"""refine: repairs stored frames and writes results, pictures and point clouds."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.console import Console
from app.flow.attention import AttentionError, load_look
from app.images import write_image
from app.messages import UsageError, message
from app.pictures import attention_picture
from app.refining import UNREADABLE, StoredFrame, repair_frame, stored_frames, write_repair
from app.verbs.verb import Verb, add_anchor_flag, add_model_flags, chosen_settings, engine_choice
from model.repair import Provenance, Repair
from model.spec import EngineChoice

Look = Callable[[StoredFrame], NDArray[np.float32] | None]
"""(R, C) attention in a frame; None where nothing is measured at the asked place."""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "input",
        type=Path,
        help="a frame folder, a folder of frame folders at any depth, or a session; depth may be a few "
        "hundred points, or coarser than colour",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    add_model_flags(parser)
    parser.add_argument("--mono", action="store_true", help="show the network the colour image only")
    add_anchor_flag(parser)
    parser.add_argument(
        "--attention",
        type=_place,
        metavar="X,Y",
        help="also write attention.png: what the depth token at that pixel looks at in the colour image",
    )
    parser.add_argument(
        "--layer",
        type=int,
        default=-1,
        help="transformer block for --attention, from 0, or from -1 backwards",
    )


def _run(args: Namespace, console: Console) -> int:
    choice = engine_choice(chosen_settings(args), monocular=args.mono)
    if choice.model == "off":
        raise UsageError("The model is off, so there is nothing to repair with.", hint="Add --model demo.")
    if args.out.resolve() == args.input.resolve():
        raise UsageError("The results would overwrite the input.", hint="Choose another folder with --out.")
    waiting = stored_frames(args.input)
    from model.engine import build  # torch takes seconds to import

    engine = build(choice)
    look = _look(choice, args.attention, args.layer) if args.attention else None
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
        if look:
            attention = look(stored)
            if attention is None:
                console.failed(message(_nothing_measured(frame.name, args.attention)))
                failed += 1
                continue
            picture = attention_picture(stored.color, attention, args.attention)
            write_image(args.out / frame.name / "attention.png", picture)
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


def _place(text: str) -> tuple[int, int]:
    x, y = text.split(",")
    return int(x), int(y)


def _look(choice: EngineChoice, at: tuple[int, int], layer: int) -> Look:
    """Reads the network's attention at one place of every frame."""
    if choice.monocular:
        raise UsageError("With --mono the network sees no depth token.", hint="Leave out --mono.")
    try:
        seen = load_look(choice, layer)
    except AttentionError as error:
        raise UsageError(str(error), hint=error.hint) from error

    def look(frame: StoredFrame) -> NDArray[np.float32] | None:
        height, width = frame.counts.shape
        if not (0 <= at[0] < width and 0 <= at[1] < height):
            raise UsageError(
                f"{at[0]},{at[1]} is outside of {frame.name}.",
                hint=f"The image has {width} x {height} pixels.",
            )
        return seen(frame.color, frame.measured_m, at)

    return look


def _nothing_measured(name: Path, at: tuple[int, int]) -> UsageError:
    return UsageError(
        f"Nothing is measured around {at[0]},{at[1]} of {name}, so the network has no depth token there.",
        hint="Choose a place with depth.",
    )


def _shares(frame: StoredFrame, repair: Repair) -> dict[str, float]:
    """Shares of the image, 0 to 1."""
    shares = {kind.name.lower(): float(np.mean(repair.provenance == kind)) for kind in Provenance}
    return {"holes": round(float(np.mean(frame.counts == 0)), 4)} | {
        name: round(share, 4) for name, share in shares.items()
    }


REFINE = Verb("refine", "repair stored frames", _add_arguments, _run)
