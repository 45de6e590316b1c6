"""Synthetic fingers on the real window: touch events at places of the screen, nothing else.

Where a thing is may be asked of the widgets; acting on it goes through the window system's own path,
from the touch event of a window to whatever Qt makes of it.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence

import shiboken6
from PySide6.QtCore import QEventLoop, QPoint, QPointF, QRect, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScroller,
    QSlider,
    QWidget,
)

from app.ui import theme
from app.ui.widgets import RecordButton

PRESSED = (QAbstractButton, QComboBox, QLineEdit, QSlider)
RECORD_PX = 72
SWIPES = 14
DOWN_S = 0.06
REACTION_S = 0.2  # from seeing something to touching it
PATIENCE_S = 30.0


class NotThere(AssertionError):
    """What the person wants to touch cannot be seen, or what should have happened did not."""


def spin(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(max(round(seconds * 1000), 1), loop.quit)
    loop.exec()


def wait_for(true: Callable[[], object], what: str, *, patience_s: float = PATIENCE_S) -> None:
    """Watch the screen until something is so."""
    deadline = time.monotonic() + patience_s
    while not true():
        if time.monotonic() > deadline:
            raise NotThere(f"{what}: not within {patience_s:.0f} s")
        spin(0.05)


def words_of(widget: QWidget) -> str:
    """What a person would call a widget."""
    text = getattr(widget, "text", None)
    spoken = text() if callable(text) and not isinstance(widget, QLineEdit) else ""
    return spoken or widget.accessibleName()


def shown_windows() -> list[QWidget]:
    """Visible windows, dialogs first."""
    windows = [w for w in QApplication.topLevelWidgets() if w.isVisible() and not w.isHidden()]
    return sorted(windows, key=lambda w: w.parentWidget() is None)


def named(
    name: str | tuple[str, ...], kind: type[QWidget] = QWidget, *, starts: bool = False
) -> Iterator[QWidget]:
    """Visible widgets with this text or accessible name."""
    for window in shown_windows():
        for widget in window.findChildren(kind):
            if not widget.isVisible():
                continue
            for said in {words_of(widget), widget.accessibleName()}:
                if said.startswith(name) if starts else said == name:
                    yield widget
                    break


def shown(kind: type[QWidget]) -> list[QWidget]:
    """Every visible widget of a kind."""
    return [w for window in shown_windows() for w in window.findChildren(kind) if w.isVisible()]


def pressable(window: QWidget) -> list[QWidget]:
    """Everything on the screen that can be pressed, a slider's or a list's own parts apart."""
    found = [w for kind in PRESSED for w in window.findChildren(kind) if w.isVisible()]
    return [w for w in found if not isinstance(w.parentWidget(), QComboBox | QAbstractItemView)]


def too_small(window: QWidget) -> list[str]:
    """What of a window cannot be hit with a glove."""
    faults = []
    for widget in pressable(window):
        least = RECORD_PX if isinstance(widget, RecordButton) else theme.SMALLEST_TARGET_PX
        if min(widget.width(), widget.height()) < least:
            size = f"{widget.width()} x {widget.height()}"
            faults.append(f"{type(widget).__name__} {words_of(widget)!r} has {size} px, needs {least}")
    return faults


class Hand:
    """Up to two fingers; counts what they do.

    Args:
        pause_s: between one touch and the next.

    Attributes:
        touches: taps, drags, swipes and two-finger gestures so far.
        faults: targets that were too small for a finger.
    """

    def __init__(self, pause_s: float = 0.15) -> None:
        self._device = QTest.createTouchDevice()
        self._pause_s = pause_s
        self.touches = 0
        self.faults: list[str] = []

    def tap(self, name: str, kind: type[QWidget] = QWidget, *, starts: bool = False) -> QWidget:
        """Touch what has this name, scrolling to it if it must be."""
        widget = self.seen(name, kind, starts=starts)
        self.tap_widget(widget)
        return widget

    def seen(self, name: str, kind: type[QWidget] = QWidget, *, starts: bool = False) -> QWidget:
        """What has this name and can be pressed, as soon as it is on the screen."""
        found: list[QWidget] = []

        def look() -> bool:
            found[:] = [
                w for w in named(name, kind, starts=starts) if w.isEnabled() and not isinstance(w, QLabel)
            ]
            return bool(found)

        if not look():
            wait_for(look, f"{name!r} to be touched")
            spin(REACTION_S)
            wait_for(look, f"{name!r} to stay")
        return next((w for w in found if isinstance(w, PRESSED)), found[0])

    def tap_widget(self, widget: QWidget) -> None:
        """Touch the middle of what can be seen of a widget."""
        place = self.place_of(widget)
        if isinstance(widget, PRESSED):
            least = RECORD_PX if isinstance(widget, RecordButton) else theme.SMALLEST_TARGET_PX
            if min(widget.width(), widget.height()) < least:
                self.faults.append(f"{words_of(widget)!r} is {widget.width()} x {widget.height()} px")
        self.tap_at(place, on=widget)

    def place_of(self, widget: QWidget) -> QPoint:
        """A place on the screen where a widget can be touched; swipes until there is one."""
        for _ in range(SWIPES):
            place = _open_place(widget)
            if place is not None:
                return place
            if not self._swipe_towards(widget):
                break
        raise NotThere(f"{words_of(widget)!r} lies where no finger can reach it")

    def tap_at(self, place: QPoint, *, down_s: float = DOWN_S, on: QWidget | None = None) -> None:
        """Touch a place of the screen; a widget there that slides away below the finger is a fault."""
        target = _window_at(place)
        local = target.mapFromGlobal(place)
        before = None if on is None else on.mapToGlobal(QPoint())
        QTest.touchEvent(target, self._device).press(0, local, target).commit()
        spin(down_s)
        if on is not None and shiboken6.isValid(on) and on.isVisible() and on.mapToGlobal(QPoint()) != before:
            self.faults.append(f"{words_of(on)!r} moved below the finger")
        target = target if _alive(target) else _window_at(place)
        QTest.touchEvent(target, self._device).release(0, local, target).commit()
        self._lifted()

    def hold(self, place: QPoint, seconds: float, meanwhile: Callable[[], object]) -> None:
        """Press a place, look at something while it is pressed, and let go."""
        target = _window_at(place)
        local = target.mapFromGlobal(place)
        QTest.touchEvent(target, self._device).press(0, local, target).commit()
        spin(seconds)
        meanwhile()
        QTest.touchEvent(target, self._device).release(0, local, target).commit()
        self._lifted()

    def double_tap_at(self, place: QPoint) -> None:
        """Two quick touches on one place."""
        target = _window_at(place)
        local = target.mapFromGlobal(place)
        for _ in range(2):  # without a pause: a busy machine would make one of it that is too long
            QTest.touchEvent(target, self._device).press(0, local, target).commit()
            QTest.touchEvent(target, self._device).release(0, local, target).commit()
            self.touches += 1
        spin(self._pause_s)

    def drag(
        self, start: QPoint, end: QPoint, *, steps: int = 12, step_s: float = 0.016, hold_s: float = 0
    ) -> None:
        """One finger from here to there; it rests at the end for a while before it is lifted."""
        self.gesture(
            [[_between(start, end, n / steps)] for n in range(steps + 1)], step_s=step_s, hold_s=hold_s
        )

    def pinch(
        self, middle: QPoint, start_px: float, end_px: float, *, turn_deg: float = 0, steps: int = 14
    ) -> None:
        """Two fingers apart or together, perhaps turning."""
        path = []
        for n in range(steps + 1):
            share = n / steps
            reach = (start_px + (end_px - start_px) * share) / 2
            angle = math.radians(turn_deg * share)
            offset = QPointF(math.cos(angle), math.sin(angle)) * reach
            path.append([middle + offset.toPoint(), middle - offset.toPoint()])
        self.gesture(path)

    def gesture(self, path: Sequence[Sequence[QPoint]], *, step_s: float = 0.016, hold_s: float = 0) -> None:
        """Fingers along a path; each entry is where all of them are."""
        target = _window_at(path[0][0])
        touch = QTest.touchEvent(target, self._device, False)
        for finger, place in enumerate(path[0]):
            touch.press(finger, target.mapFromGlobal(place), target)
        touch.commit()
        for places in path[1:]:
            spin(step_s)
            if not _alive(target):
                break
            touch = QTest.touchEvent(target, self._device, False)
            for finger, place in enumerate(places):
                touch.move(finger, target.mapFromGlobal(place), target)
            touch.commit()
        spin(hold_s)
        if _alive(target):
            touch = QTest.touchEvent(target, self._device, False)
            for finger, place in enumerate(path[-1]):
                touch.release(finger, target.mapFromGlobal(place), target)
            touch.commit()
        self._lifted()

    def pick(self, picker_name: str, choice: str) -> None:
        """Open a drop-down list and take one of its rows."""
        picker = self.tap(picker_name, QComboBox)
        assert isinstance(picker, QComboBox)
        row = picker.findText(choice)
        if row < 0:
            raise NotThere(f"{picker_name!r} does not offer {choice!r}")
        view = picker.view()
        wait_for(view.isVisible, f"the rows of {picker_name!r}")
        spin(0.25)
        for _ in range(SWIPES):
            rect = view.visualRect(picker.model().index(row, picker.modelColumn()))
            if view.viewport().rect().contains(rect.center()):
                break
            self._swipe(view.viewport(), up=rect.center().y() > view.viewport().height() / 2)
        else:
            raise NotThere(f"the row {choice!r} of {picker_name!r} cannot be reached")
        if rect.height() < theme.SMALLEST_TARGET_PX:
            self.faults.append(f"a row of {picker_name!r} is {rect.height()} px high")
        self.tap_at(view.viewport().mapToGlobal(rect.center()))
        wait_for(lambda: not view.isVisible(), f"the rows of {picker_name!r} to close")

    def type(self, field_name: str, text: str) -> None:
        """Touch a field and type on the keyboard that comes."""
        self.tap(field_name, QLineEdit)
        self.seen("Put the keyboard away") if text.isascii() else None
        for letter in text:
            self.tap(letter if letter != " " else "Space", QAbstractButton)
        self.tap("Done", QAbstractButton)

    def _swipe_towards(self, widget: QWidget) -> bool:
        """One swipe of the scrolled area that hides the widget; False if there is none."""
        above = widget.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is None:
            return False
        viewport = above.viewport()
        middle = widget.mapTo(viewport, widget.rect().center()).y()
        if 0 <= middle < viewport.height() and _seen_part(widget).isNull():
            return False
        self._swipe(viewport, up=middle > viewport.height() / 2, by=abs(middle - viewport.height() // 2))
        return True

    def _swipe(self, viewport: QWidget, *, up: bool, by: int = 10_000) -> None:
        room = viewport.rect()
        length = max(min(by, int(room.height() * 0.7)), 40)
        x = room.left() + 12
        low, high = room.center().y() + length // 2, room.center().y() - length // 2
        start, end = QPoint(x, low if up else high), QPoint(x, high if up else low)
        self.drag(viewport.mapToGlobal(start), viewport.mapToGlobal(end), steps=8, step_s=0.02, hold_s=0.15)
        scroller = QScroller.scroller(viewport)
        wait_for(lambda: scroller.state() == QScroller.State.Inactive, "the list to come to rest")

    def _lifted(self) -> None:
        self.touches += 1
        spin(self._pause_s)


def _between(start: QPoint, end: QPoint, share: float) -> QPoint:
    return start + (QPointF(end - start) * share).toPoint()


def _window_at(place: QPoint) -> QWidget:
    """The window that a finger at this place touches."""
    found = QApplication.topLevelAt(place)
    if found is None:
        raise NotThere(f"there is no window at {place.toTuple()}")
    return found


def _alive(window: QWidget) -> bool:
    return window in QApplication.topLevelWidgets() and window.isVisible()


def _seen_part(widget: QWidget) -> QRect:
    return widget.visibleRegion().boundingRect()


def _open_place(widget: QWidget) -> QPoint | None:
    """A place where nothing lies over the widget; None where it is hidden."""
    part = _seen_part(widget)
    whole = widget.rect()
    if part.height() < min(whole.height(), 40) or part.width() < min(whole.width(), 40):
        return None
    place = widget.mapToGlobal(part.center())
    hit = QApplication.widgetAt(place)
    while hit is not None and hit is not widget:
        hit = hit.parentWidget()
    on_screen = QGuiApplication.primaryScreen().geometry().contains(place)
    return place if hit is widget and on_screen else None


def is_scrolled(widget: QWidget | None) -> bool:
    """Whether it may lie outside of what is seen now."""
    while widget is not None:
        if isinstance(widget, QAbstractScrollArea) and not isinstance(widget, QLineEdit):
            return True
        widget = widget.parentWidget()
    return False
