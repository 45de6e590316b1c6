"""All figures of one sensor, raw and refined, with words where a figure cannot be had."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.language import tr, tr_noop, with_minus
from app.quality import spatial
from app.quality.edge_width import EdgeWidth, EdgeWindow
from app.quality.planes import Region, find_region, fit_plane, points_in
from app.quality.temporal import StillWindow, TemporalFigures
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics, rays

STREAMS: Final = ("raw", "refined")
ROUGHEST_CHOSEN: Final = 0.03
"""Deviation over distance from which on what somebody pointed at is no plane."""
ALIKE: Final = 0.05
"""Two figures, of fill rates the holes, that differ by less are called as good as each other."""
FEWEST_DEPTHS: Final = 0.1
"""Share of a region's pixels below which nothing is said of its plane."""


@dataclass(frozen=True)
class FigureKind:
    """What one row of the figures means.

    Attributes:
        key: in `StreamQuality.figures`.
        title: the Depth Quality Tool's word for it, where it has one.
        meaning: in one sentence, with its unit.
        words: writes a value with its unit.
        cost: of a value; less is better.
    """

    key: str
    title: str
    meaning: str
    words: Callable[[float], str]
    cost: Callable[[float], float] = abs


def _holes(filled: float) -> float:
    return 1 - filled


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _signed_percent(value: float) -> str:
    return with_minus(f"{value:+.2%}")


def _millimetres(value: float) -> str:
    return f"{value:.1f} mm" if value < 100 else f"{value:.0f} mm"


def _pixels(value: float) -> str:
    return f"{value:.2f} px"


def _sharpness(value: float) -> str:
    return f"{value:.1f} px"


def _milliseconds(value: float) -> str:
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


KINDS: Final = (
    FigureKind(
        "fill",
        tr_noop("Fill Rate"),
        tr_noop("Share of the region's pixels that have a depth."),
        _percent,
        _holes,
    ),
    FigureKind(
        "fill_all",
        tr_noop("Fill Rate, all"),
        tr_noop("Share of all pixels that have a depth."),
        _percent,
        _holes,
    ),
    FigureKind(
        "plane_rms",
        tr_noop("Plane Fit RMS"),
        tr_noop("Root mean square distance of the region's depth to the plane fitted to it, millimetres."),
        _millimetres,
    ),
    FigureKind(
        "subpixel",
        tr_noop("Sub-pixel RMS"),
        tr_noop("The same as an error of disparity, focal length x baseline x (1/Z - 1/Zplane), pixels."),
        _pixels,
    ),
    FigureKind(
        "z_accuracy",
        tr_noop("Z Accuracy"),
        tr_noop(
            "Signed error of the plane's depth at the middle of the region, per cent of the true distance."
        ),
        _signed_percent,
    ),
    FigureKind(
        "noise",
        tr_noop("Temporal Noise"),
        tr_noop("Standard deviation over time of a typical still pixel, up to 40 frames, millimetres."),
        _millimetres,
    ),
    FigureKind(
        "flicker",
        tr_noop("Flicker"),
        tr_noop("Mean change of a still pixel from frame to frame, millimetres."),
        _millimetres,
    ),
    FigureKind(
        "edge",
        tr_noop("Edge Width"),
        tr_noop(
            "10 to 90% width of the steps between near and far, pixels; 0.8 is perfectly sharp. "
            "The noisier they are, the more pictures are taken together."
        ),
        _sharpness,
    ),
    FigureKind(
        "latency",
        tr_noop("Latency"),
        tr_noop("From the middle of the exposure to the picture being there."),
        _milliseconds,
    ),
)


@dataclass(frozen=True)
class Figure:
    """One number, or words for why there is none.

    Attributes:
        value: None if it cannot be had.
        words: the value with its unit, or why there is none.
    """

    value: float | None
    words: str


@dataclass(frozen=True)
class StreamQuality:
    """Figures of raw or of refined depth.

    Attributes:
        figures: by `FigureKind.key`, all of them.
    """

    figures: dict[str, Figure]

    @property
    def silence(self) -> str:
        """Why there is no figure at all; empty where there is one."""
        figures = self.figures.values()
        said = {str(figure.words) for figure in figures}  # in the language of this moment
        return said.pop() if len(said) == 1 and all(figure.value is None for figure in figures) else ""


