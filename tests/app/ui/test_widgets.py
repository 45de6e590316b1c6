import gc
from functools import partial

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScroller, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.context import Notice
from app.ui.widgets import (
    Banner,
    Bar,
    Button,
    ChipGroup,
    EmptyState,
    IconButton,
    Option,
    Picker,
    PrimaryButton,
    RecordButton,
    Segmented,
    Stepper,
    Switch,
    touch_scroll,
)

OPTIONS = [Option("a", "Alpha"), Option("b", "Beta"), Option("c", "Gamma")]


@pytest.fixture
def show(qtbot, themed):
    def show(widget, width=600, height=200):
        qtbot.addWidget(widget)
        widget.resize(width, height)
        widget.show()
        qtbot.waitExposed(widget)
        return widget

    return show


def click(widget):
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Button("Do"),
        lambda: PrimaryButton("Do"),
        lambda: RecordButton("Record"),
        lambda: IconButton("cog", "Settings"),
        lambda: Switch("On"),
        lambda: Picker("Pick", OPTIONS),
    ],
)
def test_every_control_is_large_enough_for_a_finger(show, make):
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.addWidget(made := make())
    column.addStretch(1)
    show(holder)
    assert made.height() >= theme.SMALLEST_TARGET_PX
    assert made.width() >= theme.SMALLEST_TARGET_PX


def test_exclusive_chips_let_go_of_each_other(qtbot, show):
    group = show(ChipGroup(OPTIONS, "Scene"))
    click(group.button("a"))
    with qtbot.waitSignal(group.changed) as told:
        click(group.button("b"))
    assert told.args == [["b"]]


def test_several_chips_can_be_chosen(show):
    group = show(ChipGroup(OPTIONS, "Tags", exclusive=False))
    click(group.button("a"))
    click(group.button("c"))
    assert group.selected == ["a", "c"]


def test_chips_break_into_rows_that_do_not_overlap(show):
    group = show(ChipGroup([Option(str(i), f"Category {i}") for i in range(20)], "Scene"), 420, 600)
    rects = [group.button(str(i)).geometry() for i in range(20)]
    assert all(group.rect().contains(rect) for rect in rects)
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])


def test_chips_that_stay_on_offer_stay_chosen(show):
    group = show(ChipGroup(OPTIONS, "Tags"))
    group.select("b")
    group.set_options([Option("b", "Beta"), Option("d", "Delta")])
    assert group.selected == ["b"]


def test_selecting_by_program_is_silent(qtbot, show):
    row = show(Segmented(OPTIONS, "Row"))
    with qtbot.assertNotEmitted(row.changed):
        row.select("c")
    assert row.choice == "c"


def test_one_segment_is_always_chosen(show):
    row = show(Segmented(OPTIONS, "Row"))
    click(row.button("a"))
    assert row.choice == "a"


def test_a_stepper_writes_a_minus_sign(show):
    assert show(Stepper("Hue", minimum=-5, maximum=5, step=1, suffix=" m"))._label.text() == "\u22125 m"


def test_a_stepper_stops_at_its_limits(qtbot, show):
    stepper = show(Stepper("Near", minimum=0, maximum=0.2, step=0.1, decimals=1, suffix=" m"))
    less, more = stepper.findChildren(IconButton)
    values = []
    stepper.value_changed.connect(values.append)
    for _ in range(4):
        click(more)
    assert values == [0.1, 0.2]
    assert not more.isEnabled()
    assert less.isEnabled()


def test_a_banner_does_what_its_button_says_and_goes(show):
    done = []
    banner = show(Banner())
    banner.show_notice(Notice("error", "Broken", "Mend it", "Mend", lambda: done.append(1)))
    assert "Broken" in banner.accessibleName()
    click(next(b for b in banner.findChildren(Button) if b.text() == "Mend"))
    assert done == [1]
    assert not banner.isVisible()


def test_what_cannot_be_undone_is_red_and_can_be_left_alone(show):
    done = []
    banner = show(Banner(), 900, 90)
    banner.show_notice(Notice("warning", "Delete?", "", "Delete", lambda: done.append(1), danger=True))
    assert banner._action.property("kind") == "danger"

    click(banner._cancel)

    assert done == []
    assert not banner.isVisible()
    banner.show_notice(Notice("error", "Broken", "", "Mend", lambda: done.append(1)))
    assert not banner._cancel.isVisible()
    assert banner._action.property("kind") == "plain"


