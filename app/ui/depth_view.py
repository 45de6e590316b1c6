"""One camera's pictures, painted only where something changed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QImage,
    QInputDevice,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from app.flow.attention import Asked, Attention
from app.language import joined, tr
from app.ui import theme
from app.ui.icons import icon
from app.ui.loupe import loupe_size, paint_cross, paint_loupe
from app.ui.marks import paint_labels, paint_stroke
from app.ui.notes import NOTE_MARGINS, TAG_ROUND_PX, paint_note, place_note, tag_plate, tag_width
from app.ui.panes import (
    FIGURES_HEIGHT_PX,
    FIGURES_WIDTH_PX,
    PANE_GAP_PX,
    TWO_LAYERS,
    Pane,
    arrange,
    free_room,
    nearest_free,
)
from app.ui.picture import paint_picture, size_on_screen
from app.ui.tile_pictures import TilePictures
from app.ui.widgets import Button
from app.ui.worded import Worded
from app.viewmodels.colouring import PROVENANCE_COLOURS, PROVENANCE_WORDS, colour_attention
from app.viewmodels.layers import FILTERED, LAYER_WORDS, REPAIRED, Layer
from app.viewmodels.live import LiveOptions, Note, TileView
from app.viewmodels.measure import Measured, Stroke, Tool
from app.viewmodels.measuring import Place, place_in_color, seen_alike
from app.viewmodels.readout import Figures, Readout, figures, readout
from app.viewmodels.words import milliseconds, seconds

HANDLE_PX: Final = 52
"""Width that takes hold of the wipe line: a finger."""
FIGURES_PX: Final = (FIGURES_WIDTH_PX, FIGURES_HEIGHT_PX)
"""Room that the figures of a repaired frame need."""
FLAT_FIGURES_PX: Final = (320, 92)
"""The same in two columns."""
FIGURES_GAP_PX: Final = 24
FIGURES_WIDEST_PX: Final = 720
"""Farther from its name a figure is no longer read with it."""
BARRED_PX: Final = 32
"""Lines that are closer have no room for bars between them."""
KNOB_PX: Final = 44
LOUPE_LIFT_PX: Final = {"finger": 84, "mouse": 26}
READ_EVERY_S: Final = 0.2
EDGE_PX: Final = 4
"""Least from the readout to the picture's edge."""
COUNT_EVERY_S: Final = 0.5
"""Figures of the whole picture; who wants those of one moment freezes it."""
FROZEN_PX: Final = 3
RING_PX: Final = 14
"""From the place that is read to what may be covered."""
TAP_PX: Final = 16
"""A finger that moved less has tapped."""
TAPPED: Final = frozenset({"point", "attention"})
"""Tools that take one place."""
DIM: Final = QColor(7, 9, 12, 170)
DARK_INK: Final = QColor(13, 16, 20)


