"""One camera's pictures: colour, raw and refined depth, painted only where something changed."""

from typing import Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetrics,
    QInputDevice,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.icons import icon
from app.ui.notes import NOTE_FLAGS, NOTE_MARGINS, place_note
from app.ui.panes import FIGURES_WIDTH_PX, PANE_GAP_PX, Pane, arrange, free_room
from app.ui.picture import Picture
from app.ui.widgets import Button
from app.viewmodels.colouring import (
    PROVENANCE_COLOURS,
    PROVENANCE_WORDS,
    colour_depth,
    colour_provenance,
    copy_color,
    depth_table,
)
from app.viewmodels.live import LiveOptions, Note, TileView
from app.viewmodels.readout import Figures, Readout, figures, readout
from drivers.depth import DepthMap

HANDLE_PX: Final = 52
"""Width that takes hold of the wipe line: a finger."""
FIGURES_PX: Final = (FIGURES_WIDTH_PX, 190)
"""Room that the figures of a repaired frame need."""
KNOB_PX: Final = 44
LOUPE_LIFT_PX: Final = {"finger": 84, "mouse": 26}
DIM: Final = QColor(7, 9, 12, 170)
PANE_WORDS: Final[dict[str, str]] = {"colour": "Colour", "raw": "Raw", "refined": "Refined"}


