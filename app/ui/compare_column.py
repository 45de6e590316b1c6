"""One sensor of the Compare page: its pictures, the plane in them, and its figures."""

from collections.abc import Sequence
from typing import Final, Literal

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.language import joined, tr, tr_many, tr_noop
from app.quality.planes import Region
from app.quality.sensor import KINDS, STREAMS, SensorQuality
from app.ui import theme
from app.ui.notes import NOTE_MARGINS, paint_note, place_note, tag_plate, tag_width
from app.ui.panes import fitted
from app.ui.picture import Picture, paint_picture, size_on_screen
from app.ui.tile_pictures import fill_color, fill_depth
from app.ui.tiles import HEADER_PX, TileHeader
from app.ui.worded import Worded
from app.viewmodels.live import CameraTitle, LiveOptions, Note, TileView
from app.viewmodels.sampling import Size
from drivers.depth import DepthMap
from drivers.frame import Frame

Shown = Literal["colour", "raw", "refined"]

WORDS: Final[dict[Shown, str]] = {
    "colour": tr_noop("Colour"),
    "raw": tr_noop("Raw"),
    "refined": tr_noop("Refined"),
}
GAP_PX: Final = 3
DIM: Final = QColor(7, 9, 12, 170)

ROWS: Final = len(KINDS) + 2
"""The figures between a head and a foot."""
LOWEST_PX: Final = ROWS * 22
FIGURES_SHARE: Final = 0.4
"""Of a column's height that its figures have at least: they are read from the last row of seats."""
TALLEST_PX: Final = ROWS * 48
BESIDE_SHARE: Final = 0.85
"""Two pictures stand beside each other, which leaves room for the figures, unless they would be narrower than
that share of what they are one above the other."""
BESIDE: Final = 1.25
"""Width over height from which on the figures stand beside the pictures."""
BESIDE_PX: Final = (340, 560)
SMALLEST_TYPE_PX: Final = 11
ONE_SIZE: Final = 0.8
"""Words in one cell that need smaller type than this share leave those that have two cells as they are."""
NOTE_PX: Final = 8
"""Around words on a plate."""


