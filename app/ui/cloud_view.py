"""Raw and refined depth as point clouds that mouse and touch lead around."""

import math
import time
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QEventPoint, QMouseEvent, QResizeEvent, QTouchEvent, QWheelEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.language import tr, tr_noop
from app.ui import theme
from app.ui.cloud_canvas import (
    FOV_RAD,
    FRUSTUM_COLOURS,
    MARK_COLOUR,
    TINTS,
    Canvas,
    next_step,
    opengl_available,
    viewports,
)
from app.ui.widgets import EmptyState
from app.ui.worded import Label, Worded
from app.viewmodels.cloud import (
    Cloud,
    CloudColouring,
    CloudLayout,
    Frustum,
    RigClouds,
    middle_depth_m,
    points_in_world,
)
from app.viewmodels.cloud_look import CloudLook, Lines, Place
from app.viewmodels.cloud_picking import Span, pick
from app.viewmodels.colouring import ColourMap
from app.viewmodels.orbit import Orbit, looking_at, without_strays

TICK_MS: Final = 16
REST: Final = 3.0
"""Times as long as a picture took nothing is drawn; less while a finger leads the view."""
LED_REST: Final = 0.2
LED_S: Final = 0.4
STILL_S: Final = 0.5
"""What has not changed for so long is drawn once more, with every pixel."""
DOUBLE_TAP_MS: Final = 350
DOUBLE_TAP_PX: Final = 40
TAP_S: Final = 0.6
TAP_PX: Final = 14
"""A finger that moved less, and was up again sooner, has tapped."""
FLOOR_PERCENTILE: Final = 97
FIT_STEP: Final = 8
"""Every so many pixels of a row and of a column, a point is taken to fit the view to."""

AGE_COLOUR: Final = "#b9c2cc"
LATE_RGB: Final = (255, 194, 85)
LATE_COLOUR: Final = f"rgb{LATE_RGB}"
NAMES: Final = {"raw": tr_noop("Raw"), "refined": tr_noop("Refined")}
LABEL_QSS: Final = (
    "background: rgba(7, 9, 12, 200); color: rgb{}; border-radius: 6px; padding: 3px 9px;"
    " font-size: {}px; font-weight: 600;"
)


