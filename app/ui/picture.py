"""A picture whose pixels are filled again and again."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from app.viewmodels.sampling import Size


class Picture:
    """A picture in a buffer of its own that is filled again and again."""

    def __init__(self) -> None:
        self._buffer: NDArray[np.uint32] | None = None
        self._channels = np.empty((0, 0, 4), np.uint8)
        self._whole = np.empty((0, 0, 4), np.uint8)
        self._image: QImage | None = None

    @property
    def size(self) -> Size:
        """Rows and columns."""
        return (0, 0) if self._buffer is None else (self._buffer.shape[0], self._buffer.shape[1])

    @property
    def image(self) -> QImage | None:
        """What was filled in last."""
        return self._image

    def clear(self) -> None:
        """Show nothing."""
        self._image = None
        self._buffer = None

    def buffer(self, shape: tuple[int, ...]) -> NDArray[np.uint32]:
        """The (H, W) uint32 pixels 0xffRRGGBB, to be filled by the caller."""
        if self._buffer is None or self._buffer.shape != shape:
            height, width = shape
            self._buffer = np.empty((height, width), np.uint32)
            self._channels = self._buffer.view(np.uint8).reshape(height, width, 4)
            self._image = QImage(self._buffer.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        return self._buffer

    @property
    def channels(self) -> NDArray[np.uint8]:
        """The same pixels, (H, W, 4) uint8: blue, green, red, 255."""
        return self._channels

    def whole(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """(H, W, 4) uint8 that is not shown: room for a picture before it is brought to its size."""
        if self._whole.shape[:2] != shape:
            self._whole = np.empty((*shape, 4), np.uint8)
        return self._whole


def on_screen(painter: QPainter, rect: QRect) -> QRect:
    """The pixels of the screen, or of whatever is painted on, that a rectangle of the widget covers."""
    found = painter.deviceTransform().mapRect(QRectF(rect))
    left, top = round(found.left()), round(found.top())
    return QRect(left, top, round(found.right()) - left, round(found.bottom()) - top)


def size_on_screen(painter: QPainter, rect: QRect, ratio: float) -> Size:
    """Rows and columns of the screen that a rectangle of the widget covers; `ratio` is the widget's."""
    place = rect if ratio == 1 else on_screen(painter, rect)
    return place.height(), place.width()


def paint_picture(painter: QPainter, rect: QRect, picture: Picture, size: Size, ratio: float) -> None:
    """Fill a rectangle of the widget: pixel for pixel where the picture has as many as the screen does there.

    Args:
        painter: of the widget.
        rect: in the widget.
        picture: to be painted; nothing happens if it is empty.
        size: what `size_on_screen` said.
        ratio: of the widget's pixels to those of the screen.
    """
    image = picture.image
    if image is None:
        return
    if ratio != 1:  # at 150 %, a rectangle of the widget may begin between two pixels of the screen
        place, before = on_screen(painter, rect), painter.worldTransform()
        painter.setWorldTransform(painter.deviceTransform().inverted()[0] * before)
        painter.drawImage(place, image)
        painter.setWorldTransform(before)
    elif picture.size == size:
        painter.drawImage(rect.topLeft(), image)
    else:
        painter.drawImage(rect, image)