class ComparePicture(Worded, QWidget):
    """Depth of one exposure, raw, refined or both, with the region of the plane.

    Signals:
        tapped: place in the picture, in shares of its width and height.
    """

    tapped = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self._tile: TileView | None = None
        self._options = LiveOptions()
        self._shown: tuple[Shown, ...] = ("refined",)
        self._pictures: dict[Shown, Picture] = {kind: Picture() for kind in WORDS}
        self._sources: dict[Shown, DepthMap | Frame | None] = {}
        self._sizes: dict[Shown, Size] = {}
        self._region: Region | None = None
        self._chosen = False
        self._aspect = 4 / 3
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setCursor(Qt.CursorShape.CrossCursor)

    @property
    def aspect(self) -> float:
        """Width to height of one picture."""
        return self._aspect

    @property
    def shown(self) -> tuple[Shown, ...]:
        """Which pictures there are."""
        return self._shown

    @property
    def panes(self) -> list[QRect]:
        """Where the pictures are."""
        count = len(self._shown)
        if count == 1:
            return [fitted(self.rect(), self._aspect)]
        half_width, half_height = (self.width() - GAP_PX) // 2, (self.height() - GAP_PX) // 2
        across = fitted(QRect(0, 0, half_width, self.height()), self._aspect).size()
        down = fitted(QRect(0, 0, self.width(), half_height), self._aspect).size()
        beside = across.width() >= down.width()
        size = across if beside else down
        step = QPoint(size.width() + GAP_PX, 0) if beside else QPoint(0, size.height() + GAP_PX)
        whole = QSize(size.width() + step.x(), size.height() + step.y())
        first = QPoint((self.width() - whole.width()) // 2, (self.height() - whole.height()) // 2)
        return [QRect(first, size), QRect(first + step, size)]

    def show_layers(self, shown: tuple[Shown, ...]) -> None:
        """Show other pictures of the same moment."""
        if shown != self._shown:
            self._shown = shown
            self._renew()
            self.update()

    def show_options(self, options: LiveOptions) -> None:
        """Colour depth in another way."""
        before, self._options = self._options, options
        if _colours(before) != _colours(options):
            self._sources = {}
            self._renew()
            self.update()

    def show_tile(self, tile: TileView) -> None:
        """Show what is new."""
        words = None if self._tile is None else self._notes(self._tile)
        self._tile = tile
        if tile.frame is not None:
            height, width = tile.frame.color.shape[:2]
            self._aspect = width / height
        if self._renew() or words != self._notes(tile):
            self.update()

    def show_region(self, region: Region | None, *, chosen: bool) -> None:
        """Frame the region of the plane; a chosen one with a whole line."""
        if (region, chosen) != (self._region, self._chosen):
            self._region, self._chosen = region, chosen
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        for pane in self.panes:
            if pane.contains(event.position().toPoint()):
                place = event.position() - QPointF(pane.topLeft())
                self.tapped.emit(place.x() / pane.width(), place.y() / pane.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.current().surface))
        for kind, pane in zip(self._shown, self.panes, strict=True):
            self._paint_pane(painter, kind, pane)

    def _renew(self) -> bool:
        """Look at the sources of the pictures that are shown; whether one is another."""
        tile = self._tile
        if tile is None:
            return False
        changed = False
        for kind in self._shown:
            source = _source(tile, kind)
            if kind not in self._sources or self._sources[kind] is not source:
                self._sources[kind] = source
                self._sizes.pop(kind, None)
                changed = True
        return changed

    def _picture(self, kind: Shown, size: Size) -> Picture:
        """The picture in as many pixels as it has on the screen."""
        picture, source = self._pictures[kind], self._sources.get(kind)
        if self._sizes.get(kind) != size:
            self._sizes[kind] = size
            if source is None:
                picture.clear()
            elif isinstance(source, DepthMap):
                fill_depth(picture, source, self._options, size)
            else:
                fill_color(picture, source.color, size)
        return picture

    def _paint_pane(self, painter: QPainter, kind: Shown, pane: QRect) -> None:
        if pane.isEmpty():
            return
        ratio = self.devicePixelRatioF()
        size = size_on_screen(painter, pane, ratio)
        picture = self._picture(kind, size)
        note = self._note(kind)
        if picture.image is None:
            painter.fillRect(pane, QColor(theme.current().picture))
        else:
            # Depth keeps its pixels: a smoothed edge would show distances that nobody measured.
            paint_picture(painter, pane, picture, size, ratio)
            if note is not None:
                painter.fillRect(pane, DIM)
        if self._region is not None and picture.image is not None and note is None:
            self._paint_region(painter, pane)
        if note is not None:
            _paint_note(painter, note, pane)
        _paint_tag(painter, str(WORDS[kind]), pane, ratio)

    @property
    def regions(self) -> list[QRect]:
        """Where the plane lies in each picture."""
        return [] if self._region is None else [_part(self._region, pane) for pane in self.panes]

    def _paint_region(self, painter: QPainter, pane: QRect) -> None:
        region = self._region
        assert region is not None
        line = Qt.PenStyle.SolidLine if self._chosen else Qt.PenStyle.DashLine
        frame = _part(region, pane).adjusted(2, 2, -3, -3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(7, 9, 12), 5))
        painter.drawRect(frame)
        painter.setPen(QPen(QColor("#ffffff"), 2, line))
        painter.drawRect(frame)

    def _notes(self, tile: TileView) -> tuple[Note | None, Note | None]:
        return tile.camera_note, tile.refined_note

    def _note(self, kind: Shown) -> Note | None:
        tile = self._tile
        if tile is None or (tile.frame is None and tile.camera_note is None):
            return Note(tr("Camera starting"))
        if tile.camera_note is not None:
            return tile.camera_note
        return tile.refined_note if kind == "refined" else None


