"""Intel RealSense D400 and D500 cameras, and what they recorded: one class for all of them."""

import contextlib
import ctypes
import functools
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.camera import CameraInfo, EndOfStream, SyncRole
from drivers.clock import Clock, ClockFit, FrameCounter, exposed_ns, monotonic_from_epoch
from drivers.controls import Control, Value, find
from drivers.depth import DepthMap
from drivers.devices import Device
from drivers.errors import (
    CameraBusy,
    CameraError,
    CameraLost,
    CameraNotFound,
    CameraUnplugged,
    ModeUnsupported,
)
from drivers.frame import Frame, FrameSettings
from drivers.geometry import Calibration, Intrinsics
from drivers.profiles import (
    RATE,
    SIZE,
    USB_2_BUDGET,
    Profile,
    Stream,
    Wish,
    bytes_per_s,
    calibration_of,
    choose,
    wish_with,
)
from drivers.sdk import PIP, Sdk
from drivers.vendor import realsense_controls
from drivers.vendor.modes import SwitchesModes
from drivers.vendor.realsense_motion import MotionReader

VENDOR = "Intel RealSense"
_APART_PERIODS = 0.75
"""Colour is not exposed together with depth on all models, but within half a period."""
_QUEUED_SETS = 8
"""Of the sixteen that the SDK has for each stream."""
_POLL_MS = 100
_POLL_FILE_MS = 20
_RESUME_S = 1.0
_SILENT_S = 1.0
_LATE_NS = 500_000_000
_LONGEST_PAUSE_NS = 2_000_000_000
_LENS_TOLERANCE_PX = 0.5
_SYNC_MODES = {SyncRole.FREE: 0, SyncRole.PRIMARY: 1, SyncRole.SECONDARY: 2}
"""Of the D400 family; the D500 family gives these numbers other meanings, so it is left free."""
_NO_PROJECTOR = {"D400", "D401", "D405", "D420"}


def _load() -> ModuleType:
    try:
        import pyrealsense2
    except ImportError as error:
        if "libusb" not in str(error):
            raise
        # The Linux wheel needs a libusb-1.0.so.0 that it does not bring; this package has one of that name.
        import libusb_package

        ctypes.CDLL(str(libusb_package.get_library_path()), mode=ctypes.RTLD_GLOBAL)
        import pyrealsense2
    module: ModuleType = pyrealsense2
    return module


SDK = Sdk(
    name="realsense",
    title=VENDOR,
    module="pyrealsense2",
    distributions=("pyrealsense2", "pyrealsense2-macosx"),
    minimum=(2, 56),
    install=f'{PIP} install "pyrealsense2>=2.56" libusb-package',
    load=_load,
)

Find = Callable[[], Any]
"""Gives the `rs.device` to open, or raises `CameraError`."""

_Chosen = Mapping[Stream, tuple[Profile, Any]]


