import numpy as np
import pytest
import torch

from drivers.synth.scene import demo_scene, random_scene


@pytest.fixture(scope="module")
def one_thread():
    """Sharing a small array between threads takes longer than the work; the tests share the cores already."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def demo_room():
    """The demo's room: half a second to furnish, and never changed."""
    return demo_scene()


@pytest.fixture(scope="session")
def random_room():
    """A room with sun, a window with bars, a curtain on its rod, steel, plants and glass."""
    return random_scene(np.random.default_rng(10))