def test_a_banner_with_a_time_goes_by_itself(qtbot, show):
    banner = show(Banner())
    banner.show_notice(Notice("info", "Saved", lasts_s=0.05))
    qtbot.waitUntil(lambda: not banner.isVisible(), timeout=2000)


def test_a_picker_tells_keys_and_ignores_the_wheel(qtbot, show):
    picker = show(Picker("Model", OPTIONS))
    assert picker.choice == "a"
    with qtbot.waitSignal(picker.picked) as told:
        picker.activated.emit(2)
    assert told.args == ["c"]


def test_a_finger_opens_a_list_scrolls_it_and_picks_and_a_mouse_opens_it_too(qtbot, qtlog, show):
    picker = Picker("Number", [Option(str(n), f"Row {n}") for n in range(30)])
    form = QWidget()
    QVBoxLayout(form).addWidget(picker)
    show(form)
    finger, view = QTest.createTouchDevice(), picker.view()

    def touch(widget, *places):
        QTest.touchEvent(widget, finger).press(0, places[0], widget).commit()
        for place in places[1:]:
            QTest.qWait(5)
            QTest.touchEvent(widget, finger).move(0, place, widget).commit()
        QTest.qWait(60 if places[1:] else 1)  # at rest: nothing is flung
        QTest.touchEvent(widget, finger).release(0, places[-1], widget).commit()

    with qtlog.disabled():  # the offscreen platform says what popups it cannot raise
        touch(picker, QPoint(60, 28))
        qtbot.waitUntil(view.isVisible)
    room = view.viewport()
    middle = room.rect().center()
    touch(room, *(QPoint(middle.x(), middle.y() + 120 - 30 * n) for n in range(9)))
    assert view.isVisible()
    assert view.verticalScrollBar().value() > 100
    qtbot.waitUntil(lambda: QScroller.scroller(room).state() == QScroller.State.Inactive)
    with qtbot.waitSignal(picker.picked) as told:
        touch(room, middle)
    assert int(told.args[0]) > 3
    qtbot.waitUntil(lambda: not view.isVisible())
    with qtlog.disabled():
        QTest.mouseClick(picker, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(view.isVisible)
    picker.hidePopup()


@pytest.mark.parametrize("words", ["Do", "What you record appears here, ready to replay. " * 4])
def test_an_empty_page_shows_all_of_its_words(show, words):
    empty = show(EmptyState("cog", "Nothing", words), 800, 600)
    text = empty._text
    assert text.height() >= text.heightForWidth(text.width())
    empty.show_words("Nothing", words * 2)
    assert text.minimumHeight() >= text.heightForWidth(text.width())


def test_an_empty_state_offers_its_action(show):
    done = []
    state = show(
        EmptyState("cog", "Nothing", "Do", action_text="Go", action=lambda: done.append(1)), 600, 400
    )
    click(state.button)
    assert done == [1]


@pytest.mark.parametrize("name", theme.THEMES)
def test_a_theme_switches_grounds_and_icons_at_once(show, qapp, name):
    holder = QWidget()
    holder.setProperty("role", "page")
    button = PrimaryButton("Go", icon_name="play")
    QVBoxLayout(holder).addWidget(button)
    show(holder)
    theme.apply(qapp, name)
    colours = theme.current()
    image = holder.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    assert image.pixelColor(1, 1).name() == colours.window
    inside = button.geometry().center()
    assert image.pixelColor(button.x() + 20, inside.y()).name() == colours.accent
    theme.apply(qapp, "dark")


def test_no_closed_window_is_collected_while_the_others_are_dressed(show, qapp):
    collecting = []

    class Dressed(Button):
        def changeEvent(self, event):
            if event.type() == QEvent.Type.StyleChange:
                collecting.append(gc.isenabled())

    _kept = show(Dressed("Do"))
    collecting.clear()
    gc.enable()  # as before the window's own collector runs
    theme.apply(qapp, "light")
    theme.apply(qapp, "dark")
    assert collecting
    assert not any(collecting)
    assert gc.isenabled()


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", theme.THEMES.values(), ids=theme.THEMES)
@pytest.mark.parametrize(
    ("text", "ground", "at_least"),
    [
        *(("text", ground, 7) for ground in ("window", "surface", "raised", "hover", "info_soft")),
        ("text", "warning_soft", 7),
        ("text", "error_soft", 7),
        ("muted", "surface", 7),
        ("muted", "raised", 5),
        ("placeholder", "surface", 4.5),
        ("on_accent", "accent", 7),
        ("accent_text", "accent_soft", 7),
        ("on_chosen", "chosen", 7),
        ("on_record", "record", 4.5),
    ],
)
def test_text_can_be_read(colours, text, ground, at_least):
    assert contrast(getattr(colours, text), getattr(colours, ground)) >= at_least


GROUNDS = (
    "window",
    "surface",
    "raised",
    "hover",
    "pressed",
    "accent_soft",
    "info_soft",
    "warning_soft",
    "error_soft",
)
WRITTEN = ("text", "muted", "accent_text", "ok", "info", "warning", "error", "line", "edge")


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("written", WRITTEN)
def test_outdoors_everything_written_or_framed_has_seven_to_one(written, ground):
    assert contrast(getattr(theme.OUTDOOR, written), getattr(theme.OUTDOOR, ground)) >= 7


@pytest.mark.parametrize(
    "pair",
    [
        ("chosen", "surface"),
        ("placeholder", "surface"),
        ("on_accent", "accent"),
        ("on_accent", "accent_hover"),
        ("on_record", "record"),
    ],
)
def test_outdoors_buttons_and_empty_lines_have_seven_to_one(pair):
    assert contrast(*(getattr(theme.OUTDOOR, name) for name in pair)) >= 7


@pytest.mark.parametrize("colours", theme.THEMES.values(), ids=theme.THEMES)
@pytest.mark.parametrize("tone", ["ok", "info", "warning", "error", "muted"])
@pytest.mark.parametrize("ground", ["window", "surface", "raised"])
def test_every_tone_can_be_read_on_every_ground(colours, tone, ground):
    assert contrast(getattr(colours, tone), getattr(colours, ground)) >= 4.5


def test_themes_follow_each_other_in_a_circle():
    seen = ["dark"]
    while (name := theme.after(seen[-1])) != "dark":
        seen.append(name)
    assert seen == list(theme.THEMES)


def test_two_quick_taps_in_a_form_are_two_taps(show):
    pressed = []
    content = QWidget()
    column = QVBoxLayout(content)
    buttons = [Button("one"), Button("two")]
    for button in buttons:
        column.addWidget(button)
        button.clicked.connect(partial(pressed.append, button.text()))
    area = show(touch_scroll(content), 400, 300)
    device = QTest.createTouchDevice()
    for button in (buttons[0], buttons[0], buttons[1]):
        place = button.mapTo(area, button.rect().center())
        QTest.touchEvent(area.windowHandle(), device).press(0, place).commit()
        QTest.touchEvent(area.windowHandle(), device).release(0, place).commit()
    assert pressed == ["one", "one", "two"]


def test_banners_stay_until_they_are_solved_the_worst_in_front_and_each_once(show):
    banner = show(Banner(), 900, 90)
    banner.show_notice(Notice("error", "The disk is full.", about="disk"))
    banner.show_notice(Notice("info", "Saved."))
    banner.show_notice(Notice("info", "Saved."))
    assert [notice.text for notice in banner.notices] == ["The disk is full.", "Saved."]
    assert banner._more.text() == "1 more"
    click(banner._more)
    assert banner.notice.text == "Saved."
    click(banner._close)
    assert banner.notice.text == "The disk is full."
    assert not banner._more.isVisible()
    banner.show_notice(Notice("error", "The disk is full again.", about="disk"))
    assert len(banner.notices) == 1
    banner.solve("disk")
    assert not banner.isVisible()


def test_a_bar_with_little_in_it_keeps_within_its_round_frame(show):
    bar = show(Bar(), 300, 14)
    colours = {}
    for value in (0, 1, 50):
        bar.setValue(value)
        image = bar.grab().toImage()
        middle = image.height() // 2
        colours[value] = [image.pixelColor(x, y).name() for x, y in ((1, 1), (2, middle), (100, middle))]

    assert colours[1][0] == colours[0][0]
    assert colours[1][1] == theme.current().accent
    assert [seen[2] == theme.current().accent for seen in colours.values()] == [False, False, True]