class DepthView(Worded, QWidget):
    """The pictures of one camera.

    Args:
        ground: colour of the theme where there is no picture.

    Signals:
        frame_painted: a frame whose pictures are on the screen for the first time.
        focus_requested: the small tile was tapped.
        model_requested: the operator wants another model.
        wiped: place of the wipe line, 0 to 1.
        swap_requested: the small picture in the corner was tapped.
        drawn: `Stroke`, where a finger measured something.
    """

    frame_painted = Signal(object)
    focus_requested = Signal()
    model_requested = Signal()
    wiped = Signal(float)
    swap_requested = Signal()
    drawn = Signal(Stroke)

    def __init__(self, *, ground: str = "surface") -> None:
        super().__init__()
        self._ground = ground
        self._tile: TileView | None = None
        self._options = LiveOptions()
        self._panes: list[Pane] = []
        self._layers: tuple[Layer, ...] = ()
        self._pictured = QRegion()
        self._bare = QRegion()
        self._pictures = TilePictures()
        self._compact = False
        self._frozen = ""
        self._aspect = 4 / 3
        self._wipe = 0.5
        self._wiping = False
        self._tool: Tool = "read"
        self._marks: list[Measured] = []
        self._attention: Attention | None = None
        self._heat: QImage | None = None
        self._heat_pixels: NDArray[np.uint32] | None = None
        self._drawing: Pane | None = None
        self._second = False
        self._stroke: Stroke | None = None
        self._pressed_at = QPointF()
        self._pinned: QPointF | None = None
        self._hovered: QPointF | None = None
        self._lift_px = LOUPE_LIFT_PX["mouse"]
        self._loupe_rect = QRect()
        self._words_shown: list[Note | None] = [None, None]
        self._unpainted: object = None
        self._reported: object = None
        self._has_figures = False
        self._figures: Figures | None = None
        self._counted: object = None
        self._counted_s = 0.0
        self._said: tuple[QPointF, float, Readout | None] | None = None
        self._note_floor = 0
        self._free = QRect()
        self._roomy = False
        self._ratio = 1.0
        self._tags: dict[Layer, _Tag] = {}
        self._choose = Button(tr("Choose model"))
        self._choose.setParent(self)
        self._choose.hide()
        self._choose.clicked.connect(self.model_requested)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setMinimumSize(120, 90)
        self.setAccessibleName(tr("Camera pictures"))

    @property
    def panes(self) -> list[Pane]:
        """Where the pictures are."""
        return self._panes

    @property
    def shows_refined(self) -> bool:
        """Whether one of the pictures is of repaired depth."""
        return bool(REPAIRED.intersection(self._layers))

    @property
    def wipe(self) -> float:
        """Place of the wipe line, or how far two layers are blended: 0 is all `shown`, 1 all `base`."""
        return self._wipe

    @property
    def readout(self) -> Readout | None:
        """What the loupe says."""
        place = self._hovered or self._pinned
        return None if place is None else self._read(place)

    def set_compact(self, compact: bool) -> None:
        """Show one picture only, which asks for the focus when it is tapped."""
        if compact != self._compact:
            self._compact = compact
            self._pinned = self._hovered = None
            self._rearrange()

    def set_wipe(self, share: float) -> None:
        """Move the wipe line."""
        self._wipe = min(max(share, 0.0), 1.0)
        self._place_button()
        self.update()

    def set_tool(self, tool: Tool) -> None:
        """Measure with the next touch, or "read" the depth below it."""
        self._tool = tool
        self._stroke = self._drawing = None
        self._pinned = self._hovered = None
        self.update()

    def show_marks(self, marks: Sequence[Measured]) -> None:
        """Show these measurements, with their values of this moment."""
        if marks or self._marks:
            self._marks = list(marks)
            self.update()

    def show_attention(self, attention: Attention | None) -> None:
        """Show what a place of this camera attends to, over colour where that is shown."""
        weights = None if attention is None else attention.weights
        begins_or_ends = (attention is None) != (self._attention is None)
        self._attention, self._heat, self._heat_pixels = attention, None, None
        if weights is not None:
            self._heat_pixels = pixels = colour_attention(weights)
            rows, columns = pixels.shape
            self._heat = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32)
        if begins_or_ends:
            self._rearrange()
        self.update()

    def show_options(self, options: LiveOptions) -> None:
        """Lay out and colour in another way."""
        before, self._options = self._options, options
        if (options.layout, options.base, options.shown) != (before.layout, before.base, before.shown):
            self._rearrange()
        else:
            self._recolour()
        self.update()

    def show_tile(self, tile: TileView) -> None:
        """Show what is new in `tile`; nothing else is painted."""
        slow = self._said is not None and self._said[2] is not None and self._said[2].before[0]
        if slow and (self._tile is None or tile.refined is not self._tile.refined):
            self._said = None  # a repair that comes now and then is read as soon as it is shown
        self._tile = tile
        has_figures = tile.refined is not None and not tile.names
        if has_figures != self._has_figures:
            self._has_figures = has_figures
            self._rearrange()
        if tile.frame is not None:
            height, width = tile.frame.color.shape[:2]
            if abs(width / height - self._aspect) > 1e-3:
                self._aspect = width / height
                self._rearrange()
        frozen = tr("Frozen {seconds}").format(seconds=seconds(tile.frozen_s)) if tile.frozen else ""
        if frozen != self._frozen:
            self._frozen = frozen
            self.update()
        changed = self._recolour()
        if len(changed) == len(self._layers):
            self.update(self._pictured)
        else:
            for layer in changed:
                self._update_pane(layer)
        if self._roomy and not tile.names:
            self._count(tile)
        words = [tile.camera_note, tile.refined_note]
        if words != self._words_shown:
            self._words_shown = words
            said = [joined(". ", filter(None, (note.text, note.hint))) for note in words if note is not None]
            self.setAccessibleDescription(joined(" ", said))
            self._said = None  # what is read follows the note at once
            self._place_button()
            self.update()
        if not self._loupe_rect.isNull():
            self.update(self._loupe_rect)

    def _count(self, tile: TileView) -> None:
        """Keep the figures of the repaired frame up to date, no faster than they can be read."""
        now_s = time.perf_counter()
        due = now_s - self._counted_s >= COUNT_EVERY_S or tile.frozen or tile.refined is None
        if tile.refined is not self._counted and due:
            self._counted, self._counted_s = tile.refined, now_s
            self._figures = None if tile.refined is None else figures(tile.refined)
            self.update(self._free)

    def _recolour(self) -> list[Layer]:
        """Note which of the pictures that are shown have new sources; returns their layers."""
        if self._tile is None:
            return []
        changed = self._pictures.show(self._tile, self._options, self._layers, registered=self._registered)
        if changed and self._tile.frame is not self._reported:
            self._unpainted = self._reported = self._tile.frame
        return changed

    def _layers_of(self, pane: Pane) -> tuple[Layer, ...]:
        if pane.kind == "wipe" or pane.kind == "blend":
            return self._options.base, self._options.shown
        return (pane.kind,)

    def _update_pane(self, layer: Layer) -> None:
        for pane in self._panes:
            if pane.kind == "wipe":
                left, right = self._halves(pane.rect)
                for half, side in ((left, self._options.base), (right, self._options.shown)):
                    if side == layer:
                        self.update(half)
            elif layer in self._layers_of(pane):
                self.update(pane.rect)

    def _halves(self, rect: QRect) -> tuple[QRect, QRect]:
        line = rect.x() + round(self._wipe * rect.width())
        return (
            QRect(rect.x(), rect.y(), line - rect.x(), rect.height()),
            QRect(line, rect.y(), rect.right() + 1 - line, rect.height()),
        )

    def _rearrange(self) -> None:
        here = self._options
        layout = (
            here.layout if self._attention is None else "side"
        )  # colour, which shows it, as large as depth
        self._panes = arrange(
            self.rect(),
            self._aspect,
            layout,
            compact=self._compact,
            base=here.base,
            shown=here.shown,
            figures=self._has_figures,
        )
        self._layers = tuple(dict.fromkeys(la for pane in self._panes for la in self._layers_of(pane)))
        self._pictured = QRegion()
        for pane in self._panes:
            self._pictured += pane.rect
        self._bare = QRegion(self.rect()) - self._pictured
        free = free_room(self.rect(), self._panes).adjusted(0, PANE_GAP_PX, 0, 0)
        fits = any(
            free.width() >= width and free.height() >= height
            for width, height in (FIGURES_PX, FLAT_FIGURES_PX)
        )
        roomy = fits and not self._compact
        self._free, self._roomy = free if roomy else QRect(), roomy
        self._recolour()
        self._place_button()
        self.update()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._rearrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._ratio = self.devicePixelRatioF()
        region = event.region()
        if region.intersects(self._bare):
            for rect in region & self._bare:  # type: ignore[attr-defined]  # the stubs do not know that a region iterates
                painter.fillRect(rect, QColor(getattr(theme.current(), self._ground)))
        if self._roomy and region.intersects(self._free):
            self._paint_figures(painter)
        for pane in self._panes:
            if region.intersects(pane.rect):
                painter.setClipRect(pane.rect)  # within several rectangles Qt draws a picture line by line
                self._paint_pane(painter, pane, event)
        painter.setClipping(False)
        if self._frozen:
            self._paint_frozen(painter)
        if not self._compact and (self._marks or self._stroke is not None):
            self._paint_marks(painter)
        if not self._compact and self._attention is not None:
            self._paint_attention(painter, self._attention.asked)
        self._paint_loupe(painter)
        if self._unpainted is not None:
            frame, self._unpainted = self._unpainted, None
            self.frame_painted.emit(frame)

    def _paint_pane(self, painter: QPainter, pane: Pane, event: QPaintEvent) -> None:
        rect = pane.rect
        if pane.kind == "wipe":
            left, right = self._halves(rect)
            for layer, half in zip(self._layers_of(pane), (left, right), strict=True):
                if not half.isEmpty() and event.region().intersects(half):
                    self._paint_picture(painter, layer, rect, half)
                    self._paint_note(painter, layer, half)
                    self._paint_tag(painter, layer, rect, half)
            self._paint_handle(painter, rect, left.right() + 1)
        elif pane.kind == "blend":
            base, shown = self._layers_of(pane)
            self._paint_picture(painter, base, rect, rect)
            self._paint_picture(painter, shown, rect, rect, opacity=1 - self._wipe)
            if self._note(shown)[0] is not None:
                painter.fillRect(rect, DIM)
            self._paint_note(painter, shown if self._note(shown)[0] is not None else base, rect)
            middle = rect.x() + rect.width() // 2
            self._paint_tag(painter, base, rect, QRect(rect.topLeft(), QPoint(middle - 1, rect.bottom())))
            self._paint_tag(painter, shown, rect, QRect(QPoint(middle, rect.y()), rect.bottomRight()))
            self._paint_handle(painter, rect, rect.x() + round(self._wipe * rect.width()))
        else:
            self._paint_picture(painter, pane.kind, rect, rect)
            self._paint_note(painter, pane.kind, rect)
            self._paint_tag(painter, pane.kind, rect, rect)
            if pane is not self._panes[0] and self._options.layout == "inset":
                painter.setPen(QPen(QColor("#ffffff"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(rect.adjusted(1, 1, -1, -1))

    def _paint_picture(
        self, painter: QPainter, layer: Layer, rect: QRect, clip: QRect, *, opacity: float = 1.0
    ) -> None:
        if rect.isEmpty():
            return
        size = size_on_screen(painter, rect, self._ratio)
        picture = self._pictures.picture(layer, size)
        note, over_picture = self._note(layer)
        part = clip != rect or opacity != 1
        if part:
            painter.save()
            painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
            painter.setOpacity(opacity)
        if picture.image is None or (note is not None and not over_picture):
            painter.fillRect(rect, QColor(theme.current().picture))
        else:
            # Depth keeps its pixels: a smoothed edge would show distances that nobody measured.
            paint_picture(painter, rect, picture, size, self._ratio)
            if note is not None:
                painter.fillRect(rect, DIM)
        if part:
            painter.restore()

    def _paint_marks(self, painter: QPainter) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        main = self._depth_pane()
        panes = [pane for pane in self._panes if self._in_color(pane)]
        for pane in panes:
            for found in self._marks:
                paint_stroke(painter, pane.rect, found.mark.stroke)
        paint_labels(painter, main.rect, self._marks, self._in_front())
        if self._stroke is not None:
            for pane in panes:
                paint_stroke(painter, pane.rect, self._stroke)
        painter.restore()

    def _paint_attention(self, painter: QPainter, asked: Asked) -> None:
        """The heat over one picture, and the place that was asked about in all of them."""
        colour = next((pane for pane in self._panes if pane.kind == "colour"), None)
        over = colour or self._depth_pane()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._heat is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(over.rect, self._heat)
            words = str(tr("Attention"))
            size = QSize(tag_width(words, theme.CAPTION_PX) + 18, 26)
            plate = tag_plate(words, size, theme.CAPTION_PX, opacity=200, ratio=self._ratio)
            painter.drawImage(over.rect.bottomLeft() + QPoint(6, -32), plate)
            if colour is not None:  # what is said of the picture is not seen through the heat
                self._paint_note(painter, "colour", over.rect)
                self._paint_tag(painter, "colour", over.rect, over.rect)
        for pane in filter(self._in_color, self._panes):
            paint_cross(painter, self._point_in(pane, QPointF(asked.x, asked.y)))
        painter.restore()

    def _paint_frozen(self, painter: QPainter) -> None:
        """A border that a moving picture never has."""
        colour = QColor(theme.DARK.warning)
        for pane in self._panes:
            if not pane.rect.isEmpty():
                painter.setPen(QPen(colour, FROZEN_PX))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(pane.rect.adjusted(1, 1, -2, -2))
        words_font = theme.font(theme.CAPTION_PX, weight=theme.BOLD, tabular=True)
        mark = self._frozen_plate()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(mark, TAG_ROUND_PX, TAG_ROUND_PX)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        painter.setPen(DARK_INK)
        painter.setFont(words_font)
        painter.drawText(mark, Qt.AlignmentFlag.AlignCenter, self._frozen)

    def _frozen_plate(self) -> QRect:
        rect = self._depth_pane().rect
        width = tag_width(self._frozen, theme.CAPTION_PX) + 24
        return QRect(rect.center().x() - width // 2, rect.y() + 6, width, 26)

    def _paint_figures(self, painter: QPainter) -> None:
        """Where the pixels of the repaired frame come from, in per cent, and what it took."""
        if self._figures is None:
            return
        colours = theme.current()
        room = self._free.adjusted(12, 12, -12, -8)
        word_font, value_font = theme.font(15), theme.font(15, weight=theme.BOLD, tabular=True)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        rows = [
            (str(PROVENANCE_WORDS[kind]), f"{share:.1%}", QColor(*PROVENANCE_COLOURS[kind]), share)
            for kind, share in self._figures.shares.items()
        ]
        edge = max(pane.rect.right() for pane in self._panes)
        if edge > room.x() + FIGURES_WIDTH_PX:
            room.setRight(min(room.right(), edge))
        columns = 1 if self._free.height() >= FIGURES_HEIGHT_PX else 2
        width = min((room.width() - (columns - 1) * FIGURES_GAP_PX) // columns, FIGURES_WIDEST_PX)
        down = -(-(len(rows) + 1) // columns)
        step = min(44, room.height() // down)
        places = [
            QRect(room.x() + i // down * (width + FIGURES_GAP_PX), room.y() + i % down * step, width, 22)
            for i in range(len(rows) + 1)
        ]
        for line, (word, value, colour, share) in zip(places, rows, strict=False):
            painter.setFont(word_font)
            painter.setPen(QColor(colours.muted))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, word)
            painter.setFont(value_font)
            painter.setPen(QColor(colours.text))
            painter.drawText(line, right, value)
            if step >= BARRED_PX:
                bar = QRect(line.x(), line.y() + 24, width, 6)
                painter.fillRect(bar, QColor(colours.raised))
                painter.fillRect(QRect(bar.x(), bar.y(), round(share * bar.width()), 6), colour)
        painter.setFont(word_font)
        painter.setPen(QColor(colours.muted))
        painter.drawText(places[-1], Qt.AlignmentFlag.AlignVCenter, tr("Repair"))
        painter.setFont(value_font)
        painter.setPen(QColor(colours.text))
        painter.drawText(places[-1], right, milliseconds(self._figures.took_ms))

    def _note(self, layer: Layer) -> tuple[Note | None, bool]:
        """Words for this layer, and whether they stand over an old picture."""
        tile = self._tile
        if tile is None:
            return Note(tr("Camera starting")), False
        if layer in REPAIRED:
            if layer == "confidence" and tile.refined is not None and tile.refined.confidence is None:
                return Note(tr("No confidence"), tr("This repair does not say how sure it is.")), False
            note = tile.refined_note
            if note is None and tile.camera_note is not None:
                note = Note(tr("No camera, nothing to refine")) if tile.frame is None else None
            return note, tile.refined is not None
        if layer == "ir" and tile.camera_note is None and tile.frame and tile.frame.ir_left is None:
            return Note(tr("No infrared picture"), tr("This camera sends none.")), False
        return tile.camera_note, tile.frame is not None

    def _paint_note(self, painter: QPainter, layer: Layer, clip: QRect) -> None:
        note, _ = self._note(layer)
        if note is None:
            return
        room = self._note_room(clip)
        if room.width() < 48 or room.height() < 24:
            return
        placed = place_note(note, room, hints=not self._compact, button=self._choose.isVisible())
        painter.save()
        painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
        paint_note(painter, note, placed)
        painter.restore()

    def _paint_tag(self, painter: QPainter, layer: Layer, rect: QRect, clip: QRect) -> None:
        """The layer's name in the upper corner of `clip`, on the right where that is the right half."""
        if self._compact:
            return
        filtered = layer == "raw" and self._tile is not None and self._tile.filtered is not None
        name = None if self._tile is None else self._tile.names.get(layer)
        texts = [str(FILTERED if filtered else name or LAYER_WORDS[layer])]
        refined = None if self._tile is None else self._tile.refined
        if refined is not None and refined.hidden_share and (layer in REPAIRED or layer == "raw"):
            texts.insert(
                0,
                tr("{text}, {hidden_share:.0%} hidden").format(
                    text=texts[0], hidden_share=refined.hidden_share
                ),
            )
        look = texts, self._ratio, theme.current().on_picture
        tag = self._tags.get(layer)
        if tag is None or tag.clip is not clip or tag.look != look:
            tag = self._tags[layer] = _Tag(clip, look, *_placed_tag(texts, rect, clip, self._ratio))
        if tag.plate is not None:
            painter.drawImage(tag.corner, tag.plate)

    def _paint_handle(self, painter: QPainter, rect: QRect, line: int) -> None:
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        knob = self._knob(rect, line)
        if self._options.layout == "blend":
            track = QRect(rect.x() + 8, round(knob.center().y()) - 2, rect.width() - 16, 4)
            painter.fillRect(track.adjusted(-1, -1, 1, 1), QColor(7, 9, 12, 150))
            painter.fillRect(track, QColor("#ffffff"))
        else:
            painter.fillRect(QRect(line - 3, rect.y(), 6, rect.height()), QColor(7, 9, 12, 150))
            painter.fillRect(QRect(line - 2, rect.y(), 4, rect.height()), QColor("#ffffff"))
        painter.setPen(QPen(QColor(7, 9, 12), 2))
        painter.setBrush(QColor("#ffffff"))
        painter.drawEllipse(knob)
        inner = 26 if knob.width() >= 40 else 18
        arrows = icon("arrow-left-right", colour="#0d1014")
        corner = knob.center().toPoint() - QPoint(inner // 2, inner // 2)
        arrows.paint(painter, QRect(corner, QSize(inner, inner)))
        painter.restore()

    @staticmethod
    def _knob(rect: QRect, line: int) -> QRectF:
        size = KNOB_PX if rect.width() >= 260 else 32.0
        x = min(max(line, rect.x() + size / 2 + 2), rect.right() - size / 2 - 2)
        return QRectF(x - size / 2, rect.y() + rect.height() * 0.87 - size / 2, size, size)

    def _read(self, place: QPointF) -> Readout | None:
        """The depth there; figures that change more than five times a second cannot be read."""
        now_s = time.perf_counter()
        if self._said is not None and self._said[0] == place and now_s - self._said[1] < READ_EVERY_S:
            return self._said[2]
        said = None if self._tile is None else readout(self._tile, place.x(), place.y())
        self._said = place, now_s, said
        return said

    def _paint_loupe(self, painter: QPainter) -> None:
        place = self._hovered or self._pinned
        said = None if place is None else self._read(place)
        if place is None or said is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pane in filter(self._in_color, self._panes):
            paint_cross(painter, self._point_in(pane, place))
        box = self._loupe_box(place, loupe_size(said, self.width() - 2 * theme.GAP_PX))
        paint_loupe(painter, box, said)
        painter.restore()
        rect = box.adjusted(-2, -2, 2, 2)
        if rect != self._loupe_rect:  # only the old place was to be painted
            self.update(rect)
            self._loupe_rect = rect

    def _loupe_box(self, place: QPointF, size: QSize) -> QRect:
        pane = self._depth_pane()
        point = self._point_in(pane, place).toPoint()
        x = min(max(point.x() - size.width() // 2, EDGE_PX), self.width() - size.width() - EDGE_PX)
        y = point.y() - self._lift_px - size.height()
        if y < EDGE_PX:
            y = min(point.y() + self._lift_px, self.height() - size.height() - EDGE_PX)
        wanted = QRect(QPoint(x, y), size)
        hand = QRect(point.x() - RING_PX, point.y() - RING_PX, 2 * RING_PX, RING_PX + self._lift_px)
        points = [self._point_in(pane, place).toPoint() for pane in self._panes if self._in_color(pane)]
        ring = QPoint(RING_PX, RING_PX)
        below = [hand, *(QRect(at - ring, at + ring) for at in points)]
        for edge, clear in ((theme.GAP_PX, theme.GAP_PX), (EDGE_PX, 0)):  # rather close to a name than on it
            room = self.rect().adjusted(edge, edge, -edge, -edge)
            taken = below + [rect.adjusted(-clear, -clear, clear, clear) for rect in self._in_front()]
            free = nearest_free(room, wanted, taken, farthest_px=max(room.width(), 1))
            if free is not None:
                return free
        return wanted

    def _in_front(self) -> list[QRect]:
        """What lies over the pictures and must be seen: their names, the wipe's handle, the frozen clock."""
        found = [
            QRect(tag.corner, tag.plate.deviceIndependentSize().toSize())
            for layer, tag in self._tags.items()
            if tag.plate is not None and layer in self._layers
        ]
        pane = self._two_layer_pane()
        if pane is not None:
            line = pane.rect.x() + round(self._wipe * pane.rect.width())
            found.append(self._knob(pane.rect, line).toAlignedRect().adjusted(-4, -4, 4, 4))
        if self._frozen:
            found.append(self._frozen_plate())
        return found

    def _depth_pane(self) -> Pane:
        main = next((pane for pane in self._panes if pane.kind in TWO_LAYERS), None)
        shown = next((pane for pane in self._panes if pane.kind == self._options.shown), None)
        return main or shown or self._panes[0]

    @staticmethod
    def _point_in(pane: Pane, place: QPointF) -> QPointF:
        return QPointF(
            pane.rect.x() + place.x() * pane.rect.width(), pane.rect.y() + place.y() * pane.rect.height()
        )

    def _place_at(self, position: QPointF) -> QPointF | None:
        """Column and row as shares of the picture under `position`, or None beside the pictures."""
        pane = self._pane_at(position)
        place = None if pane is None else self._place_in(pane, position)
        return None if place is None else QPointF(*place)

    def _place_in(self, pane: Pane, position: QPointF) -> Place | None:
        """Shares of the colour picture at a position of a pane, kept inside the pane."""
        place = _share(pane, position)
        if self._in_color(pane) or self._tile is None or self._tile.frame is None:
            return place
        return place_in_color(self._tile.frame, place)

    def _in_color(self, pane: Pane) -> bool:
        """Whether the same share of this pane and of the colour picture show the same thing."""
        tile = self._tile
        if tile is None or tile.frame is None or self._registered:
            return True
        return pane.kind not in {"raw", "ir"} or seen_alike(tile.frame.calibration)

    @property
    def _registered(self) -> bool:
        """Whether raw depth is shown in the pixels of colour."""
        return not self._compact and self._options.layout in {"wipe", "blend", "inset"}

    def _pane_at(self, position: QPointF) -> Pane | None:
        return next((p for p in reversed(self._panes) if p.rect.contains(position.toPoint())), None)

    def _two_layer_pane(self) -> Pane | None:
        return next((pane for pane in self._panes if pane.kind in TWO_LAYERS), None)

    def _on_handle(self, position: QPointF) -> bool:
        pane = self._two_layer_pane()
        if pane is None or not pane.rect.adjusted(-8, 0, 8, 0).contains(position.toPoint()):
            return False
        line = pane.rect.x() + self._wipe * pane.rect.width()
        knob = self._knob(pane.rect, round(line))
        if pane.kind == "blend":
            return abs(position.y() - knob.center().y()) <= HANDLE_PX / 2
        return abs(position.x() - line) <= HANDLE_PX / 2 or knob.contains(position)

    def _on_inset(self, position: QPointF) -> bool:
        return (
            not self._compact
            and self._options.layout == "inset"
            and self._panes[-1].rect.contains(position.toPoint())
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if self._compact:
            self.focus_requested.emit()
            return
        finger = event.device().type() == QInputDevice.DeviceType.TouchScreen
        self._lift_px = LOUPE_LIFT_PX["finger" if finger else "mouse"]
        if self._on_handle(event.position()):
            self._wiping = True
            self._wipe_to(event.position())
            return
        if self._on_inset(event.position()):
            self.swap_requested.emit()
            return
        if self._tool != "read":
            more = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._begin_stroke(event.position(), "area" if more else self._tool)
            return
        place = self._place_at(event.position())
        if place is not None and self._pinned is not None and self._near_pin(event.position()):
            place = None
        self._pinned, self._hovered = place, None
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._wiping:
            self._wipe_to(event.position())
            return
        if self._compact:
            return
        place = self._place_at(event.position())
        if self._drawing is not None and self._stroke is not None:
            end = self._place_in(self._drawing, event.position())
            if end is not None:
                start = end if self._stroke.tool in TAPPED else self._stroke.start
                self._stroke = replace(self._stroke, start=start, end=end)
                self._pinned = QPointF(*end)
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self._pinned = place
        else:
            self._hovered = None if self._on_handle(event.position()) else place
            on_line = self._on_handle(event.position())
            self.setCursor(Qt.CursorShape.SplitHCursor if on_line else Qt.CursorShape.CrossCursor)
        self.update()

    def _wipe_to(self, position: QPointF) -> None:
        pane = self._two_layer_pane()
        if pane is not None:
            self.set_wipe((position.x() - pane.rect.x()) / max(pane.rect.width(), 1))
            self.wiped.emit(self._wipe)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._wiping = False
        if self._drawing is not None and self._stroke is not None:
            tapped = (event.position() - self._pressed_at).manhattanLength() < TAP_PX
            self._end_stroke(self._stroke, tapped=tapped)

    def _begin_stroke(self, position: QPointF, tool: Tool) -> None:
        pane = self._pane_at(position)
        place = None if pane is None else self._place_in(pane, position)
        if pane is None or place is None:
            return
        waiting = self._stroke is not None and self._stroke.tool == tool
        start = self._stroke.start if self._stroke is not None and waiting else place
        self._second, self._drawing, self._pressed_at = waiting, pane, position
        self._stroke = Stroke(tool, start, place)
        self._pinned, self._hovered = QPointF(*place), None
        self.update()

    def _end_stroke(self, stroke: Stroke, *, tapped: bool) -> None:
        """A drag is a measurement, and so are two taps; the first of them leaves its end on the picture."""
        self._drawing = self._pinned = None
        if stroke.tool in TAPPED or self._second or not tapped:
            self._stroke = None
            self.drawn.emit(stroke)
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._lift_px = LOUPE_LIFT_PX["mouse"]
        super().enterEvent(event)

    def leaveEvent(self, _event: QEvent) -> None:
        self._hovered = None
        self._loupe_rect = QRect()
        self.update()

    def _near_pin(self, position: QPointF) -> bool:
        if self._pinned is None:
            return False
        return any(
            (self._point_in(pane, self._pinned) - position).manhattanLength() < 28 for pane in self._panes
        )

    def _note_room(self, clip: QRect) -> QRect:
        """Where words may stand: above the handle where a button stands below them and not beside it."""
        room = clip.adjusted(*NOTE_MARGINS)
        if self._note_floor and self._choose.isVisibleTo(self):
            room.setBottom(min(room.bottom(), self._note_floor))
        return room

    def _place_button(self) -> None:
        """Put "Choose model" below the words that ask for it."""
        tile = self._tile
        wanted = (
            not self._compact
            and tile is not None
            and tile.refined_note is not None
            and tile.refined_note.choose_model
        )
        pane = next((pane for pane in self._panes if REPAIRED.intersection(self._layers_of(pane))), None)
        if not wanted or pane is None:
            self._choose.hide()
            return
        rect = pane.rect
        if pane.kind == "wipe":
            rect = self._halves(rect)[1 if self._options.shown in REPAIRED else 0]
        size = self._choose.sizeHint()
        note = tile.refined_note if tile is not None else None
        if note is None or rect.width() < size.width() + 4 or rect.height() < 150:
            self._choose.hide()
            return
        self._choose.show()
        at_right = rect.x() > pane.rect.x()
        line = rect.x() if at_right else rect.right() + 1
        clear = QRect() if pane.kind != "wipe" else self._knob(pane.rect, line).toAlignedRect()
        clear = clear.adjusted(-theme.GAP_PX, -theme.GAP_PX, theme.GAP_PX, theme.GAP_PX)
        beside = rect.width() >= clear.width() // 2 + size.width() + 2
        self._note_floor = 0 if beside or pane.kind != "wipe" else clear.top()
        placed = place_note(note, self._note_room(rect), hints=True, button=True)
        place = QRect(QPoint(rect.x() + (rect.width() - size.width()) // 2, placed.button_y), size)
        if pane.kind == "wipe" and beside and place.intersects(clear):
            place.moveRight(clear.left() - 1)
            if at_right:
                place.moveLeft(clear.right() + 1)
        self._choose.setGeometry(place)


@dataclass(frozen=True)
class _Tag:
    """The name of a picture, painted: most pictures follow one that had the same."""

    clip: QRect
    look: tuple[list[str], float, str]
    corner: QPoint
    plate: QImage | None


def _placed_tag(texts: Sequence[str], rect: QRect, clip: QRect, ratio: float) -> tuple[QPoint, QImage | None]:
    """The first of `texts` for which there is room, and where it goes."""
    at_right = clip.x() > rect.x()
    for text in texts:
        width = tag_width(text, theme.CAPTION_PX) + 18
        corner = QPoint(rect.right() - width - 5 if at_right else clip.x() + 6, rect.y() + 6)
        if clip.left() <= corner.x() and corner.x() + width - 1 <= clip.right():
            return corner, tag_plate(text, QSize(width, 26), theme.CAPTION_PX, opacity=200, ratio=ratio)
    return QPoint(), None


def _share(pane: Pane, position: QPointF) -> Place:
    """Shares of the picture's width and height at a position, kept inside the picture."""
    x = (position.x() - pane.rect.x()) / pane.rect.width()
    y = (position.y() - pane.rect.y()) / pane.rect.height()
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
