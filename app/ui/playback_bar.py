"""Controls of a replay: play, step, speed, and a strip of pictures to move along."""

from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QShortcut,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import tr
from app.ui import theme
from app.ui.preview import middle
from app.ui.widgets import IconButton, Option, Picker, label
from app.ui.worded import Worded
from app.viewmodels.playback import Filmstrip, PlaybackModel, PlaybackView
from drivers.playback import SPEEDS

STRIP_PX = 64
WORDS_PX = 215
MARK_PX = 12
CURSOR_PX = 4
ON_FILM = theme.DARK
"""Pictures lie on black in every theme."""


class Strip(Worded, QWidget):
    """Pictures along the session, marks above them, and a line where the replay stands.

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
        film = QRectF(0, MARK_PX, self.width(), self.height() - MARK_PX)
        width = film.width() / max(len(self._images), 1)
        for number, image in enumerate(self._images):
            if image is not None:
                place = QRectF(number * width, film.top(), width, film.height())
                painter.drawImage(place, image, middle(image, place))
        x = self._share * self.width()
        coming = QColor(ON_FILM.picture)
        coming.setAlpha(110)
        painter.fillRect(QRectF(x, film.top(), self.width() - x, film.height()), coming)
        painter.setPen(Qt.PenStyle.NoPen)
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
        self.back = IconButton("step-backward", tr("One frame back (,)"))
        self.toggle = IconButton("pause", tr("Pause (K)"))
        self.forward = IconButton("step-forward", tr("One frame on (.)"))
        self.skip = IconButton("run-fast", tr("Skip frames to keep the pace"), checkable=True)
        self.strip = Strip()
        self.time = label("", "body", wrap=False)
        self.frame = label("", "muted", wrap=False)
        for words in (self.time, self.frame):
            words.setFont(theme.font(theme.BODY_PX, tabular=True))
            words.setMinimumWidth(WORDS_PX)
        self.speed = Picker(tr("Speed"), [Option(f"{speed:g}", f"{speed:g}x") for speed in SPEEDS])
        words_column = QVBoxLayout()
        words_column.setSpacing(0)
        words_column.addStretch(1)
        words_column.addWidget(self.time)
        words_column.addWidget(self.frame)
        words_column.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, theme.GAP_PX, 12, theme.GAP_PX)
        row.setSpacing(theme.GAP_PX)
        for widget in (self.back, self.toggle, self.forward):
            row.addWidget(widget)
        row.addSpacing(theme.TIGHT_PX)
        row.addWidget(self.strip, 1)
        row.addSpacing(theme.TIGHT_PX)
        row.addLayout(words_column)
        row.addWidget(self.skip)
        row.addWidget(self.speed)
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
        for key, act in ((",", self.back.click), (".", self.forward.click), ("K", self.toggle.click)):
            QShortcut(QKeySequence(key), self).activated.connect(act)
        self.hide()

    def set_in_front(self, in_front: bool) -> None:
        """Whether the page with the pictures is in front."""
        self._in_front = in_front
        self.setVisible(self._offered and in_front)

    def show_view(self, view: PlaybackView) -> None:
        """Show where the replay stands."""
        self.toggle.set_icon("pause" if view.playing else "play")
        name = tr("Pause (K)") if view.playing else tr("Play (K)")
        self.toggle.setAccessibleName(name)
        self.toggle.setToolTip(name)
        self.skip.setChecked(view.skipping)
        self.time.setText(view.time)
        self.frame.setText(view.frame)
        self.speed.select(f"{view.speed:g}")
        self.strip.show_share(view.share)

    def _offer(self, offered: bool) -> None:
        self._offered = offered
        if offered:
            self.strip.show_film(Filmstrip())
        self.setVisible(offered and self._in_front)

    def _step(self, frames: int, _checked: bool = False) -> None:
        self._model.step(frames)

    def _speed_picked(self, key: str) -> None:
        self._model.set_speed(float(key))


def _flag(x: float) -> QPolygonF:
    half = MARK_PX / 2
    polygon = QPolygonF()
    for dx, y in ((-half, 0.0), (half, 0.0), (0.0, float(MARK_PX))):
        polygon.append(QRectF(x + dx, y, 0, 0).topLeft())
    return polygon