class FiguresTable(Worded, QWidget):
    """The figures of one sensor, raw beside refined, in type as large as there is room."""

    def __init__(self) -> None:
        super().__init__()
        self._quality: SensorQuality | None = None
        self._late = False
        self.setAccessibleName(tr("Figures"))
        lines = [joined(": ", (kind.title, kind.meaning)) for kind in KINDS]
        self.setToolTip(joined("\n", lines))

    def show_quality(self, quality: SensorQuality | None) -> None:
        """Show what was measured last."""
        self._quality = quality
        self.setAccessibleDescription("" if quality is None else spoken(quality))
        self.update()

    def show_late(self, late: bool) -> None:
        """Paint the numbers grey and none as the better: they are of what the camera saw last."""
        if late != self._late:
            self._late = late
            self.update()

    def cells_of(self, key: str) -> QRect:
        """Where the figures of this kind stand, raw and refined."""
        _, raw, refined = self._cells(self._row(1 + [kind.key for kind in KINDS].index(key)))
        return raw.united(refined)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        colours = theme.current()
        painter.fillRect(self.rect(), QColor(colours.surface))
        size = self._type_size()
        self._paint_head(painter, self._row(0), size)
        for number, _ in enumerate(KINDS):
            row = self._row(number + 1)
            if not colours.tinted:
                painter.fillRect(QRect(row.x(), row.y(), row.width(), 1), QColor(colours.line))
            elif number % 2 == 0:
                painter.fillRect(row, QColor(colours.raised))
        for number, kind in enumerate(KINDS):
            title = self._cells(self._row(number + 1))[0]
            _paint_words(painter, title, str(kind.title), size, colours.text, left=True)
        quality = self._quality
        foot = self._row(ROWS - 1).adjusted(10, 0, -8, 0)
        if quality is None:
            _paint_words(painter, foot, tr("measuring"), min(size, 15), colours.muted, left=True)
            return
        silent = {name: quality.streams[name].silence for name in STREAMS}
        sizes = size, *self._words_sizes(quality, size, silent)
        for number, kind in enumerate(KINDS):
            self._paint_row(painter, self._row(number + 1), quality, kind.key, sizes, silent)
        self._paint_silence(painter, silent, size)
        _paint_words(painter, foot, basis(quality), min(size, 15), colours.muted, left=True)

    def _type_size(self) -> int:
        """One size for all rows: the largest in which titles and numbers fit."""
        size = max(min(round(self.height() / ROWS * 0.62), theme.TITLE_PX), 13)
        title, raw, refined = self._cells(self._row(1))
        for kind in KINDS:
            size = min(size, _fitting(str(kind.title), title.width(), size, bold=False).pixelSize())
            for name, cell in zip(STREAMS, (raw, refined), strict=True):
                figure = None if self._quality is None else self._quality.streams[name].figures[kind.key]
                if figure is not None and figure.value is not None:
                    size = min(size, _fitting(figure.words, cell.width(), size, bold=True).pixelSize())
        return size

    def _words_sizes(self, quality: SensorQuality, size: int, silent: dict[str, str]) -> tuple[int, int]:
        """Of words in place of a figure and of both figures; one size, unless few cells made all small."""
        cells = self._cells(self._row(1))[1:]
        widths = dict(zip(STREAMS, (cell.width() for cell in cells), strict=True))
        alone = both = size
        for kind in KINDS:
            figures = {name: quality.streams[name].figures[kind.key] for name in STREAMS if not silent[name]}
            missing = {name: str(one.words) for name, one in figures.items() if one.value is None}
            if said := _alike(list(missing.values())):
                width = cells[0].united(cells[1]).width()
                both = min(both, _fitting(said, width, size, bold=False).pixelSize())
                continue
            for name, said in missing.items():
                width = widths[name] + (self._gap_px(kind.key, size) if name == "raw" else 0)
                alone = min(alone, _fitting(said, width, size, bold=False).pixelSize())
        return alone, min(alone, both) if alone >= ONE_SIZE * both else both

    def _gap_px(self, key: str, size: int) -> int:
        """What is free between a title and the figures of its row."""
        title = self._cells(self._row(1))[0]
        font = theme.font(size, tabular=True)
        said = next(str(kind.title) for kind in KINDS if kind.key == key)
        return max(title.width() - QFontMetrics(font).horizontalAdvance(said), 0)

    def _row(self, number: int) -> QRect:
        top, bottom = (round(k * self.height() / ROWS) for k in (number, number + 1))
        return QRect(0, top, self.width(), bottom - top)

    def _title_width(self) -> int:
        return round(self.width() * 0.44)

    def _cells(self, row: QRect) -> tuple[QRect, QRect, QRect]:
        """Title, raw, refined."""
        title = self._title_width()
        each = (row.width() - title - 8) // 2
        return (
            QRect(row.x() + 10, row.y(), title - 14, row.height()),
            QRect(row.x() + title, row.y(), each - 6, row.height()),
            QRect(row.x() + title + each, row.y(), each, row.height()),
        )

    def _paint_head(self, painter: QPainter, row: QRect, size: int) -> None:
        _, raw, refined = self._cells(row)
        for cell, words in ((raw, tr("Raw")), (refined, tr("Refined"))):
            _paint_words(painter, cell, words, size, theme.current().muted, bold=True)

    def _paint_row(  # noqa: PLR0917 - one row of a table
        self,
        painter: QPainter,
        row: QRect,
        quality: SensorQuality,
        key: str,
        sizes: tuple[int, int, int],
        silent: dict[str, str],
    ) -> None:
        size, alone_size, both_size = sizes
        colours = theme.current()
        _, *cells = self._cells(row)
        figures = {name: quality.streams[name].figures[key] for name in STREAMS if not silent[name]}
        alike = _alike([figure.words for figure in figures.values() if figure.value is None])
        if alike:
            _paint_words(painter, cells[0].united(cells[1]), alike, both_size, colours.muted)
            return
        better = "" if self._late else quality.better(key)
        for name, cell in zip(STREAMS, cells, strict=True):
            figure = figures.get(name)
            if figure is None:
                continue
            current = colours.accent_text if name == better else colours.text
            colour = colours.muted if self._late else current
            if figure.value is None:
                room = cell.adjusted(-self._gap_px(key, size) if name == "raw" else 0, 0, 0, 0)
                _paint_words(painter, room, figure.words, alone_size, colours.muted)
            else:
                _paint_words(painter, cell, figure.words, size, colour, bold=name == better)

    def _paint_silence(self, painter: QPainter, silent: dict[str, str], size: int) -> None:
        """Where a stream has no figure at all, say why once, on a plate over the middle of its rows."""
        rooms = [
            self._cells(self._row(1))[number].united(self._cells(self._row(len(KINDS)))[number])
            for number, name in enumerate(STREAMS, 1)
            if silent[name]
        ]
        if not rooms:
            return
        colours = theme.current()
        room = rooms[0].united(rooms[-1])
        inner = room.adjusted(NOTE_PX, 0, -NOTE_PX, 0)
        painter.setFont(theme.font(min(size, theme.BODY_PX)))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        said = str(next(words for words in silent.values() if words))
        text = painter.boundingRect(inner, flags, said)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(colours.line))
        painter.setBrush(QColor(colours.surface))
        plate = text.adjusted(-NOTE_PX, -NOTE_PX, NOTE_PX, NOTE_PX).intersected(room)
        painter.drawRoundedRect(plate, NOTE_PX, NOTE_PX)
        painter.setPen(QColor(colours.muted))
        painter.drawText(text, flags, said)