class DepthView(QWidget):
    """The pictures of one camera.

    Signals:
        frame_painted: a frame whose pictures are on the screen for the first time.
        focus_requested: the small tile was tapped.
        model_requested: the operator wants another model.
        wiped: place of the wipe line, 0 to 1.
    """

    frame_painted = Signal(object)
    focus_requested = Signal()
    model_requested = Signal()
    wiped = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._tile: TileView | None = None
        self._options = LiveOptions()
        self._panes: list[Pane] = []
        self._pictures: dict[str, Picture] = {kind: Picture() for kind in PANE_WORDS}
        self._sources: dict[str, object] = {}
        self._compact = False
        self._aspect = 4 / 3
        self._wipe = 0.5
        self._wiping = False
        self._pinned: QPointF | None = None
        self._hovered: QPointF | None = None
        self._lift_px = LOUPE_LIFT_PX["mouse"]
        self._loupe_rect = QRect()
        self._words_shown: list[Note | None] = [None, None]
        self._unpainted: object = None
        self._reported: object = None
        self._figures: Figures | None = None
        self._free = QRect()
        self._choose = Button("Choose model")
        self._choose.setParent(self)
        self._choose.hide()
        self._choose.clicked.connect(self.model_requested)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setMinimumSize(120, 90)
        self.setAccessibleName("Camera pictures")

    @property
    def panes(self) -> list[Pane]:
        """Where the pictures are."""
        return self._panes

    @property
    def wipe(self) -> float:
        """Place of the wipe line: 0 shows refined only, 1 raw only."""
        return self._wipe

    @property
    def readout(self) -> Readout | None:
        """What the loupe says."""
        place = self._hovered or self._pinned
        return None if place is None or self._tile is None else readout(self._tile, place.x(), place.y())

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

    def show_options(self, options: LiveOptions) -> None:
        """Lay out and colour in another way."""
        before, self._options = self._options, options
        if options.layout != before.layout:
            self._rearrange()
        if (options.near_m, options.far_m) != (before.near_m, before.far_m):
            self._sources.pop("raw", None)
            self._sources.pop("refined", None)
        if options.provenance != before.provenance:
            self._sources.pop("refined", None)
        self._recolour()
        self.update()

    def show_tile(self, tile: TileView) -> None:
        """Show what is new in `tile`; nothing else is painted."""
        self._tile = tile
        if tile.frame is not None:
            height, width = tile.frame.color.shape[:2]
            if abs(width / height - self._aspect) > 1e-3:
                self._aspect = width / height
                self._rearrange()
        for kind in self._recolour():
            self._update_pane(kind)
        if not self._free.isNull():
            self._count(tile)
        words = [tile.camera_note, tile.refined_note]
        if words != self._words_shown:
            self._words_shown = words
            said = [f"{note.text}. {note.hint}".strip() for note in words if note is not None]
            self.setAccessibleDescription(" ".join(said))
            self._place_button()
            self.update()
        if not self._loupe_rect.isNull():
            self.update(self._loupe_rect)

    def _count(self, tile: TileView) -> None:
        """Keep the figures of the repaired frame up to date."""
        if tile.refined is not self._sources.get("figures"):
            self._sources["figures"] = tile.refined
            self._figures = None if tile.refined is None else figures(tile.refined)
            self.update(self._free)

    def _recolour(self) -> list[str]:
        """Fill the pictures whose sources are new and shown; returns their names."""
        tile = self._tile
        if tile is None:
            return []
        shown = {pane.kind for pane in self._panes}
        changed = []
        wanted = {"colour": tile.frame, "raw": self._raw_source(tile), "refined": tile.refined}
        for kind, source in wanted.items():
            if kind not in shown and not ("wipe" in shown and kind != "colour"):
                continue
            if self._sources.get(kind, self) is source:
                continue
            self._sources[kind] = source
            self._fill(kind, tile)
            changed.append(kind)
        if changed and tile.frame is not self._reported:
            self._unpainted = self._reported = tile.frame
        return changed

    def _raw_source(self, tile: TileView) -> DepthMap | None:
        """Where raw depth comes from.

        Beside refined depth in a wipe both have to lie in the same pixels. Where the sensor's own grid is
        another one, only the frame that was registered for the repair does.
        """
        if tile.frame is None:
            return None
        wiping = any(pane.kind == "wipe" for pane in self._panes)
        if wiping and tile.refined is not None and not tile.frame.calibration.aligned:
            return tile.refined.raw
        return tile.frame.depth

    def _fill(self, kind: str, tile: TileView) -> None:
        picture, refined = self._pictures[kind], tile.refined
        if kind == "colour":
            if tile.frame is None:
                picture.clear()
            else:
                copy_color(tile.frame.color, picture.buffer(tile.frame.color.shape[:2]))
        elif kind == "refined" and refined is not None and self._options.provenance:
            colour_provenance(
                refined.provenance, refined.frame.color, picture.buffer(refined.provenance.shape)
            )
        else:
            repaired = None if refined is None else refined.depth
            depth = self._raw_source(tile) if kind == "raw" else repaired
            if depth is None:
                picture.clear()
                return
            table = depth_table(self._options.near_m, self._options.far_m, depth.unit_m)
            colour_depth(depth.values, table, picture.buffer(depth.values.shape))

    def _update_pane(self, kind: str) -> None:
        for pane in self._panes:
            if pane.kind == kind:
                self.update(pane.rect)
            elif pane.kind == "wipe" and kind != "colour":
                left, right = self._halves(pane.rect)
                self.update(left if kind == "raw" else right)

    def _halves(self, rect: QRect) -> tuple[QRect, QRect]:
        line = rect.x() + round(self._wipe * rect.width())
        return (
            QRect(rect.x(), rect.y(), line - rect.x(), rect.height()),
            QRect(line, rect.y(), rect.right() + 1 - line, rect.height()),
        )

    def _rearrange(self) -> None:
        self._panes = arrange(self.rect(), self._aspect, self._options.layout, compact=self._compact)
        free = free_room(self.rect(), self._panes).adjusted(0, PANE_GAP_PX, 0, 0)
        roomy = free.width() >= FIGURES_PX[0] and free.height() >= FIGURES_PX[1] and not self._compact
        self._free = free if roomy else QRect()
        self._recolour()
        self._place_button()
        self.update()

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._rearrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        region = event.region()
        covered = sum(pane.rect.width() * pane.rect.height() for pane in self._panes)
        if covered < self.width() * self.height():
            outside = region
            for pane in self._panes:
                outside = outside.subtracted(pane.rect)
            for rect in outside:  # type: ignore[attr-defined]  # the stubs do not know that a region iterates
                painter.fillRect(rect, QColor(theme.current().surface))
        if region.intersects(self._free):
            self._paint_figures(painter)
        for pane in self._panes:
            if region.intersects(pane.rect):
                self._paint_pane(painter, pane, event)
        self._paint_loupe(painter)
        if self._unpainted is not None:
            frame, self._unpainted = self._unpainted, None
            self.frame_painted.emit(frame)

    def _paint_pane(self, painter: QPainter, pane: Pane, event: QPaintEvent) -> None:
        if pane.kind != "wipe":
            self._paint_picture(painter, pane.kind, pane.rect, pane.rect)
            return
        left, right = self._halves(pane.rect)
        for kind, half in (("raw", left), ("refined", right)):
            if not half.isEmpty() and event.region().intersects(half):
                self._paint_picture(painter, kind, pane.rect, half)
        self._paint_handle(painter, pane.rect, left.right() + 1)

    def _paint_picture(self, painter: QPainter, kind: str, rect: QRect, clip: QRect) -> None:
        image = self._pictures[kind].image
        note, over_picture = self._note(kind)
        painter.save()
        painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
        if image is None or (note is not None and not over_picture):
            painter.fillRect(rect, QColor(theme.current().picture))
        else:
            # Depth keeps its pixels: a smoothed edge would show distances that nobody measured.
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, kind == "colour")
            painter.drawImage(rect, image)
            if note is not None:
                painter.fillRect(rect, DIM)
        painter.restore()
        if note is not None:
            self._paint_note(painter, note, clip)
        if not self._compact:
            self._paint_tag(painter, kind, rect, clip)

    def _paint_figures(self, painter: QPainter) -> None:
        """Where the pixels of the repaired frame come from, in per cent, and what it took."""
        if self._figures is None:
            return
        colours = theme.current()
        room = self._free.adjusted(12, 12, -12, -8)
        word_font, value_font = theme.font(15), theme.font(15, weight=theme.BOLD, tabular=True)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        rows = [
            (PROVENANCE_WORDS[kind], f"{share:.1%}", QColor(*PROVENANCE_COLOURS[kind]), share)
            for kind, share in self._figures.shares.items()
        ]
        took = f"{self._figures.took_ms:.0f} ms"
        y, step = room.y(), min(44, room.height() // 5)
        width = min(room.width(), 320)
        for word, value, colour, share in rows:
            line = QRect(room.x(), y, width, 22)
            painter.setFont(word_font)
            painter.setPen(QColor(colours.muted))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, word)
            painter.setFont(value_font)
            painter.setPen(QColor(colours.text))
            painter.drawText(line, right, value)
            bar = QRect(room.x(), y + 24, width, 6)
            painter.fillRect(bar, QColor(colours.raised))
            painter.fillRect(QRect(bar.x(), bar.y(), round(share * bar.width()), 6), colour)
            y += step
        line = QRect(room.x(), y, width, 22)
        painter.setFont(word_font)
        painter.setPen(QColor(colours.muted))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, "Repair took")
        painter.setFont(value_font)
        painter.setPen(QColor(colours.text))
        painter.drawText(line, right, took)

    def _note(self, kind: str) -> tuple[Note | None, bool]:
        """Words for this pane, and whether they stand over an old picture."""
        tile = self._tile
        if tile is None:
            return Note("Camera starting"), False
        if kind == "refined":
            note = tile.refined_note
            if note is None and tile.camera_note is not None:
                note = Note("No camera, nothing to refine") if tile.frame is None else None
            return note, tile.refined is not None
        return tile.camera_note, tile.frame is not None

    def _paint_note(self, painter: QPainter, note: Note, clip: QRect) -> None:
        room = clip.adjusted(*NOTE_MARGINS)
        if room.width() < 48 or room.height() < 24:
            return
        placed = place_note(note, room, hints=not self._compact, button=self._choose.isVisible())
        painter.save()
        painter.setClipRect(clip, Qt.ClipOperation.IntersectClip)
        painter.setPen(QColor(theme.current().on_picture))
        painter.setFont(placed.text_font)
        painter.drawText(placed.text, NOTE_FLAGS, note.text)
        if not placed.hint.isEmpty():
            painter.setPen(QColor(theme.DARK.muted))
            painter.setFont(placed.hint_font)
            painter.drawText(placed.hint, NOTE_FLAGS, note.hint)
        painter.restore()

    def _paint_tag(self, painter: QPainter, kind: str, rect: QRect, clip: QRect) -> None:
        text = PANE_WORDS[kind]
        if kind == "refined" and self._options.provenance:
            text = "Provenance"
        tag_font = theme.font(theme.CAPTION_PX, weight=theme.BOLD)
        width = QFontMetrics(tag_font).horizontalAdvance(text) + 18
        at_right = kind == "refined" and clip.x() > rect.x()
        tag = QRect(rect.right() - width - 5 if at_right else clip.x() + 6, rect.y() + 6, width, 26)
        if tag.right() > clip.right() or tag.left() < clip.left():
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(7, 9, 12, 200))
        painter.drawRoundedRect(tag, 6, 6)
        painter.setPen(QColor(theme.current().on_picture))
        painter.setFont(tag_font)
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def _paint_handle(self, painter: QPainter, rect: QRect, line: int) -> None:
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(QRect(line - 2, rect.y(), 4, rect.height()), QColor("#ffffff"))
        knob = self._knob(rect, line)
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

    def _paint_loupe(self, painter: QPainter) -> None:
        place, said = self._hovered or self._pinned, self.readout
        if place is None or said is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for pane in self._panes:
            self._paint_cross(painter, self._point_in(pane, place))
        big = theme.font(theme.TITLE_PX, weight=theme.BOLD, tabular=True)
        small = theme.font(theme.CAPTION_PX)
        lines = (("Refined", said.refined), ("Raw", said.raw))
        width = max(QFontMetrics(big).horizontalAdvance(value) for _, value in lines) + 92
        width = max(width, QFontMetrics(small).horizontalAdvance(said.provenance) + 28)
        box = self._loupe_box(place, QSize(width, 86))
        painter.setPen(QPen(QColor(255, 255, 255, 90), 1))
        painter.setBrush(QColor(13, 16, 20, 235))
        painter.drawRoundedRect(box, 10, 10)
        y = box.y() + 8
        for word, value in lines:
            painter.setFont(small)
            painter.setPen(QColor(theme.DARK.muted))
            painter.drawText(QRect(box.x() + 14, y, 70, 24), Qt.AlignmentFlag.AlignVCenter, word)
            painter.setFont(big)
            painter.setPen(QColor(theme.DARK.text))
            painter.drawText(
                QRect(box.x() + 14, y, box.width() - 28, 24),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                value,
            )
            y += 25
        painter.setFont(small)
        painter.setPen(QColor(theme.DARK.accent))
        below = QRect(box.x() + 14, y, box.width() - 28, 22)
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, said.provenance)
        painter.restore()
        self._loupe_rect = box.adjusted(-2, -2, 2, 2)

    @staticmethod
    def _paint_cross(painter: QPainter, point: QPointF) -> None:
        for colour, width in ((QColor(7, 9, 12), 5), (QColor("#ffffff"), 2)):
            painter.setPen(QPen(colour, width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(point, 9, 9)

    def _loupe_box(self, place: QPointF, size: QSize) -> QRect:
        pane = self._depth_pane()
        point = self._point_in(pane, place).toPoint()
        x = min(max(point.x() - size.width() // 2, 4), self.width() - size.width() - 4)
        y = point.y() - self._lift_px - size.height()
        if y < 4:
            y = min(point.y() + self._lift_px, self.height() - size.height() - 4)
        return QRect(QPoint(x, y), size)

    def _depth_pane(self) -> Pane:
        return next((pane for pane in self._panes if pane.kind in {"wipe", "refined"}), self._panes[0])

    @staticmethod
    def _point_in(pane: Pane, place: QPointF) -> QPointF:
        return QPointF(
            pane.rect.x() + place.x() * pane.rect.width(), pane.rect.y() + place.y() * pane.rect.height()
        )

    def _place_at(self, position: QPointF) -> QPointF | None:
        """Column and row as shares of the picture under `position`, or None beside the pictures."""
        for pane in self._panes:
            if pane.rect.contains(position.toPoint()):
                return QPointF(
                    (position.x() - pane.rect.x()) / pane.rect.width(),
                    (position.y() - pane.rect.y()) / pane.rect.height(),
                )
        return None

    def _wipe_pane(self) -> Pane | None:
        return next((pane for pane in self._panes if pane.kind == "wipe"), None)

    def _on_handle(self, position: QPointF) -> bool:
        pane = self._wipe_pane()
        if pane is None or not pane.rect.adjusted(-8, 0, 8, 0).contains(position.toPoint()):
            return False
        line = pane.rect.x() + self._wipe * pane.rect.width()
        near = abs(position.x() - line) <= HANDLE_PX / 2
        return near or self._knob(pane.rect, round(line)).contains(position)

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
            return
        place = self._place_at(event.position())
        if place is not None and self._pinned is not None and self._near_pin(event.position()):
            place = None
        self._pinned, self._hovered = place, None
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pane = self._wipe_pane()
        if self._wiping and pane is not None:
            self.set_wipe((event.position().x() - pane.rect.x()) / max(pane.rect.width(), 1))
            self.wiped.emit(self._wipe)
            return
        if self._compact:
            return
        place = self._place_at(event.position())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pinned = place
        else:
            self._hovered = None if self._on_handle(event.position()) else place
            on_line = self._on_handle(event.position())
            self.setCursor(Qt.CursorShape.SplitHCursor if on_line else Qt.CursorShape.CrossCursor)
        self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._wiping = False

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

    def _place_button(self) -> None:
        """Put "Choose model" below the words that ask for it."""
        tile = self._tile
        wanted = (
            not self._compact
            and tile is not None
            and tile.refined_note is not None
            and tile.refined_note.choose_model
        )
        pane = next((pane for pane in self._panes if pane.kind in {"refined", "wipe"}), None)
        if not wanted or pane is None:
            self._choose.hide()
            return
        rect = self._halves(pane.rect)[1] if pane.kind == "wipe" else pane.rect
        size = self._choose.sizeHint()
        note = tile.refined_note if tile is not None else None
        if note is None or rect.width() < size.width() + 4 or rect.height() < 150:
            self._choose.hide()
            return
        placed = place_note(note, rect.adjusted(*NOTE_MARGINS), hints=True, button=True)
        x = rect.x() + (rect.width() - size.width()) // 2
        if pane.kind == "wipe":  # beside the knob
            x = max(x, min(rect.x() + KNOB_PX // 2 + 4, rect.right() - size.width() - 2))
        self._choose.setGeometry(QRect(QPoint(x, placed.button_y), size))
        self._choose.show()
