import pytest

from drivers.usb import LinkLoad, UsbCamera, carries, fair_shares, holders, link_loads, port_in, usb_cameras


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


def plugged(port, *, speed=5000.0, bus=10_000.0, hubs=(), controller="0000:00:14.0"):
    return UsbCamera("realsense", "D435", "1", speed, port, True, controller, bus, tuple(hubs))


HUB = (("2-1", 5000.0),)


def test_the_controller_and_the_hubs_of_a_camera_are_found(tmp_path):
    real = tmp_path / "pci0000:00" / "0000:00:14.0" / "usb2"
    sysfs = tmp_path / "sys"
    sysfs.mkdir()
    values = {"idVendor": "2bc5", "product": "Gemini", "busnum": "2", "devnum": "7", "speed": "5000"}
    for folder, names in ((real, ("speed",)), (real / "2-1", ("speed",)), (real / "2-1.4", values)):
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text("10000" if folder == real else values[name])
        (sysfs / folder.name).symlink_to(folder)

    (camera,) = usb_cameras(sysfs, tmp_path)

    assert (camera.controller, camera.bus, camera.bus_mbps) == ("0000:00:14.0", "usb2", 10_000)
    assert camera.hubs == (("2-1", 5000.0),)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("/sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/video4linux/video0", "2-1"),
        ("/sys/devices/pci0000:00/0000:00:1d.0/usb4/4-2/4-2.1/4-2.1.3/4-2.1.3:1.0", "4-2.1.3"),
        ("2-1.4-7", "2-1.4"),
        ("2-3", "2-3"),
        ("port-SW0001", ""),
        ("", ""),
    ],
)
def test_the_port_is_found_in_what_a_library_calls_one(text, port):
    assert port_in(text) == port


def test_cameras_that_share_a_controller_are_added_up():
    cameras = [plugged("2-1"), plugged("2-2"), plugged("4-1", controller="0000:00:15.0", bus=5000.0)]

    first, second = link_loads(cameras, {"2-1": 166e6, "2-2": 166e6, "4-1": 55e6})

    assert (first.name, first.asked, first.carries, first.cameras) == ("usb2", 332e6, 700e6, ("2-1", "2-2"))
    assert (second.name, second.asked, second.carries) == ("usb4", 55e6, 350e6)
    assert first.fits
    assert second.fits
    assert first.words == "332 MB/s asked for, 700 MB/s possible, 2 cameras"


def test_a_hub_that_is_too_narrow_is_named_although_the_bus_is_not():
    cameras = [plugged(f"2-1.{n}", hubs=HUB) for n in (1, 2, 3)]

    bus, hub = link_loads(cameras, {camera.port: 166e6 for camera in cameras})

    assert (bus.name, bus.fits) == ("usb2", True)
    assert (hub.name, hub.fits, hub.asked) == ("2-1", False, 498e6)


def test_a_cable_that_is_too_slow_is_named():
    loads = link_loads([plugged("1-1", speed=480.0, bus=480.0)], {"1-1": 55e6})

    assert [(load.name, load.fits) for load in loads] == [("usb1", False), ("1-1", False)]


def test_each_camera_gets_its_share_of_the_narrowest_link():
    cameras = [
        plugged("2-1.1", hubs=HUB),
        plugged("2-1.2", hubs=HUB),
        plugged("2-2"),
        plugged("1-1", speed=480),
    ]

    shares = fair_shares(cameras)

    assert shares["2-1.1"] == shares["2-1.2"] == 175e6
    assert shares["2-2"] == pytest.approx(700e6 / 3)
    assert shares["1-1"] == 38e6


def test_a_link_of_unknown_speed_is_not_held_against_a_camera():
    assert carries(0) == float("inf")
    assert LinkLoad("usb1", "", 0, carries(0), 1e9, ("1-1",)).fits


def test_who_holds_a_device_is_told(tmp_path):
    node = tmp_path / "dev" / "002" / "005"
    node.parent.mkdir(parents=True)
    node.touch()
    for pid, name, target in (("4711", "viewer", node), ("12", "other", tmp_path)):
        (tmp_path / "proc" / pid / "fd").mkdir(parents=True)
        (tmp_path / "proc" / pid / "comm").write_text(f"{name}\n")
        (tmp_path / "proc" / pid / "fd" / "3").symlink_to(target)

    assert holders([str(node)], tmp_path / "proc") == ["viewer (4711)"]
    assert holders([], tmp_path / "proc") == []
