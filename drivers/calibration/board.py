"""The ChArUco board that is held before the cameras: its measures, its corners, and how it is printed."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.errors import CalibrationError

POINTS_PER_M = 72 / 0.0254
RULER_MM = 100
PNG_DPI = 300
DICTIONARIES = (
    "DICT_4X4_100",
    "DICT_4X4_250",
    "DICT_5X5_100",
    "DICT_5X5_250",
    "DICT_6X6_250",
    "DICT_APRILTAG_36h11",
)


@dataclass(frozen=True)
class Board:
    """A chessboard whose white squares hold numbered markers.

    Its own axes: the origin is the outer corner of the top-left square, +X runs along the top edge, +Y down,
    +Z into the board.

    Attributes:
        name: what the operator chose, such as "a4".
        columns: squares across.
        rows: squares down.
        square_m: side of a square, as measured on the print.
        marker_share: side of a marker, in sides of a square.
        dictionary: of the markers, OpenCV's name.
        paper_m: (width, height) of the sheet.
    """

    name: str
    columns: int
    rows: int
    square_m: float
    marker_share: float = 6 / 8
    dictionary: str = "DICT_4X4_100"
    paper_m: tuple[float, float] = (0.297, 0.210)

    @property
    def corners(self) -> int:
        """Inner corners that can be found."""
        return (self.columns - 1) * (self.rows - 1)

    @property
    def size_m(self) -> tuple[float, float]:
        """(width, height) of the pattern."""
        return self.columns * self.square_m, self.rows * self.square_m

    @property
    def words(self) -> str:
        """Its measures, for people."""
        return f"{self.columns} x {self.rows} squares of {self.square_m * 1e3:.2f} mm, {self.dictionary}"

    def points(self, ids: NDArray[np.int32]) -> NDArray[np.float64]:
        """(N, 3) metres of the corners with these numbers, in the board's axes."""
        rows, columns = np.divmod(ids.astype(np.int64), self.columns - 1)
        flat = np.stack([columns + 1, rows + 1, np.zeros_like(rows)], axis=1)
        return np.asarray(flat * self.square_m, np.float64)

    def measured(self, square_mm: float) -> "Board":
        """The same board with squares as a ruler says."""
        return replace(self, square_m=square_mm / 1e3)


BOARDS: dict[str, Board] = {
    board.name: board
    for board in (
        Board("a4", 9, 6, 0.030, paper_m=(0.297, 0.210)),
        Board("a3", 11, 8, 0.034, paper_m=(0.420, 0.297)),
        Board("a1", 12, 9, 0.060, paper_m=(0.841, 0.594)),
    )
}
"""What the program prints. Larger boards reach farther: a square should be 12 pixels wide or more. The
markers are the coarsest that there are, which are read from farthest away."""


def parse_board(text: str, *, square_mm: float | None = None) -> Board:
    """A board by its name, or "COLUMNSxROWS" with "SQUARE/MARKER" in millimetres and a dictionary.

    Args:
        text: "a4", or for a board of another make "9x6:30/22:DICT_5X5_100".
        square_mm: side of a square as measured; None for the nominal one.

    Raises:
        CalibrationError: there is no such board.
    """
    board = BOARDS.get(text.lower())
    if board is None:
        made = re.fullmatch(r"(\d+)x(\d+):([\d.]+)/([\d.]+):(\w+)", text)
        if made is None or made[5] not in DICTIONARIES:
            names = ", ".join(BOARDS)
            raise CalibrationError(
                f"There is no board {text!r}.",
                hint=f"Give {names}, or 9x6:30/22:DICT_5X5_100 (squares, millimetres, dictionary; "
                f"one of {', '.join(DICTIONARIES)}).",
            )
        columns, rows = int(made[1]), int(made[2])
        square, marker = float(made[3]), float(made[4])
        if min(columns, rows) < 3 or not 0 < marker < square:
            raise CalibrationError(
                f"A board {text!r} cannot be.", hint="Three squares each way or more, markers inside them."
            )
        board = Board(text, columns, rows, square / 1e3, marker / square, made[5])
    return board if square_mm is None else board.measured(square_mm)


