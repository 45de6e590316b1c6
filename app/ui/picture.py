"""A picture whose pixels are filled again and again."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage


class Picture:
    """A picture in a buffer of its own that is filled again and again."""

    def __init__(self) -> None:
        self._buffer: NDArray[np.uint32] | None = None
        self._image: QImage | None = None

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
            self._image = QImage(self._buffer.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        return self._buffer
