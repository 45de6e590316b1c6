import pytest

from drivers.usb import usb_cameras


@pytest.fixture
def bus(tmp_path):
    """A USB tree as Linux shows it, with a node for each device."""

    def plug(port, vendor, product, *, speed="5000", bus=2, number=5, node=True):
        folder = tmp_path / "sys" / port
        folder.mkdir(parents=True)
        values = {
            "idVendor": vendor,
            "product": product,
            "serial": "XYZ",
            "speed": speed,
            "busnum": str(bus),
            "devnum": str(number),
        }
        for name, value in values.items():
            (folder / name).write_text(f"{value}\n")
        (tmp_path / "sys" / f"{port}:1.0").mkdir()  # an interface, which has none of these
        if node:
            path = tmp_path / "dev" / f"{bus:03}" / f"{number:03}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    plug.cameras = lambda: usb_cameras(tmp_path / "sys", tmp_path / "dev")
    return plug


def test_cameras_are_told_from_everything_else(bus):
    bus("2-1", "8086", "Intel(R) RealSense(TM) Depth Camera 435", number=2)
    bus("2-2", "2bc5", "Orbbec Gemini 335", number=3)
    bus("2-3", "8086", "Bluetooth", number=4)
    bus("2-4", "046d", "Mouse", number=5)
    bus("2-5", "2b03", "ZED 2i", number=6)

    found = bus.cameras()

    assert [camera.vendor for camera in found] == ["realsense", "orbbec", "zed"]
    assert [camera.port for camera in found] == ["2-1", "2-2", "2-5"]


@pytest.mark.parametrize(("speed", "link"), [("480", "USB 2"), ("5000", "USB 3"), ("10000", "USB 3")])
def test_the_link_is_told_by_its_speed(bus, speed, link):
    bus("1-1", "2bc5", "Gemini", speed=speed)

    assert bus.cameras()[0].link == link


def test_a_camera_without_a_node_cannot_be_opened(bus):
    bus("2-1", "2bc5", "Gemini", number=1)
    bus("2-2", "2bc5", "Gemini", number=2, node=False)

    assert [camera.openable for camera in bus.cameras()] == [True, False]


def test_without_a_bus_there_is_nothing(tmp_path):
    assert usb_cameras(tmp_path / "none", tmp_path) == []
