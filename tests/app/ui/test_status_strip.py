import pytest

from app.ui.status_strip import StatusStrip
from app.viewmodels.status import StatusItem, StatusLine


@pytest.fixture
def strip(qtbot, themed):
    made = StatusStrip()
    qtbot.addWidget(made)
    made.show()
    made.show_line(
        StatusLine(
            StatusItem("MDM small (demo weights), OpenVINO CPU fp32, 192 tokens", "ok"),
            StatusItem("12.5 refined per s"),
            StatusItem("2 of 3 cameras within 1 ms", "warning"),
            StatusItem(""),
            StatusItem("Recording 12:05, 3 lost", "error"),
            StatusItem("67 GB free"),
        )
    )
    return made


@pytest.mark.parametrize("width", [800, 1000, 1280])
def test_nothing_in_the_strip_is_cut(qtbot, strip, width):
    strip.resize(width, strip.height())
    shown = [w for w in (strip.engine, strip.rate, strip.moments, strip.recording) if w.isVisible()]
    qtbot.waitUntil(lambda: all(widget.width() >= widget.sizeHint().width() for widget in shown))
    assert strip.recording in shown
    assert not strip.places.isVisible()
    assert strip.rate.isVisible() is (width == 1280)


def test_where_it_is_narrower_still_the_engines_words_end_in_dots(qtbot, strip):
    strip.resize(480, strip.height())
    qtbot.waitUntil(lambda: strip.engine.width() < strip.engine.sizeHint().width())
    assert strip.recording.width() >= strip.recording.sizeHint().width()
    assert strip.engine.toolTip().endswith("192 tokens")
