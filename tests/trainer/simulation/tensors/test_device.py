"""No GPU is in reach of the tests, but torch's "meta" is a device too: what would mix two is refused."""

import numpy as np
import torch

from drivers.synth.scene import camera_path
from trainer.simulation.sensors import MIX, Setup
from trainer.simulation.stereo import MATCHERS
from trainer.simulation.tensors import chance, infrared, light, view
from trainer.simulation.tensors.cast import directions, nearest
from trainer.simulation.tensors.match import matched
from trainer.simulation.tensors.register import registered
from trainer.simulation.tensors.sensors import measured
from trainer.simulation.tensors.upload import uploaded

SIZE = (48, 64)
GPU = torch.device("meta")


def fields(count):
    return torch.rand(2, count, *SIZE, device=GPU).unbind(1)


def camera():
    return torch.tensor([[50.0, 50.0, 31.5, 23.5]] * 2, device=GPU)


def test_rays_are_cast_and_coloured_on_the_device_of_the_room(demo_room):
    scene = uploaded(demo_room, GPU)
    pose = torch.eye(4, device=GPU).repeat(2, 1, 1)
    sight = directions(camera(), pose[:, :3, :3], SIZE)
    hits = nearest(scene, pose[:, :3, 3], sight)
    color = view._colors(scene, hits, pose[:, :3, 3], sight, camera()[:, :1])
    soft = view._softened(color.reshape(2, *SIZE, 3).movedim(-1, 1), hits.item.reshape(2, *SIZE))
    assert hits.inverse.device.type == hits.item.device.type == soft.device.type == "meta"
    assert soft.shape == (2, 3, *SIZE)


def test_pairs_are_matched_on_their_device():
    left, right = fields(2)
    found = matched(left, right, MATCHERS["active dense"], most_px=16)
    assert found.device.type == "meta"
    assert found.shape == (2, *SIZE)


def test_light_is_projected_and_depth_registered_on_its_device(monkeypatch):
    monkeypatch.setattr(chance, "normal", lambda draws, shape: torch.rand(2, *shape, device=GPU))
    inverse, beyond, depth_m = fields(3)
    material = torch.zeros(2, *SIZE, dtype=torch.int64, device=GPU)
    seen = view.TensorView(torch.rand(2, 3, *SIZE, device=GPU), inverse, beyond, material, camera())
    monkeypatch.setattr(infrared, "pattern_on", lambda device: torch.rand(2048, 2048, device=device))
    aside = torch.tensor([0.1, 0.2], device=GPU)
    lit = infrared._speckle(seen, aside, aside)
    place = torch.eye(4, device=GPU).repeat(2, 1, 1)
    whole = registered(depth_m, camera(), camera(), place)
    small = infrared.reduced(seen, (24, 32))
    assert lit.device.type == whole.device.type == small.color.device.type == "meta"


def test_no_step_from_a_room_to_a_sensor_s_depth_brings_data_back(demo_room, monkeypatch):
    # Without content nothing can depend on data: there, reading back is forbidden on the processor.
    there = uploaded(demo_room, torch.device("cpu"))
    infrared.pattern_on(there.device)
    pose = torch.tensor(np.array([camera_path(demo_room, 0.0)] * len(MIX)), dtype=torch.float32)
    cameras = torch.tensor([[50.0, 50.0, 31.5, 23.5]] * len(MIX))
    setups = [Setup(name, 0.1, shift_m=(0.02, 0.0)) for name in MIX]
    draws = chance.generators(range(len(MIX)), there.device)

    def forbidden(*_args, **_kwargs):
        raise AssertionError("data left the device")

    for name in ("cpu", "numpy", "item", "tolist", "__array__"):
        monkeypatch.setattr(torch.Tensor, name, forbidden)
    seen = view.rendered_in([there] * len(MIX), pose, cameras, SIZE)
    depth = measured([there] * len(MIX), pose, seen, setups, draws, size=(36, 48))
    monkeypatch.undo()
    assert ((depth > 0).float().mean(dim=(1, 2)) > 0.05).all()
    assert light.USUAL.farthest_m > depth.median()
