from dataclasses import replace

import pytest
from PySide6.QtGui import QFontMetrics

from app.ui import theme
from app.ui.tiles import TileHeader, TilesArea, figures, level
from app.viewmodels.live import CameraTitle, LiveOptions, TileView


@pytest.fixture
def tile(make_camera, make_refined):
    frame = make_camera().frame()
    return TileView("tiny", frame=frame, refined=make_refined(frame), rate_hz=9.0, age_ms=985.0, lost=20_169)


def header(qtbot, name, width):
    made = TileHeader(CameraTitle("tiny", 1, name, ""))
    qtbot.addWidget(made)
    made.resize(width, made.height())
    return made


def test_losses_go_first_and_then_the_rate(tile):
    assert figures(tile) == [
        "9 fps  \u00b7  refined 985 ms old  \u00b7  20,169 lost",
        "9 fps  \u00b7  refined 985 ms old",
        "refined 985 ms old",
    ]


def test_no_age_is_told_of_what_is_not_shown(tile):
    assert figures(tile, aged=False) == ["9 fps  \u00b7  20,169 lost", "9 fps", "9 fps"]


def test_a_frozen_picture_has_an_age_and_no_rate(tile):
    assert figures(replace(tile, frozen=True), aged=False)[0] == "picture 1 s old  \u00b7  20,169 lost"


def test_heads_beside_each_other_say_equally_much_in_one_size(qtbot, themed, tile):
    full = figures(tile)[0]
    room = QFontMetrics(theme.font(15, tabular=True)).horizontalAdvance(full) + 130
    short, long = header(qtbot, "Tiny", room), header(qtbot, "The camera above the door " * 2, room)
    short.show_tile(replace(tile, lost=0))
    long.show_tile(replace(tile, lost=123_456_789_012))
    level([short, long])
    assert short._form == long._form == 1
    assert short._name_px == long._name_px < theme.BODY_PX


def test_one_digit_more_changes_no_form(qtbot, themed, tile):
    made = header(qtbot, "Tiny", 240)
    forms = set()
    for age_ms in (85.0, 985.0, 1500.0, 29_300.0):
        for width in range(200, 480, 7):
            made.resize(width, made.height())
            made.show_tile(replace(tile, age_ms=age_ms))
            forms.add((width, made._form))
    assert len(forms) == len({width for width, _ in forms})


def test_a_small_picture_of_colour_tells_no_age(qtbot, themed, tile):
    area = TilesArea()
    qtbot.addWidget(area)
    area.resize(900, 600)
    area.show_rig([CameraTitle("tiny", 1, "Tiny", ""), CameraTitle("other", 2, "Other", "")])
    area.show_options(LiveOptions(focus="other"))
    area.show_tile(tile)
    assert "old" not in area.tiles[0].header.figures[0]
    area.show_options(LiveOptions())
    area.show_tile(tile)
    assert "refined 985 ms old" in area.tiles[0].header.figures[0]


def test_the_last_tiles_end_where_their_room_ends(qtbot, themed):
    area = TilesArea()
    qtbot.addWidget(area)
    area.resize(902, 401)
    area.show_rig([CameraTitle(str(n), n, "Tiny", "") for n in range(4)])
    assert max(tile.geometry().right() for tile in area.tiles) == 901
    assert max(tile.geometry().bottom() for tile in area.tiles) == 400
    assert len({(tile.width(), tile.height()) for tile in area.tiles}) == 1
