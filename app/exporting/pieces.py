"""Work that is done piece by piece, so that what was stopped goes on where it ended."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.exporting.record import Row, row
from app.exporting.source import Shot, Source, Spot
from drivers.session.verify import Cancelled, Progress

PART_PREFIX = ".part-"

Read = Callable[[Spot], Shot]
"""Reads a frame; raises `Cancelled` when nobody wants it any more."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One file or folder of an export.

    Attributes:
        target: is there only when it is whole.
        spots: frames that it holds.
        make: writes it under the name it is given, which has the suffix of `target`.
    """

    target: Path
    spots: tuple[Spot, ...]
    make: Callable[[Path, Read], None]


def run_pieces(
    pieces: Sequence[Piece],
    source: Source,
    *,
    progress: Progress,
    made: Callable[[Sequence[Row]], None],
) -> int:
    """Make the pieces that are not there yet; returns how many frames were read.

    Args:
        pieces: in their order.
        source: of the frames.
        progress: gets frames done, those of earlier runs included, and frames in all.
        made: gets what is to be known of the frames of each piece when it is whole.

    Raises:
        Cancelled: `progress` returned false; whole pieces stay.
        SessionError: a file of the session is damaged.
        OSError: the disk does not take it.
    """
    total = sum(len(piece.spots) for piece in pieces)
    done = fresh = 0
    for piece in pieces:
        if piece.target.exists():
            done += len(piece.spots)
            _tell(progress, done, total)
            continue
        rows: list[Row] = []

        def read(spot: Spot, rows: list[Row] = rows, before: int = done) -> Shot:
            _tell(progress, before + len(rows), total)
            shot = source.read(spot)
            rows.append(row(shot))
            return shot

        make_whole(piece.target, partial(_make, piece, read))
        made(rows)
        done += len(piece.spots)
        fresh += len(piece.spots)
        _tell(progress, done, total)
    return fresh


def make_whole(target: Path, make: Callable[[Path], None]) -> None:
    """Write a file or folder so that it has its name only when it is whole.

    Raises:
        OSError: the disk does not take it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(PART_PREFIX + target.name)
    _remove(part)
    try:
        make(part)
        Path(part).replace(target)
    except BaseException:
        _remove(part)
        raise


def write_whole(target: Path, data: bytes) -> None:
    """Write a file so that it has its name only when it is whole.

    Raises:
        OSError: the disk does not take it.
    """

    def write(part: Path) -> None:
        part.write_bytes(data)

    make_whole(target, write)


def _make(piece: Piece, read: Read, part: Path) -> None:
    piece.make(part, read)


def _tell(progress: Progress, done: int, total: int) -> None:
    if not progress(done, total):
        raise Cancelled


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
