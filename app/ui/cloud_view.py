"""Raw and refined depth as point clouds that mouse and touch lead around."""

import logging
import math
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QEventPoint, QGuiApplication, QMouseEvent, QResizeEvent, QTouchEvent, QWheelEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from vispy import app as vispy_app
from vispy import gloo

from app.ui import theme
from app.ui.widgets import EmptyState
from app.viewmodels.cloud import Cloud, CloudColouring, CloudLayout, RigClouds, grid, middle_depth_m
from app.viewmodels.colouring import PROVENANCE_COLOURS, ColourMap, ramp
from app.viewmodels.orbit import Orbit, clip_from_eye, looking_at
from drivers.geometry import Intrinsics
from model.repair import Provenance

log = logging.getLogger(__name__)

FOV_RAD: Final = math.radians(52)
SLOW_MS: Final = 60.0
FAST_MS: Final = 33.0
COARSEST_STEP: Final = 4
TICK_MS: Final = 33
DOUBLE_TAP_S: Final = 0.35
DOUBLE_TAP_PX: Final = 40
GROUND: Final = (0.027, 0.035, 0.047, 1.0)
TINTS: Final = {"raw": (1.0, 0.62, 0.25), "refined": (0.31, 0.88, 0.73)}
"""Of the two clouds where they lie over each other."""

LABEL_QSS: Final = (
    "background: rgba(7, 9, 12, 200); color: rgb{}; border-radius: 6px; padding: 3px 9px;"
    " font-size: {}px; font-weight: 600;"
)

MODES: Final[dict[CloudColouring, float]] = {"colour": 0.0, "depth": 1.0, "provenance": 2.0}

VERTEX = """
#version 120
attribute vec4 a_grid;             // column, row (shares of the image); x/z, y/z
uniform sampler2D u_depth;
uniform sampler2D u_color;
uniform sampler2D u_kind;
uniform sampler2D u_ramp;
uniform float u_metres;            // of a full 16 bit count
uniform mat4 u_color_from_depth;
uniform vec4 u_color_camera;       // fx / width, fy / height, (cx + 0.5) / width, (cy + 0.5) / height
uniform mat4 u_clip_from_color;
uniform float u_mode;
uniform vec2 u_range;
uniform vec3 u_kinds[4];
uniform vec4 u_tint;
uniform float u_spread;            // pixels on the screen for a point of one pixel at distance 1
varying vec3 v_color;
void main() {
    float z = texture2DLod(u_depth, a_grid.xy, 0.0).r * u_metres;
    if (z <= 0.0) {
        gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        gl_PointSize = 1.0;
        v_color = vec3(0.0);
        return;
    }
    vec4 point = u_color_from_depth * vec4(a_grid.zw * z, z, 1.0);
    vec2 place = point.xy / max(point.z, 1e-6) * u_color_camera.xy + u_color_camera.zw;
    vec3 seen = texture2DLod(u_color, place, 0.0).rgb;
    float light = 0.35 + 0.65 * dot(seen, vec3(0.299, 0.587, 0.114));
    if (u_mode < 0.5) {
        v_color = seen;
    } else if (u_mode < 1.5) {
        float share = clamp((z - u_range.x) / (u_range.y - u_range.x), 0.0, 1.0);
        v_color = texture2DLod(u_ramp, vec2(share, 0.5), 0.0).rgb;
    } else {
        float kind = floor(texture2DLod(u_kind, a_grid.xy, 0.0).r * 255.0 + 0.5);
        vec3 sensed = kind < 0.5 ? u_kinds[0] : u_kinds[1];
        vec3 filled = kind < 2.5 ? u_kinds[2] : u_kinds[3];
        v_color = (kind < 1.5 ? sensed : filled) * light;
    }
    v_color = mix(v_color, u_tint.rgb * light, u_tint.a);
    gl_Position = u_clip_from_color * point;
    gl_PointSize = clamp(u_spread * z / max(gl_Position.w, 1e-3), 1.5, 24.0);
}
"""

FRAGMENT = """
#version 120
varying vec3 v_color;
void main() { gl_FragColor = vec4(v_color, 1.0); }
"""


LINE_VERTEX = """
#version 120
attribute vec3 a_place;
uniform mat4 u_clip_from_world;
void main() { gl_Position = u_clip_from_world * vec4(a_place, 1.0); }
"""

LINE_FRAGMENT = """
#version 120
uniform vec3 u_line;
void main() { gl_FragColor = vec4(u_line, 1.0); }
"""
FRUSTUM_COLOURS: Final = ((1.0, 1.0, 1.0), (1.0, 0.76, 0.33), (0.42, 0.78, 1.0), (0.62, 0.93, 0.5))
"""Of the cameras of a rig in turn; the legend beside the view names them."""


