"""What a sensor of some kind, somewhere beside the colour camera, makes of a room."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap, depth_map
from drivers.geometry import Calibration, Intrinsics, register_depth
from drivers.synth.render import Transform, View, render
from drivers.synth.sensor import SensorKind, SensorParams, measure, random_params
from drivers.synth.shapes import Scene
from trainer.simulation import structured_light
from trainer.simulation.stereo import MATCHERS, NEAREST_M, Light, baked_light, depth_of, infrared_pair, match

Bytes = NDArray[np.uint8]

UNIT_M = 0.001
MIX = {
    "active dense": 0.5,
    "active": 0.3,
    "active strict": 0.1,
    "passive": 0.03,
    "structured light": 0.03,
    "time of flight": 0.04,
}
"""Shares that real cameras lie between (SYNTH.md, section 3)."""
APART = 0.6
"""Share of sensors that stand beside the colour camera."""
POWER = (0.4, 2.5)
"""Range of the projector's power beside the room's light, drawn evenly in the logarithm."""
BASELINE_M = (0.05, 0.2)
SHIFT_M = (0.012, 0.06)
"""Between colour and depth camera of RealSense, Orbbec and Kinect."""
ZOOM = (0.7, 1.05)
"""Focal length of a depth camera beside the colour camera's: 0.72 of a D435, 1 of a D455; most see more."""
LIT_NOISE = 0.4
"""Noise of time of flight for training beside the demo camera's, as an Azure Kinect shows it."""
PROJECTOR_M = (0.05, 0.09)
FARTHEST_LIT_M = 6.0
MODELLED = {
    "active dense": SensorKind.ACTIVE_STEREO,
    "active": SensorKind.ACTIVE_STEREO,
    "active strict": SensorKind.ACTIVE_STEREO,
    "passive": SensorKind.PASSIVE_STEREO,
    "structured light": SensorKind.STRUCTURED_LIGHT,
    "time of flight": SensorKind.TIME_OF_FLIGHT,
}
"""The model, without a matcher, of each sensor."""


@dataclass(frozen=True)
class Renderer:
    """What makes pictures of a room.

    Attributes:
        view: of a camera in a scene at world_from_camera.
        light: in its views, for cameras with a projector beside them.
        structured_light: likewise, for cameras whose projector is all they match with.
    """

    view: Callable[[Scene, Transform, Intrinsics], View]
    light: Light
    structured_light: Light


BAKED = Renderer(render, baked_light, structured_light.baked_light)
"""The one that draws at camera rate, with light that was baked into the textures."""


@dataclass(frozen=True)
class Setup:
    """One unit of a sensor.

    Attributes:
        sensor: a name of `MIX`.
        baseline_m: between its cameras, or from its camera to its projector.
        power: of its projector beside the room's light; 1 is usual.
        shift_m: right and down from the colour camera to its left camera; zeros if that is the colour camera.
        zoom: its focal length over the colour camera's.
    """

    sensor: str
    baseline_m: float
    power: float = 1.0
    shift_m: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0

    @property
    def apart(self) -> bool:
        """Whether it does not look through the colour camera."""
        return self.shift_m != (0.0, 0.0) or self.zoom != 1.0


@dataclass(frozen=True, eq=False)
class Reading:
    """What a sensor reports.

    Attributes:
        depth: in the colour grid.
        ir_left: (h, w) uint8 of the sensor's own camera; None of time of flight.
        ir_right: likewise; None for what has one camera.
    """

    depth: DepthMap
    ir_left: Bytes | None = None
    ir_right: Bytes | None = None


