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
        line="D400",
        unit_m=UNIT_M,
        with_color=True,
        color_format="rgb8",
        lens="inverse_brown_conrady",
        focal_px=62.0,
        usb="3.2",
        size=(WIDTH, HEIGHT),
        rates=(RATE_HZ,),
        options=False,
        imu=False,
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
            info.product_line: line,
            info.usb_type_descriptor: usb,
            info.physical_port: f"port-{serial}",
            info.product_id: "0B07",
        }
        if usb is None:  # as of a camera on Ethernet
            del values[info.usb_type_descriptor]
        for key, value in values.items():
            known = self.device.supports(key)
            (self.device.update_info if known else self.device.register_info)(key, value)
        self.stereo = self.device.add_sensor("Stereo Module")
        self.stereo.add_read_only_option(rs.option.depth_units, unit_m)
        self.stereo.add_read_only_option(rs.option.stereo_baseline, 50.0)
        if with_color:
            self.rgb = self.device.add_sensor("RGB Camera")
        self.with_color, self.lens, self.focal_px = with_color, lens, focal_px
        self.modes = {rate_hz: self._mode(rate_hz) for rate_hz in rates}
        self.profiles = self.modes[rates[0]]
        if options:
            self._add_options()
        if imu:
            self._add_motion()
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

    def _add_options(self):
        """Some of a D435's, with its ranges; the last number is whether it can be written."""
        option = self.rs.option
        for sensor, which, low, high, step, default, writable in (
            (self.stereo, option.exposure, 1, 165000, 1, 8500, True),
            (self.stereo, option.gain, 16, 248, 1, 16, True),
            (self.stereo, option.enable_auto_exposure, 0, 1, 1, 1, True),
            (self.stereo, option.laser_power, 0, 360, 30, 150, True),
            (self.stereo, option.asic_temperature, -40, 125, 0, 33.5, False),
            (self.rgb, option.exposure, 1, 10000, 1, 156, True),
            (self.rgb, option.enable_auto_exposure, 0, 1, 1, 1, True),
            (self.rgb, option.white_balance, 2800, 6500, 10, 4600, True),
            (self.rgb, option.enable_auto_white_balance, 0, 1, 1, 1, True),
            (self.rgb, option.auto_exposure_priority, 0, 1, 1, 0, True),
        ):
            reach = self.rs.option_range()
            reach.min, reach.max, reach.step, reach.default = low, high, step, default
            sensor.add_option(which, reach, writable)

    def _add_motion(self):
        """An accelerometer and a gyroscope that lie on their side: their X is the colour camera's Y."""
        rs = self.rs
        self.motion = self.device.add_sensor("Motion Module")
        self.inertial = {}
        for name, kind, rate_hz in (("accel", rs.stream.accel, 100), ("gyro", rs.stream.gyro, 200)):
            stream = rs.motion_stream()
            stream.type, stream.index, stream.uid, stream.fps = kind, 0, 40 + rate_hz, rate_hz
            stream.fmt, stream.intrinsics = rs.format.motion_xyz32f, rs.motion_device_intrinsic()
            profile = self.motion.add_motion_stream(stream, True).as_motion_stream_profile()
            self.inertial[name] = profile
            turn = (0, 1, 0, -1, 0, 0, 0, 0, 1)  # by columns
            self._link(profile, self.profiles["color"], (0.01, 0, 0), turn)

    def push_motion(self, name, at_ms, xyz, *, domain="hardware_clock"):
        """One reading."""
        rs = self.rs
        frame, vector = rs.software_motion_frame(), rs.vector()
        vector.x, vector.y, vector.z = xyz
        frame.profile, frame.timestamp, frame.data = self.inertial[name], at_ms, vector
        frame.domain, frame.frame_number = getattr(rs.timestamp_domain, domain), round(at_ms) % 10**6
        self.motion.on_motion_frame(frame)

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

    def use(self, rate_hz):
        """Push frames of this rate from now on."""
        self.profiles = self.modes[rate_hz]

    def _mode(self, rate_hz):
        rs = self.rs
        self._rate_hz = rate_hz
        profiles = {
            "depth": self._stream(self.stereo, rs.stream.depth, 0, rs.format.z16, 2, 60.0),
            "ir_left": self._stream(self.stereo, rs.stream.infrared, 1, rs.format.y8, 1, 60.0),
            "ir_right": self._stream(self.stereo, rs.stream.infrared, 2, rs.format.y8, 1, 60.0),
        }
        depth, left, right = profiles["depth"], profiles["ir_left"], profiles["ir_right"]
        self._link(depth, left, (0, 0, 0))
        self._link(depth, right, (-0.05, 0, 0))
        self._link(left, right, (-0.05, 0, 0))
        if self.with_color:
            fmt = getattr(rs.format, self.color_format)
            lens_model = getattr(rs.distortion, self.lens)
            profiles["color"] = color = self._stream(
                self.rgb,
                rs.stream.color,
                0,
                fmt,
                3,
                self.focal_px,
                model=lens_model,
                coefficients=COEFFICIENTS,
            )
            # A quarter turn about the viewing axis: (x, y) of depth is (-y, x) of colour.
            turn = (0, 1, 0, -1, 0, 0, 0, 0, 1)  # by columns
            self._link(depth, color, (0.015, 0.002, -0.001), turn)
            self._link(left, color, (0.015, 0.002, -0.001), turn)
        return profiles

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
        stream.width, stream.height, stream.fps, stream.intrinsics = width, height, self._rate_hz, lens
        return sensor.add_video_stream(stream, len(self._made) <= 4).as_video_stream_profile()

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
    for profile in software.profiles.values():
        config.enable_stream(profile.stream_type(), profile.stream_index())
    for profile in getattr(software, "inertial", {}).values():
        config.enable_stream(profile.stream_type())
    pipeline.start(config)
    for number in range(frames):
        if number in skip:
            continue
        at_ms = 1_700_000_000_000 + number * 1000 / RATE_HZ
        for name in getattr(software, "inertial", ()):
            software.push_motion(name, at_ms - 5, (number, 0, 0), domain="global_time")
        software.push(number, domain="global_time", at_ms=at_ms)
        came, _ = pipeline.try_wait_for_frames(5000)
        assert came
        time.sleep(0.01)
    pipeline.stop()
