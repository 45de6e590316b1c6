"""The controls that every page is made of: large enough for gloves, styled by `theme`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QScroller,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from app.language import joined, tr, with_minus
from app.ui import theme
from app.ui.context import Level, Notice
from app.ui.flow_layout import FlowLayout
from app.ui.icons import icon
from app.ui.worded import Label, ProgressBar, Worded

ICON_PX = 24
LEVELS: tuple[Level, ...] = ("info", "warning", "error")
"""The worst is the last."""
BANNER_ICONS = {"info": "information-outline", "warning": "alert-outline", "error": "alert-octagon-outline"}


class Button(Worded, QPushButton):
    """A button with words and perhaps an icon.

    Args:
        text: what it does, as a verb.
        icon_name: of the Material Design set, or empty.
        kind: "plain", "primary", "record", "danger", "quiet" or "choice" (words at the left).
        checkable: stays down until pressed again.
    """

    def __init__(
        self, text: str, *, icon_name: str = "", kind: str = "plain", checkable: bool = False
    ) -> None:
        super().__init__()
        self.setText(text)
        self._icon_name = icon_name
        self.setProperty("kind", kind)
        self.setCheckable(checkable)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(theme.BIG_TARGET_PX if kind == "record" else theme.TARGET_PX)
        self.setIconSize(QSize(ICON_PX + 10, ICON_PX) if text else QSize(ICON_PX, ICON_PX))
        self._dress()

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint().expandedTo(QSize(theme.SMALLEST_TARGET_PX, theme.SMALLEST_TARGET_PX))

    def set_icon(self, icon_name: str) -> None:
        """Show another icon."""
        if icon_name != self._icon_name:
            self._icon_name = icon_name
            self._dress()

    def set_kind(self, kind: str) -> None:
        """Look like another kind of button."""
        if kind != self.property("kind"):
            self.setProperty("kind", kind)
            self.style().unpolish(self)
            self.style().polish(self)
            self._dress()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._dress()

    def _dress(self) -> None:
        if not self._icon_name:
            return
        colours = theme.current()
        normal, checked = {
            "primary": (colours.on_accent, colours.on_accent),
            "record": (colours.on_record, colours.on_record),
            "danger": (colours.error, colours.error),
            "segment": (colours.muted, colours.on_accent),
        }.get(self.property("kind"), (colours.text, colours.on_chosen))
        self.setIcon(icon(self._icon_name, colour=normal, checked=checked))


class PrimaryButton(Button):
    """The one thing to do on a page."""

    def __init__(self, text: str, *, icon_name: str = "") -> None:
        super().__init__(text, icon_name=icon_name, kind="primary")


class RecordButton(Button):
    """Starts or stops a recording; the largest and only red control."""

    def __init__(self, text: str, *, icon_name: str = "record-circle") -> None:
        super().__init__(text, icon_name=icon_name, kind="record")
        self.setIconSize(QSize(42, 32))
        self.setFont(theme.font(theme.TITLE_PX))


class IconButton(Button):
    """A square button with an icon only; its name is spoken, and shown as a tool tip."""

    def __init__(
        self, icon_name: str, accessible_name: str, *, kind: str = "icon", checkable: bool = False
    ) -> None:
        super().__init__("", icon_name=icon_name, kind=kind, checkable=checkable)
        self.setAccessibleName(accessible_name)
        self.setToolTip(accessible_name)
        self.setFixedSize(theme.TARGET_PX, theme.TARGET_PX)


class RoomyButton(IconButton):
    """An icon alone where room is scarce, with a word where there is more: a finger gets no tool tip.

    Args:
        icon_name: of the Material Design set.
        accessible_name: what it does, in full.
        word: the same in one word.
        other: what it may say at other times, for which it has the room as well.
    """

    def __init__(
        self, icon_name: str, accessible_name: str, word: str, *, other: str = "", checkable: bool = False
    ) -> None:
        super().__init__(icon_name, accessible_name, checkable=checkable)
        self._word = word
        self._words = (word, other)

    def sizeHint(self) -> QSize:
        """Room for either word, so that nothing beside the button moves when it says the other."""
        hint = super().sizeHint()
        if self.text():
            measured = partial(self.fontMetrics().size, Qt.TextFlag.TextShowMnemonic)  # as QPushButton does
            widest_px = max(measured(str(word)).width() for word in self._words)
            hint += QSize(widest_px - measured(self.text()).width(), 0)
        return hint

    def set_word(self, word: str) -> None:
        """Say another word where there is room for one."""
        self._word = word
        if self.text():
            self.setText(word)

    def set_roomy(self, roomy: bool) -> None:
        """Show the word, or the icon alone."""
        if roomy == bool(self.text()):
            return
        self.setText(self._word if roomy else "")
        self.setProperty("kind", "plain" if roomy else "icon")
        self.setIconSize(QSize(ICON_PX + 10, ICON_PX) if roomy else QSize(ICON_PX, ICON_PX))
        self.style().unpolish(self)
        self.style().polish(self)
        self.setMinimumSize(theme.TARGET_PX, theme.TARGET_PX)
        self.setMaximumSize(theme.NO_LIMIT_PX if roomy else theme.TARGET_PX, theme.TARGET_PX)


@dataclass(frozen=True)
class Option:
    """One thing to choose.

    Attributes:
        key: what the program calls it.
        text: what the screen calls it.
        icon_name: or empty.
        hint: tool tip, or empty.
    """

    key: str
    text: str
    icon_name: str = ""
    hint: str = ""


class Chip(Button):
    """A round button that stays down."""

    def __init__(self, text: str, *, icon_name: str = "") -> None:
        super().__init__(text, icon_name=icon_name, kind="chip", checkable=True)
        self.setFixedHeight(theme.SMALLEST_TARGET_PX)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


class _Choices(Worded, QWidget):
    """Checkable buttons by key.

    Signals:
        changed: keys that are chosen now, in the order of the options; only after a press.
    """

    changed = Signal(list)

    def __init__(self, *, exclusive: bool) -> None:
        super().__init__()
        self._exclusive = exclusive
        self._buttons: dict[str, Button] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(exclusive)
        self._group.buttonClicked.connect(self._pressed)

    @property
    def selected(self) -> list[str]:
        """Keys that are chosen, in the order of the options."""
        return [key for key, button in self._buttons.items() if button.isChecked()]

    @property
    def choice(self) -> str:
        """The first chosen key, or empty."""
        return next(iter(self.selected), "")

    def select(self, keys: Sequence[str] | str) -> None:
        """Choose these keys and no others, without a signal."""
        wanted = {keys} if isinstance(keys, str) else set(keys)
        self._group.setExclusive(False)
        for key, button in self._buttons.items():
            button.setChecked(key in wanted)
        self._group.setExclusive(self._exclusive)

    def button(self, key: str) -> Button:
        """The button of one option."""
        return self._buttons[key]

    def _add(self, option: Option, button: Button, layout: QLayout) -> None:
        button.setToolTip(option.hint)
        self._buttons[option.key] = button
        self._group.addButton(button)
        layout.addWidget(button)

    def _pressed(self, _button: QAbstractButton) -> None:
        self.changed.emit(self.selected)


class ChipGroup(_Choices):
    """Chips that flow like text; one or several may be chosen.

    Args:
        options: what can be chosen.
        accessible_name: what the choice is about.
        exclusive: choosing one lets go of the others.
    """

    def __init__(self, options: Sequence[Option], accessible_name: str, *, exclusive: bool = True) -> None:
        super().__init__(exclusive=exclusive)
        self.setAccessibleName(accessible_name)
        self._flow = FlowLayout(self, gap_px=theme.GAP_PX)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_options(options)

    def set_options(self, options: Sequence[Option]) -> None:
        """Offer something else; keys that are still there stay chosen."""
        chosen = self.selected
        for button in self._buttons.values():
            self._group.removeButton(button)
            self._flow.removeWidget(button)
            button.setParent(None)
            button.deleteLater()
        self._buttons = {}
        for option in options:
            self._add(option, Chip(option.text, icon_name=option.icon_name), self._flow)
        self.select(chosen)
        self.updateGeometry()


class Segmented(_Choices):
    """A row of exclusive choices in one frame; one is always chosen.

    Args:
        options: what can be chosen; the first is.
        accessible_name: what the choice is about.
    """

    def __init__(self, options: Sequence[Option], accessible_name: str) -> None:
        super().__init__(exclusive=True)
        self.setAccessibleName(accessible_name)
        frame = QFrame()
        frame.setProperty("role", "group")
        row = QHBoxLayout(frame)
        row.setContentsMargins(3, 3, 3, 3)
        row.setSpacing(2)
        for option in options:
            button = Button(option.text, icon_name=option.icon_name, kind="segment", checkable=True)
            button.setMinimumHeight(theme.SMALLEST_TARGET_PX)
            if not option.text:
                button.setAccessibleName(option.hint)
            self._add(option, button, row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.select(options[0].key)


class Stepper(Worded, QWidget):
    """A value between a minus and a plus button; held buttons repeat.

    Args:
        accessible_name: what the value is, such as "Near limit".
        minimum: smallest value.
        maximum: largest value.
        step: of one press.
        decimals: shown.
        suffix: unit behind the value, such as " m".
        said: the words for a value, where those are not its figure and unit.

    Signals:
        value_changed: the value, after a press.
    """

    value_changed = Signal(float)

    def __init__(
        self,
        accessible_name: str,
        *,
        minimum: float,
        maximum: float,
        step: float,
        decimals: int = 0,
        suffix: str = "",
        said: Callable[[float], str] | None = None,
    ) -> None:
        super().__init__()
        self._said = said
        self._minimum, self._maximum, self._step = minimum, maximum, step
        self._decimals, self._suffix = decimals, suffix
        self._value = minimum
        self.setAccessibleName(accessible_name)
        self._less = IconButton(
            "minus", tr("{accessible_name}: less").format(accessible_name=accessible_name)
        )
        self._more = IconButton("plus", tr("{accessible_name}: more").format(accessible_name=accessible_name))
        for button in (self._less, self._more):
            button.setAutoRepeat(True)
            button.setAutoRepeatDelay(400)
            button.setAutoRepeatInterval(90)
        self._label = Label()
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.setFont(theme.font(theme.CONTROL_PX, tabular=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.TIGHT_PX)
        row.addWidget(self._less)
        row.addWidget(self._label, 1)
        row.addWidget(self._more)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._less.clicked.connect(self._decrease)
        self._more.clicked.connect(self._increase)
        self._show()
        widest = max((self._words(minimum), self._words(maximum)), key=len)
        self._label.setMinimumWidth(self._label.fontMetrics().horizontalAdvance(widest) + 20)

    @property
    def value(self) -> float:
        """What is shown."""
        return self._value

    def set_value(self, value: float) -> None:
        """Show `value`, kept within the limits, without a signal."""
        self._value = min(max(value, self._minimum), self._maximum)
        self._show()

    def set_maximum(self, maximum: float) -> None:
        """Go no further than this from now on."""
        self._maximum = maximum
        self.set_value(self._value)

    def set_step(self, step: float) -> None:
        """Step by this much from now on."""
        self._step = step

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Right}:
            self._increase()
        elif event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Left}:
            self._decrease()
        else:
            super().keyPressEvent(event)

    def _increase(self) -> None:
        self._set_by_user(self._value + self._step)

    def _decrease(self) -> None:
        self._set_by_user(self._value - self._step)

    def _set_by_user(self, value: float) -> None:
        before = self._value
        self.set_value(round(value, 6))
        if self._value != before:
            self.value_changed.emit(self._value)

    def _words(self, value: float) -> str:
        if self._said:
            return self._said(value)
        return joined("", (with_minus(f"{value:.{self._decimals}f}"), self._suffix))

    def _show(self) -> None:
        self._label.setText(self._words(self._value))
        self._less.setEnabled(self._value > self._minimum)
        self._more.setEnabled(self._value < self._maximum)


class Switch(Worded, QAbstractButton):
    """On or off, with words to its right."""

    TRACK = QSize(60, 32)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setText(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(theme.TARGET_PX)
        self.setFont(theme.font(theme.CONTROL_PX))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(self.TRACK.width() + (14 + words + 6 if words else 0), theme.TARGET_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(0, (self.height() - self.TRACK.height()) / 2, self.TRACK.width(), self.TRACK.height())
        ground = colours.accent if self.isChecked() else colours.pressed
        knob = colours.on_accent if self.isChecked() else colours.text
        if not self.isEnabled():
            ground, knob = colours.raised, colours.disabled
        painter.setPen(QColor(colours.text if self.hasFocus() else colours.edge))
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(track.adjusted(0.5, 0.5, -0.5, -0.5), 15.5, 15.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(knob))
        x = track.right() - 28 if self.isChecked() else track.left() + 4
        painter.drawEllipse(QRectF(x, track.top() + 4, 24, 24))
        painter.setPen(QColor(colours.text if self.isEnabled() else colours.disabled))
        painter.drawText(
            self.rect().adjusted(self.TRACK.width() + 14, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text()
        )


class Picker(Worded, QComboBox):
    """A drop-down list with rows for fingers; the wheel does not change it.

    Args:
        accessible_name: what is picked.
        options: what can be picked.

    Signals:
        picked: key of the option that was picked by hand.
    """

    picked = Signal(str)

    def __init__(self, accessible_name: str, options: Sequence[Option] = ()) -> None:
        super().__init__()
        self.setAccessibleName(accessible_name)
        self.setMinimumHeight(theme.TARGET_PX)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMaxVisibleItems(8)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._options: tuple[Option, ...] = ()
        self._keys: list[str] = []
        self.set_options(options)
        self.view().setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        # Qt gives a popup no touches, only the mouse that it makes of them.
        QScroller.grabGesture(self.view().viewport(), QScroller.ScrollerGestureType.LeftMouseButtonGesture)
        self.activated.connect(self._activated)

    @property
    def choice(self) -> str:
        """Key of what is shown, or empty."""
        index = self.currentIndex()
        return self._keys[index] if 0 <= index < len(self._keys) else ""

    def set_options(self, options: Sequence[Option]) -> None:
        """Offer something else; the choice stays if it is still there, else it is the first."""
        chosen = self.choice
        self.clear()
        self._options = tuple(options)
        self._keys = [option.key for option in options]
        for option in options:
            self.addItem(str(option.text))
            self.setItemData(self.count() - 1, str(option.hint), Qt.ItemDataRole.ToolTipRole)
        self.select(chosen if chosen in self._keys else next(iter(self._keys), ""))

    def select(self, key: str) -> None:
        """Show the option `key`, without a signal; nothing if it is not offered."""
        self.setCurrentIndex(self._keys.index(key) if key in self._keys else -1)

    def say_again(self) -> None:
        for index, option in enumerate(self._options):
            self.setItemText(index, str(option.text))
            self.setItemData(index, str(option.hint), Qt.ItemDataRole.ToolTipRole)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # Without double clicks (see `theme`), Qt would close at the release what it opens at the press.
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.showPopup()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        room = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, room.width() - 2
        )
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        colour = theme.current().text if self.isEnabled() else theme.current().disabled
        arrow = icon("chevron-down", colour=colour)
        arrow.paint(painter, self.width() - 38, (self.height() - 26) // 2, 26, 26)

    def _activated(self, index: int) -> None:
        if 0 <= index < len(self._keys):
            self.picked.emit(self._keys[index])


def label(text: str = "", role: str = "body", *, wrap: bool = True, selectable: bool = False) -> QLabel:
    """Text in the role "heading", "title", "figure", "body", "muted" or "caption"."""
    made = Label(text)
    made.setProperty("role", role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def heading(text: str = "") -> QLabel:
    """The name of a page."""
    return label(text, "heading", wrap=False)


def title(text: str = "") -> QLabel:
    """The name of a card."""
    return label(text, "title")


def body(text: str = "") -> QLabel:
    """Running text."""
    return label(text)


def caption(text: str = "") -> QLabel:
    """Small, muted text."""
    return label(text, "caption")


def captioned(words: str, *fields: QWidget) -> QVBoxLayout:
    """Fields below their caption, which is nearer to them than anything above it."""
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.GAP_PX)
    for field in (caption(words), *fields):
        column.addWidget(field)
    return column


class Bar(ProgressBar):
    """How much of something there is; however little, it stays within the round frame.

    A style sheet would make a part that is shorter than its corners square.
    """

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        width_px = colours.border_px
        frame = QRectF(self.rect()).adjusted(width_px / 2, width_px / 2, -width_px / 2, -width_px / 2)
        outline = QPainterPath()
        outline.addRoundedRect(frame, frame.height() / 2, frame.height() / 2)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(outline, QColor(colours.raised))
        share = (self.value() - self.minimum()) / max(1, self.maximum() - self.minimum())
        if share > 0:
            filled = QPainterPath()
            filled.addRect(QRectF(frame.left(), frame.top(), frame.width() * share, frame.height()))
            colour = colours.error if self.property("tone") == "error" else colours.accent
            painter.fillPath(outline.intersected(filled), QColor(colour))
        painter.setPen(QPen(QColor(colours.edge), width_px))
        painter.drawPath(outline)


def set_tone(widget: QLabel | QProgressBar, tone: str) -> None:
    """Colour a label or a bar as "ok", "info", "warning", "error", or "" for plain."""
    if widget.property("tone") != tone:
        widget.setProperty("tone", tone)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Card(Worded, QFrame):
    """A framed group of things that belong together; add them to `column`."""

    def __init__(self, title_text: str = "", *, margin_px: int = 20) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(margin_px, margin_px, margin_px, margin_px)
        self.column.setSpacing(12)
        if title_text:
            self.column.addWidget(title(title_text))


class Banner(Worded, QFrame):
    """Notices inside the window, one in front; hidden while there is nothing to say.

    A notice stays until it is closed, solved, or over; each is there once. A worse one comes to the front,
    and a button shows the others.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self._notices: list[Notice] = []
        self._icon = Label()
        self._text = label("", "title")
        self._hint = label("", "body")
        self._action = Button("")
        self._cancel = Button(tr("Cancel"))
        self._more = Button("", kind="quiet")
        self._close = IconButton("close", tr("Close the message"), kind="quiet")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addStretch(1)
        words.addWidget(self._text)
        words.addWidget(self._hint)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._icon)
        row.addLayout(words, 1)
        for button in (self._cancel, self._action, self._more, self._close):
            row.addWidget(button)
        self.hide()
        self._action.clicked.connect(self._act)
        self._cancel.clicked.connect(self.dismiss)
        self._more.clicked.connect(self._show_next)
        self._close.clicked.connect(self.dismiss)

    @property
    def notice(self) -> Notice | None:
        """What is in front."""
        return self._notices[0] if self._notices else None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Everything that is not solved yet, the one in front first."""
        return tuple(self._notices)

    def show_notice(self, notice: Notice) -> None:
        """Show `notice`, instead of an earlier one about the same or in the same words."""
        self._notices = [other for other in self._notices if not _same(other, notice)]
        front = self.notice
        behind = front is not None and LEVELS.index(front.level) > LEVELS.index(notice.level)
        self._notices.insert(1 if behind else 0, notice)
        if notice.lasts_s > 0:
            QTimer.singleShot(round(notice.lasts_s * 1000), self, partial(self._take, notice))
        self._show()

    def dismiss(self, _checked: bool = False) -> None:
        """Take the notice in front away."""
        if self._notices:
            self._take(self._notices[0])

    def solve(self, about: str) -> None:
        """Take the notice about this away, if there is one."""
        for notice in [notice for notice in self._notices if notice.about == about]:
            self._take(notice)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._notices:
            self._dress()

    def _take(self, gone: Notice) -> None:
        self._notices = [notice for notice in self._notices if notice is not gone]
        self._show()

    def _show(self) -> None:
        notice = self.notice
        if notice is None:
            self.hide()
            return
        self._text.setText(notice.text)
        self._hint.setText(notice.hint)
        self._hint.setVisible(bool(notice.hint))
        self._action.setText(notice.action_text)
        self._action.setVisible(bool(notice.action_text))
        self._action.set_kind("danger" if notice.danger else "plain")
        self._cancel.setVisible(notice.danger)
        count = len(self._notices)
        self._more.setText(tr("{count} more").format(count=count - 1))
        self._more.setAccessibleName(tr("Show the next of {count} messages").format(count=count))
        self._more.setVisible(len(self._notices) > 1)
        self.setProperty("level", notice.level)
        self.setAccessibleName(joined(" ", filter(None, (notice.text, notice.hint))))
        self.style().unpolish(self)
        self.style().polish(self)
        self._dress()
        self.show()

    def _dress(self) -> None:
        if self.notice is None:
            return
        colours = theme.current()
        colour = {"info": colours.info, "warning": colours.warning, "error": colours.error}
        drawn = icon(BANNER_ICONS[self.notice.level], colour=colour[self.notice.level])
        self._icon.setPixmap(drawn.pixmap(QSize(32, 32)))

    def _show_next(self) -> None:
        self._notices = [*self._notices[1:], self._notices[0]]
        self._show()

    def _act(self) -> None:
        action = None if self.notice is None else self.notice.action
        self.dismiss()
        if action is not None:
            action()


def _same(one: Notice, other: Notice) -> bool:
    return one.text == other.text or bool(one.about and one.about == other.about)


class Sheet(Worded, QDialog):
    """A dialog with a line around it: in a kiosk no window manager draws one."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        colours = theme.current()
        painter.setPen(QPen(QColor(colours.edge), 2 * colours.border_px))
        painter.drawRect(self.rect())