@lru_cache(maxsize=16)
def pattern(board: Board) -> cv2.aruco.CharucoBoard:
    """The board as OpenCV knows it."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, board.dictionary))
    size = (board.columns, board.rows)
    return cv2.aruco.CharucoBoard(size, board.square_m, board.square_m * board.marker_share, dictionary)


def picture(board: Board, px_per_square: int) -> NDArray[np.uint8]:
    """(rows * px, columns * px) uint8 of the pattern alone, without a margin."""
    size = (board.columns * px_per_square, board.rows * px_per_square)
    return np.asarray(pattern(board).generateImage(size, marginSize=0, borderBits=1), np.uint8)


def save_board(board: Board, path: Path) -> None:
    """Write the board at true scale, with its measures and a ruler on it, as .pdf or .png.

    Raises:
        CalibrationError: another kind of file is asked for, or the sheet is too small for the board.
        OSError: it cannot be written.
    """
    width_m, height_m = board.size_m
    if width_m > board.paper_m[0] - 0.01 or height_m > board.paper_m[1] - 0.02:
        raise CalibrationError(
            f"A board of {width_m * 1e3:.0f} x {height_m * 1e3:.0f} mm does not fit its sheet.",
            hint="Choose a smaller square, or a larger board type.",
        )
    if path.suffix.lower() == ".pdf":
        data = _pdf(board)
    elif path.suffix.lower() == ".png":
        data = _png(board)
    else:
        raise CalibrationError(
            f"A board is not written as {path.suffix or 'that'}.", hint="Give .pdf or .png."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _sheet_words(board: Board) -> str:
    measured = f"{board.square_m * 1e3:.1f}"
    return (
        f"DepthMend {board.name}: {board.columns} x {board.rows} squares of {measured} mm, "
        f"{board.dictionary}. Print at 100 %, glue it on a flat plate, measure a square."
    )


def _blocks(board: Board) -> Iterator[tuple[float, float, float, float, bool]]:
    """(x, y, width, height, black) metres from the pattern's top-left corner, in the order of painting."""
    side = board.square_m
    for row in range(board.rows):
        for column in range(row % 2, board.columns, 2):
            yield column * side, row * side, side, side, True
    known = pattern(board)
    dictionary = known.getDictionary()
    modules = dictionary.markerSize + 2
    for number, corners in zip(np.asarray(known.getIds()).ravel(), known.getObjPoints(), strict=True):
        x, y = float(corners[0][0]), float(corners[0][1])
        marker = side * board.marker_share
        module = marker / modules
        yield x, y, marker, marker, True
        bits = cv2.aruco.generateImageMarker(dictionary, int(number), modules, None, 1)
        for i, line in enumerate(np.asarray(bits)):
            white = np.flatnonzero(np.diff(np.concatenate([[0], line > 127, [0]]).astype(np.int8)))
            for begin, end in zip(white[::2], white[1::2], strict=True):
                yield x + begin * module, y + i * module, (end - begin) * module, module, False


def _pdf(board: Board) -> bytes:
    """One page; rectangles only, so that no printer driver resamples an edge."""
    width, height = (side * POINTS_PER_M for side in board.paper_m)
    left = (width - board.size_m[0] * POINTS_PER_M) / 2
    top = height - (height - board.size_m[1] * POINTS_PER_M) / 2
    lines = []
    for x, y, w, h, black in _blocks(board):
        x, y, w, h = (value * POINTS_PER_M for value in (x, y, w, h))
        lines.append(f"{0 if black else 1} g {left + x:.4f} {top - y - h:.4f} {w:.4f} {h:.4f} re f")
    ruler = RULER_MM / 1e3 * POINTS_PER_M
    base = 14.0
    lines.append(f"0 g {left:.4f} {base:.4f} {ruler:.4f} 0.7 re f")
    for mm in range(0, RULER_MM + 1, 10):
        lines.append(f"{left + mm / 1e3 * POINTS_PER_M - 0.25:.4f} {base:.4f} 0.5 5 re f")
    words = f"this line: {RULER_MM} mm.  {_sheet_words(board)}"
    lines.append(f"BT /F1 7 Tf {left + ruler + 6:.2f} {base:.2f} Td ({words}) Tj ET")
    content = "\n".join(lines).encode("ascii")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.4f %.4f] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>" % (width, height),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, table)
    return bytes(out)


def _png(board: Board) -> bytes:
    """300 dots per inch, which the file says, so that it prints at true scale."""
    px_per_m = PNG_DPI / 0.0254
    width, height = (round(side * px_per_m) for side in board.paper_m)
    sheet = np.full((height, width), 255, np.uint8)
    left = (board.paper_m[0] - board.size_m[0]) / 2
    top = (board.paper_m[1] - board.size_m[1]) / 2
    for x, y, w, h, black in _blocks(board):
        rows = slice(round((top + y) * px_per_m), round((top + y + h) * px_per_m))
        columns = slice(round((left + x) * px_per_m), round((left + x + w) * px_per_m))
        sheet[rows, columns] = 0 if black else 255
    base = height - round(0.006 * px_per_m)
    start, end = round(left * px_per_m), round((left + RULER_MM / 1e3) * px_per_m)
    sheet[base : base + 3, start:end] = 0
    words = f"this line: {RULER_MM} mm.  {_sheet_words(board)}"
    cv2.putText(sheet, words, (end + 30, base + 8), cv2.FONT_HERSHEY_SIMPLEX, 0.62, (0,), 1, cv2.LINE_AA)
    data = bytes(cv2.imencode(".png", sheet)[1])
    chunk = b"pHYs" + struct.pack(">IIB", round(px_per_m), round(px_per_m), 1)
    # 8 bytes of signature and 25 of the first chunk; the resolution must stand before the pixels.
    return data[:33] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]
