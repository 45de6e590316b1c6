"""The cameras of the rig beside each other, or one large and the others small."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QVBoxLayout, QWidget

from app.flow.attention import Attention
from app.flow.capture import CameraStatus
from app.language import capitalised, joined, tr
from app.ui import theme
from app.ui.depth_view import DepthView
from app.ui.icons import icon
from app.ui.panes import arrange
from app.ui.stage_bar import STAGES_PX, StageBar
from app.ui.worded import Worded
from app.viewmodels.live import CameraTitle, LiveOptions, TileView
from app.viewmodels.measure import Measured, Stroke, Tool
from app.viewmodels.words import duration, how_old

HEADER_PX: Final = 58
NARROW_PX: Final = 230
"""A narrower header has no arrow: its name needs the room, and the whole tile takes the tap."""
SMALLEST_NAME_PX: Final = 12
FIGURES_PX: Final = 15
WORDS_X: Final = 58
"""Behind the badge."""
SMALL_FIGURE: Final = re.compile(r"(\d+(?:\.\d)?)( fps| ms| s)(?= |$)")
WIDEST_FIGURE: Final = {" fps": "00", " ms": "00.0", " s": "00.0"}
SIDE_STRIP_PX: Final = (200, 320)
TILE_GAP_PX: Final = theme.GAP_PX


@dataclass(frozen=True)
class Drawn:
    """A measurement that was drawn on a camera's pictures."""

    camera_id: str
    stroke: Stroke


def figures(tile: TileView, *, aged: bool = True) -> list[str]:
    """Rate, age and losses of one camera, as its header says them: in full, then ever shorter.

    Args:
        tile: the camera.
        aged: whether repaired depth is shown, whose age is told.
    """
    rate = "" if tile.frozen else tr("Paused") if tile.paused else f"{tile.rate_hz:.0f} fps"
    lost = tr("{lost:,} lost").format(lost=tile.lost) if tile.lost else ""
    age = ""
    if tile.frozen and tile.age_ms is not None:
        age = tr("picture {seconds} old").format(seconds=duration(tile.age_ms / 1e3))
    elif aged and tile.refined is not None and tile.age_ms is not None:
        age = tr("refined {milliseconds} old").format(milliseconds=how_old(tile.age_ms))
    forms = ((rate, age, lost), (rate, age), (age or rate,))
    return [joined("  ·  ", filter(None, form)) for form in forms]