class RealSenseCamera(SwitchesModes):
    """A live camera, a software device, or a recording.

    Colour, unfiltered depth in its own grid and both infrared images of one moment. A live camera is told to
    keep its rate in the dark, where it would halve it to expose longer. A camera without a colour sensor
    shows its left infrared image in place of colour.

    Readings of an inertial sensor come with the frame after them.

    On a sync cable depth and infrared are exposed together; colour is not, but for models with a global
    shutter for it.
    """

    sync_family = SDK.name
    primary_starts_first = True

    def __init__(
        self,
        find: Find,
        *,
        wish: Wish | None = None,
        live: bool = True,
        loop: bool = True,
        realtime: bool = True,
    ) -> None:
        """Look at the device; it starts when it is opened.

        Args:
            find: gives the device; called again for each opening, so that a camera that was plugged in anew
                is found. A recording is loaded anew.
            wish: size and rate; a recording has only what it has.
            live: false for recordings.
            loop: a recording begins again at its end; frame indices count on.
            realtime: a recording takes as long as it took; otherwise its frames come at once.

        Raises:
            SdkMissing: pyrealsense2 is not installed, or too old.
            CameraError: there is no such device.
            ModeUnsupported: it has no depth, or no image that could stand for colour.
        """
        self._rs: Any = SDK.require()
        self._find = find
        self._live = live
        self._loop = loop
        self._realtime = realtime
        self._usual = self._wish = wish or Wish()
        self._device: Any = find()
        with _as_camera_error(VENDOR):
            self._offers: dict[Profile, Any] = {}
            self._chosen = self._choose_profiles(self._device)
            self._info = self._describe(self._device)
            self._calibration = _calibration({stream: native for stream, (_, native) in self._chosen.items()})
        self._counter = FrameCounter(self._info.rate_hz if live else None)
        self._fit = ClockFit()
        self._sync_role = SyncRole.FREE
        self._pipeline: Any = None
        self._queue: Any = None
        self._motion: MotionReader | None = None
        self._resuming: threading.Thread | None = None
        self._last_number: int | None = None
        self._heard_ns = 0
        self._next: Frame | None = None
        self._pace: tuple[int, int] | None = None
        self._delivered_ns = 0
        self._frames_this_round = 0

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    def open(self) -> None:
        self.close()
        self._start()
        self._delivered_ns = 0

    def close(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        self._queue = None
        self._next = None
        motion, self._motion = self._motion, None
        if pipeline is not None:
            self._device = None
            with contextlib.suppress(RuntimeError):  # of a device that is gone there is nothing to stop
                pipeline.stop()
        if motion is not None:
            motion.stop()
        if self._resuming is not None:
            self._resuming.join(_RESUME_S)
            self._resuming = None

    def read(self, *, timeout_s: float) -> Frame | None:
        if self._pipeline is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        if self._live:
            return self._live_frame(deadline_ns)
        if self._next is None:
            self._next = self._recorded_frame(deadline_ns)
        if self._next is None or not self._due(self._next.device_ns, deadline_ns):
            return None
        frame, self._next = self._next, None
        self._delivered_ns = time.monotonic_ns()
        return self._stamped(frame, self._delivered_ns, self._delivered_ns, Clock.HOST)

    def controls(self) -> tuple[Control, ...]:
        with self._of_open_device() as device:
            found = realsense_controls.controls(self._rs, device)
        return (*self._modes(), *found)

    def set_control(self, name: str, value: Value) -> None:
        if name in {SIZE, RATE}:
            mode = find(self._modes(), name)
            if mode.checked(value) != mode.value:
                self._restart(wish_with(self._wish, name, value))
            return
        with self._of_open_device() as device:
            realsense_controls.set_control(self._rs, device, name, value)

    def vendor_settings(self) -> str | None:
        with self._of_open_device() as device:
            return realsense_controls.settings(self._rs, device) if self._live else None

    def load_vendor_settings(self, text: str) -> None:
        if self.vendor_settings() is None:
            super().load_vendor_settings(text)
        with self._of_open_device() as device:
            realsense_controls.load_settings(self._rs, device, text)

    @contextlib.contextmanager
    def _of_open_device(self) -> Iterator[Any]:
        if self._pipeline is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        with _as_camera_error(self._info.name):
            yield self._device

    def reset(self) -> None:
        self.close()
        with _as_camera_error(self._info.name):
            (self._device or self._find()).hardware_reset()
        self._device = None

    @property
    def sync_role(self) -> SyncRole:
        return self._sync_role

    def sync_roles(self) -> tuple[SyncRole, ...]:
        with _as_camera_error(self._info.name):
            sensor = self._sync_sensor(self._device or self._find())
            if sensor is None:
                return (SyncRole.FREE,)
            most = sensor.get_option_range(self._rs.option.inter_cam_sync_mode).max
        return tuple(role for role, mode in _SYNC_MODES.items() if mode <= most)

    def set_sync_role(self, role: SyncRole) -> None:
        if role not in self.sync_roles():
            raise ModeUnsupported(
                f"{self._info.name} cannot be {role.value} on a sync cable",
                hint="Leave its sync role out, or choose another camera.",
            )
        self._sync_role = role

    def _sync_sensor(self, device: Any) -> Any:
        """The sensor that has the mode; None where the device has none."""
        option = self._rs.option.inter_cam_sync_mode
        if not self._live or self._info.model.startswith("D5"):
            return None
        for sensor in device.query_sensors():
            if sensor.supports(option) and not sensor.is_option_read_only(option):
                return sensor
        return None

    def _take_sync_role(self, device: Any) -> None:
        """Also the free one: a mode stays in the device when another program has ended."""
        sensor, mode = self._sync_sensor(device), _SYNC_MODES[self._sync_role]
        option = self._rs.option.inter_cam_sync_mode
        if sensor is not None and sensor.get_option(option) != mode:
            sensor.set_option(option, mode)

    def _start(self) -> None:
        rs = self._rs
        if self._device is None:
            self._device = self._find()
        device = self._device
        config = rs.config()
        with _as_camera_error(self._info.name):
            self._chosen = self._choose_profiles(device)
            for profile, native in self._chosen.values():
                config.enable_stream(
                    native.stream_type(),
                    native.stream_index(),
                    profile.width,
                    profile.height,
                    native.format(),
                    profile.rate_hz,
                )
            pipeline = rs.pipeline()
            pipeline.set_device(device)
            if self._live:
                self._keep_rate(device)
                self._take_sync_role(device)
                # The pipeline's own queue holds one set, so a reader that is late by one frame would lose it.
                self._queue = rs.frame_queue(_QUEUED_SETS, True)
                started = pipeline.start(config, self._queue)
                self._read_motion(device)
            else:
                # In this order no frame of the file is lost or repeated; in every other some are.
                playback = device.as_playback()
                playback.set_real_time(False)
                playback.pause()
                started = pipeline.start(config)
                self._read_motion(device)
                # librealsense 2.59: resume() waits ten seconds for frames to leave which only read() takes.
                self._resuming = threading.Thread(
                    target=playback.resume, name="resume recording", daemon=True
                )
                self._resuming.start()
            self._pipeline = pipeline
            self._calibration = _calibration(
                {s: p for p in started.get_streams() if (s := _stream(rs, p)) is not None}
            )
        self._counter.restart()
        self._fit = ClockFit()
        self._last_number = None
        self._heard_ns = time.monotonic_ns()
        self._pace = None
        self._frames_this_round = 0

    def _read_motion(self, device: Any) -> None:
        seen = self._chosen.get(Stream.COLOR) or self._chosen[Stream.DEPTH]
        motion = MotionReader(self._rs, device, seen[1])
        motion.start()
        self._motion = motion

    def _keep_rate(self, device: Any) -> None:
        option = self._rs.option.auto_exposure_priority
        for sensor in device.query_sensors():
            if sensor.supports(option) and not sensor.is_option_read_only(option):
                sensor.set_option(option, 0)

    def _choose_profiles(self, device: Any) -> _Chosen:
        rs = self._rs
        offers: dict[Profile, Any] = {}
        for sensor in device.query_sensors():
            for native in sensor.get_stream_profiles():
                stream = _stream(rs, native)
                if stream is None or native.format() not in _formats(rs, stream):
                    continue
                video = native.as_video_stream_profile()
                profile = Profile(
                    stream, video.width(), video.height(), native.fps(), _BYTES_ON_THE_CABLE[stream]
                )
                offers.setdefault(profile, native)
        self._offers = offers
        if self._live:
            slow = _text(device, rs.camera_info.usb_type_descriptor).startswith("2")
            wish = self._wish.within(USB_2_BUDGET) if slow else self._wish
            chosen = choose(offers, wish)
        else:
            chosen = {profile.stream: profile for profile in reversed(offers)}
        if Stream.DEPTH not in chosen:
            raise ModeUnsupported("There is no depth in it.", hint="Choose another camera or recording.")
        if not {Stream.COLOR, Stream.IR_LEFT} & chosen.keys():
            raise ModeUnsupported(
                "There is neither colour nor infrared in it.", hint="Record depth with colour or infrared."
            )
        return {stream: (profile, offers[profile]) for stream, profile in chosen.items()}

    def _describe(self, device: Any) -> CameraInfo:
        rs = self._rs
        model = _text(device, rs.camera_info.name).removeprefix("Intel ").removeprefix("RealSense ")
        serial = _text(device, rs.camera_info.serial_number)
        sensor = "passive stereo" if model.split(" ", 1)[0] in _NO_PROJECTOR else "active stereo"
        if Stream.COLOR not in self._chosen:
            sensor += ", infrared for colour"
        return CameraInfo(
            id=_identifier(f"{model}_{serial}"),
            name=f"RealSense {model}" if self._live else f"RealSense {model} (recorded)",
            model=model,
            serial=serial,
            sensor=sensor,
            rate_hz=float(self._chosen[Stream.DEPTH][0].rate_hz),
            live=self._live,
            link_bytes_per_s=bytes_per_s(self._chosen) if self._live else 0.0,
            port=_text(device, rs.camera_info.physical_port),
        )

    def _live_frame(self, deadline_ns: int) -> Frame | None:
        while True:
            frames = self._wait(deadline_ns)
            now_ns = time.monotonic_ns()
            if frames is not None:
                self._heard_ns = now_ns
                if (frame := self._frame(frames)) is not None:
                    return self._stamped(frame, *self._exposed_ns(frames.get_depth_frame(), now_ns))
            elif now_ns - self._heard_ns > _SILENT_S * 1e9:
                self._check_presence()
                self._heard_ns = now_ns
            if now_ns >= deadline_ns:
                return None

    def _recorded_frame(self, deadline_ns: int) -> Frame | None:
        """The next frame of the file, or None if the deadline came first."""
        while True:
            status = self._device.as_playback().current_status()
            resumed = self._resuming is None or not self._resuming.is_alive()
            stopped = resumed and status == self._rs.playback_status.stopped
            frames = self._wait(deadline_ns, _POLL_FILE_MS)
            if frames is not None and (frame := self._frame(frames)) is not None:
                self._frames_this_round += 1
                return frame
            if frames is None and stopped:
                self._end_of_file()
            if time.monotonic_ns() >= deadline_ns:
                return None

    def _end_of_file(self) -> None:
        if not self._frames_this_round:
            raise ModeUnsupported(
                f"{self._info.name} holds no complete frame that this version of pyrealsense2 reads",
                hint=f"A newer version may have written it. Run: {_UPGRADE}",
            )
        if not self._loop:
            raise EndOfStream(f"{self._info.name} has no more frames")
        self.close()
        self._start()

    def _wait(self, deadline_ns: int, at_most_ms: int = _POLL_MS) -> Any:
        remaining_ms = (deadline_ns - time.monotonic_ns()) // 1_000_000
        timeout_ms = max(1, min(at_most_ms, remaining_ms))  # short, because nothing else can interrupt it
        try:
            if not self._live:
                came, frames = self._pipeline.try_wait_for_frames(timeout_ms)
                return frames if came else None
            came, frame = self._queue.try_wait_for_frame(timeout_ms)
        except RuntimeError as error:
            raise CameraLost(f"{self._info.name} stopped: {error}") from error
        if not came:
            return None
        return frame.as_frameset() if frame.is_frameset() else (frame,)

    def _frame(self, frames: Any) -> Frame | None:
        """All images of `frames`, copied; None for one that came before. Times and index are not final."""
        images: dict[Stream, NDArray[Any]] = {}
        times: dict[Stream, tuple[Any, float]] = {}
        unit_m = 0.001
        number = at_ns = 0
        settings: FrameSettings | None = None
        for image in frames:
            stream = _stream(self._rs, image.get_profile())
            if stream is None or stream not in self._chosen:
                continue
            if stream is Stream.DEPTH:
                number, at_ns = image.get_frame_number(), round(image.get_timestamp() * 1e6)
                # Metres per count differ between models: 0.001 on a D435, 0.0001 on a D405.
                unit_m = round(image.as_depth_frame().get_units(), 9)
                settings = _settings(self._rs, image)
            times[stream] = image.get_frame_timestamp_domain(), image.get_timestamp()
            # A copy: the SDK has few buffers and stops when they are kept.
            images[stream] = _pixels(self._rs, image)
        if images.keys() != self._chosen.keys() or number == self._last_number:
            return None
        if self._mixed(times):
            return None
        self._last_number = number
        color = images.get(Stream.COLOR)
        if color is None:
            color = np.repeat(images[Stream.IR_LEFT][..., None], 3, axis=2)
        return Frame(
            camera_id=self._info.id,
            index=number,
            captured_ns=0,
            device_ns=at_ns,
            color=color,
            depth=DepthMap(images[Stream.DEPTH], unit_m),
            calibration=self._calibration,
            ir_left=images.get(Stream.IR_LEFT),
            ir_right=images.get(Stream.IR_RIGHT),
            imu=self._motion.taken(at_ns / 1e6, times[Stream.DEPTH][0]) if self._motion else (),
            settings=settings,
        )

    def _mixed(self, times: Mapping[Stream, tuple[Any, float]]) -> bool:
        """Whether the SDK has filled a set up with an image of another exposure, as when one is lost."""
        domain, depth_ms = times[Stream.DEPTH]
        if domain == self._rs.timestamp_domain.system_time:  # of arrival, which tells nothing of exposures
            return False
        apart_ms = max(abs(at_ms - depth_ms) for other, at_ms in times.values() if other == domain)
        return apart_ms > _APART_PERIODS * 1000 / self._info.rate_hz

    def _stamped(self, frame: Frame, captured_ns: int, stamp_ns: int, clock: Clock) -> Frame:
        """A frame whose exposure's middle and whose own stamp have these times on the host's clock."""
        index = self._counter.index(frame.index, captured_ns)
        imu = tuple(replace(sample, captured_ns=stamp_ns + sample.captured_ns) for sample in frame.imu)
        return replace(frame, index=index, captured_ns=captured_ns, clock=clock, imu=imu)

    def _exposed_ns(self, depth: Any, now_ns: int) -> tuple[int, int, Clock]:
        """The middle of the exposure and the SDK's stamp on the host's clock, as well as they are known."""
        rs = self._rs
        at_ns = round(depth.get_timestamp() * 1e6)
        domain = depth.get_frame_timestamp_domain()
        if domain in {rs.timestamp_domain.hardware_clock, rs.timestamp_domain.global_time}:
            if domain == rs.timestamp_domain.hardware_clock:
                stamp_ns = self._fit.host_ns(at_ns, now_ns)
            else:
                stamp_ns = exposed_ns(at_ns, now_ns)
            off_ns = _to_mid_exposure_ns(rs, depth)
            if off_ns is None:
                return stamp_ns, stamp_ns, Clock.STAMP
            return stamp_ns + off_ns, stamp_ns, Clock.DEVICE
        stamp_ns = min(monotonic_from_epoch(at_ns), now_ns)
        return stamp_ns, stamp_ns, Clock.ARRIVAL

    def _due(self, recorded_ns: int, deadline_ns: int) -> bool:
        """Wait until a recorded frame is due; false if that is after the deadline."""
        if not self._realtime:
            return True
        now_ns = time.monotonic_ns()
        if self._pace is None:
            self._pace = (recorded_ns, max(now_ns, self._delivered_ns + round(1e9 / self._info.rate_hz)))
        due_ns = self._pace[1] + recorded_ns - self._pace[0]
        if not -_LATE_NS < due_ns - now_ns < _LONGEST_PAUSE_NS:
            # After a late reader the pace starts anew, so that no burst catches up; long pauses are cut.
            self._pace = (recorded_ns, now_ns)
            due_ns = now_ns
        until_ns = min(due_ns, deadline_ns)
        if until_ns > now_ns:
            time.sleep((until_ns - now_ns) / 1e9)
        return due_ns <= deadline_ns

    def _check_presence(self) -> None:
        """Ask whether a silent camera is still there.

        Raises:
            CameraLost: it is not.
        """
        try:
            present = self._device.is_connected() and self._find() is not None
        except (RuntimeError, CameraNotFound):
            present = False
        if not present:
            raise CameraUnplugged(f"{self._info.name} was unplugged")


def find_devices() -> list[Device]:
    """Every RealSense camera that is plugged in.

    Raises:
        SdkMissing: pyrealsense2 is not installed, or too old.
    """
    rs: Any = SDK.require()
    with _as_camera_error(VENDOR):
        return [_device(rs, device) for device in _context().query_devices()]


def live_cameras(serial: str = "", *, wish: Wish | None = None) -> list[RealSenseCamera]:
    """The live camera of this serial number, or all.

    Raises:
        SdkMissing: pyrealsense2 is not installed, or too old.
        CameraNotFound: there is no such camera.
    """
    if serial:
        return [RealSenseCamera(functools.partial(by_serial, _context(), serial), wish=wish)]
    found = [device for device in find_devices() if device.usable]
    return [camera for device in found for camera in live_cameras(device.serial, wish=wish)]


def recording(path: Path, *, loop: bool = True, realtime: bool = True) -> RealSenseCamera:
    """The camera that a `.db3` or `.bag` file holds.

    Raises:
        SdkMissing: pyrealsense2 is not installed, or too old.
        CameraNotFound: there is no such file.
        ModeUnsupported: it is no recording of a RealSense camera with depth.
    """
    return RealSenseCamera(_Recording(path), live=False, loop=loop, realtime=realtime)


def by_serial(context: Any, serial: str) -> Any:
    """The device of `context` that has this serial number.

    Raises:
        CameraNotFound: it has none.
    """
    rs: Any = SDK.require()
    with _as_camera_error(f"RealSense {serial}"):
        for device in context.query_devices():
            if _text(device, rs.camera_info.serial_number) == serial:
                return device
    raise CameraNotFound(f"There is no RealSense camera {serial}")


class _Recording:
    """Loads a file as a device; a context of its own keeps recordings out of the list of live cameras."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._context: Any = None

    def __call__(self) -> Any:
        rs: Any = SDK.require()
        if not self._path.is_file():
            raise CameraNotFound(f"There is no file {self._path}", hint="Check the path.")
        self._context = rs.context()
        try:
            return self._context.load_device(str(self._path))
        except RuntimeError as error:
            raise ModeUnsupported(
                f"{self._path.name} cannot be read as a RealSense recording: {error}",
                hint=f"A newer version of the SDK may have written it. Run: {_UPGRADE}",
            ) from error


_UPGRADE = SDK.install.replace(" install ", " install --upgrade ")
_EMITTER_OFF = 0
_BYTES_ON_THE_CABLE = {Stream.COLOR: 2.0, Stream.DEPTH: 2.0, Stream.IR_LEFT: 1.0, Stream.IR_RIGHT: 1.0}


@functools.cache
def _context() -> Any:
    """The one context of live cameras."""
    return SDK.require().context()


def _formats(rs: Any, stream: Stream) -> tuple[Any, ...]:
    """Those that a stream may come in, the best first."""
    if stream is Stream.DEPTH:
        return (rs.format.z16,)
    if stream is Stream.COLOR:
        return (rs.format.rgb8, rs.format.bgr8, rs.format.rgba8, rs.format.bgra8)
    return (rs.format.y8,)


def _pixels(rs: Any, image: Any) -> NDArray[Any]:
    view = np.asarray(image.get_data())
    fmt = image.get_profile().format()
    if fmt in {rs.format.bgr8, rs.format.bgra8}:
        return np.ascontiguousarray(view[..., 2::-1])
    if fmt == rs.format.rgba8:
        return np.ascontiguousarray(view[..., :3])
    return view.copy()


def _stream(rs: Any, profile: Any) -> Stream | None:
    return {
        (rs.stream.color, 0): Stream.COLOR,
        (rs.stream.depth, 0): Stream.DEPTH,
        (rs.stream.infrared, 1): Stream.IR_LEFT,
        (rs.stream.infrared, 2): Stream.IR_RIGHT,
    }.get((profile.stream_type(), profile.stream_index()))


def _text(device: Any, what: Any) -> str:
    return str(device.get_info(what)) if device.supports(what) else ""


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _device(rs: Any, device: Any) -> Device:
    info = rs.camera_info
    try:
        serial = _text(device, info.serial_number)
        usb = _text(device, info.usb_type_descriptor)
        slow = usb.startswith("2")
        return Device(
            source=f"{SDK.name}:{serial}",
            vendor=VENDOR,
            model=_text(device, info.name).removeprefix("Intel ").removeprefix("RealSense "),
            serial=serial,
            firmware=_text(device, info.firmware_version),
            link=f"USB {usb}" if usb else "",
            port=_text(device, info.physical_port),
            problem=f"It is connected at USB {usb} only, so it sends fewer frames." if slow else "",
            hint="Use a USB 3 port and cable; push the plug in swiftly." if slow else "",
        )
    except RuntimeError as error:
        failure = _camera_error(error, VENDOR)
        return Device("", VENDOR, "camera", problem=f"{failure}.", hint=failure.hint)


@contextlib.contextmanager
def _as_camera_error(name: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise _camera_error(error, name) from error


def _camera_error(error: RuntimeError, name: str) -> CameraError:
    """What the SDK means; it has one kind of error, so only its words can tell."""
    words = str(error).lower()
    message = f"{name}: {error}"
    if any(part in words for part in ("disconnect", "no such device")):
        return CameraLost(message)
    if any(part in words for part in ("no device connected", "does not exist")):
        return CameraNotFound(message)
    if any(part in words for part in ("busy", "power state", "failed to open")):
        return CameraBusy(message)
    if any(part in words for part in ("permission", "access denied", "rs2_usb_status_access")):
        return CameraError(
            message, hint="Install the udev rules of librealsense, then plug the camera in anew."
        )
    if any(
        part in words for part in ("resolve requests", "not supported", "doesn't support", "out of range")
    ):
        return ModeUnsupported(message)
    return CameraError(message, hint="Plug the camera out and in again.")


def _to_mid_exposure_ns(rs: Any, image: Any) -> int | None:
    """From the moment that the SDK stamps, the begin of the readout, back to the middle of the exposure.

    None where the metadata do not tell it, as without the kernel's patches or Windows' registry entries.
    """
    value = rs.frame_metadata_value
    needed = (value.sensor_timestamp, value.frame_timestamp)
    if not all(image.supports_frame_metadata(each) for each in needed):
        return None
    middle_us, readout_us = (image.get_frame_metadata(each) for each in needed)
    back_us = middle_us - readout_us
    return int(back_us) * 1000 if -100_000 < back_us <= 0 else None


def _settings(rs: Any, depth: Any) -> FrameSettings | None:
    """What the metadata of a depth image say; they have microseconds, milliwatts and degrees."""
    value = rs.frame_metadata_value
    exposure_us, gain, laser_mw, temperature_c, emitter = (
        float(depth.get_frame_metadata(each)) if depth.supports_frame_metadata(each) else None
        for each in (
            value.actual_exposure,
            value.gain_level,
            value.frame_laser_power,
            value.temperature,
            value.frame_emitter_mode,
        )
    )
    if emitter == _EMITTER_OFF:
        laser_mw = 0.0
    said = FrameSettings(exposure_us, gain, laser_mw, temperature_c)
    return None if said == FrameSettings() else said


def _calibration(streams: Mapping[Stream, Any]) -> Calibration:
    color = streams.get(Stream.COLOR, streams.get(Stream.IR_LEFT))
    assert color is not None  # _choose_profiles saw to that
    return calibration_of({**streams, Stream.COLOR: color}, intrinsics=_intrinsics, transform=_transform)


def _transform(source: Any, target: Any) -> NDArray[np.float64]:
    """(4, 4) target_from_source, metres."""
    extrinsics = source.get_extrinsics_to(target)
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(extrinsics.rotation, (3, 3)).T  # the SDK stores columns
    matrix[:3, 3] = extrinsics.translation
    return matrix


def _intrinsics(profile: Any) -> Intrinsics:
    lens = profile.as_video_stream_profile().get_intrinsics()
    plain = Intrinsics(lens.width, lens.height, lens.fx, lens.fy, lens.ppx, lens.ppy)
    if not any(lens.coeffs) or lens.model.name == "none":
        return plain
    if lens.model.name == "brown_conrady":  # OpenCV's model, in its order
        return replace(plain, distortion=tuple(lens.coeffs))
    return replace(plain, distortion=_opencv_distortion(lens, plain))


def _opencv_distortion(lens: Any, plain: Intrinsics) -> tuple[float, ...]:
    """k1 k2 p1 p2 k3 that bend rays as the SDK does with its own model of this lens.

    Raises:
        ModeUnsupported: no such numbers come within half a pixel of it, as with a fisheye.
    """
    rs: Any = SDK.require()
    columns, rows = np.meshgrid(np.linspace(0, plain.width - 1, 17), np.linspace(0, plain.height - 1, 13))
    x, y = (columns.ravel() - plain.cx) / plain.fx, (rows.ravel() - plain.cy) / plain.fy
    pixels = np.array([rs.rs2_project_point_to_pixel(lens, [a, b, 1.0]) for a, b in zip(x, y, strict=True)])
    bent = (pixels - (plain.cx, plain.cy)) / (plain.fx, plain.fy)
    r2 = x * x + y * y
    to_x = np.stack([x * r2, x * r2**2, 2 * x * y, r2 + 2 * x * x, x * r2**3], axis=1)
    to_y = np.stack([y * r2, y * r2**2, r2 + 2 * y * y, 2 * x * y, y * r2**3], axis=1)
    terms, target = np.concatenate([to_x, to_y]), np.concatenate([bent[:, 0] - x, bent[:, 1] - y])
    numbers = np.linalg.lstsq(terms, target, rcond=None)[0]
    off_px = float(np.abs(terms @ numbers - target).max()) * plain.fx
    if not off_px < _LENS_TOLERANCE_PX:
        raise ModeUnsupported(
            f"The lens model {lens.model.name} of this camera is not understood",
            hint="Choose another camera.",
        )
    return tuple(map(float, numbers))