class CloudView(Worded, QWidget):
    """The 3D view; without OpenGL it says so.

    One finger or the left button turns, two fingers or the right button move and twist, pinch or wheel zooms.
    A double tap makes the point under the finger the middle; beside every point it goes back to the
    first view. While measuring, two taps measure the distance between two points.

    Signals:
        spanned: `Span` that was tapped, or None when it is gone.
    """

    spanned = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._canvas: Canvas | None = None
        self._dirty = False
        self._placed = False
        self._untouched = True
        self._said: list[str] = []
        self._old: dict[str, str] = {}
        self._side = ""
        self._last_tap: tuple[float, QPointF] = (0.0, QPointF())
        self._pressed: tuple[float, QPointF] | None = None
        self._look_of = CloudLook()
        self._measuring = False
        self._span: Span | None = None
        self._fingers: dict[int, QPointF] = {}
        self._mouse = QPointF()
        self._drawn_until_s = 0.0
        self._took_ms = 0.0
        self._led_until_s = 0.0
        self._coarse = False
        self._pictures = 0
        self._labels = {name: Label(tr(word), self) for name, word in NAMES.items()}
        self._words = {name: Label("", self) for name in self._labels}
        self._rig_names = Label("", self)
        self._spans = {name: Label("", self) for name in self._labels}
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._look)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._follow)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setAccessibleName(
            tr(
                "3D view: drag to turn, pinch to zoom, two fingers to move or twist, "
                "double tap for a new middle"
            )
        )
        for words in self._words.values():
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for widget in (*self._labels.values(), *self._words.values(), *self._spans.values(), self._rig_names):
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            widget.hide()
        if not opengl_available():
            self._column.addWidget(
                EmptyState(
                    "cube-off-outline",
                    tr("The 3D view needs OpenGL"),
                    tr("This screen has none. Start DepthMend on a desktop with a graphics driver."),
                )
            )

    @property
    def canvas(self) -> Canvas | None:
        """What draws, while the view is active."""
        return self._canvas

    def set_active(self, active: bool) -> None:
        """Draw from now on, or not at all; what the graphics card holds is freed."""
        if not active:
            self.free()
        elif self._canvas is None and opengl_available():
            self._canvas = Canvas(self)
            self._canvas.look = self._look_of
            native = self._canvas.native
            native.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
            native.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            native.installEventFilter(self)
            native.frameSwapped.connect(self._seen)
            self._column.addWidget(native)
            native.show()
            self._placed = False
            self._pictures = 0
            self._timer.start()
            self._place_labels()

    def free(self) -> None:
        """Give everything back."""
        self._timer.stop()
        self._soon.stop()
        if self._canvas is not None:
            canvas, self._canvas = self._canvas, None
            native = canvas.native
            native.removeEventFilter(self)
            self._column.removeWidget(native)
            canvas.free()

    def show_clouds(self, raw: Cloud | None, refined: Cloud | None, missing: dict[str, str]) -> None:
        """Draw these clouds from now on.

        Args:
            raw: measured depth.
            refined: repaired depth.
            missing: by "raw" or "refined", words where there is no cloud.
        """
        clouds = {"raw": raw, "refined": refined}
        said = [missing.get(name, "") for name in clouds]
        old = {name: cloud.old for name, cloud in clouds.items() if cloud is not None}
        drawn = self._drawn
        if self._canvas is not None:
            if clouds != self._canvas.clouds:
                self._canvas.clouds = clouds
                self._dirty = True
            if not self._placed and raw is not None:
                self.reset()
        if (said, old, drawn) != (self._said, self._old, self._drawn):
            self._said, self._old = said, old
            for label, text in zip(self._words.values(), said, strict=True):
                label.setText(text)
            self._place_labels()

    def show_rig(self, rig: RigClouds) -> None:
        """Draw the other cameras of the rig as well, from now on."""
        if self._canvas is not None and (rig.frusta or self._canvas.rig.frusta):
            drawn, before = self._drawn, len(self._canvas.rig.frusta)
            self._canvas.show_rig(rig)
            self._dirty = True
            self._name_frusta(rig)
            if self._placed and self._untouched and len(rig.frusta) != before:
                self._fit()
            if drawn != self._drawn:
                self._place_labels()

    def _name_frusta(self, rig: RigClouds) -> None:
        colours = [tuple(round(255 * part) for part in colour) for colour in FRUSTUM_COLOURS]
        lines = [
            f'<span style="color: rgb{colours[i % len(colours)]}">{escape(str(frustum.name))}</span>'
            + _age_html(frustum)
            for i, frustum in enumerate(rig.frusta)
        ]
        text = "<br>".join(lines)
        if text != self._rig_names.text():
            self._rig_names.setText(text)
            self._place_labels()

    @property
    def _led(self) -> bool:
        return time.perf_counter() < self._led_until_s

    @property
    def look(self) -> CloudLook:
        """Size of the points, mesh, grid and clip box."""
        return self._look_of

    def show_look(self, look: CloudLook) -> None:
        """Draw in another way."""
        self._look_of = look
        if self._canvas is not None:
            if look.grid and not self._canvas.look.grid:
                self._canvas.floor_m = self._floor_m()
            boxed = look.box is not None and self._canvas.look.box is None
            self._canvas.look = look
            self._dirty = True
            if boxed and self._untouched:
                self._fit()

    def shown_clouds(self, name: str) -> list[Cloud]:
        """The clouds that are drawn as "raw" or as "refined", the large camera's first."""
        if self._canvas is None:
            return []
        large = self._canvas.clouds[name]
        rig = self._canvas.rig
        return [*([] if large is None else [large]), *(rig.raw if name == "raw" else rig.refined)]

    def visible_points(self) -> NDArray[np.float32]:
        """(N, 3) float32 metres, a thin sample of what the large camera shows."""
        clouds = [] if self._canvas is None else [c for c in self._canvas.clouds.values() if c is not None]
        found = [points_in_world(cloud, 6) for cloud in clouds]
        return np.concatenate(found) if found else np.empty((0, 3), np.float32)

    def photograph(self, width: int, height: int) -> NDArray[np.uint8] | None:
        """(height, width, 3) uint8 RGB of what is shown; None while nothing is drawn.

        Raises:
            ValueError: the graphics driver draws no picture that large.
        """
        return None if self._canvas is None else self._canvas.photograph(width, height)

    @property
    def measuring(self) -> bool:
        """Whether taps measure."""
        return self._measuring

    def set_measuring(self, measuring: bool) -> None:
        """Let taps measure from now on, or no more; what was measured goes."""
        self._measuring = measuring
        self._set_span(None)

    def see_from(self, view: str) -> None:
        """Look from one of `app.viewmodels.orbit.VIEWS`."""
        if self._canvas is not None:
            self._side, self._untouched = view, True
            self._fit()

    def show_as(
        self,
        layout: CloudLayout,
        colouring: CloudColouring,
        range_m: tuple[float, float],
        colour_map: ColourMap = "turbo",
    ) -> None:
        """Lay out and colour in another way."""
        if self._canvas is None:
            return
        other = layout != self._canvas.layout
        self._canvas.layout, self._canvas.colouring, self._canvas.range_m = layout, colouring, range_m
        self._canvas.colour_map = colour_map
        self._place_labels()
        if other and self._untouched:
            self._fit()
        self._draw_now()

    def reset(self) -> None:
        """Go back to the first view."""
        self._side = ""
        self._fit()

    def _fit(self) -> None:
        """Look from the chosen side at all that is shown, as near as has it in one part of the view."""
        if self._canvas is None:
            return
        cloud = self._canvas.clouds["raw"] or self._canvas.clouds["refined"]
        depth_m = None if cloud is None else middle_depth_m(cloud.depth)
        if cloud is None or depth_m is None:
            return
        self._placed = self._untouched = True
        parts = viewports(self._canvas.layout, self.width())
        aspect = max(next(iter(parts.values()))[1], 1) / max(self.height(), 1)
        first = looking_at(depth_m, cloud.camera, fov_rad=FOV_RAD, aspect=aspect)
        if self._side:
            first = first.seen_from(self._side)
        points = np.concatenate(
            [points_in_world(shown, FIT_STEP) for name in parts for shown in self.shown_clouds(name)]
            or [points_in_world(cloud, FIT_STEP)]
        )
        points = without_strays(points)
        box, whole = self._look_of.box, [frustum.lines for frustum in self._canvas.rig.frusta]
        if box is not None:
            inside = box.contains(points)
            points = points[inside] if inside.any() else points
            whole = [box.lines()]
        corners = np.concatenate([lines.reshape(-1, 3) for lines in whole]) if whole else None
        self._set_orbit(first.fitted_to(points, fov_rad=FOV_RAD, aspect=aspect, whole=corners))

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._place_labels()
        if self._untouched:
            self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QTouchEvent):
            self._touched(event)
            return True
        if isinstance(event, QWheelEvent):
            self._zoom(1.15 ** (event.angleDelta().y() / 120))
            return True
        if isinstance(event, QMouseEvent):
            if kind == QEvent.Type.MouseMove:
                self._dragged(event)
            elif kind == QEvent.Type.MouseButtonPress:
                self._pressed = (time.perf_counter(), event.position())
                if event.button() is Qt.MouseButton.LeftButton:
                    self._tapped(event.position(), event.timestamp())
            elif kind == QEvent.Type.MouseButtonRelease:
                self._lifted(event.position())
            self._mouse = event.position()
            return True
        return super().eventFilter(watched, event)

    def _dragged(self, event: QMouseEvent) -> None:
        move = event.position() - self._mouse
        buttons, keys = event.buttons(), event.modifiers()
        pans = Qt.MouseButton.RightButton | Qt.MouseButton.MiddleButton
        if buttons & pans or (
            buttons & Qt.MouseButton.LeftButton and keys & Qt.KeyboardModifier.ControlModifier
        ):
            self._pan(move)
        elif buttons & Qt.MouseButton.LeftButton:
            self._turn(move)

    def _touched(self, event: QTouchEvent) -> None:
        event.accept()
        down = {
            point.id(): point.position()
            for point in event.points()
            if point.state() is not QEventPoint.State.Released
        }
        if event.type() == QEvent.Type.TouchBegin:
            place = next(iter(down.values()), QPointF())
            self._pressed = (time.perf_counter(), place)
            self._tapped(place, event.timestamp())
        elif event.type() == QEvent.Type.TouchEnd:
            self._lifted(event.points()[0].position())
        if len(down) > 1:
            self._pressed = None
        same = [finger for finger in down if finger in self._fingers]
        if len(down) == 1 and len(same) == 1 and len(self._fingers) == 1:
            self._turn(down[same[0]] - self._fingers[same[0]])
        elif len(same) >= 2:
            (a, b), before, now = same[:2], self._fingers, down
            self._pan((now[a] + now[b] - before[a] - before[b]) / 2)
            apart, was = _length(now[a] - now[b]), _length(before[a] - before[b])
            if apart > 8 and was > 8:
                self._zoom(apart / was)
                self._twist(_angle(now[b] - now[a]) - _angle(before[b] - before[a]))
        self._fingers = down if event.type() != QEvent.Type.TouchEnd else {}

    def _tapped(self, position: QPointF, at_ms: int) -> None:
        """A finger or button went down at a time of the device, which a slow picture does not delay."""
        last_ms, last = self._last_tap
        if 0 <= at_ms - last_ms < DOUBLE_TAP_MS and _length(position - last) < DOUBLE_TAP_PX:
            self._double_tapped(position)
            at_ms = -DOUBLE_TAP_MS
        self._last_tap = (at_ms, position)

    def _double_tapped(self, position: QPointF) -> None:
        if self._measuring or self._canvas is None:
            return
        target = self._point_at(position)
        if target is None:
            self.reset()
        else:
            self._untouched = False
            self._set_orbit(self._canvas.orbit.around(target))

    def _lifted(self, position: QPointF) -> None:
        """One finger or button is up again; was it a tap?"""
        if self._pressed is None or not self._measuring:
            return
        (since_s, place), self._pressed = self._pressed, None
        if time.perf_counter() - since_s > TAP_S or _length(position - place) > TAP_PX:
            return
        point = self._point_at(position)
        if point is not None:
            self._set_span(Span(point) if self._span is None else self._span.tapped(point))

    def _point_at(self, position: QPointF) -> Place | None:
        """The point under a place of the view, in metres."""
        canvas = self._canvas
        if canvas is None:
            return None
        parts = viewports(canvas.layout, self.width())
        for name, (x, width) in parts.items():
            if x <= position.x() < x + width or len(parts) == 1:
                names = list(parts) if canvas.layout == "overlay" else [name]
                return pick(
                    [cloud for shown in names for cloud in self.shown_clouds(shown)],
                    canvas.clip_from_world(width, self.height()),
                    (position.x() - x, position.y()),
                    (width, self.height()),
                    box=canvas.look.box,
                )
        return None

    def _set_span(self, span: Span | None) -> None:
        if span is self._span:
            return
        self._span = span
        self._show_span()
        self.spanned.emit(span)

    def _show_span(self) -> None:
        canvas, span = self._canvas, self._span
        if canvas is not None:
            lines = None if span is None else span.lines(canvas.orbit.distance_m)
            canvas.marks = None if lines is None else Lines(lines, MARK_COLOUR)
            self._dirty = True
        self._place_span()

    def _place_span(self) -> None:
        canvas, span = self._canvas, self._span
        parts = {} if canvas is None or span is None else viewports(canvas.layout, self.width())
        if parts and canvas is not None and canvas.layout == "overlay":
            parts.pop("refined")
        for name, words in self._spans.items():
            words.setVisible(name in parts)
            if name not in parts or canvas is None or span is None:
                continue
            x, width = parts[name]
            middle = np.mean([span.first, span.second or span.first], axis=0)
            clip = canvas.clip_from_world(width, self.height()) @ (*middle, 1.0)
            words.setText(span.words)
            words.setStyleSheet(LABEL_QSS.format((255, 237, 90), theme.BODY_PX))
            words.adjustSize()
            if clip[3] <= 0:  # behind the eye
                words.hide()
                continue
            across, down = (clip[0] / clip[3] + 1) / 2, (1 - clip[1] / clip[3]) / 2
            left = x + min(max(across * width + 12, 4), max(width - words.width() - 4, 4))
            top = min(max(down * self.height() + 12, 4), max(self.height() - words.height() - 4, 4))
            words.move(round(left), round(top))
            words.raise_()

    def _floor_m(self) -> float:
        """How far below the camera the floor lies, or what comes nearest to one."""
        points = self.visible_points()
        return float(np.percentile(points[:, 1], FLOOR_PERCENTILE)) if len(points) else 1.0

    def _twist(self, angle_rad: float) -> None:
        if self._canvas is not None:
            self._untouched = False
            self._set_orbit(self._canvas.orbit.twisted(math.remainder(angle_rad, math.tau)))

    def _turn(self, move: QPointF) -> None:
        if self._canvas is not None:
            self._untouched = False
            self._set_orbit(self._canvas.orbit.turned(move.x(), move.y()))

    def _zoom(self, factor: float) -> None:
        if self._canvas is not None:
            self._untouched = False
            self._set_orbit(self._canvas.orbit.zoomed(factor))

    def _pan(self, move: QPointF) -> None:
        if self._canvas is not None:
            self._untouched = False
            moved = self._canvas.orbit.moved(move.x(), move.y(), height_px=self.height(), fov_rad=FOV_RAD)
            self._set_orbit(moved)

    def _set_orbit(self, orbit: Orbit) -> None:
        if self._canvas is not None:
            self._canvas.orbit = orbit
            self._led_until_s = time.perf_counter() + LED_S
            self._dirty = True
            self._soon.start(0)  # when every touch that waits has been taken in
            if self._span is not None:
                self._show_span()

    def _look(self) -> None:
        """Draw if something changed, and leave most of the time to everybody else, unless a finger leads."""
        if not self.isVisible():
            return
        since_s = time.perf_counter() - self._drawn_until_s
        if self._dirty:
            if since_s * 1e3 >= (LED_REST if self._led else REST) * self._took_ms:
                self._draw_now()
        elif self._coarse and since_s >= STILL_S:
            self._draw_every_pixel()

    def _follow(self) -> None:
        """Draw where a finger has led the view: it does not wait for the next tick."""
        if self._dirty and self.isVisible():
            self._draw_now()

    def _draw_now(self) -> None:
        canvas = self._canvas
        if canvas is None:
            return
        self._dirty = False
        canvas.native.repaint()

    def _draw_every_pixel(self) -> None:
        """Draw all there is, once; whatever moves next is drawn as coarsely as before."""
        if self._canvas is not None:
            self._canvas.whole = True
            self._draw_now()

    def _seen(self) -> None:
        """The window is on the screen; if there is a new picture of ours in it, how long did that take?

        Qt says so. A call of `repaint` does not: now and then it only notes that something is to be drawn.
        """
        canvas = self._canvas
        if canvas is None or canvas.drawn == self._pictures:
            return
        self._pictures, self._drawn_until_s = canvas.drawn, time.perf_counter()
        self._coarse = not canvas.was_whole and canvas.step > 1
        if canvas.was_whole:
            return
        self._took_ms = (self._drawn_until_s - canvas.began_s) * 1e3
        if canvas.drawn > 2:  # the first ones compile and upload
            canvas.step = next_step(canvas.step, self._took_ms, led=self._led)

    @property
    def _drawn(self) -> set[str]:
        """Whether there are clouds of "raw" and of "refined"."""
        return {name for name in self._labels if self.shown_clouds(name)}

    def _place_labels(self) -> None:
        layout: CloudLayout = "both" if self._canvas is None else self._canvas.layout
        places = viewports(layout, self.width())
        self._rig_names.setVisible(self._canvas is not None and bool(self._rig_names.text()))
        self._rig_names.setStyleSheet(LABEL_QSS.format((243, 246, 249), theme.CAPTION_PX))
        self._rig_names.adjustSize()
        self._rig_names.move(10, self.height() - self._rig_names.height() - 10)
        self._rig_names.raise_()
        for name, label in self._labels.items():
            active = self._canvas is not None and name in places
            label.setVisible(active)
            words = self._words[name]
            words.setVisible(active and bool(words.text()) and name not in self._drawn)
            if not active:
                continue
            x, width = places[name]
            tint = (
                tuple(round(255 * part) for part in TINTS[name]) if layout == "overlay" else (243, 246, 249)
            )
            named = bool(self._rig_names.text())  # then each camera's age stands beside its name
            old = "" if named else self._old.get(name, "")
            if old and layout == "overlay":  # the dot says which colour it is
                old = f'<span style="color: rgb{tint}">\u25cf</span> {escape(str(old))}'
            label.setText(old or tr(NAMES[name]))
            if old:
                tint = LATE_RGB
            label.setStyleSheet(LABEL_QSS.format(tint, theme.CAPTION_PX))
            words.setStyleSheet(LABEL_QSS.format((243, 246, 249), theme.BODY_PX))
            label.adjustSize()
            offset = label.height() + 6 if layout == "overlay" and name == "refined" else 0
            label.move(x + 10, 10 + offset)
            words.setWordWrap(False)
            words.adjustSize()
            words.setWordWrap(words.width() > width - 2 * theme.GAP_PX)
            words.resize(min(words.width(), width - 2 * theme.GAP_PX), words.height())
            words.resize(words.width(), max(words.heightForWidth(words.width()), words.height()))
            words.move(x + max((width - words.width()) // 2, 0), self.height() // 2 + offset)
            label.raise_()
            words.raise_()
        self._place_span()


def _age_html(frustum: Frustum) -> str:
    """What stands behind a camera's name: pale, or in the colour of a warning where its cloud is missing."""
    if not frustum.age:
        return ""
    colour = LATE_COLOUR if frustum.late else AGE_COLOUR
    return f'<span style="color: {colour}; font-weight: 400">&nbsp; {escape(str(frustum.age))}</span>'


def _angle(vector: QPointF) -> float:
    return math.atan2(vector.y(), vector.x())


def _length(vector: QPointF) -> float:
    return math.hypot(vector.x(), vector.y())