@dataclass(frozen=True)
class SensorQuality:
    """Figures of one sensor at one moment.

    Attributes:
        camera_id: whose.
        streams: by name, "raw" and "refined".
        region: where the plane is, or None where none was found.
        chosen: whether somebody pointed at the region.
        against: what Z Accuracy is measured against, such as "1.250 m", "exact depth", or empty.
        frames: in the window of noise and flicker.
        plane_share: of the raw depths in the region that lie on its plane; None without one.
    """

    camera_id: str
    streams: dict[str, StreamQuality]
    region: Region | None = None
    chosen: bool = False
    against: str = ""
    frames: int = 0
    plane_share: float | None = None

    def better(self, key: str) -> str:
        """Which stream has the better figure, or empty where they are as good or one is missing."""
        raw, refined = (self.streams[name].figures[key] for name in STREAMS)
        if raw.value is None or refined.value is None or raw.words == refined.words:
            return ""
        cost = next(kind.cost for kind in KINDS if kind.key == key)
        costs = cost(raw.value), cost(refined.value)
        if abs(costs[0] - costs[1]) <= ALIKE * max(costs):
            return ""
        return "refined" if costs[1] < costs[0] else "raw"


@dataclass(frozen=True)
class Exposure:
    """Depth of one exposure in the pixels of its colour picture.

    Attributes:
        frame: what was captured.
        raw: measured depth, registered to colour.
        refined: repaired depth, or None.
        refined_words: why there is none.
        latency_ms: by stream, to the picture being there; None where no meter says.
    """

    frame: Frame
    raw: DepthMap
    refined: DepthMap | None
    refined_words: str
    latency_ms: dict[str, float | None]

    @property
    def streams(self) -> dict[str, DepthMap]:
        """What there is, by name."""
        return {"raw": self.raw} if self.refined is None else {"raw": self.raw, "refined": self.refined}


class SensorWatch:
    """Follows one camera; belongs to one thread."""

    def __init__(self, camera_id: str) -> None:
        self._camera_id = camera_id
        self._window = StillWindow()
        self._noted: DepthMap | None = None
        self._edges = {name: EdgeWindow() for name in STREAMS}
        self._widths: tuple[DepthMap, dict[str, EdgeWidth]] | None = None
        self._found: Region | None = None
        self._rays: tuple[Intrinsics, NDArray[np.float32]] | None = None

    def note(self, exposure: Exposure) -> None:
        """Take one more exposure into the window of noise and flicker.

        A paused replay delivers its frame again and again; that is no other exposure, and would be no noise.
        """
        if exposure.frame.depth is self._noted:
            return
        self._noted = exposure.frame.depth
        depths = {
            name: depth.values * np.float32(1e3 * depth.unit_m) for name, depth in exposure.streams.items()
        }
        self._window.add(exposure.frame.color, depths)

    def measure(
        self, exposure: Exposure, *, chosen: Region | None = None, distance_m: float | None = None
    ) -> SensorQuality:
        """All figures, of this exposure and of those noted before it.

        Args:
            exposure: the newest.
            chosen: region that somebody pointed at; one is looked for if None.
            distance_m: true distance to the middle of the region along Z, if somebody measured it.
        """
        directions = self._directions(exposure.frame.calibration.color)
        if chosen is None:
            self._found = find_region(exposure.raw.metres, directions, before=self._found)
        region = chosen or self._found
        over_time, widths = self._window.figures(), self._edge_widths(exposure)
        plane_share: float | None = None
        streams = {}
        for name in STREAMS:
            depth = exposure.streams.get(name)
            if depth is None:
                streams[name] = nothing(exposure.refined_words)
                continue
            figures = _of_picture(depth, widths[name])
            plane, share = _of_region(depth, exposure.frame, directions, region, distance_m)
            if name == "raw":
                plane_share = share
            figures |= plane | _of_time(over_time.get(name, TemporalFigures(why_not=tr("no frames"))))
            figures["latency"] = _figure("latency", exposure.latency_ms.get(name), tr("not metered"))
            streams[name] = StreamQuality(figures)
        truth = tr("exact depth") if exposure.frame.truth is not None else ""
        return SensorQuality(
            self._camera_id,
            streams,
            region,
            chosen is not None,
            truth if distance_m is None else f"{distance_m:.3f} m",
            len(self._window),
            plane_share,
        )

    def _edge_widths(self, exposure: Exposure) -> dict[str, EdgeWidth]:
        """Each exposure is gathered once, however often it is measured or delivered."""
        depth, known = self._widths or (None, {})
        if depth is not exposure.frame.depth or known.keys() != exposure.streams.keys():
            for name in STREAMS:
                if name not in exposure.streams:
                    self._edges[name].clear()
            known = {name: self._edges[name].add(each) for name, each in exposure.streams.items()}
            self._widths = exposure.frame.depth, known
        return known

    def _directions(self, camera: Intrinsics) -> NDArray[np.float32]:
        if self._rays is None or self._rays[0] != camera:
            self._rays = (camera, rays(camera))
        return self._rays[1]


