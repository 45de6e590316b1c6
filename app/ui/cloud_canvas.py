"""Draws point clouds with OpenGL: raw and refined, one rig in one space, as points or as a mesh."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
from PySide6.QtWidgets import QWidget
from vispy import app as vispy_app
from vispy import gloo

from app.viewmodels.cloud import TEAR, Cloud, CloudColouring, CloudLayout, RigClouds, grid, mesh_triangles
from app.viewmodels.cloud_look import CloudLook, Lines, grid_lines
from app.viewmodels.colouring import PROVENANCE_COLOURS, ColourMap, ramp
from app.viewmodels.orbit import Orbit, clip_from_eye
from drivers.geometry import Intrinsics
from model.repair import Provenance

FOV_RAD: Final = math.radians(52)
SLOW_MS: Final = 60.0
FAST_MS: Final = 33.0
COARSEST_STEP: Final = 4
LED_MS: Final = 22.0
"""A picture may take that long, up to the screen, while a finger leads it: a touch that comes when one has
just begun is seen in the one after it."""
LED_STEP: Final = 8
GROUND: Final = (0.027, 0.035, 0.047, 1.0)
TINTS: Final = {"raw": (1.0, 0.62, 0.25), "refined": (0.31, 0.88, 0.73)}
"""Of the two clouds where they lie over each other."""
GRID_COLOUR: Final = (0.36, 0.40, 0.46)
BOX_COLOUR: Final = (1.0, 0.5, 0.85)
"""No camera of `FRUSTUM_COLOURS` has it."""
OLD_LIGHT: Final = 0.45
"""Of a cloud that is too old, as pictures have a veil then."""
MARK_COLOUR: Final = (1.0, 0.93, 0.35)
GL_VERTEX_PROGRAM_POINT_SIZE: Final = 0x8642
GL_POINT_SPRITE: Final = 0x8861
GL_MAX_RENDERBUFFER_SIZE: Final = 0x84E8

MODES: Final[dict[CloudColouring, int]] = {"colour": 0, "depth": 1, "provenance": 2}

VERTEX = """
attribute vec4 a_grid;             // column, row (shares of the image); x/z, y/z
uniform sampler2D u_depth;
uniform sampler2D u_color;
uniform sampler2D u_kind;
uniform sampler2D u_ramp;
uniform float u_metres;            // of a full 16 bit count
uniform mat4 u_color_from_depth;
uniform vec4 u_color_camera;       // fx / width, fy / height, (cx + 0.5) / width, (cy + 0.5) / height
uniform mat4 u_world_from_color;
uniform mat4 u_clip_from_world;
uniform vec2 u_range;
uniform vec3 u_kinds[4];
uniform vec4 u_tint;
uniform float u_light;             // below 1 where the cloud is old
uniform float u_spread;            // pixels on the screen for a point of one pixel at distance 1
uniform vec3 u_low;                // corners of the clip box
uniform vec3 u_high;
uniform vec2 u_next;               // to the next vertex of the mesh, as shares of the image
uniform vec2 u_uneven;             // columns and rows of the image, times two numbers
varying vec3 v_color;
#if MESH
varying vec3 v_place;
varying float v_torn;              // above 0 where a triangle would hang between two surfaces
float torn(float z, vec2 step) {
    float beside = texture2DLod(u_depth, a_grid.xy + step, 0.0).r * u_metres;
    return abs(beside - z) > TEAR * z ? 1.0 : 0.0;
}
#endif
void main() {
    float z = texture2DLod(u_depth, a_grid.xy, 0.0).r * u_metres;
    vec4 point = u_color_from_depth * vec4(a_grid.zw * z, z, 1.0);
    vec4 place = u_world_from_color * point;
    gl_Position = u_clip_from_world * place;
    bool hidden = z <= 0.0;
#if BOX
    hidden = hidden || any(lessThan(place.xyz, u_low)) || any(greaterThan(place.xyz, u_high));
#endif
#if MESH
    v_torn = 1.0;
    v_place = place.xyz;
#else
    hidden = hidden || any(greaterThan(abs(gl_Position.xyz), gl_Position.www));
#endif
    if (hidden) {
        gl_Position = NOWHERE;
        gl_PointSize = 1.0;
        v_color = vec3(0.0);
        return;
    }
#if MESH
    v_torn = max(torn(z, vec2(u_next.x, 0.0)), torn(z, vec2(0.0, u_next.y)));
    v_torn = max(v_torn, max(torn(z, vec2(-u_next.x, 0.0)), torn(z, vec2(0.0, -u_next.y))));
#endif
    vec2 seen_at = point.xy / max(point.z, 1e-6) * u_color_camera.xy + u_color_camera.zw;
    vec3 seen = texture2DLod(u_color, seen_at, 0.0).rgb;
    float light = 0.35 + 0.65 * dot(seen, vec3(0.299, 0.587, 0.114));
#if MODE == 0
    v_color = seen;
#elif MODE == 1
    float share = clamp((z - u_range.x) / (u_range.y - u_range.x), 0.0, 1.0);
    v_color = texture2DLod(u_ramp, vec2(share, 0.5), 0.0).rgb;
#else
    float kind = floor(texture2DLod(u_kind, a_grid.xy, 0.0).r * 255.0 + 0.5);
    vec3 sensed = kind < 0.5 ? u_kinds[0] : u_kinds[1];
    vec3 filled = kind < 2.5 ? u_kinds[2] : u_kinds[3];
    v_color = (kind < 1.5 ? sensed : filled) * light;
#endif
#if TINTED
    v_color = mix(v_color, u_tint.rgb * light, u_tint.a);
#endif
    v_color *= u_light;
    float size = clamp(u_spread * z / max(gl_Position.w, 1e-3), 1.5, 48.0);
    gl_PointSize = size + fract(dot(a_grid.xy, u_uneven)) - 0.5;
}
""".replace("TEAR", str(TEAR))

FRAGMENT = """
varying vec3 v_color;
#if MESH
varying vec3 v_place;
varying float v_torn;
#endif
void main() {
    float light = 1.0;
#if MESH
    if (v_torn > 1e-4) discard;
#endif
#if MESH && MODE > 0
    vec3 across = cross(dFdx(v_place), dFdy(v_place));
    light = 0.45 + 0.55 * abs(across.z) / max(length(across), 1e-12);
#endif
    gl_FragColor = vec4(v_color * light, 1.0);
}
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
NOWHERE: Final = {
    True: "vec4(2.0, 2.0, 2.0, 1.0)",
    False: "vec4(1.0, 0.0, 1.0, 1.0)",
}
"""Where a vertex goes that is not to be seen, of a mesh or not.

A point goes to the pixel beside the part of the view that is drawn, at the far plane, and so is neither
clipped nor drawn: where one of 4096 points has to be clipped, llvmpipe takes all through its slow pipeline.
"""
UNEVEN: Final = (0.7548777, 0.5698403)
"""Multiples of these, whole parts dropped, are evenly spread (the R2 sequence).

Points have whole pixels on a side. Of those whose size is 1.7, 70 % have two: no seam shows where 1.5 is
passed.
"""
FRUSTUM_COLOURS: Final = ((1.0, 1.0, 1.0), (0.78, 0.64, 1.0), (0.42, 0.78, 1.0), (0.62, 0.93, 0.5))
"""Of the cameras of a rig in turn; the view names them."""