class EmptyState(Worded, QWidget):
    """What a page says when it has nothing to show.

    Args:
        icon_name: of the Material Design set.
        title_text: what is the case.
        text: what to do about it.
        action_text: of the button, or empty for none.
        action: what the button does.
    """

    WIDEST_PX = 560

    def __init__(
        self,
        icon_name: str,
        title_text: str,
        text: str,
        *,
        action_text: str = "",
        action: Callable[[], None] | None = None,
    ) -> None:
        super().__init__()
        self._icon_name = icon_name
        self._icon = Label()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._said = text
        self._title = title(title_text)
        self._text = label(text, "muted")
        for words in (self._title, self._text):
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.button = PrimaryButton(action_text)
        self.button.setVisible(bool(action_text))
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(12)
        column.addStretch(1)
        column.addWidget(self._icon)
        column.addWidget(self._title)
        column.addWidget(self._text, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(8)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        if action is not None:
            self.button.clicked.connect(action)
        self._dress()

    def show_words(self, title_text: str, text: str) -> None:
        """Say something else."""
        self._said = text
        self._title.setText(title_text)
        self._text.setText(text)
        self._make_room()

    def say_again(self) -> None:
        self._text.setText(self._said)  # before the label does it by itself: its room depends on the words
        self._make_room()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._make_room()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._dress()
            self._make_room()

    def _make_room(self) -> None:
        # A layout that centres a wrapped label gives it the height of one line.
        self._text.ensurePolished()
        words = self._text.fontMetrics().horizontalAdvance(self._text.text())
        width = min(self.WIDEST_PX, words + 8)
        self._text.setFixedWidth(width)
        self._text.setMinimumHeight(0)  # else the room of other words counts
        self._text.setMinimumHeight(self._text.heightForWidth(width))

    def _dress(self) -> None:
        drawn = icon(self._icon_name, colour=theme.current().muted)
        self._icon.setPixmap(drawn.pixmap(QSize(72, 72)))


def touch_scroll(content: QWidget) -> QScrollArea:
    """A vertical scroll area around `content` that a finger can fling."""
    content.setProperty("role", "scrolled")
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.viewport().setAutoFillBackground(False)
    fling(area.viewport())
    return area


def end_with_head(area: QScrollArea, content: QLayout, edge_px: int = theme.SPACE_PX) -> None:
    """Let what is scrolled end `edge_px` before the area does, whether its bar is there or not."""
    bar = area.verticalScrollBar()
    bar.rangeChanged.connect(partial(_share_edge, content, edge_px, bar.sizeHint().width()))


def _share_edge(content: QLayout, edge_px: int, bar_px: int, least: int, most: int) -> None:
    """Take the room of the scroll bar from the margin of what is scrolled."""
    margins = content.contentsMargins()
    margins.setRight(max(edge_px - bar_px, 0) if most > least else edge_px)
    content.setContentsMargins(margins)


def fling(viewport: QWidget) -> None:
    """Let a finger scroll the list or text whose viewport this is."""
    QScroller.grabGesture(viewport, QScroller.ScrollerGestureType.TouchGesture)
