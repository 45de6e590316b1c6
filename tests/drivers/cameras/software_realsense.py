"""A D435-like camera made of the real SDK's software device, and recordings of it."""

import threading
import time

import numpy as np

from drivers.cameras.realsense import SDK

WIDTH, HEIGHT, RATE_HZ = 64, 48, 30
UNIT_M = 0.001
COEFFICIENTS = (0.05, -0.1, 0.001, -0.002, 0.03)
"""Of the colour lens."""


def scene(number, width=WIDTH, height=HEIGHT):
    """Images that tell their number: depth 1000 + number, colour's red and both infrared images number."""
    color = np.zeros((height, width, 3), np.uint8)
    color[..., 0], color[..., 1], color[..., 2] = number % 256, np.arange(width) % 256, 7
    depth = np.full((height, width), 1000 + number, np.uint16)
    depth[:, :4] = 0
    infrared = np.full((height, width), number % 256, np.uint8)
    return {"color": color, "depth": depth, "ir_left": infrared, "ir_right": infrared + 1}


class SoftwareRealSense:
    """Push frames with `push`, or let a thread do it between `start` and `stop`."""

    def __init__(
        self,
        serial="SW0001",
        *,
        model="D435",
        unit_m=UNIT_M,
        with_color=True,
        color_format="rgb8",
        lens="inverse_brown_conrady",
        focal_px=62.0,
        usb="3.2",
        size=(WIDTH, HEIGHT),
    ):
        rs = self.rs = SDK.require()
        self.size = size
        self.color_format = color_format
        self.device = rs.software_device()
        info = rs.camera_info
        values = {
            info.name: f"Intel RealSense {model}",
            info.serial_number: serial,
            info.firmware_version: "5.16.0.1",
            info.product_line: "D400",
            info.usb_type_descriptor: usb,
            info.physical_port: f"port-{serial}",
            info.product_id: "0B07",
        }
        for key, value in values.items():
            known = self.device.supports(key)
            (self.device.update_info if known else self.device.register_info)(key, value)
        self.stereo = self.device.add_sensor("Stereo Module")
        self.stereo.add_read_only_option(rs.option.depth_units, unit_m)
        self.stereo.add_read_only_option(rs.option.stereo_baseline, 50.0)
        self.profiles = {
            "depth": self._stream(self.stereo, rs.stream.depth, 0, rs.format.z16, 2, 60.0),
            "ir_left": self._stream(self.stereo, rs.stream.infrared, 1, rs.format.y8, 1, 60.0),
            "ir_right": self._stream(self.stereo, rs.stream.infrared, 2, rs.format.y8, 1, 60.0),
        }
        depth = self.profiles["depth"]
        self._link(depth, self.profiles["ir_left"], (0, 0, 0))
        self._link(depth, self.profiles["ir_right"], (-0.05, 0, 0))
        self._link(self.profiles["ir_left"], self.profiles["ir_right"], (-0.05, 0, 0))
        if with_color:
            self.rgb = self.device.add_sensor("RGB Camera")
            fmt = getattr(rs.format, color_format)
            lens_model = getattr(rs.distortion, lens)
            self.profiles["color"] = color = self._stream(
                self.rgb, rs.stream.color, 0, fmt, 3, focal_px, model=lens_model, coefficients=COEFFICIENTS
            )
            # A quarter turn about the viewing axis: (x, y) of depth is (-y, x) of colour.
            turn = (0, 1, 0, -1, 0, 0, 0, 0, 1)  # by columns
            self._link(depth, color, (0.015, 0.002, -0.001), turn)
            self._link(self.profiles["ir_left"], color, (0.015, 0.002, -0.001), turn)
        self.device.create_matcher(rs.matchers.dlr_c if with_color else rs.matchers.dlr)
        self.number = 0
        self._stop = threading.Event()
        self._thread = None

    def push(self, number=None, *, domain="hardware_clock", at_ms=None, without=(), metadata=None):
        rs = self.rs
        number = self.number if number is None else number
        self.number = number + 1
        images = scene(number, *self.size)
        if self.color_format == "bgr8":
            images["color"] = images["color"][..., ::-1]
        for name, profile in self.profiles.items():
            if name in without:
                continue
            sensor = self.rgb if name == "color" else self.stereo
            for key, value in (metadata or {}).items():
                sensor.set_metadata(getattr(rs.frame_metadata_value, key), value)
            frame = rs.software_video_frame()  # a new one each time: pushing gives its pixels away
            frame.profile, frame.bpp = profile, profile.bytes_per_pixel()
            frame.stride = self.size[0] * frame.bpp
            frame.timestamp = number * 1000 / RATE_HZ if at_ms is None else at_ms
            frame.domain = getattr(rs.timestamp_domain, domain)
            frame.frame_number = number
            frame.pixels = np.ascontiguousarray(images[name])
            sensor.on_video_frame(frame)

    def start(self):
        self._stop.clear()
        self._thread = threading.Thread(target=self._feed, name="software camera", daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)

    def _feed(self):
        while not self._stop.wait(1 / RATE_HZ):
            self.push()

    def _stream(self, sensor, kind, index, fmt, bpp, focal_px, *, model=None, coefficients=(0,) * 5):
        rs = self.rs
        width, height = self.size
        focal_px *= width / WIDTH
        lens = rs.intrinsics()
        lens.width, lens.height, lens.fx, lens.fy = width, height, focal_px, focal_px + 1
        lens.ppx, lens.ppy = width / 2 - 0.5, height / 2 - 0.5
        lens.model, lens.coeffs = model or rs.distortion.none, list(coefficients)
        stream = rs.video_stream()
        stream.type, stream.index, stream.fmt, stream.bpp = kind, index, fmt, bpp
        stream.uid = 1 + len(getattr(self, "_made", []))
        self._made = [*getattr(self, "_made", []), stream.uid]
        stream.width, stream.height, stream.fps, stream.intrinsics = width, height, RATE_HZ, lens
        return sensor.add_video_stream(stream, True).as_video_stream_profile()

    def _link(self, source, target, offset_m, rotation=(1, 0, 0, 0, 1, 0, 0, 0, 1)):
        extrinsics = self.rs.extrinsics()
        extrinsics.rotation, extrinsics.translation = list(rotation), list(offset_m)
        source.register_extrinsics_to(target, extrinsics)


def record(path, *, frames=8, skip=(), **camera):
    """Write a recording with the SDK's own recorder."""
    software = SoftwareRealSense(**camera)
    rs = software.rs
    pipeline, config = rs.pipeline(), rs.config()
    pipeline.set_device(software.device)
    config.enable_record_to_file(str(path))
    pipeline.start(config)
    for number in range(frames):
        if number in skip:
            continue
        software.push(number, domain="global_time", at_ms=1_700_000_000_000 + number * 1000 / RATE_HZ)
        came, _ = pipeline.try_wait_for_frames(5000)
        assert came
        time.sleep(0.01)
    pipeline.stop()
