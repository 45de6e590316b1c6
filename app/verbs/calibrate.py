"""board and calibrate: a printed board, and the places of cameras from recordings, without a window."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from app import paths
from app.calibrating import Placed, rig_calibration, solution_lines
from app.console import Console
from app.messages import UsageError
from app.verbs.verb import Verb, positive
from drivers.calibration.board import BOARDS, parse_board, save_board
from drivers.calibration.factory import judge, square_note
from drivers.calibration.gather import from_folder, from_session
from drivers.calibration.rig import save
from drivers.calibration.solve import solve
from drivers.session.library import is_session
from drivers.session.manifest import write_model


def _add_board_flags(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--board",
        default="a4",
        metavar="B",
        help=f"{', '.join(BOARDS)}, or of another make 9x6:30/22:DICT_5X5_100 (squares:mm/mm of a marker)",
    )
    parser.add_argument(
        "--square-mm", type=positive, metavar="MM", help="side of a square, as measured with a ruler"
    )


def _add_print_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .pdf or .png to write")
    _add_board_flags(parser)


def _print(args: Namespace, console: Console) -> int:
    board = parse_board(args.board, square_mm=args.square_mm)
    if args.out.exists():
        raise UsageError(f"{args.out} is there already.", hint="Give a file that does not exist.")
    save_board(board, args.out)
    console.say(
        "board",
        f"{args.out}: {board.words}. Print it at 100 %, glue it on a flat plate, and measure a square.",
        file=str(args.out),
        columns=board.columns,
        rows=board.rows,
        square_mm=board.square_m * 1e3,
        dictionary=board.dictionary,
    )
    return 0


def _add_calibrate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "source", type=Path, help="a session, or a folder with a calibration.json and pictures of each camera"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the .json to write; without it, this computer keeps it for the rig of these cameras",
    )
    _add_board_flags(parser)


def _calibrate(args: Namespace, console: Console) -> int:
    board = parse_board(args.board, square_mm=args.square_mm)
    if args.out is not None and args.out.exists():
        raise UsageError(f"{args.out} is there already.", hint="Give a file that does not exist.")

    def tell(words: str) -> None:
        console.say("progress", words)

    gather = from_session if is_session(args.source) else from_folder
    found = gather(args.source, board, tell)
    refused = ", ".join(f"{count} {why}" for why, count in sorted(found.refused.items())) or "none"
    console.say(
        "found",
        f"{len(found.views)} boards; pictures that could not be used: {refused}.",
        boards=len(found.views),
        refused=found.refused,
    )
    solution = solve(found.views, found.cameras, board)
    findings = {name: judge(samples) for name, samples in found.samples.items()}
    placed = Placed(solution, findings, square_note(list(findings.values()), board))
    for line in solution_lines(placed, found.names):
        console.say("placed", line)
    for view, name, why in solution.left_out:
        console.say("left out", f"Board {view + 1} of {found.names[name]} was left out: {why}.")
    for name, finding in findings.items():
        console.say("factory", f"{found.names[name]}: {finding.words}", camera=name, good=finding.good)
    if placed.square:
        console.say("square", placed.square)
    calibration = rig_calibration(placed, found.serials, found.names, board)
    if args.out is None:
        written = save(paths.calibrations_folder(), calibration)
    else:
        written = args.out
        written.parent.mkdir(parents=True, exist_ok=True)
        write_model(written, calibration)
    console.say("calibration", f"Written to {written}.", file=str(written), **calibration.model_dump())
    return 0


BOARD = Verb("board", "write a calibration board to be printed", _add_print_arguments, _print)
CALIBRATE = Verb(
    "calibrate",
    "place the cameras of a rig from a recording or pictures",
    _add_calibrate_arguments,
    _calibrate,
)