class CompareColumn(Worded, QWidget):
    """Everything of one sensor.

    Signals:
        focus_toggled: the camera's id; its header was tapped.
        region_tapped: the camera's id and the place in its picture.
    """

    focus_toggled = Signal(str)
    region_tapped = Signal(str, float, float)

    def __init__(self, camera: CameraTitle) -> None:
        super().__init__()
        self.camera = camera
        self._tile: TileView | None = None
        self._quality: SensorQuality | None = None
        self._shown_quality: SensorQuality | None = None
        self.header = TileHeader(camera)
        self.picture = ComparePicture()
        self.picture.setAccessibleName(tr("Depth of {name}: tap where its plane is").format(name=camera.name))
        self.table = FiguresTable()
        self.table.setAccessibleName(tr("Figures of {name}").format(name=camera.name))
        for part in (self.header, self.picture, self.table):
            part.setParent(self)
        self.header.clicked.connect(self._header_tapped)
        self.picture.tapped.connect(self._picture_tapped)

    @property
    def judged(self) -> list[QRect]:
        """Where the plane is seen, and how true its distance is."""
        picture, table = self.picture.pos(), self.table.pos()
        planes = [rect.translated(picture) for rect in self.picture.regions]
        return [*planes, self.table.cells_of("z_accuracy").translated(table)]

    def show_tile(self, tile: TileView) -> None:
        """Show what is new."""
        before = self.picture.aspect
        self.header.show_tile(tile)
        self.picture.show_tile(tile)
        self.table.show_late(_is_late(tile))
        self._tile = tile
        self._show_figures()
        if abs(self.picture.aspect - before) > 1e-3:
            self._place()

    def show_layers(self, shown: tuple[Shown, ...]) -> None:
        """Show other pictures."""
        count = len(self.picture.shown)
        self.picture.show_layers(shown)
        if len(shown) != count:
            self._place()

    def show_quality(self, quality: SensorQuality | None) -> None:
        """Show what was measured last."""
        self._quality = quality
        self._show_figures()
        if quality is not None:
            self.picture.show_region(quality.region, chosen=quality.chosen)

    def _show_figures(self) -> None:
        """Show what was measured last, and no silence of a camera that is seen to send again."""
        shown, tile = self._quality, self._tile
        if shown is not None and tile is not None and tile.camera_note is None:
            shown = None if shown.streams["raw"].silence else shown
        if shown is not self._shown_quality:
            self._shown_quality = shown
            self.table.show_quality(shown)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._place()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.current().surface))

    def _place(self) -> None:
        width, room = self.width(), self.height() - HEADER_PX
        self.header.setGeometry(0, 0, width, HEADER_PX)
        if width > BESIDE * room:
            table = min(max(round(width * 0.38), BESIDE_PX[0]), BESIDE_PX[1])
            self.picture.setGeometry(0, HEADER_PX, width - table - theme.GAP_PX, room)
            tall = min(room, TALLEST_PX)
            self.table.setGeometry(width - table, HEADER_PX, table, tall)
            return
        most = room - max(LOWEST_PX, round(FIGURES_SHARE * room))
        wanted = round(width / self.picture.aspect)
        if len(self.picture.shown) == 2:
            stacked = min(2 * wanted + GAP_PX, most)
            half = (width - GAP_PX) // 2
            beside = round(half / self.picture.aspect)
            as_large = half >= BESIDE_SHARE * (stacked - GAP_PX) / 2 * self.picture.aspect
            wanted = beside if as_large and room - beside <= TALLEST_PX else stacked
        picture = max(min(wanted, most), 0)
        table = min(room - picture, TALLEST_PX)
        self.picture.setGeometry(0, HEADER_PX, width, room - table)
        self.table.setGeometry(0, HEADER_PX + room - table, width, table)

    def _header_tapped(self) -> None:
        self.focus_toggled.emit(self.camera.camera_id)

    def _picture_tapped(self, x: float, y: float) -> None:
        self.region_tapped.emit(self.camera.camera_id, x, y)


