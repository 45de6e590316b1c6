import re

import cv2
import numpy as np
import pytest

from drivers.calibration.board import BOARDS, POINTS_PER_M, parse_board, save_board
from drivers.calibration.detect import Sighting, look_for
from drivers.errors import CalibrationError
from drivers.geometry import Intrinsics

LENS = Intrinsics(100, 100, 100, 100, 50, 50)


def drawn(path, px_per_m):
    """The page of a PDF as pixels, from its rectangles."""
    data = path.read_bytes().decode("latin-1")
    width, height = map(float, re.search(r"MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data).groups())
    scale = px_per_m / POINTS_PER_M
    page = np.full((round(height * scale), round(width * scale)), 255, np.uint8)
    for grey, *box in re.findall(r"^(?:([01]) g )?([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re f", data, re.M):
        x, y, w, h = (float(value) * scale for value in box)
        top = page.shape[0] - y - h
        ink = 255 if grey == "1" else 0
        page[round(top) : round(top + h), round(x) : round(x + w)] = ink
    return page


@pytest.mark.parametrize("name", list(BOARDS))
def test_a_printed_board_has_the_size_that_it_says(tmp_path, name):
    board, px_per_m = BOARDS[name], 3000
    save_board(board, tmp_path / "board.pdf")
    page = drawn(tmp_path / "board.pdf", px_per_m)
    assert page.shape == pytest.approx(np.array(board.paper_m[::-1]) * px_per_m, abs=1)
    found = look_for(page, board, LENS)
    assert isinstance(found, Sighting)
    assert len(found.ids) == board.corners
    on_paper, nominal = found.pixels / px_per_m, board.points(found.ids)[:, :2]
    measured = (on_paper - on_paper.mean(axis=0)) - (nominal - nominal.mean(axis=0))
    assert np.abs(measured).max() < 0.5e-3


def test_the_png_is_the_same_board_and_says_its_resolution(tmp_path):
    board = BOARDS["a4"]
    save_board(board, tmp_path / "board.png")
    data = (tmp_path / "board.png").read_bytes()
    at = data.index(b"pHYs") + 4
    assert int.from_bytes(data[at : at + 4], "big") == round(300 / 0.0254)
    sheet = cv2.imread(str(tmp_path / "board.png"), cv2.IMREAD_GRAYSCALE)
    found = look_for(cv2.resize(sheet, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), board, LENS)
    assert isinstance(found, Sighting)
    steps = np.diff(found.pixels[found.ids < board.columns - 1, 0]) * 4 / (300 / 0.0254)
    assert steps == pytest.approx(board.square_m, abs=0.1e-3)


def test_the_sheet_says_its_measures_and_carries_a_ruler(tmp_path):
    save_board(BOARDS["a4"], tmp_path / "board.pdf")
    assert b"9 x 6 squares of 30.0 mm" in (tmp_path / "board.pdf").read_bytes()
    assert b"this line: 100 mm" in (tmp_path / "board.pdf").read_bytes()


def test_boards_of_another_make_are_described_in_a_word():
    board = parse_board("7x5:40/30:DICT_6X6_250", square_mm=39.5)
    assert (board.columns, board.rows, board.square_m) == (7, 5, 0.0395)
    assert board.marker_share == pytest.approx(0.75)


@pytest.mark.parametrize(
    "text", ["b5", "9x6:30/31:DICT_4X4_100", "9x6:30/22:DICT_7", "2x2:30/20:DICT_4X4_100"]
)
def test_a_board_that_cannot_be_is_refused_with_what_can(text):
    with pytest.raises(CalibrationError) as raised:
        parse_board(text)
    assert raised.value.hint


def test_a_board_larger_than_its_sheet_is_refused(tmp_path):
    with pytest.raises(CalibrationError, match="does not fit its sheet"):
        save_board(BOARDS["a4"].measured(40), tmp_path / "board.pdf")
    with pytest.raises(CalibrationError, match=r"not written as \.svg"):
        save_board(BOARDS["a4"], tmp_path / "board.svg")