def opengl_available() -> bool:
    """Whether this window system draws OpenGL in widgets."""
    return QGuiApplication.platformName() not in {"offscreen", "minimal", "linuxfb", "vnc"}


class _Points:
    """One cloud on the graphics card."""

    def __init__(self) -> None:
        self.program = gloo.Program(VERTEX, FRAGMENT)
        self._colour_map: ColourMap | None = None
        kinds = np.array([PROVENANCE_COLOURS[kind] for kind in Provenance], np.float32) / 255
        for i, colour in enumerate(kinds):
            self.program[f"u_kinds[{i}]"] = colour
        self._textures: dict[str, gloo.Texture2D] = {}
        self._grid_of: tuple[Intrinsics, int] | None = None
        self._cloud: Cloud | None = None
        self.count = 0

    def show(self, cloud: Cloud, step: int) -> None:
        """Upload what is new."""
        if cloud is not self._cloud:
            self._cloud = cloud
            self._upload("u_depth", cloud.depth.values, "r16")
            self._upload("u_color", cloud.color, None)
            kinds = cloud.provenance
            if kinds is None:
                kinds = np.zeros((1, 1), np.uint8)
            self._upload("u_kind", kinds, "r8")
            self.program["u_metres"] = 65_535 * cloud.depth.unit_m
            self.program["u_color_from_depth"] = cloud.color_from_depth.T.astype(np.float32)
            seen_by = cloud.color_camera
            self.program["u_color_camera"] = (
                seen_by.fx / seen_by.width,
                seen_by.fy / seen_by.height,
                (seen_by.cx + 0.5) / seen_by.width,
                (seen_by.cy + 0.5) / seen_by.height,
            )
        if self._grid_of != (cloud.camera, step):
            self._grid_of = (cloud.camera, step)
            places = grid(cloud.camera, step)
            self.count = len(places)
            self.program["a_grid"] = gloo.VertexBuffer(places)

    def colour_by(self, colour_map: ColourMap) -> None:
        """Use these colours for depth."""
        if colour_map != self._colour_map:
            self._colour_map = colour_map
            colours = ramp(colour_map).reshape(1, 256, 3)
            self.program["u_ramp"] = gloo.Texture2D(colours, interpolation="linear", wrapping="clamp_to_edge")

    def _upload(self, name: str, image: NDArray[np.generic], internal: str | None) -> None:
        texture = self._textures.get(name)
        if texture is not None and texture.shape[:2] == image.shape[:2]:
            texture.set_data(image)
            return
        self._textures[name] = self.program[name] = gloo.Texture2D(
            image, interpolation="nearest", wrapping="clamp_to_edge", internalformat=internal
        )