def basis(quality: SensorQuality) -> str:
    """What the figures rest on, in a few words."""
    plane = (
        tr("no plane")
        if quality.region is None
        else tr("plane chosen")
        if quality.chosen
        else tr("plane found")
    )
    parts = [
        plane,
        joined(": ", ("Z", quality.against)) if quality.against else "",
        tr_many("{count:,} frame", "{count:,} frames", quality.frames),
    ]
    return "  ·  ".join(part for part in parts if part)


def spoken(quality: SensorQuality) -> str:
    """All figures as one text, for those who do not see them."""
    raw, refined = (quality.streams[name].figures for name in STREAMS)
    lines = [
        tr("{title}: raw {raw}, refined {refined}").format(
            title=kind.title, raw=raw[kind.key].words, refined=refined[kind.key].words
        )
        for kind in KINDS
    ]
    return joined(". ", (joined("; ", lines), basis(quality)))


def _source(tile: TileView, kind: Shown) -> DepthMap | Frame | None:
    """What a picture is made of; all pictures are of one exposure where there is a current repair."""
    refined = tile.refined if tile.refined_note is None else None
    if kind == "refined":
        return None if tile.refined is None else tile.refined.depth
    frame = tile.frame if refined is None else refined.frame
    if kind == "colour" or frame is None:
        return frame
    return frame.depth if refined is None else refined.raw


