import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_v4l2 import FakeNode

from drivers import v4l2
from drivers.errors import CameraBusy, CameraLost, CameraNotFound, ModeUnsupported
from drivers.v4l2 import DepthStream, gives_depth, linux


def scene(number, width=32, height=24):
    return (1000 + number + np.arange(width * height).reshape(height, width)).astype(np.uint16)


def test_structures_and_numbers_are_those_of_the_kernels_header():
    """As a C program over linux/videodev2.h prints them on x86-64."""
    structures = (v4l2.FormatDescription, v4l2.Format, v4l2.BufferRequest, v4l2.Buffer, v4l2.PixelFormat)
    assert [ctypes.sizeof(each) for each in structures] == [64, 208, 20, 88, 48]
    assert [v4l2.ENUM_FORMATS, v4l2.SET_FORMAT, v4l2.REQUEST_BUFFERS, v4l2.QUERY_BUFFER] == [
        0xC0405602, 0xC0D05605, 0xC0145608, 0xC0585609,
    ]  # fmt: skip
    assert [v4l2.QUEUE, v4l2.DEQUEUE, v4l2.STREAM_ON, v4l2.STREAM_OFF] == [
        0xC058560F, 0xC0585611, 0x40045612, 0x40045613,
    ]  # fmt: skip
    fields = (
        v4l2.Buffer.timestamp,
        v4l2.Buffer.sequence,
        v4l2.Buffer.place,
        v4l2.Buffer.length,
        v4l2.Format.fmt,
    )
    assert [field.offset for field in fields] == [24, 56, 64, 72, 8]
    assert v4l2.Z16 == 0x2036315A


def test_counts_come_without_the_padding_of_rows():
    node = FakeNode(width=20)
    stream = DepthStream(node.kernel, "/dev/video0", 640, 480)
    node.send(scene(0, 20), 5, stamp_us=3_000_007)

    image = stream.read(1)

    assert stream.size == (20, 24)
    assert np.array_equal(image.counts, scene(0, 20))
    assert (image.number, image.stamp_ns) == (5, 3_000_007_000)


def test_an_image_stays_as_it_is_when_its_buffer_is_used_again():
    node = FakeNode()
    stream = DepthStream(node.kernel, "/dev/video0", 32, 24)
    images = []
    for number in range(10):
        node.send(scene(number), number)
        images.append(stream.read(1))

    assert all(np.array_equal(image.counts, scene(n)) for n, image in enumerate(images))


def test_another_clock_is_told_apart():
    node = FakeNode()
    stream = DepthStream(node.kernel, "/dev/video0", 32, 24)
    node.send(scene(0), 0, flags=0)

    assert stream.read(1).stamp_ns is None


@pytest.mark.parametrize("harm", [{"flags": v4l2.DAMAGED}, {"cut_bytes": 200}])
def test_a_damaged_image_is_left_out_and_its_buffer_goes_back(harm):
    node = FakeNode()
    stream = DepthStream(node.kernel, "/dev/video0", 32, 24)
    node.send(scene(0), 0, **harm)
    node.send(scene(1), 1)

    assert stream.read(1) is None
    assert stream.read(1).number == 1
    assert len(node.queued) == 3


def test_silence_is_no_image():
    assert DepthStream(FakeNode().kernel, "/dev/video0", 32, 24).read(0) is None


def test_an_unplugged_device_is_lost_and_can_be_closed():
    node = FakeNode()
    stream = DepthStream(node.kernel, "/dev/video0", 32, 24)
    node.gone = True

    with pytest.raises(CameraLost, match="unplugged"):
        stream.read(1)
    stream.close()
    stream.close()

    assert node.opened == 0
    assert all(shared.closed for shared in node.memory)


def test_a_busy_node_says_so_and_is_let_go():
    node = FakeNode()
    node.busy = True

    with pytest.raises(CameraBusy):
        DepthStream(node.kernel, "/dev/video0", 32, 24)
    assert node.opened == 0


def test_a_node_of_colour_gives_no_depth():
    node = FakeNode(formats=(0x56595559,))

    assert not gives_depth(node.kernel, "/dev/video0")
    with pytest.raises(ModeUnsupported):
        DepthStream(node.kernel, "/dev/video0", 32, 24)
    assert node.opened == 0
    assert gives_depth(FakeNode(formats=(0x56595559, v4l2.Z16)).kernel, "/dev/video0")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="video nodes are Linux's")
def test_the_real_kernel_is_asked_and_refuses_what_is_no_video_node(tmp_path):
    with pytest.raises(CameraNotFound):
        DepthStream(linux(), str(tmp_path / "video9"), 32, 24)
    (tmp_path / "file").touch()

    with pytest.raises(ModeUnsupported):  # ENUM_FMT is no call of a file
        DepthStream(linux(), str(tmp_path / "file"), 32, 24)
    assert not gives_depth(linux(), str(tmp_path / "file"))
