"""The `dataset` verb: data sets are recognised and become shards, shards get an index and are checked."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING

from trainer.errors import TrainingError

if TYPE_CHECKING:
    from trainer.data.stored import StoredSample

SHARD_SAMPLES = 500
STANDARD_INPUT = "-"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb and return its exit status."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        told = arguments.run(arguments)
    except TrainingError as error:
        _say({"event": "failed", "message": error.args[0], "hint": error.hint}, arguments.json)
        return 1
    except OSError as error:
        hint = "Make room on the disk or choose another folder."
        _say(
            {"event": "failed", "message": f"The shards cannot be written: {error}.", "hint": hint},
            arguments.json,
        )
        return 1
    _say({"event": "done", "message": told}, arguments.json)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The verb's flags."""
    from trainer.data.kinds import KINDS

    parser = argparse.ArgumentParser(prog="depthmend dataset", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object for each event")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    convert = actions.add_parser("convert", help="write a data set as shards")
    convert.add_argument("kind", choices=[kind for kind in KINDS if kind != "shards"])
    convert.add_argument(
        "path", help="its folder; for mdm_depth also a .tar.zst, or - for one on standard input (a download)"
    )
    convert.add_argument("--out", type=Path, required=True, help="folder of the shards")
    convert.add_argument("--first", type=int, metavar="N", help="only the first N samples")
    convert.add_argument("--shard-samples", type=int, default=SHARD_SAMPLES, help="samples in each shard")
    convert.set_defaults(run=_convert)
    index = actions.add_parser("index", help="write the indexes of tar files in WebDataset layout")
    index.add_argument("path", type=Path)
    index.set_defaults(run=_index)
    check = actions.add_parser("check", help="read every sample of a folder of shards")
    check.add_argument("path", type=Path)
    check.set_defaults(run=_check)
    look = actions.add_parser("look", help="say which data set a folder holds, and how many samples")
    look.add_argument("path", type=Path)
    look.set_defaults(run=_look)
    return parser


def _look(arguments: argparse.Namespace) -> str:
    from trainer.data.kinds import KINDS
    from trainer.data.recognise import look

    found = look(arguments.path.absolute())
    kind = KINDS[found.kind]
    event: dict[str, object] = {
        "event": "found",
        "kind": found.kind,
        "title": kind.title,
        "licence": kind.licence,
        "folder": str(found.folder),
        "samples": found.samples,
        "scenes": found.scenes,
    }
    _say(event | {"message": f"{kind.title} in {found.folder}"}, arguments.json)
    return f"{found.samples} samples in {found.scenes} scenes; licence: {kind.licence}"


def _convert(arguments: argparse.Namespace) -> str:
    from trainer.data.shard_index import TAR
    from trainer.data.shard_writer import ShardWriter, shard_path

    if any(arguments.out.glob(f"*{TAR}")):
        raise TrainingError(f"There are shards in {arguments.out} already.", hint="Choose another folder.")
    written = number = 0
    with ExitStack() as opened:
        samples = enumerate(_samples(arguments, opened))
        more = next(samples, None)
        while more is not None:
            with ShardWriter(shard_path(arguments.out, number)) as writer:
                while more is not None and writer.count < arguments.shard_samples:
                    place, sample = more
                    writer.add(f"{place:09}", sample)
                    more = next(samples, None)
                written += writer.count
            number += 1
            _say({"event": "shard", "message": f"{written} samples in {number} shards"}, arguments.json)
    return f"{written} samples in {number} shards in {arguments.out}"


def _samples(arguments: argparse.Namespace, opened: ExitStack) -> "Iterator[StoredSample]":
    from trainer.data.datasets.mdm_depth import triplets
    from trainer.data.kinds import KINDS
    from trainer.data.stored import stored

    if arguments.kind == "mdm_depth" and not Path(arguments.path).is_dir():
        return triplets(_archive(arguments.path, opened), first=arguments.first)
    dataset = KINDS[arguments.kind].open(Path(arguments.path))
    count = len(dataset) if arguments.first is None else min(arguments.first, len(dataset))
    return (
        stored(dataset.read(number), source=arguments.kind, scene=dataset.scene(number))
        for number in range(count)
    )


def _archive(path: str, opened: ExitStack) -> IO[bytes]:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer
    try:
        return opened.enter_context(Path(path).open("rb"))
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror}.", hint="Check the path.") from error


def _index(arguments: argparse.Namespace) -> str:
    from trainer.data.shard_index import TAR, scan, write_index

    shards = sorted(arguments.path.glob(f"*{TAR}"))
    if not shards:
        raise TrainingError(
            f"There is no tar file in {arguments.path}.", hint="Give the folder of the shards."
        )
    total = 0
    for shard in shards:
        places = scan(shard)
        write_index(shard, places)
        total += len(places)
    return f"{total} samples in {len(shards)} shards"


def _check(arguments: argparse.Namespace) -> str:
    from trainer.data.shards import Shards
    from trainer.errors import DataError

    shards = Shards(arguments.path)
    bad = 0
    for number in range(len(shards)):
        try:
            shards.stored(number)
        except DataError as error:
            bad += 1
            _say({"event": "damaged", "message": error.args[0]}, arguments.json)
    if bad:
        raise TrainingError(
            f"{bad} of {len(shards)} samples are damaged.", hint="Make or fetch their shards again."
        )
    return f"{len(shards)} samples, all whole"


def _say(event: dict[str, object], as_json: bool) -> None:
    words = " ".join(str(event[part]) for part in ("message", "hint") if part in event)
    print(json.dumps(event) if as_json else words, flush=True)  # noqa: T201 - this is the verb's output
