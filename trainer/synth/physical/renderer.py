"""Pictures of a scene by Mitsuba, in the form in which the sensors take those of the faster renderer."""

import zlib
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.geometry import Intrinsics
from drivers.synth.render import Transform, View, inverted
from drivers.synth.shapes import Scene
from trainer.simulation import structured_light
from trainer.simulation.sensors import Renderer
from trainer.simulation.stereo import pattern
from trainer.synth.physical import develop, tracer
from trainer.synth.physical.studio import Studio, dr, mi, studio

Float = NDArray[np.float32]
GREY_LEVELS = 400.0
"""Of light on a white wall; exposure follows."""
AMBIENT_SHARE = 0.45
"""Of the room's light that passes the filter of a camera with a projector."""
PROJECTOR = 19.0
"""Of a projector of usual power: its dots on white at 1.5 m are 2.7 times as bright as a white wall."""
STRUCTURED_PROJECTOR = 26.0
DOT_PATHS = 4


@dataclass(frozen=True, eq=False)
class LitView(View):
    """A view with the light that made it.

    Attributes:
        infrared: (H, W) float32 near infrared in the room's own light; 1 is a white wall in good light.
        studio: the scene.
        pose: (4, 4) world_from_camera.
    """

    infrared: Float
    studio: Studio
    pose: Transform

    def scaled(self, camera: Intrinsics) -> "LitView":
        """As `View.scaled`, with averaged infrared."""
        coarse = super().scaled(camera)
        return LitView(
            coarse.color,
            coarse.depth_m,
            coarse.inverse_depth,
            coarse.beyond,
            coarse.material,
            camera,
            develop.reduced(self.infrared, camera.width, camera.height),
            self.studio,
            self.pose,
        )


def renderer(paths: int) -> Renderer:
    """Mitsuba for the sensors, with `paths` of light for each pixel."""
    return Renderer(
        partial(view, paths=paths),
        partial(lit, ambient=AMBIENT_SHARE, strength=PROJECTOR),
        partial(lit, ambient=structured_light.AMBIENT, strength=STRUCTURED_PROJECTOR),
    )


def view(scene: Scene, pose: Transform, camera: Intrinsics, *, paths: int) -> LitView:
    """What a camera sees, a pure function of the arguments: all chance comes from the pose.

    Raises:
        ValueError: the scene holds shapes that cannot be shown.
    """
    built = _built(scene)
    depth, beyond, material = tracer.first_surfaces(built, pose, camera)
    seed = zlib.crc32(pose.tobytes())
    light, albedo, normals, reflected = tracer.light(built, pose, camera, samples=paths, seed=seed)
    clean = develop.denoised(light, albedo, normals)
    inverse = inverted(depth)
    return LitView(
        develop.exposed(clean, np.random.default_rng((seed, 1))),
        depth,
        inverse,
        inverse if np.array_equal(depth, beyond) else inverted(beyond),
        material,
        camera,
        develop.infrared(clean, reflected),
        built,
        pose,
    )


def lit(
    view: View, from_projector_m: float, shift: float, power: float, *, ambient: float, strength: float
) -> Float:
    """(H, W) infrared light of the room and of a projector, as `trainer.simulation.stereo.Light` says.

    Args:
        view: a `LitView`.
        from_projector_m: how far right of the projector the camera stands.
        shift: where in the pattern the projector begins.
        power: of the projector beside the room's light; 0 for off.
        ambient: share of the room's light that the camera's filter passes beside a projector.
        strength: of the projector at power 1.
    """
    assert isinstance(view, LitView)
    if not power:
        return view.infrared * np.float32(GREY_LEVELS)
    dots = tracer.dots(
        view.studio,
        view.pose,
        view.camera,
        from_projector_m=from_projector_m,
        pattern=_pattern(),
        shift_px=shift,
        samples=DOT_PATHS,
        seed=zlib.crc32(view.pose.tobytes()) + 1,
    )
    light = view.infrared * np.float32(ambient) + dots * np.float32(strength * power)
    return np.asarray(light * np.float32(GREY_LEVELS), np.float32)


@lru_cache(1)
def _pattern() -> Any:
    return mi.Texture2f(mi.TensorXf(pattern()[..., None]), wrap_mode=dr.WrapMode.Repeat)


_last: list[tuple[Scene, Studio]] = []


def _built(scene: Scene) -> Studio:
    """`scene` as Mitsuba holds it; that of the last call is kept, and let go before another is built."""
    if not _last or _last[0][0] is not scene:
        _last.clear()
        _last.append((scene, studio(scene)))
    return _last[0][1]