def _is_late(tile: TileView) -> bool:
    """Whether the pictures are veiled because they are old; figures are of the exposure that was repaired."""
    return tile.camera_note is not None or (tile.refined is not None and tile.refined_note is not None)


def _alike(words: Sequence[str]) -> str:
    """What is said of raw and of refined depth alike, and so once; empty where it is not."""
    return words[0] if len(words) == len(STREAMS) and len({str(said) for said in words}) == 1 else ""


def _part(region: Region, pane: QRect) -> QRect:
    """Where a region of the picture lies in a pane."""
    corner = QPoint(round(region.left * pane.width()), round(region.top * pane.height()))
    size = QSize(
        round((region.right - region.left) * pane.width()),
        round((region.bottom - region.top) * pane.height()),
    )
    return QRect(pane.topLeft() + corner, size)


def _colours(options: LiveOptions) -> tuple[object, ...]:
    return options.near_m, options.far_m, options.colour_map


def _paint_note(painter: QPainter, note: Note, pane: QRect) -> None:
    room = pane.adjusted(*NOTE_MARGINS)
    if room.width() < 48 or room.height() < 24:
        return
    placed = place_note(note, room, hints=True, button=False)
    paint_note(painter, note, placed)


def _paint_tag(painter: QPainter, words: str, pane: QRect, ratio: float) -> None:
    tag = QRect(pane.x() + 6, pane.y() + 6, tag_width(words, theme.BODY_PX) + 20, 28)
    if tag.right() > pane.right():
        return
    plate = tag_plate(words, tag.size(), theme.BODY_PX, opacity=210, ratio=ratio)
    painter.drawImage(tag.topLeft(), plate)


def _paint_words(
    painter: QPainter,
    room: QRect,
    words: str,
    size_px: int,
    colour: str,
    *,
    bold: bool = False,
    left: bool = False,
) -> None:
    """One line in the largest type up to `size_px` that fits; at the right edge unless `left`."""
    painter.setFont(_fitting(words, room.width(), size_px, bold=bold))
    painter.setPen(QColor(colour))
    side = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignRight
    flags = side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip  # the gap before it is free
    painter.drawText(room, flags, str(words))


def _fitting(words: str, width: int, size_px: int, *, bold: bool) -> QFont:
    weight = theme.BOLD if bold else QFont.Weight.Normal
    while True:
        font = theme.font(size_px, weight=weight, tabular=True)
        if size_px <= SMALLEST_TYPE_PX or QFontMetrics(font).horizontalAdvance(str(words)) <= width:
            return font
        size_px -= 1
