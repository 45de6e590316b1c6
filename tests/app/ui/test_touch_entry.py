from app.ui import theme
from app.ui.touch_entry import NARROW_PX, TouchEntry


def test_in_a_narrow_column_the_typed_words_have_the_room_of_the_button_for_the_keys(qtbot):
    entry = TouchEntry("New tag", submit_text="Add")
    qtbot.addWidget(entry)
    entry.resize(NARROW_PX - 20, 56)
    entry.show()
    assert entry._keyboard.isHidden()
    qtbot.waitUntil(lambda: entry._submit.x() == entry.edit.width() + theme.GAP_PX, timeout=2000)
    entry.resize(NARROW_PX, 56)
    assert entry._keyboard.isVisible()