class TileHeader(Worded, QAbstractButton):
    """Number, name and figures of a camera; a tap shows it large or all alike."""

    def __init__(self, camera: CameraTitle) -> None:
        super().__init__()
        self._camera = camera
        self._figures: list[str] = []
        self._aged = True
        self._form, self._name_px = 0, theme.BODY_PX
        self._status = CameraStatus.STARTING
        self._large = False
        self.setFixedHeight(HEADER_PX)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.show_large(False)

    def show_large(self, large: bool) -> None:
        """Offer the way back."""
        self._large = large
        words = tr("show all cameras") if large else tr("show large")
        self.setAccessibleName(joined(": ", (self._camera.name, words)))
        self.setToolTip(joined("", (capitalised(words), f" ({self._camera.number})")))
        self.update()

    def show_tile(self, tile: TileView) -> None:
        """Show what the figures are now."""
        words = figures(tile, aged=self._aged)
        if (words, tile.status) != (self._figures, self._status):
            self._figures, self._status = words, tile.status
            self.show_fitting(*self.fitting)
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.show_fitting(*self.fitting)

    def show_age(self, aged: bool) -> None:
        """Tell the age of repaired depth from the next figures on, or not: none is shown."""
        self._aged = aged

    @property
    def figures(self) -> list[str]:
        """Rate, age and losses, ever shorter."""
        return self._figures

    @property
    def fitting(self) -> tuple[int, int]:
        """The fullest form of the figures that fits, counted from 0, and the largest type of the name."""
        metrics = QFontMetrics(theme.font(FIGURES_PX, tabular=True))
        room = self._words_px
        widths = [metrics.horizontalAdvance(_widest(form)) for form in self._figures]
        form = next((i for i, width in enumerate(widths) if width <= room), max(len(widths) - 1, 0))
        return form, _name_px(str(self._camera.name), room)

    def show_fitting(self, form: int, name_px: int) -> None:
        """Say so much, in type of this size, as the headers beside this one do."""
        if (form, name_px) != (self._form, self._name_px):
            self._form, self._name_px = form, name_px
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, HEADER_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = colours.hover if self.underMouse() or self.isDown() else colours.surface
        painter.fillRect(self.rect(), QColor(colours.surface))
        if ground != colours.surface:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ground))
            painter.drawRoundedRect(self.rect().adjusted(4, 4, -4, -4), 8, 8)
        if self.hasFocus():
            painter.setPen(QColor(colours.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(4, 4, -4, -4), 8, 8)
        self._paint_badge(painter)
        self._paint_words(painter)
        if self._has_arrow:
            arrow = icon("arrow-collapse" if self._large else "arrow-expand", colour=colours.muted)
            arrow.paint(painter, QRect(self.width() - 40, (self.height() - 24) // 2, 24, 24))

    @property
    def _words_px(self) -> int:
        return self.width() - WORDS_X - (48 if self._has_arrow else 8)

    @property
    def _has_arrow(self) -> bool:
        """Whether there is room for it beside the name."""
        return self._large or self.width() >= NARROW_PX

    def _paint_badge(self, painter: QPainter) -> None:
        colours = theme.current()
        colour = {
            CameraStatus.STREAMING: colours.ok,
            CameraStatus.LOST: colours.error,
            CameraStatus.SILENT: colours.warning,
        }.get(self._status, colours.muted)
        badge = QRect(14, (self.height() - 32) // 2, 32, 32)
        painter.setPen(QColor(colour))
        painter.setBrush(QColor(colours.raised))
        painter.drawRoundedRect(badge, 8, 8)
        painter.setFont(theme.font(theme.BODY_PX, weight=theme.BOLD))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(self._camera.number))

    def _paint_words(self, painter: QPainter) -> None:
        colours = theme.current()
        left, right = WORDS_X, WORDS_X + self._words_px
        said, sensor = str(self._camera.name), str(self._camera.sensor)
        bold = theme.font(self._name_px, weight=theme.BOLD)
        small = theme.font(FIGURES_PX, tabular=True)
        name = QFontMetrics(bold).elidedText(said, Qt.TextElideMode.ElideRight, right - left)
        painter.setFont(bold)
        painter.setPen(QColor(colours.text))
        painter.drawText(QRect(left, 7, right - left, 23), Qt.AlignmentFlag.AlignVCenter, name)
        end = left + QFontMetrics(bold).horizontalAdvance(name) + 10
        metrics = QFontMetrics(small)
        painter.setFont(small)
        painter.setPen(QColor(colours.muted))
        if metrics.horizontalAdvance(sensor) <= right - end and sensor not in said:
            painter.drawText(QRect(end, 7, right - end, 23), Qt.AlignmentFlag.AlignVCenter, sensor)
        if self._figures:
            words = str(self._figures[min(self._form, len(self._figures) - 1)])
            painter.drawText(QRect(left, 30, right - left, 21), Qt.AlignmentFlag.AlignVCenter, words)


def level(headers: Sequence[TileHeader]) -> None:
    """Let headers of one width say equally much, in names of one size: those beside each other look alike."""
    for width in {header.width() for header in headers}:
        row = [header for header in headers if header.width() == width]
        forms, sizes = zip(*(header.fitting for header in row), strict=True)
        for header in row:
            header.show_fitting(max(forms), min(sizes))


def _widest(words: str) -> str:
    """The same with the most digits that a rate and an age have, so that no digit more changes the form."""
    return SMALL_FIGURE.sub(lambda found: WIDEST_FIGURE[found[2]] + found[2], str(words))


def _name_px(name: str, width: int) -> int:
    """The largest type in which a camera's name fits."""
    for size_px in range(theme.BODY_PX, SMALLEST_NAME_PX, -1):
        if QFontMetrics(theme.font(size_px, weight=theme.BOLD)).horizontalAdvance(name) <= width:
            return size_px
    return SMALLEST_NAME_PX


class Tile(Worded, QWidget):
    """One camera: header and pictures.

    Signals:
        focus_toggled: the camera's id; header or small picture was tapped.
    """

    focus_toggled = Signal(str)

    def __init__(self, camera: CameraTitle) -> None:
        super().__init__()
        self.camera = camera
        self.header = TileHeader(camera)
        self.view = DepthView()
        self.view.setAccessibleName(tr("Pictures of {name}").format(name=camera.name))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.stages = StageBar(camera.name)
        self.stages.hide()
        column.addWidget(self.header)
        column.addWidget(self.stages)
        column.addWidget(self.view, 1)
        self.header.clicked.connect(self._tapped)
        self.view.focus_requested.connect(self._tapped)

    def _tapped(self) -> None:
        self.focus_toggled.emit(self.camera.camera_id)

    def show_tile(self, tile: TileView) -> None:
        """Show what is new."""
        self.header.show_tile(tile)
        self.view.show_tile(tile)
        if self.stages.isVisible() and tile.stages is not None:
            self.stages.show_stages(tile.stages, tile.age_ms)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.current().surface))


class TilesArea(Worded, QWidget):
    """Lays out the tiles.

    Signals:
        focus_toggled: id of the camera whose header or small tile was tapped.
        swap_requested: the small picture in a corner was tapped.
        drawn: `Drawn`, a measurement on one camera's pictures.
        model_requested: the operator wants another model.
        frame_painted: a frame that is on the screen for the first time.
    """

    focus_toggled = Signal(str)
    swap_requested = Signal()
    drawn = Signal(Drawn)
    model_requested = Signal()
    frame_painted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._tiles: dict[str, Tile] = {}
        self._options = LiveOptions()
        self._tool: Tool = "read"
        self._cloud: QWidget | None = None

    @property
    def tiles(self) -> list[Tile]:
        """In the rig's order."""
        return list(self._tiles.values())

    @property
    def large(self) -> Tile | None:
        """The tile that is shown large, if one is."""
        if self._options.focus in self._tiles:
            return self._tiles[self._options.focus]
        if self._options.layout == "cloud" or len(self._tiles) == 1:
            return next(iter(self._tiles.values()), None)
        return None

    def show_rig(self, cameras: list[CameraTitle]) -> None:
        """Show other cameras."""
        for tile in self._tiles.values():
            tile.setParent(None)
            tile.deleteLater()
        self._tiles = {camera.camera_id: Tile(camera) for camera in cameras}
        for tile in self._tiles.values():
            tile.setParent(self)
            tile.focus_toggled.connect(self.focus_toggled)
            tile.view.model_requested.connect(self.model_requested)
            tile.view.frame_painted.connect(self.frame_painted)
            tile.view.set_tool(self._tool)
            tile.view.drawn.connect(partial(self._drawn, tile.camera.camera_id))
            tile.view.swap_requested.connect(self.swap_requested)
            tile.view.wiped.connect(self._share_wipe)
            tile.view.show_options(self._options)
            tile.show()
        self._place()

    def show_tile(self, tile: TileView) -> None:
        """Show what is new of one camera."""
        if widget := self._tiles.get(tile.camera_id):
            said = widget.header.figures
            widget.show_tile(tile)
            if widget.header.figures is not said:
                level([each.header for each in self._tiles.values()])

    def show_options(self, options: LiveOptions) -> None:
        """Lay out and colour in another way."""
        self._options = options
        for tile in self._tiles.values():
            tile.view.show_options(options)
        self._place()

    def set_tool(self, tool: Tool) -> None:
        """Measure with the next touch, or "read" the depth below it."""
        self._tool = tool
        for tile in self._tiles.values():
            tile.view.set_tool(tool)

    def show_marks(self, marks: Sequence[Measured]) -> None:
        """Show each camera's measurements."""
        for camera_id, tile in self._tiles.items():
            tile.view.show_marks([found for found in marks if found.mark.camera_id == camera_id])

    def show_attention(self, attention: Attention | None) -> None:
        """Show what a place of one camera's picture attends to."""
        for camera_id, tile in self._tiles.items():
            here = attention is not None and attention.asked.camera_id == camera_id
            tile.view.show_attention(attention if here else None)

    def show_cloud(self, cloud: QWidget | None) -> None:
        """Put the 3D view in place of the large tile's pictures, or take it away."""
        self._cloud = cloud
        if cloud is not None:
            cloud.setParent(self)
        self._place()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        if not self._tiles:
            return
        large = self.large
        for tile in self._tiles.values():
            tile.view.set_compact(large is not None and tile is not large)
            tile.header.show_large(tile is large and len(self._tiles) > 1)
            tile.header.show_age(tile.view.shows_refined or (tile is large and self._cloud is not None))
            tile.stages.setVisible(self._options.stages and (large is None or tile is large))
        if large is None:
            self._place_alike()
        else:
            self._place_around(large)
        level([tile.header for tile in self._tiles.values()])

    def _place_alike(self) -> None:
        tiles = self.tiles
        columns = max(range(1, len(tiles) + 1), key=self._picture_area)
        rows = -(-len(tiles) // columns)
        cell = self._cell(columns, rows)
        for i, tile in enumerate(tiles):
            row, column = divmod(i, columns)
            corner = QPoint(column * (cell.width() + TILE_GAP_PX), row * (cell.height() + TILE_GAP_PX))
            if column and column == columns - 1:  # the gap has what the division leaves over: all are alike
                corner.setX(self.width() - cell.width())
            if row and row == rows - 1:
                corner.setY(self.height() - cell.height())
            tile.setGeometry(QRect(corner, cell))

    def _cell(self, columns: int, rows: int) -> QSize:
        return QSize(
            (self.width() - (columns - 1) * TILE_GAP_PX) // columns,
            (self.height() - (rows - 1) * TILE_GAP_PX) // rows,
        )

    def _picture_area(self, columns: int) -> int:
        here = self._options
        cell = self._cell(columns, -(-len(self._tiles) // columns))
        room = QRect(0, 0, cell.width(), cell.height() - HEADER_PX)
        if here.stages:
            room.setHeight(room.height() - STAGES_PX)
        if room.height() < 40 or room.width() < 40:
            return 0
        panes = arrange(room, 4 / 3, here.layout, compact=False, base=here.base, shown=here.shown)
        return sum(pane.rect.width() * pane.rect.height() for pane in panes)

    def _place_around(self, large: Tile) -> None:
        others = [tile for tile in self._tiles.values() if tile is not large]
        strip = each = 0
        if others:
            each = (self.height() - (len(others) - 1) * TILE_GAP_PX) // len(others)
            wanted = round((each - HEADER_PX) * 4 / 3)
            strip = min(max(wanted, SIDE_STRIP_PX[0]), SIDE_STRIP_PX[1], self.width() // 4)
        room = QRect(0, 0, self.width() - (strip + TILE_GAP_PX if strip else 0), self.height())
        large.setGeometry(room)
        if self._cloud is not None:
            above = HEADER_PX + (STAGES_PX if self._options.stages else 0)
            self._cloud.setGeometry(room.adjusted(0, above, 0, 0))
            self._cloud.raise_()
        if not others:
            return
        height = min(each, HEADER_PX + round(strip * 3 / 4))
        for i, tile in enumerate(others):
            tile.setGeometry(room.right() + 1 + TILE_GAP_PX, i * (height + TILE_GAP_PX), strip, height)

    def _drawn(self, camera_id: str, stroke: Stroke) -> None:
        self.drawn.emit(Drawn(camera_id, stroke))

    def _share_wipe(self, share: float) -> None:
        """All tiles wipe at the same place, so that cameras can be compared."""
        for tile in self._tiles.values():
            if tile.view.wipe != share:
                tile.view.set_wipe(share)
