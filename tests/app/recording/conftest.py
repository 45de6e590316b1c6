import pytest

from app.flow.channel import Channel
from drivers.cameras.synthetic import SyntheticCamera
from drivers.synth.sensor import SensorKind
from tests.app.recording.recorded import deliver


@pytest.fixture
def camera():
    """A small simulated one, open."""
    camera = SyntheticCamera("cam", SensorKind.ACTIVE_STEREO, width=64, height=48)
    with camera:
        yield camera


@pytest.fixture
def channel(camera):
    """Its channel, which has delivered one frame."""
    channel = Channel()
    deliver(camera, channel, [0])
    return channel