class _Canvas(vispy_app.Canvas):  # type: ignore[misc]  # vispy has no types
    """Draws up to two clouds; everything it shows is set from outside."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(app="pyside6", parent=parent, show=False, keys=None, vsync=False, create_native=True)
        self.clouds: dict[str, Cloud | None] = {"raw": None, "refined": None}
        self.layout: CloudLayout = "both"
        self.colouring: CloudColouring = "colour"
        self.range_m = (0.3, 4.0)
        self.colour_map: ColourMap = "turbo"
        self.orbit = Orbit()
        self.step = 1
        self.draw_ms = 0.0
        self.drawn = 0
        self.rig = RigClouds()
        self._points: dict[str, _Points] = {}
        self._lines: gloo.Program | None = None

    def show_rig(self, rig: RigClouds) -> None:
        """Draw these as well; what the graphics card holds of others is freed."""
        self.rig = rig
        keys = {f"raw {i}" for i in range(len(rig.raw))} | {f"refined {i}" for i in range(len(rig.refined))}
        self._points = {key: points for key, points in self._points.items() if key in keys | {*self.clouds}}

    def on_draw(self, _event: object) -> None:
        started_s = time.perf_counter()
        gloo.set_viewport(0, 0, *self.physical_size)
        gloo.clear(color=GROUND, depth=True)
        gloo.set_state(depth_test=True, blend=False)
        gloo.gl.glEnable(0x8642)  # GL_VERTEX_PROGRAM_POINT_SIZE
        for name, (x, width) in viewports(self.layout, self.physical_size[0]).items():
            cloud = self.clouds[name]
            if cloud is not None:
                self._draw(name, name, cloud, x, width)
            others = self.rig.raw if name == "raw" else self.rig.refined
            for i, other in enumerate(others):
                self._draw(name, f"{name} {i}", other, x, width)
            self._draw_frusta(x, width)
        gloo.finish()
        self.draw_ms = (time.perf_counter() - started_s) * 1e3
        self.drawn += 1

    def _clip_from_world(self, width: int) -> NDArray[np.float64]:
        aspect = width / max(self.physical_size[1], 1)
        return clip_from_eye(FOV_RAD, aspect) @ self.orbit.eye_from_world()

    def _draw_frusta(self, x: int, width: int) -> None:
        if not self.rig.frusta:
            return
        program = self._lines = self._lines or gloo.Program(LINE_VERTEX, LINE_FRAGMENT)
        gloo.set_viewport(x, 0, width, self.physical_size[1])
        program["u_clip_from_world"] = self._clip_from_world(width).T.astype(np.float32)
        for i, frustum in enumerate(self.rig.frusta):
            program["a_place"] = gloo.VertexBuffer(frustum.lines.reshape(-1, 3))
            program["u_line"] = FRUSTUM_COLOURS[i % len(FRUSTUM_COLOURS)]
            program.draw("lines")

    def _draw(self, name: str, key: str, cloud: Cloud, x: int, width: int) -> None:
        height = self.physical_size[1]
        points = self._points.setdefault(key, _Points())
        points.show(cloud, self.step)
        points.colour_by(self.colour_map)
        gloo.set_viewport(x, 0, width, height)
        clip = self._clip_from_world(width) @ cloud.world_from_color
        program = points.program
        program["u_clip_from_color"] = clip.T.astype(np.float32)
        program["u_mode"] = MODES[self.colouring]
        program["u_range"] = self.range_m
        program["u_tint"] = (*TINTS[name], 0.65 if self.layout == "overlay" else 0.0)
        screen_focal_px = height / 2 / math.tan(FOV_RAD / 2)
        program["u_spread"] = 1.5 * self.step * screen_focal_px / cloud.camera.fx
        program.draw("points")


def viewports(layout: CloudLayout, width: int) -> dict[str, tuple[int, int]]:
    """Left edge and width in pixels of each cloud's part of the view."""
    if layout == "both":
        half = width // 2
        return {"raw": (0, half - 1), "refined": (half + 1, width - half - 1)}
    if layout == "overlay":
        return {"raw": (0, width), "refined": (0, width)}
    return {layout: (0, width)}


def next_step(step: int, draw_ms: float) -> int:
    """Every how-many-th pixel to draw: coarser when drawing was slow, finer when there is room again."""
    if draw_ms > SLOW_MS:
        return min(step + 1, COARSEST_STEP)
    if step > 1 and draw_ms * (step / (step - 1)) ** 2 < FAST_MS:
        return step - 1
    return step