def opengl_available() -> bool:
    """Whether this window system draws OpenGL in widgets."""
    return QGuiApplication.platformName() not in {"offscreen", "minimal", "linuxfb", "vnc"}


@dataclass(frozen=True)
class Style:
    """What a shader is made for.

    Attributes:
        colouring: of the points.
        mesh: triangles in place of points.
        box: whether only what lies in a clip box is drawn.
        tinted: whether raw and refined are told apart by a colour.
    """

    colouring: CloudColouring
    mesh: bool
    box: bool
    tinted: bool


def shaders(style: Style) -> tuple[str, str]:
    """Vertex and fragment shader that do nothing but this.

    A software rasterizer pays for every branch, every value between the two and for a `discard`, of each of
    half a million points.
    """
    head = f"#version 120\n#define MODE {MODES[style.colouring]}\n"
    head += f"#define MESH {int(style.mesh)}\n#define BOX {int(style.box)}\n"
    head += f"#define TINTED {int(style.tinted)}\n#define NOWHERE {NOWHERE[style.mesh]}\n"
    return head + VERTEX, head + FRAGMENT


class _Points:
    """One cloud on the graphics card."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.program = gloo.Program(*shaders(style))
        self._colour_map: ColourMap | None = None
        kinds = np.array([PROVENANCE_COLOURS[kind] for kind in Provenance], np.float32) / 255
        for i, colour in enumerate(kinds):
            self.program[f"u_kinds[{i}]"] = colour
        self._textures: dict[str, gloo.Texture2D] = {}
        self._grid_of: tuple[Intrinsics, int] | None = None
        self._cloud: Cloud | None = None
        self._mesh: gloo.IndexBuffer | None = None

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
            height, width = cloud.depth.values.shape
            self.program["u_uneven"] = UNEVEN[0] * width, UNEVEN[1] * height
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
            self._mesh = None
            self.program["a_grid"] = gloo.VertexBuffer(grid(cloud.camera, step))

    def draw(self) -> None:
        """Draw as set."""
        assert self._grid_of is not None
        camera, step = self._grid_of
        if not self.style.mesh:
            self.program.draw("points")
            return
        self.program["u_next"] = (step / camera.width, step / camera.height)
        if self._mesh is None:
            self._mesh = gloo.IndexBuffer(mesh_triangles(camera, step))
        self.program.draw("triangles", self._mesh)

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


class Canvas(vispy_app.Canvas):  # type: ignore[misc]  # vispy has no types
    """Draws up to two clouds and those of a rig; everything it shows is set from outside.

    Attributes:
        clouds: of the camera that is shown large, by "raw" and "refined".
        layout: which clouds, and where.
        colouring: of the points.
        range_m: of the depth colours.
        colour_map: likewise.
        orbit: where the eye is.
        look: size of the points, mesh, grid, clip box.
        marks: lines of what was measured, over everything.
        floor_m: how far below the camera the grid lies.
        step: every how-many-th pixel is drawn.
        whole: whether the next picture, and no other, has every pixel.
        drawn: pictures so far.
        began_s: when the last one was begun, on `time.perf_counter`.
        was_whole: whether it had every pixel.
        rig: clouds and frusta of the other cameras.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(
            app="pyside6",
            parent=parent,
            show=False,
            keys=None,
            vsync=False,
            create_native=True,
            dpi=parent.logicalDpiX(),  # or vispy starts xdpyinfo and xrandr for each canvas
        )
        self.clouds: dict[str, Cloud | None] = {"raw": None, "refined": None}
        self.layout: CloudLayout = "both"
        self.colouring: CloudColouring = "colour"
        self.range_m = (0.3, 4.0)
        self.colour_map: ColourMap = "turbo"
        self.orbit = Orbit()
        self.look = CloudLook()
        self.marks: Lines | None = None
        self.floor_m = 1.0
        self.step = 1
        self.whole = self.was_whole = False
        self.drawn = 0
        self.began_s = 0.0
        self.rig = RigClouds()
        self._points: dict[str, _Points] = {}
        self._lines: gloo.Program | None = None

    def show_rig(self, rig: RigClouds) -> None:
        """Draw these as well; what the graphics card holds of others is freed."""
        self.rig = rig
        keys = {f"raw {i}" for i in range(len(rig.raw))} | {f"refined {i}" for i in range(len(rig.refined))}
        self._points = {key: points for key, points in self._points.items() if key in keys | {*self.clouds}}

    def on_draw(self, _event: object) -> None:
        self.began_s = time.perf_counter()
        self.was_whole, self.whole = self.whole, False
        with self._stepping(1 if self.was_whole else self.step):
            self._paint(*self.physical_size)
        gloo.finish()
        self.drawn += 1

    @contextmanager
    def _stepping(self, step: int) -> Iterator[None]:
        usual, self.step = self.step, step
        try:
            yield
        finally:
            self.step = usual

    def free(self) -> None:
        """End the widget, its contexts and what the graphics card holds, now and in this thread.

        vispy ties them into reference cycles. Python's collector, which would untie them, may run in a
        camera's thread, and Qt aborts the program where a context ends in another thread than its own.
        """
        native = self.native
        self._points.clear()
        self._lines = None
        if native.isValid():  # it has been shown; the window's context shares textures and would keep them
            self.set_current()
            self.context.flush_commands()
        self.close()
        held = [*vars(native).values()]
        contexts = [part for part in held if isinstance(part, QOpenGLContext)]
        surfaces = [part for part in held if isinstance(part, QOffscreenSurface)]
        for part in (native, *contexts, *surfaces):
            shiboken6.delete(part)

    def photograph(self, width: int, height: int) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 RGB of what is shown, every pixel of every cloud, at any size.

        Raises:
            ValueError: the graphics driver draws no picture that large.
        """
        self.set_current()
        most = int(gloo.gl.glGetParameter(GL_MAX_RENDERBUFFER_SIZE))
        if max(width, height) > most:
            raise ValueError(f"This graphics driver draws at most {most} pixels on a side.")
        buffer = gloo.FrameBuffer(
            gloo.RenderBuffer((height, width), "color"), gloo.RenderBuffer((height, width), "depth")
        )
        try:
            with buffer, self._stepping(1):
                self._paint(width, height)
                shown = gloo.read_pixels((0, 0, width, height), alpha=False)
        finally:
            buffer.delete()
        return np.ascontiguousarray(shown, np.uint8)

    def clip_from_world(self, width: int, height: int) -> NDArray[np.float64]:
        """(4, 4) of a part of the view that is so large."""
        return clip_from_eye(FOV_RAD, width / max(height, 1)) @ self.orbit.eye_from_world()

    def _paint(self, width: int, height: int) -> None:
        gloo.set_viewport(0, 0, width, height)
        gloo.clear(color=GROUND, depth=True)
        gloo.set_state(depth_test=True, depth_func="less", blend=False, scissor_test=True)
        self.context.flush_commands()  # vispy turns sprites on with them
        gloo.gl.glEnable(GL_VERTEX_PROGRAM_POINT_SIZE)
        gloo.gl.glDisable(GL_POINT_SPRITE)  # squares of whole pixels: llvmpipe draws them in half the time
        for name, (x, part) in viewports(self.layout, width).items():
            gloo.set_viewport(x, 0, part, height)
            gloo.set_scissor(x, 0, part, height)
            cloud = self.clouds[name]
            if cloud is not None:
                self._draw(name, name, cloud, (part, height))
            others = self.rig.raw if name == "raw" else self.rig.refined
            for i, other in enumerate(others):
                self._draw(name, f"{name} {i}", other, (part, height))
            self._draw_lines(part, height)
        gloo.set_state(scissor_test=False)

    def _draw_lines(self, width: int, height: int) -> None:
        lines = [
            Lines(frustum.lines, FRUSTUM_COLOURS[i % len(FRUSTUM_COLOURS)])
            for i, frustum in enumerate(self.rig.frusta)
        ]
        if self.look.grid:
            lines.append(Lines(grid_lines(self.floor_m), GRID_COLOUR))
        if self.look.box is not None:
            lines.append(Lines(self.look.box.lines(), BOX_COLOUR))
        self._lines = self._lines or gloo.Program(LINE_VERTEX, LINE_FRAGMENT)
        self._lines["u_clip_from_world"] = self.clip_from_world(width, height).T.astype(np.float32)
        for line in lines:
            self._draw_line(line)
        if self.marks is not None:
            gloo.set_state(depth_test=False)
            self._draw_line(self.marks)
            gloo.set_state(depth_test=True)

    def _draw_line(self, lines: Lines) -> None:
        assert self._lines is not None
        self._lines["a_place"] = gloo.VertexBuffer(lines.ends.reshape(-1, 3))
        self._lines["u_line"] = lines.colour
        self._lines.draw("lines")

    def _draw(self, name: str, key: str, cloud: Cloud, size: tuple[int, int]) -> None:
        width, height = size
        style = Style(self.colouring, self.look.mesh, self.look.box is not None, self.layout == "overlay")
        points = self._points.get(key)
        if points is None or points.style != style:
            points = self._points[key] = _Points(style)
        points.show(cloud, self.step)
        points.colour_by(self.colour_map)
        box, program = self.look.box, points.program
        program["u_world_from_color"] = cloud.world_from_color.T.astype(np.float32)
        program["u_clip_from_world"] = self.clip_from_world(width, height).T.astype(np.float32)
        if box is not None:
            program["u_low"], program["u_high"] = box.low_m, box.high_m
        program["u_range"] = self.range_m
        program["u_light"] = OLD_LIGHT if cloud.old else 1.0
        program["u_tint"] = (*TINTS[name], 0.65)
        screen_focal_px = height / 2 / math.tan(FOV_RAD / 2)
        program["u_spread"] = 1.5 * self.look.point_size * self.step * screen_focal_px / cloud.camera.fx
        points.draw()


def viewports(layout: CloudLayout, width: int) -> dict[str, tuple[int, int]]:
    """Left edge and width in pixels of each cloud's part of the view."""
    if layout == "both":
        half = width // 2
        return {"raw": (0, half - 1), "refined": (half + 1, width - half - 1)}
    if layout == "overlay":
        return {"raw": (0, width), "refined": (0, width)}
    return {layout: (0, width)}


def next_step(step: int, took_ms: float, *, led: bool = False) -> int:
    """Every how-many-th pixel to draw: coarser when drawing was slow, finer when there is room again.

    Args:
        step: of the last picture.
        took_ms: what it took, up to the screen.
        led: whether a finger leads the view, so that it must not lag.
    """
    if led and took_ms <= LED_MS:
        return step
    if led:  # at once: with one step more for each picture, the first ones of a turn would lag
        return min(max(step + 1, round(step * math.sqrt(took_ms / LED_MS))), LED_STEP)
    if step > COARSEST_STEP:  # the finger has left
        return COARSEST_STEP
    if took_ms > SLOW_MS:
        return min(step + 1, COARSEST_STEP)
    if step > 1 and took_ms * (step / (step - 1)) ** 2 < FAST_MS:
        return step - 1
    return step
