"""Controls of a replay: play, step, speed, and a strip of pictures to move along."""

from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import tr
from app.ui import theme
from app.ui.commands import Command, bind_keys
from app.ui.preview import middle
from app.ui.rebinding import keyed
from app.ui.widgets import IconButton, Option, Picker, label
from app.ui.worded import Worded
from app.viewmodels.playback import Filmstrip, PlaybackModel, PlaybackView
from drivers.playback import SPEEDS

STRIP_PX = theme.TARGET_PX
MARK_PX = 12
CURSOR_PX = 4
MARGIN_PX = 12
NARROW_PX = 960
"""With less room the pictures lie above the buttons."""
ON_FILM = theme.DARK
"""Pictures lie on black in every theme."""


class Strip(Worded, QWidget):
    """Pictures along the session, marks over them, and a line where the replay stands.

    Signals:
        seek_requested: the share of the session that was touched.
        step_requested: frames to go, by the arrow keys.
    """

    seek_requested = Signal(float)
    step_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._images: list[QImage | None] = []
        self._film = Filmstrip()
        self._share = 0.0
        self.setAccessibleName(tr("Position in the recording"))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(STRIP_PX)

    def sizeHint(self) -> QSize:
        return QSize(400, STRIP_PX)

    def show_film(self, film: Filmstrip) -> None:
        """Show pictures and marks."""
        self._film = film
        self._images = [
            None
            if picture is None
            else QImage(
                picture.data,
                picture.shape[1],
                picture.shape[0],
                picture.strides[0],
                QImage.Format.Format_RGB888,
            )
            for picture in film.pictures
        ]
        self.setToolTip("\n".join(f"{mark.text}" for mark in film.marks))
        self.update()

    def show_share(self, share: float) -> None:
        """Show where the replay stands, 0 to 1."""
        if round(share * self.width()) != round(self._share * self.width()):
            self.update()
        self._share = share

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.seek_requested.emit(self._share_at(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.seek_requested.emit(self._share_at(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if (step := steps.get(Qt.Key(event.key()))) is not None:
            self.step_requested.emit(step)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(ON_FILM.picture))
        film = QRectF(self.rect())
        width = film.width() / max(len(self._images), 1)
        for number, image in enumerate(self._images):
            if image is not None:
                place = QRectF(number * width, film.top(), width, film.height())
                painter.drawImage(place, image, middle(image, place))
        x = self._share * self.width()
        coming = QColor(ON_FILM.picture)
        coming.setAlpha(110)
        painter.fillRect(QRectF(x, film.top(), self.width() - x, film.height()), coming)
        painter.setPen(QPen(QColor(ON_FILM.picture), 1.5))
        painter.setBrush(QColor(ON_FILM.warning))
        for mark in self._film.marks:
            painter.drawPolygon(_flag(mark.share * self.width()))
        left = min(max(x - CURSOR_PX / 2, 0.0), self.width() - CURSOR_PX)
        painter.fillRect(QRectF(left, 0, CURSOR_PX, self.height()), QColor(ON_FILM.accent))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(ON_FILM.text), 2))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))

    def _share_at(self, event: QMouseEvent) -> float:
        return min(max(event.position().x() / max(self.width() - 1, 1), 0.0), 1.0)


