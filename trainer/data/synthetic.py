"""Simulated rooms as training samples."""

from functools import lru_cache

import numpy as np

from drivers.geometry import Intrinsics
from drivers.synth.arrays import Float
from drivers.synth.render import Transform, View, render
from drivers.synth.scene import close_pose, random_pose, random_scene
from drivers.synth.shapes import Material, Scene
from trainer.data import hardships
from trainer.data.samples import Sample
from trainer.simulation.sensors import APART, MIX, chosen, random_setup, read

VIEWS = 128
"""Views of each room; furnishing a room costs a hundred times more than looking at it."""
ROOMS = 16
"""Neighbouring samples come from that many rooms."""
HELD_OUT_ROOMS = 1 << 40
"""Rooms from this number on are for evaluation only."""
MATCHED = 0.5
"""Share of samples whose depth is matched from infrared pictures; the others' comes from quicker models."""
CLOSE = 0.4
"""Share of hard views from an arm's length."""


class SyntheticSource:
    """Endless simulated rooms, seen by all kinds of sensors in the shares of `MIX`.

    Windows have no depth that could be right: the target has a hole there, and `nothing` is true.

    Args:
        seed: other seeds are other rooms.
        width: of the images in pixels; likewise height.
        hard: also look at small things from close by, with sensors that see through glass and lose more
            (`trainer.data.hardships`).
    """

    def __init__(self, seed: int, *, width: int = 448, height: int = 336, hard: bool = False) -> None:
        self._seed = seed
        self._hard = hard
        self._size = (width, height)
        self._room = lru_cache(maxsize=ROOMS + 2)(self._furnish)

    def sample(self, number: int) -> Sample:
        return self._view(room_of(self._seed, number), number)

    def held_out(self, number: int) -> Sample:
        return self._view(HELD_OUT_ROOMS + number, number)

    def _furnish(self, room: int) -> Scene:
        return furnished(self._seed, room)

    def _view(self, room: int, number: int) -> Sample:
        rng = np.random.default_rng((self._seed, 2, room, number))
        scene = self._room(room)
        width, height = self._size
        focal = width * rng.uniform(0.6, 1.0)
        camera = Intrinsics(width, height, focal, focal, width / 2 - 0.5, height / 2 - 0.5)
        close = self._hard and rng.random() < CLOSE
        pose = close_pose(scene, rng) if close else random_pose(scene, rng)
        view = render(scene, pose, camera)
        depth_m = hardships.measured(view, rng) if self._hard else _measured(scene, pose, view, rng)
        window = view.material == Material.WINDOW
        target = np.where(window, np.float32(0), view.depth_m)
        return Sample(view.color, depth_m, target, window)


def room_of(seed: int, number: int) -> int:
    """The room of a training sample."""
    return number // VIEWS + int(np.random.default_rng((seed, 0, number)).integers(ROOMS))


def furnished(seed: int, room: int) -> Scene:
    """The room of that number."""
    return random_scene(np.random.default_rng((seed, 1, room)))


def _measured(scene: Scene, pose: Transform, view: View, rng: np.random.Generator) -> Float:
    width, height = view.camera.width, view.camera.height
    matched = (width * 3 // 4, height * 3 // 4) if rng.random() < MATCHED else None
    setup = random_setup(chosen(MIX, rng), rng, apart=APART)
    return read(scene, pose, view, setup, rng, matched=matched).depth.metres
