"""What the calibration wizard paints: a camera's picture with the board's corners, and the board itself."""

import time
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.calibrating import CameraLook
from app.language import from_below, joined, tr
from app.ui import theme
from app.ui.widgets import caption, label, set_tone
from app.ui.worded import Worded
from drivers.calibration.board import Board, picture
from drivers.calibration.coverage import Coverage
from drivers.calibration.solve import GRID

FLASH_S: Final = 0.4
DOT_PX: Final = 3.5
SHEET_PX_PER_SQUARE: Final = 96


class BoardTile(Worded, QWidget):
    """One camera's newest picture; corners, covered parts, and where to hold the board next.

    Args:
        name: of the camera.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._canvas = _Canvas()
        self._words = caption()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(label(name, "body"))
        column.addWidget(self._words)
        column.addWidget(self._canvas, 1)
        self.setAccessibleName(name)

    def show_look(
        self,
        look: CameraLook,
        coverage: Coverage | None,
        aim: tuple[int, int] | None,
        taken_at_s: float,
    ) -> None:
        """Show what the camera sees.

        Args:
            look: the picture and its corners.
            coverage: what boards have covered so far.
            aim: part of the picture to hold the board in, or None.
            taken_at_s: when the newest picture was taken, on `time.monotonic`.
        """
        shared = (
            tr(" {shared} shared pictures.").format(shared=coverage.shared) if coverage is not None else ""
        )
        self._words.setText(joined("", (from_below(look.words), shared)))
        set_tone(self._words, look.tone)
        self._canvas.show_look(look, coverage, aim, flash=time.monotonic() - taken_at_s < FLASH_S)


class _Canvas(Worded, QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._look = CameraLook("")
        self._coverage: Coverage | None = None
        self._aim: tuple[int, int] | None = None
        self._flash = False
        self._image = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(320, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 120)

    def show_look(
        self, look: CameraLook, coverage: Coverage | None, aim: tuple[int, int] | None, *, flash: bool
    ) -> None:
        """Paint this from now on."""
        self._look, self._coverage, self._aim, self._flash = look, coverage, aim, flash
        if look.frame is not None:
            color = np.ascontiguousarray(look.frame.color)
            height, width = color.shape[:2]
            made = QImage(color.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            self._image = made.copy()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        colours = theme.current()
        if self._image.isNull():
            painter.fillRect(self.rect(), QColor(colours.picture))
            painter.setPen(QColor(colours.on_picture))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("No picture yet"))
            return
        scale = min(self.width() / self._image.width(), self.height() / self._image.height())
        size = self._image.size() * scale
        area = QRectF((self.width() - size.width()) / 2, 0, size.width(), size.height())
        painter.drawImage(area, self._image)
        self._paint_cells(painter, area)
        if self._look.sighting is not None:
            tone = colours.ok if self._look.still else colours.warning
            painter.setPen(QPen(QColor(colours.picture), 1))
            painter.setBrush(QColor(tone))
            for x, y in (self._look.sighting.pixels + 0.5) * scale:
                painter.drawEllipse(QPointF(area.x() + x, area.y() + y), DOT_PX, DOT_PX)
        if self._flash:
            painter.fillRect(area, QColor(255, 255, 255, 120))

    def _paint_cells(self, painter: QPainter, area: QRectF) -> None:
        colours = theme.current()
        covered = self._coverage.cells if self._coverage is not None else frozenset()
        width, height = area.width() / GRID[0], area.height() / GRID[1]
        for column in range(GRID[0]):
            for row in range(GRID[1]):
                cell = QRectF(area.x() + column * width, area.y() + row * height, width, height)
                if (column, row) in covered:
                    tint = QColor(colours.ok)
                    tint.setAlpha(46)
                    painter.fillRect(cell, tint)
                if (column, row) == self._aim:
                    painter.setPen(QPen(QColor(theme.DARK.warning), 4))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRect(cell.adjusted(3, 3, -3, -3))


class BoardSheet(Worded, QWidget):
    """The board on its sheet of paper."""

    def __init__(self) -> None:
        super().__init__()
        self._board: Board | None = None
        self._image = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("The board"))

    def sizeHint(self) -> QSize:
        return QSize(480, 360)

    def show_board(self, board: Board) -> None:
        """Paint this board from now on."""
        self._board = board
        pixels = np.ascontiguousarray(picture(board, SHEET_PX_PER_SQUARE))
        height, width = pixels.shape
        made = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
        self._image = made.copy()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._board is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        wide, high = self._board.paper_m
        scale = min(self.width() / wide, self.height() / high)
        sheet = QRectF(
            (self.width() - wide * scale) / 2, (self.height() - high * scale) / 2, wide * scale, high * scale
        )
        painter.fillRect(sheet, QColor("white"))
        columns, rows = self._board.columns, self._board.rows
        square = min(wide / columns, high / rows) * 0.88 * scale
        area = QRectF(0, 0, square * columns, square * rows)
        area.moveCenter(sheet.center())
        painter.drawImage(area, self._image)
