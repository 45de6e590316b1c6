"""The `evaluate` verb: how good repairs are, on frames with and without ground truth."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.errors import SessionError
from trainer.errors import DataError, TrainingError

if TYPE_CHECKING:
    from trainer.evaluate.methods import Method

METHODS = ("network", "anchored", "nearest", "telea", "membrane")
PICTURES = 12
REPORT_HTML, REPORT_JSON = "report.html", "report.json"


def build_parser() -> argparse.ArgumentParser:
    """The verb's flags."""
    from trainer.evaluate.protocol import LEVELS
    from trainer.evaluate.score import PARTS

    parser = argparse.ArgumentParser(prog="depthmend evaluate", description=__doc__)
    parser.add_argument(
        "places",
        nargs="+",
        metavar="PLACE",
        help="a folder of frame folders, a session, or KIND:FOLDER (see: dataset convert --help)",
    )
    parser.add_argument("--out", type=Path, required=True, help=f"folder for {REPORT_HTML} and {REPORT_JSON}")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="NAME|PATH",
        help="weights; may be given often to compare them (the bundled ones)",
    )
    parser.add_argument(
        "--methods", type=_list_of(METHODS), default=list(METHODS), help="comma-separated (all)"
    )
    parser.add_argument("--parts", type=_list_of(PARTS), default=list(PARTS), help="comma-separated (all)")
    parser.add_argument(
        "--levels", type=_list_of(tuple(LEVELS)), default=list(LEVELS), help="comma-separated (all)"
    )
    parser.add_argument("--per-source", type=int, default=3, help="most frames of each source (3)")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="how many answers are shown (12)")
    parser.add_argument(
        "--keep", type=int, default=0, metavar="N", help="also keep N frames and their answers as arrays (0)"
    )
    parser.add_argument("--tokens", type=int, default=0, help="of the network; 0 lets it decide")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each event")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    from model.errors import WeightsError

    try:
        _evaluate(arguments)
    except (TrainingError, SessionError, WeightsError) as error:
        _say(arguments, event="failed", message=error.args[0], hint=error.hint)
        return 1
    except (OSError, ValueError) as error:
        _say(
            arguments,
            event="failed",
            message=f"The evaluation ended: {error}.",
            hint="Change that and try again.",
        )
        return 1
    return 0


def _evaluate(arguments: argparse.Namespace) -> None:
    from trainer.evaluate.frames import TestFrame, frames_of
    from trainer.evaluate.kept import Keeper
    from trainer.evaluate.pictures import strip
    from trainer.evaluate.report import Picture, as_json, page
    from trainer.evaluate.score import Answer, score

    methods = _methods(arguments)
    pictures: list[Picture] = []
    pictured: set[tuple[str, str]] = set()
    keeper = Keeper(arguments.out, arguments.keep)
    count = 0

    def told() -> Iterator[TestFrame]:
        nonlocal count
        places = (frames_of(place, per_source=arguments.per_source) for place in arguments.places)
        for frame in chain.from_iterable(places):
            count += 1
            _say(arguments, event="frame", message=f"frame {count}: {frame.key}")
            yield frame

    def seen(answer: Answer) -> None:
        level = answer.asked.level
        keeper.add(answer)
        wanted = level in {"", arguments.levels[len(arguments.levels) // 2]}
        key = (answer.frame.source, answer.asked.part)
        if wanted and key not in pictured and len(pictures) < arguments.pictures:
            pictured.add(key)
            heading = f"{answer.frame.key}: {answer.asked.part} {level}".rstrip()
            pictures.append((heading, strip(answer)))

    scores = score(told(), methods, parts=arguments.parts, levels=arguments.levels, seen=seen)
    if not scores.rows:
        raise DataError(
            "Nothing could be scored: no frame has enough depth, or ground truth.",
            hint="Give other frames, or --parts hidden for frames without ground truth.",
        )
    arguments.out.mkdir(parents=True, exist_ok=True)
    keeper.close()
    names = ", ".join(arguments.model) or "the bundled weights"
    facts = f"{count} frames of {', '.join(arguments.places)}; {names}."
    html = page(scores, pictures, title="Evaluation of depth repair", facts=facts)
    (arguments.out / REPORT_HTML).write_text(html, encoding="utf-8")
    about = {
        "places": arguments.places,
        "models": arguments.model,
        "frames": count,
        "tokens": arguments.tokens,
        "levels": arguments.levels,
        "per_source": arguments.per_source,
    }
    (arguments.out / REPORT_JSON).write_text(as_json(scores, about), encoding="utf-8")
    for (part, level, kind), found in scores.table().items():
        if kind == "all":
            words = ", ".join(
                f"{name} {errors.rmse_m:.3f}/{errors.rel:.4f}" for name, errors in found.items()
            )
            _say(arguments, event="score", message=f"{part} {level} RMSE m/REL: {words}")
    _say(arguments, event="done", message=f"{arguments.out / REPORT_HTML} and {arguments.out / REPORT_JSON}")


def _methods(arguments: argparse.Namespace) -> "dict[str, Method]":
    from model.spec import DEMO, find
    from trainer.evaluate.methods import CLASSICAL, networks

    out: dict[str, Method] = {}
    wanted = [name for name in arguments.methods if name in {"network", "anchored"}]
    for name in (arguments.model or [DEMO.name]) if wanted else []:
        spec = find(name)
        if spec.weights is None:
            raise DataError(
                f"{name!r} has no weights.", hint="Name weights, or leave the network out with --methods."
            )
        both = networks(spec.weights, device=arguments.device, tokens=arguments.tokens)
        suffix = f" {spec.weights.parent.name}/{spec.weights.stem}" if len(arguments.model) > 1 else ""
        out |= {f"{method}{suffix}": both[method] for method in wanted}
    return out | {name: CLASSICAL[name] for name in arguments.methods if name in CLASSICAL}


def _list_of(allowed: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        chosen = [word for word in text.split(",") if word]
        unknown = [word for word in chosen if word not in allowed]
        if unknown or not chosen:
            raise argparse.ArgumentTypeError(f"{text!r}: choose from {', '.join(allowed)}")
        return chosen

    return parse


def _say(arguments: argparse.Namespace, **event: str) -> None:
    words = " ".join(event[part] for part in ("message", "hint") if part in event)
    print(json.dumps(event) if arguments.json else words, flush=True)  # noqa: T201 - this is the verb's output
