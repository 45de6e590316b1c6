"""Simulated rooms as training samples that are cast on the device that trains, many at once."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from drivers.synth.scene import random_pose
from drivers.synth.shapes import Material, Scene
from trainer.data.samples import AnySample, Sample, TensorSample
from trainer.data.synthetic import ROOMS, SyntheticSource, furnished, room_of
from trainer.errors import TrainingError
from trainer.simulation.sensors import APART, MIX, chosen, random_setup
from trainer.simulation.tensors.chance import generators
from trainer.simulation.tensors.sensors import measured
from trainer.simulation.tensors.upload import SceneTensors, uploaded
from trainer.simulation.tensors.view import rendered_in

HELD = ROOMS + 2
"""Rooms that stay on the device: as many as neighbouring samples come from."""

AT_ONCE = 32
"""Most views in one go."""


class CastSource:
    """The rooms of `SyntheticSource`, seen from elsewhere, with every sensor's depth matched.

    Nothing leaves the device. A sample depends on its number and the kind of device, and on its neighbours
    only in the last digit of what is summed in another order.

    Args:
        seed: other seeds are other rooms.
        device: that renders and matches.
        width: of the images in pixels; likewise height.
    """

    def __init__(self, seed: int, device: torch.device, *, width: int = 448, height: int = 336) -> None:
        self._seed = seed
        self._device = device
        self._size = (height, width)
        self._at_once = AT_ONCE
        self._drawn = SyntheticSource(seed, width=width, height=height)
        self._room = lru_cache(maxsize=HELD)(self._furnish)

    def samples(self, numbers: Sequence[int]) -> list[AnySample]:
        """Training samples of these numbers, as many at once as there is memory for.

        Raises:
            TrainingError: there is too little for a single one.
        """
        while True:
            try:
                starts = range(0, len(numbers), self._at_once)
                parts = [self._made(numbers[start : start + self._at_once]) for start in starts]
            except torch.OutOfMemoryError as error:
                self._make_room(error)
            else:
                return [sample for part in parts for sample in part]

    @torch.no_grad()
    def _made(self, numbers: Sequence[int]) -> list[AnySample]:
        height, width = self._size
        rooms, poses, cameras, setups, seeds = [], [], [], [], []
        for number in numbers:
            room = room_of(self._seed, number)
            scene, there = self._room(room)
            rng = np.random.default_rng((self._seed, 4, room, number))
            focal_px = width * rng.uniform(0.6, 1.0)
            rooms.append(there)
            cameras.append((focal_px, focal_px, width / 2 - 0.5, height / 2 - 0.5))
            poses.append(random_pose(scene, rng))
            setups.append(random_setup(chosen(MIX, rng), rng, apart=APART))
            seeds.append(int(rng.integers(1 << 62)))
        pose = torch.tensor(np.array(poses), dtype=torch.float32, device=self._device)
        camera = torch.tensor(cameras, dtype=torch.float32, device=self._device)
        view = rendered_in(rooms, pose, camera, self._size)
        matched = (height * 3 // 4, width * 3 // 4)
        draws = generators(seeds, self._device)
        depth_m = measured(rooms, pose, view, setups, draws, size=matched)
        window = view.material == int(Material.WINDOW)
        target_m = torch.where(window, 0, view.depth_m)
        color = view.color.to(torch.uint8)
        parts = zip(color, depth_m, target_m, window.to(torch.uint8), strict=True)
        return [TensorSample(*part) for part in parts]

    def sample(self, number: int) -> Sample:
        """As `samples`, for who wants to look at one: it leaves the device."""
        (found,) = self.samples([number])
        assert isinstance(found, TensorSample)
        return Sample(
            np.ascontiguousarray(found.color.permute(1, 2, 0).cpu().numpy()),
            found.depth_m.cpu().numpy(),
            found.target_m.cpu().numpy(),
            found.nothing.bool().cpu().numpy(),
        )

    def held_out(self, number: int) -> Sample:
        """The same as `SyntheticSource` gives, so that runs with either can be compared."""
        return self._drawn.held_out(number)

    def _make_room(self, error: torch.OutOfMemoryError) -> None:
        if self._at_once == 1:
            raise TrainingError(
                "There is too little memory to cast a simulated room.",
                hint="Use --micro-batch with a smaller number, or --renderer drawn in a new run.",
            ) from error
        self._at_once //= 2
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _furnish(self, room: int) -> tuple[Scene, SceneTensors]:
        scene = furnished(self._seed, room)
        return scene, uploaded(scene, self._device)