def chosen(mix: dict[str, float], rng: np.random.Generator) -> str:
    """A sensor, drawn by its share."""
    names = sorted(mix)
    shares = np.array([mix[name] for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def random_setup(
    sensor: str,
    rng: np.random.Generator,
    *,
    apart: float,
    baseline_m: tuple[float, float] = BASELINE_M,
) -> Setup:
    """A unit of `sensor`.

    Args:
        sensor: a name of `MIX`.
        rng: of the sample.
        apart: chance that it stands beside the colour camera.
        baseline_m: range for stereo, drawn evenly.
    """
    between = float(rng.uniform(*(PROJECTOR_M if sensor == "structured light" else baseline_m)))
    power = float(np.exp(rng.uniform(*np.log(POWER))))
    aside, below = float(rng.uniform(*SHIFT_M)) * float(rng.choice([-1, 1])), float(rng.normal(0, 0.002))
    zoom = float(rng.uniform(*ZOOM))
    if rng.random() >= apart:
        return Setup(sensor, between, power)
    return Setup(sensor, between, power, (aside, below), zoom)


def read(
    scene: Scene,
    pose: Transform,
    view: View,
    setup: Setup,
    rng: np.random.Generator,
    *,
    matched: tuple[int, int] | None,
    renderer: Renderer = BAKED,
) -> Reading:
    """What the sensor reports, carried into the colour camera's view if it stands beside that.

    Args:
        scene: the room.
        pose: (4, 4) world_from_camera of the colour camera.
        view: of the colour camera.
        setup: the sensor.
        rng: its noise.
        matched: width and height of the pictures that are matched; None takes the sensor's model instead.
        renderer: that made the view, and makes the others.
    """
    if setup.apart:
        color = view.camera
        own = Intrinsics(
            color.width, color.height, color.fx * setup.zoom, color.fy * setup.zoom, color.cx, color.cy
        )
        place = _beside(*setup.shift_m)
        there = pose @ place
        unmoved = replace(setup, shift_m=(0.0, 0.0), zoom=1.0)
        own_view = renderer.view(scene, there, own)
        reading = read(scene, there, own_view, unmoved, rng, matched=matched, renderer=renderer)
        return replace(reading, depth=register_depth(reading.depth, Calibration(color, own, place)))
    if matched is None or setup.sensor == "time of flight":
        kind = MODELLED[setup.sensor]
        return Reading(DepthMap(measure(view, kind, rng, _params(setup, rng)), UNIT_M))
    small = view.camera.scaled(*matched)
    seen = reduced(view, small)
    most_px = min(int(small.fx * setup.baseline_m / NEAREST_M) + 1, small.width // 2)
    if setup.sensor == "structured light":
        left, began = structured_light.infrared(
            seen,
            baseline_m=setup.baseline_m,
            power=setup.power,
            rng=rng,
            light=renderer.structured_light,
        )
        found, right = structured_light.disparity(left, began, most_px=most_px), None
    else:
        matcher = MATCHERS[setup.sensor]
        left, right = infrared_pair(
            seen,
            renderer.view(scene, pose @ _beside(setup.baseline_m, 0.0), small),
            baseline_m=setup.baseline_m,
            projector=matcher.projector,
            power=setup.power,
            rng=rng,
            light=renderer.light,
        )
        found = match(left, right, matcher, most_px=most_px)
    depth = depth_of(found, focal_px=small.fx, baseline_m=setup.baseline_m)
    if right is None:
        depth[depth > FARTHEST_LIT_M] = 0
    size = (view.camera.width, view.camera.height)
    whole = np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST), np.float32)
    return Reading(depth_map(whole, unit_m=UNIT_M), left, right)


def _params(setup: Setup, rng: np.random.Generator) -> SensorParams:
    params = random_params(rng, MODELLED[setup.sensor])
    if setup.sensor == "active dense":
        return replace(params, dense=True, difficulty=0.7 * params.difficulty)
    if setup.sensor == "active strict":
        return replace(params, difficulty=min(1.0, 1.5 * params.difficulty), noise_px=0.7 * params.noise_px)
    if setup.sensor == "time of flight":
        return replace(params, noise_px=LIT_NOISE * params.noise_px)
    return params


def reduced(view: View, camera: Intrinsics) -> View:
    """The view on the coarser grid of `camera`, with averaged colours."""
    if (camera.width, camera.height) == (view.camera.width, view.camera.height):
        return view
    coarse = view.scaled(camera)
    color = cv2.resize(view.color, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    return replace(coarse, color=np.asarray(color, np.uint8))


def _beside(right_m: float, down_m: float) -> Transform:
    place = np.eye(4)
    place[:2, 3] = right_m, down_m
    return place