class CloudView(QWidget):
    """The 3D view; without OpenGL it says so.

    One finger or the left button turns, two fingers or the right button move, pinch or wheel zooms, a double
    tap goes back to the first view.
    """

    def __init__(self) -> None:
        super().__init__()
        self._canvas: _Canvas | None = None
        self._dirty = False
        self._placed = False
        self._untouched = True
        self._last_tap: tuple[float, QPointF] = (0.0, QPointF())
        self._fingers: dict[int, QPointF] = {}
        self._mouse = QPointF()
        self._drawn_until_s = 0.0
        self._labels = {name: QLabel(word, self) for name, word in (("raw", "Raw"), ("refined", "Refined"))}
        self._words = {name: QLabel("", self) for name in self._labels}
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._look)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.setAccessibleName(
            "3D view: drag to turn, pinch to zoom, two fingers to move, double tap to reset"
        )
        for widget in (*self._labels.values(), *self._words.values()):
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            widget.hide()
        if not opengl_available():
            self._column.addWidget(
                EmptyState(
                    "cube-off-outline",
                    "The 3D view needs OpenGL",
                    "This screen has none. Start DepthMend on a desktop with a graphics driver.",
                )
            )

    @property
    def canvas(self) -> _Canvas | None:
        """What draws, while the view is active."""
        return self._canvas

    def set_active(self, active: bool) -> None:
        """Draw from now on, or not at all; what the graphics card holds is freed."""
        if not active:
            self.free()
        elif self._canvas is None and opengl_available():
            self._canvas = _Canvas(self)
            native = self._canvas.native
            native.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
            native.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            native.installEventFilter(self)
            self._column.addWidget(native)
            native.show()
            self._placed = False
            self._timer.start()
            self._place_labels()

    def free(self) -> None:
        """Give everything back."""
        self._timer.stop()
        if self._canvas is not None:
            canvas, self._canvas = self._canvas, None
            native = canvas.native
            native.removeEventFilter(self)
            self._column.removeWidget(native)
            canvas.close()
            native.setParent(None)
            native.deleteLater()

    def show_clouds(self, raw: Cloud | None, refined: Cloud | None, missing: dict[str, str]) -> None:
        """Draw these clouds from now on.

        Args:
            raw: measured depth.
            refined: repaired depth.
            missing: by "raw" or "refined", words where there is no cloud.
        """
        for name, label in self._words.items():
            text = missing.get(name, "")
            if label.text() != text:
                label.setText(text)
                self._place_labels()
        if self._canvas is None:
            return
        clouds = {"raw": raw, "refined": refined}
        if clouds != self._canvas.clouds:
            self._canvas.clouds = clouds
            self._dirty = True
        if not self._placed and raw is not None:
            self.reset()

    def show_rig(self, rig: RigClouds) -> None:
        """Draw the other cameras of the rig as well, from now on."""
        if self._canvas is not None and (rig.frusta or self._canvas.rig.frusta):
            self._canvas.show_rig(rig)
            self._dirty = True

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
            self.reset()
        self._draw_now()

    def reset(self) -> None:
        """Go back to the first view."""
        if self._canvas is None:
            return
        cloud = self._canvas.clouds["raw"] or self._canvas.clouds["refined"]
        depth_m = None if cloud is None else middle_depth_m(cloud.depth)
        if cloud is not None and depth_m is not None:
            self._placed = self._untouched = True
            width = next(iter(viewports(self._canvas.layout, self.width()).values()))[1]
            aspect = max(width, 1) / max(self.height(), 1)
            self._set_orbit(looking_at(depth_m, cloud.camera, fov_rad=FOV_RAD, aspect=aspect))

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._place_labels()
        if self._untouched:
            self.reset()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QTouchEvent):
            self._touched(event)
            return True
        if isinstance(event, QWheelEvent):
            self._zoom(1.15 ** (event.angleDelta().y() / 120))
            return True
        if isinstance(event, QMouseEvent):
            if kind == QEvent.Type.MouseButtonDblClick:
                self.reset()
            elif kind == QEvent.Type.MouseMove:
                self._dragged(event)
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
            self._tapped(next(iter(down.values()), QPointF()))
        same = [finger for finger in down if finger in self._fingers]
        if len(down) == 1 and len(same) == 1 and len(self._fingers) == 1:
            self._turn(down[same[0]] - self._fingers[same[0]])
        elif len(same) >= 2:
            (a, b), before, now = same[:2], self._fingers, down
            self._pan((now[a] + now[b] - before[a] - before[b]) / 2)
            apart, was = _length(now[a] - now[b]), _length(before[a] - before[b])
            if apart > 8 and was > 8:
                self._zoom(apart / was)
        self._fingers = down if event.type() != QEvent.Type.TouchEnd else {}

    def _tapped(self, position: QPointF) -> None:
        now_s = time.perf_counter()
        last_s, last = self._last_tap
        if now_s - last_s < DOUBLE_TAP_S and _length(position - last) < DOUBLE_TAP_PX:
            self.reset()
            now_s = 0.0
        self._last_tap = (now_s, position)

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
            self._dirty = True

    def _look(self) -> None:
        """Draw if something changed, and leave three quarters of the time to everybody else."""
        canvas = self._canvas
        if canvas is None or not self._dirty or not self.isVisible():
            return
        since_ms = (time.perf_counter() - self._drawn_until_s) * 1e3
        if since_ms >= 3 * canvas.draw_ms:
            self._draw_now()

    def _draw_now(self) -> None:
        canvas = self._canvas
        if canvas is None:
            return
        self._dirty = False
        before = canvas.drawn
        canvas.native.repaint()
        self._drawn_until_s = time.perf_counter()
        if canvas.drawn != before and canvas.drawn > 2:  # the first ones compile and upload
            canvas.step = next_step(canvas.step, canvas.draw_ms)

    def _place_labels(self) -> None:
        layout: CloudLayout = "both" if self._canvas is None else self._canvas.layout
        places = viewports(layout, self.width())
        for name, label in self._labels.items():
            active = self._canvas is not None and name in places
            label.setVisible(active)
            words = self._words[name]
            words.setVisible(active and bool(words.text()))
            if not active:
                continue
            x, width = places[name]
            tint = (
                tuple(round(255 * part) for part in TINTS[name]) if layout == "overlay" else (243, 246, 249)
            )
            label.setStyleSheet(LABEL_QSS.format(tint, theme.CAPTION_PX))
            words.setStyleSheet(LABEL_QSS.format((243, 246, 249), theme.BODY_PX))
            label.adjustSize()
            offset = label.height() + 6 if layout == "overlay" and name == "refined" else 0
            label.move(x + 10, 10 + offset)
            words.adjustSize()
            words.move(x + max((width - words.width()) // 2, 0), self.height() // 2 + offset)
            label.raise_()
            words.raise_()


def _length(vector: QPointF) -> float:
    return math.hypot(vector.x(), vector.y())
