from PySide6.QtGui import QColor

from app.ui import theme
from app.ui.stage_bar import BAR_PX, StageBar, columns
from app.viewmodels.live import Stages

BUSY = Stages(shown_hz=24.6, refined_hz=2.04, camera_ms=9.0, screen_ms=14.0, wait_ms=310.0, repair_ms=480.0)


def test_the_stages_come_in_the_order_of_the_bar():
    found = columns(BUSY, 1240.0)
    assert [(word, value) for word, value, _ in found] == [
        ("Camera", "9 ms"),
        ("Wait", "310 ms"),
        ("Repair", "480 ms"),
        ("Screen", "14 ms"),
        ("Age", "1.2 s"),
        ("Refined per s", "2.0"),
        ("Raw shown per s", "25"),
    ]


def test_without_a_repair_there_is_no_word_of_it():
    found = columns(Stages(30.0, 0.0, 9.0, 14.0), None)
    assert [word for word, _, _ in found] == ["Camera", "Screen", "Raw shown per s"]


def test_the_parts_of_the_bar_are_as_long_as_the_stages(qtbot, themed):
    bar = StageBar("Tiny")
    qtbot.addWidget(bar)
    bar.resize(28 + 1240, bar.height())
    bar.show_stages(BUSY, 1240.0)
    picture = bar.grab().toImage()
    row = [picture.pixelColor(14 + x, 2).name() for x in range(1240)]
    colours = theme.current()
    lengths = {
        tone: row.count(QColor(getattr(colours, tone)).name()) for tone in ("info", "accent", "warning")
    }
    assert lengths == {"info": 9, "accent": 480, "warning": 14}
    assert row[813:] == [QColor(colours.raised).name()] * 427, "how long it has been on the screen"
    assert "Repair 480 ms" in bar.accessibleName()


def test_outdoors_what_the_stages_leave_of_the_bar_is_framed(qtbot, themed):
    theme.apply(themed, "outdoor")
    bar = StageBar("Tiny")
    qtbot.addWidget(bar)
    bar.resize(28 + 1240, bar.height())
    bar.show_stages(BUSY, 1240.0)
    picture = bar.grab().toImage()
    rest = [picture.pixelColor(14 + 1000, y).name() for y in range(BAR_PX)]
    line, ground = (QColor(colour).name() for colour in (theme.current().line, theme.current().surface))
    assert rest == [line, *[ground] * (BAR_PX - 2), line]