def nothing(words: str) -> StreamQuality:
    """No figure at all, for this reason."""
    return StreamQuality({kind.key: Figure(None, words) for kind in KINDS})


def unmeasured(camera_id: str, words: str) -> SensorQuality:
    """A sensor without any figure, for this reason."""
    return SensorQuality(camera_id, {name: nothing(words) for name in STREAMS})


def _figure(key: str, value: float | None, why_not: str) -> Figure:
    if value is None:
        return Figure(None, why_not)
    return Figure(value, next(kind for kind in KINDS if kind.key == key).words(value))


def _of_picture(depth: DepthMap, edges: EdgeWidth) -> dict[str, Figure]:
    return {
        "fill_all": _figure("fill_all", spatial.fill_rate(depth), ""),
        "edge": _figure("edge", edges.width_px, edges.why_not),
    }


def _of_region(
    depth: DepthMap,
    frame: Frame,
    directions: NDArray[np.float32],
    region: Region | None,
    distance_m: float | None,
) -> tuple[dict[str, Figure], float | None]:
    """The figures of the plane, and which share of the region's depths lies on it."""
    keys = ("plane_rms", "subpixel", "z_accuracy")
    if region is None:
        return {key: Figure(None, tr("no plane found")) for key in ("fill", *keys)}, None
    filled = spatial.fill_rate(depth, region)
    figures = {"fill": _figure("fill", filled, "")}
    points = points_in(depth.metres, directions, region)
    plane = fit_plane(points)
    if filled < FEWEST_DEPTHS or plane is None or plane.roughness > ROUGHEST_CHOSEN:
        words = tr("too few depths") if filled < FEWEST_DEPTHS else tr("no plane found")
        return figures | {key: Figure(None, words) for key in keys}, None
    figures["plane_rms"] = _figure("plane_rms", spatial.plane_fit_rms_mm(points, plane), "")
    focal_px, baseline_m = stereo(frame.calibration)
    pixels = (
        None
        if baseline_m is None
        else spatial.subpixel_rms_px(points, plane, focal_px=focal_px, baseline_m=baseline_m)
    )
    figures["subpixel"] = _figure("subpixel", pixels, tr("no stereo pair"))
    if distance_m is not None:
        rows, columns = region.slices(depth.values.shape)
        middle = directions[(rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2]
        off: float | None = spatial.z_accuracy(plane, middle, distance_m=distance_m)
    elif frame.truth is not None:
        off = spatial.z_error(depth, frame.truth, region)
    else:
        off = None
    figures["z_accuracy"] = _figure("z_accuracy", off, tr("type distance"))
    return figures, plane.share


def _of_time(figures: TemporalFigures) -> dict[str, Figure]:
    return {
        "noise": _figure("noise", figures.noise_mm, figures.why_not),
        "flicker": _figure("flicker", figures.flicker_mm, figures.why_not),
    }


def stereo(calibration: Calibration) -> tuple[float, float | None]:
    """Focal length in pixels of the matched images, and their baseline in metres, or None."""
    matched = calibration.ir or calibration.depth
    return matched.fx, calibration.baseline_m
