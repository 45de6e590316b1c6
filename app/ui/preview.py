"""A small picture that keeps its shape: a camera's newest frame, or a session's thumbnail."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.language import tr_noop
from app.ui import theme
from app.ui.worded import Worded

VEIL_OPACITY = 0.72


class Preview(Worded, QWidget):
    """Shows an image in a frame of fixed proportions, or words where there is none."""

    def __init__(self, *, aspect: float = 4 / 3, words: str = tr_noop("No picture yet")) -> None:
        super().__init__()
        self._aspect = aspect
        self._words = words
        self._image = QImage()
        self._pixels: NDArray[np.uint8] | None = None
        self._veil = ""
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_words(self, words: str) -> None:
        """Say this where there is no image."""
        self._words = words
        self.update()

    def show_color(self, color: NDArray[np.uint8]) -> None:
        """Show (H, W, 3) uint8 RGB; only every n-th pixel is taken, about as many as the widget has."""
        step = max(color.shape[1] // max(round(self.width() * self.devicePixelRatioF()), 160), 1)
        pixels = np.ascontiguousarray(color[::step, ::step])
        height, width = pixels.shape[:2]
        self._image = QImage(pixels.data, width, height, width * 3, QImage.Format.Format_RGB888)
        self._pixels = pixels  # QImage does not copy
        self.update()

    def show_veil(self, words: str) -> None:
        """Say over the image that it is an old one; with no words it is of now."""
        if words != self._veil:
            self._veil = words
            self.update()

    def show_jpeg(self, data: bytes | None) -> None:
        """Show a JPEG file, or the words where there is none."""
        self._image = QImage.fromData(data) if data else QImage()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(width / self._aspect)

    def sizeHint(self) -> QSize:
        return QSize(320, self.heightForWidth(320))

    def minimumSizeHint(self) -> QSize:
        return QSize(96, self.heightForWidth(96))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        area = QRectF(self.rect())
        paint_picture(painter, area, self._image, str(self._words))
        if self._veil and not self._image.isNull():
            paint_veil(painter, area, str(self._veil))


def paint_picture(painter: QPainter, area: QRectF, image: QImage, words: str) -> None:
    """Fill `area`, which has round corners, with `image`, cut to its proportions; or say `words`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    path = QPainterPath()
    path.addRoundedRect(area, theme.RADIUS_PX, theme.RADIUS_PX)
    painter.setClipPath(path)
    painter.fillRect(area, QColor(theme.current().picture))
    if image.isNull():
        painter.setPen(QColor(theme.current().on_picture))
        painter.setFont(theme.font(theme.CAPTION_PX))
        inner = area.adjusted(12, 8, -12, -8)
        painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
    else:
        painter.drawImage(area, image, middle(image, area))
    painter.restore()


def paint_veil(painter: QPainter, area: QRectF, words: str) -> None:
    """Darken `area`, which has round corners, and say `words` in its middle."""
    colours = theme.current()
    dark = QColor(colours.picture)
    dark.setAlphaF(VEIL_OPACITY)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(dark)
    painter.drawRoundedRect(area, theme.RADIUS_PX, theme.RADIUS_PX)
    painter.setPen(QColor(colours.on_picture))
    painter.setFont(theme.font(theme.TITLE_PX, weight=QFont.Weight.DemiBold))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
    painter.restore()


def middle(image: QImage, area: QRectF) -> QRectF:
    """The largest middle part of `image` that has the proportions of `area`."""
    scale = min(image.width() / area.width(), image.height() / area.height())
    width, height = area.width() * scale, area.height() * scale
    return QRectF((image.width() - width) / 2, (image.height() - height) / 2, width, height)