class PlaybackBar(Worded, QFrame):
    """There while a replay runs and its page is in front."""

    def __init__(self, model: PlaybackModel) -> None:
        super().__init__()
        self.setProperty("role", "strip")
        self._model = model
        self._offered = self._in_front = False
        self.start = IconButton("skip-backward", keyed(tr("To the first frame (Home)"), "Live"))
        self.back = IconButton("step-backward", keyed(tr("One frame back (, or Ctrl+Left)"), "Live", ","))
        self.toggle = IconButton("pause", keyed(tr("Pause (K)"), "Live"))
        self.forward = IconButton("step-forward", keyed(tr("One frame on (. or Ctrl+Right)"), "Live", "."))
        self.end = IconButton("skip-forward", keyed(tr("To the last frame (End)"), "Live"))
        self.skip = IconButton("run-fast", tr("Skip frames to keep the pace"), checkable=True)
        self.strip = Strip()
        self.time = label("", "body", wrap=False)
        self.frame = label("", "muted", wrap=False)
        for words in (self.time, self.frame):
            words.setFont(theme.font(theme.BODY_PX, tabular=True))
        self.speed = Picker(tr("Speed"), [Option(f"{speed:g}", f"{speed:g}x") for speed in SPEEDS])
        words_column = QVBoxLayout()
        words_column.setSpacing(0)
        words_column.addStretch(1)
        words_column.addWidget(self.time)
        words_column.addWidget(self.frame)
        words_column.addStretch(1)
        self._moves = _row(self.start, self.back, self.toggle, self.forward, self.end)
        self._film = QHBoxLayout()
        self._film.setSpacing(theme.GAP_PX + theme.TIGHT_PX)
        self._film.addWidget(self.strip, 1)
        self._film.addLayout(words_column)
        self._pace = _row(self.skip, self.speed)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(MARGIN_PX, theme.GAP_PX, MARGIN_PX, theme.GAP_PX)
        self._grid.setSpacing(theme.GAP_PX)
        self._grid.setSizeConstraint(QGridLayout.SizeConstraint.SetNoConstraint)  # see minimumSizeHint
        self._grid.setColumnStretch(1, 1)
        self._place(narrow=False)
        self.start.clicked.connect(self._to_start)
        self.end.clicked.connect(model.to_end)
        self.back.clicked.connect(partial(self._step, -1))
        self.forward.clicked.connect(partial(self._step, 1))
        self.toggle.clicked.connect(model.toggle)
        self.skip.clicked.connect(model.set_skipping)
        self.strip.seek_requested.connect(model.seek)
        self.strip.step_requested.connect(model.step)
        self.speed.picked.connect(self._speed_picked)
        model.offered.connect(self._offer)
        model.view_changed.connect(self.show_view)
        model.strip_changed.connect(self.strip.show_film)
        bind_keys(self._commands(), self, "Live")
        self.hide()

    def minimumSizeHint(self) -> QSize:
        # That of the two rows: the window must get narrow enough for them.
        across = self._moves.minimumSize().width() + self._pace.minimumSize().width()
        return QSize(across + theme.GAP_PX + 2 * MARGIN_PX, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if (self.width() < NARROW_PX) != self._narrow:
            self._place(narrow=not self._narrow)

    def _place(self, *, narrow: bool) -> None:
        """All in one row, or the pictures above the buttons."""
        self._narrow = narrow
        for part in (self._moves, self._film, self._pace):
            self._grid.removeItem(part)
        film = (0, 0, 1, 3) if narrow else (0, 1, 1, 1)
        self._grid.addLayout(self._film, *film)
        for column, part in ((0, self._moves), (2, self._pace)):
            self._grid.addLayout(part, int(narrow), column)

    def set_in_front(self, in_front: bool) -> None:
        """Whether the page with the pictures is in front."""
        self._in_front = in_front
        self.setVisible(self._offered and in_front)

    def show_view(self, view: PlaybackView) -> None:
        """Show where the replay stands."""
        self.toggle.set_icon("pause" if view.playing else "play")
        name = keyed(tr("Pause (K)"), "Live") if view.playing else keyed(tr("Play (K)"), "Live")
        self.toggle.setAccessibleName(name)
        self.toggle.setToolTip(name)
        self.skip.setChecked(view.skipping)
        self.time.setText(view.time)
        self.frame.setText(view.frame)
        for words in (self.time, self.frame):  # wider at times, but not to and fro with every figure
            words.setMinimumWidth(max(words.minimumWidth(), words.sizeHint().width()))
        self.speed.select(f"{view.speed:g}")
        self.strip.show_share(view.share)

    def _offer(self, offered: bool) -> None:
        self._offered = offered
        if offered:
            self.strip.show_film(Filmstrip())
            for words in (self.time, self.frame):
                words.setMinimumWidth(0)
        self.setVisible(offered and self._in_front)

    def _commands(self) -> list[Command]:
        """End is a key of the page, which lets frozen pictures go as well."""
        return [
            Command(tr("Playback: to the first frame"), self.start.click, ("Home",)),
            Command(tr("Playback: frame before"), self.back.click, (",", "Ctrl+Left")),
            Command(tr("Playback: next frame"), self.forward.click, (".", "Ctrl+Right")),
            Command(tr("Playback: play or pause"), self.toggle.click, ("K",)),
        ]

    def _to_start(self, _checked: bool) -> None:
        self._model.seek(0.0)

    def _step(self, frames: int, _checked: bool = False) -> None:
        self._model.step(frames)

    def _speed_picked(self, key: str) -> None:
        self._model.set_speed(float(key))


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.GAP_PX)
    for widget in widgets:
        row.addWidget(widget)
    return row


def _flag(x: float) -> QPolygonF:
    half = MARK_PX / 2
    polygon = QPolygonF()
    for dx, y in ((-half, 0.0), (half, 0.0), (0.0, float(MARK_PX))):
        polygon.append(QRectF(x + dx, y, 0, 0).topLeft())
    return polygon
