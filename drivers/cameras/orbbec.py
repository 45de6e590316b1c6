"""Orbbec Gemini 330 and Femto cameras, and what they recorded: one class for both."""

import contextlib
import functools
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.camera import CameraInfo, EndOfStream, SyncRole
from drivers.clock import Clock, ClockFit, FrameCounter, exposed_ns
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
from drivers.vendor import orbbec_controls
from drivers.vendor.modes import SwitchesModes
from drivers.vendor.orbbec_filters import OrbbecFilters
from drivers.vendor.orbbec_motion import MotionReader

VENDOR = "Orbbec"
NETWORK_PORT = 8090
TIME_OF_FLIGHT_SHIFT = 2
"""Infrared of time of flight has 16 bits and fills about ten, as the viewers of its makers show it."""
_POLL_MS = 100
_POLL_FILE_MS = 20
_SILENT_S = 1.0
_SETTLE_S = 0.05
_CLOCKS_EVERY_MS = 60_000
_TIME_OF_FLIGHT = ("femto", "astra mini pro tof")
_RULES = "Install Orbbec's udev rules (they come with its SDK), then plug the camera in anew."


def _load() -> ModuleType:
    """Import it without a word on standard output, and without the log files that it would write here."""
    import importlib

    with _silent_stdout():
        ob: Any = importlib.import_module("pyorbbecsdk")
    ob.Context.set_logger_to_console(ob.OBLogLevel.NONE)
    ob.Context.set_logger_level(ob.OBLogLevel.NONE)
    ob.Context.set_logger_to_file(ob.OBLogLevel.NONE, "")
    module: ModuleType = ob
    return module


@contextlib.contextmanager
def _silent_stdout() -> Iterator[None]:
    # The library prints from C++, so Python's own redirection does not catch it.
    try:
        kept = os.dup(1)
    except OSError:  # a program without standard output
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(null)


SDK = Sdk(
    name="orbbec",
    title=VENDOR,
    module="pyorbbecsdk",
    distributions=("pyorbbecsdk2",),
    minimum=(2, 1),
    # Its metadata asks for numpy 1 and open3d 0.18 on Python 3.11; the library itself needs numpy only.
    install=f'{PIP} install --no-deps "pyorbbecsdk2>=2.1.2"',
    wrong=(("pyorbbecsdk", "is another package, and holds files for macOS only"),),
    load=functools.cache(_load),
)

Find = Callable[[], Any]
"""Gives the `Device` or `PlaybackDevice` to open, or raises `CameraError`."""

_Chosen = Mapping[Stream, tuple[Profile, Any]]


class OrbbecCamera(SwitchesModes):
    """A live camera or a recording.

    Colour, depth in its own grid without the noise removal that the library does by default, both infrared
    images where the camera has two, or its one; confidence and inertial readings where it has them. A live
    camera is told to keep its rate in the dark. The library plays recordings at their own pace only, and a
    reader that falls a third of a second behind loses frames, which the index shows.
    """

    sync_family = SDK.name
    primary_starts_first = False

    def __init__(self, find: Find, *, wish: Wish | None = None, live: bool = True, loop: bool = True) -> None:
        """Look at the device; it starts when it is opened.

        Args:
            find: gives the device; called again for each opening.
            wish: size and rate; a recording has only what it has.
            live: false for recordings.
            loop: a recording begins again at its end; frame indices count on.

        Raises:
            SdkMissing: pyorbbecsdk2 is not installed, or the wrong package is.
            CameraError: there is no such device.
            ModeUnsupported: it has no depth or no colour.
        """
        self._ob: Any = SDK.require()
        self._find = find
        self._live = live
        self._loop = loop
        self._usual = self._wish = wish or Wish()
        self._offers: dict[Profile, Any] = {}
        self._device: Any = find()
        with _as_camera_error(self._ob, VENDOR):
            self._pipeline: Any = self._ob.Pipeline(self._device)
            self._chosen = self._choose_profiles()
            self._info = self._describe()
            streams = {stream: native for stream, (_, native) in self._chosen.items()}
            self._calibration = calibration_of(streams, intrinsics=_intrinsics, transform=_transform)
        self._counter = FrameCounter(self._info.rate_hz if live else None)
        self._fit = ClockFit()
        self._sync_role = SyncRole.FREE
        self._motion: MotionReader | None = None
        self._open = False
        self._last_number: int | None = None
        self._heard_ns = 0
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

    def close(self) -> None:
        motion, self._motion = self._motion, None
        if motion is not None:
            motion.stop()
        if self._open:
            self._open = False
            pipeline, self._pipeline = self._pipeline, None
            self._device = None
            with contextlib.suppress(
                self._ob.OBError, RuntimeError
            ):  # of what is gone nothing can be stopped
                pipeline.stop()

    def read(self, *, timeout_s: float) -> Frame | None:
        if not self._open:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            stopped = not self._live and self._device.get_playback_status() == self._stopped_status
            frames = self._wait(deadline_ns)
            now_ns = time.monotonic_ns()
            if frames is not None:
                self._heard_ns = now_ns
                if (frame := self._frame(frames, now_ns)) is not None:
                    self._frames_this_round += 1
                    return frame
            elif stopped:
                self._end_of_file()
            elif self._live and now_ns - self._heard_ns > _SILENT_S * 1e9:
                self._check_presence()
                self._heard_ns = now_ns
            if now_ns >= deadline_ns:
                return None

    def controls(self) -> tuple[Control, ...]:
        with self._of_open_device() as device:
            found = orbbec_controls.controls(self._ob, device, live=self._live)
        return (*self._modes(), *found)

    def set_control(self, name: str, value: Value) -> None:
        if name in {SIZE, RATE} or not self._live:
            control = find(self.controls(), name)
            if control.checked(value) != control.value:
                self._restart(wish_with(self._wish, name, value))
            return
        with self._of_open_device() as device:
            orbbec_controls.set_control(self._ob, device, name, value)

    def vendor_settings(self) -> str | None:
        with self._of_open_device() as device:
            return orbbec_controls.settings(self._ob, device) if self._live else None

    def load_vendor_settings(self, text: str) -> None:
        if self.vendor_settings() is None:
            super().load_vendor_settings(text)
        with self._of_open_device() as device:
            orbbec_controls.load_settings(device, text)

    def own_filters(self, unit_m: float, steps: Sequence[str]) -> OrbbecFilters:
        """Orbbec's filters for this camera's depth; may be called from another thread than `read`.

        Args:
            unit_m: metres per count of its depth.
            steps: some of `drivers.vendor.orbbec_filters.STEPS`.

        Raises:
            CameraError: the library does not lend them.
        """
        profile = self._chosen[Stream.DEPTH][1]
        return OrbbecFilters(self._ob, profile, self._calibration.depth, unit_m, steps)

    @contextlib.contextmanager
    def _of_open_device(self) -> Iterator[Any]:
        if not self._open:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        with _as_camera_error(self._ob, self._info.name):
            yield self._device

    def reset(self) -> None:
        self.close()
        with _as_camera_error(self._ob, self._info.name):
            (self._device or self._find()).reboot()
        self._device = self._pipeline = None

    @property
    def sync_role(self) -> SyncRole:
        return self._sync_role

    def sync_roles(self) -> tuple[SyncRole, ...]:
        with _as_camera_error(self._ob, self._info.name):
            modes = self._sync_modes(self._device or self._find())
        return tuple(role for role in SyncRole if role in modes)

    def set_sync_role(self, role: SyncRole) -> None:
        if role not in self.sync_roles():
            raise ModeUnsupported(
                f"{self._info.name} cannot be {role.value} on a sync cable",
                hint="Leave its sync role out, or choose another camera.",
            )
        self._sync_role = role

    def _sync_modes(self, device: Any) -> dict[SyncRole, Any]:
        """The library's mode for each role that the device can take."""
        mode = self._ob.OBMultiDeviceSyncMode
        free = {SyncRole.FREE: mode.FREE_RUN}
        if not self._live:
            return free
        try:
            can = device.get_supported_multi_device_sync_mode_bitmap()
        except (self._ob.OBError, RuntimeError):  # a device without the component says so in this way
            return free
        # One that goes on by itself while no trigger comes is better than one that falls silent.
        wanted = (
            (SyncRole.PRIMARY, mode.PRIMARY),
            (SyncRole.SECONDARY, mode.SECONDARY),
            (SyncRole.SECONDARY, mode.SECONDARY_SYNCED),
        )
        return free | {role: native for role, native in wanted if can & int(native)}

    def _take_sync_role(self) -> None:
        """Also the free one: a mode stays in the device when another program has ended."""
        modes = self._sync_modes(self._device)
        if len(modes) == 1:
            return
        if self._sync_role not in modes:
            raise ModeUnsupported(f"{self._info.name} cannot be {self._sync_role.value} on a sync cable")
        config = self._device.get_multi_device_sync_config()
        config.mode = modes[self._sync_role]
        config.trigger_out_enable = self._sync_role is not SyncRole.FREE
        self._device.set_multi_device_sync_config(config)

    @property
    def _stopped_status(self) -> Any:
        return self._ob.OBPlaybackStatus.STOPPED

    def _start(self) -> None:
        ob = self._ob
        with _as_camera_error(ob, self._info.name):
            if self._device is None:
                self._device = self._find()
                self._pipeline = ob.Pipeline(self._device)
            self._chosen = self._choose_profiles()
            config = ob.Config()
            for _, native in self._chosen.values():
                config.enable_stream(native)
            config.set_frame_aggregate_output_mode(ob.OBFrameAggregateOutputMode.FULL_FRAME_REQUIRE)
            self._keep_raw()
            if self._live:
                self._prepare_live()
                self._pipeline.start(config)
                self._motion = MotionReader(ob, self._device, self._chosen[Stream.COLOR][1])
                self._motion.start()
                if self._sync_role is SyncRole.PRIMARY:  # the last one to start: all clocks are there now
                    _context().enable_multi_device_sync(_CLOCKS_EVERY_MS)
            else:
                # Without the pause the first frames are lost in two of five runs.
                self._device.pause()
                self._pipeline.start(config)
                self._device.resume()
        self._open = True
        self._counter.restart()
        self._fit = ClockFit()
        self._last_number = None
        self._heard_ns = time.monotonic_ns()
        self._frames_this_round = 0

    def _keep_raw(self) -> None:
        noise = self._ob.OBPropertyID.OB_PROP_DEPTH_NOISE_REMOVAL_FILTER_BOOL
        if self._device.is_property_supported(noise, self._ob.OBPermissionType.PERMISSION_WRITE):
            self._device.set_bool_property(noise, False)

    def _prepare_live(self) -> None:
        self._take_sync_role()
        self._pipeline.enable_frame_sync()
        if self._device.is_global_timestamp_supported():
            self._device.enable_global_timestamp(True)
        priority = self._ob.OBPropertyID.OB_PROP_COLOR_AUTO_EXPOSURE_PRIORITY_INT
        if self._device.is_property_supported(priority, self._ob.OBPermissionType.PERMISSION_WRITE):
            self._device.set_int_property(priority, 0)

    def _choose_profiles(self) -> _Chosen:
        sensors = self._device.get_sensor_list()
        there = {sensors[number].get_type() for number in range(len(sensors))}
        slow = "2." in self._device.get_device_info().get_connection_type()
        offers: dict[Profile, Any] = {}
        for stream, sensor in _sensors(self._ob, there).items():
            if sensor not in there:
                continue
            natives = self._pipeline.get_stream_profile_list(sensor)
            of_stream = [
                natives.get_stream_profile_by_index(number).as_video_stream_profile()
                for number in range(len(natives))
            ]
            for fmt, bytes_per_pixel in _formats(self._ob, stream, slow=slow):
                for native in of_stream:
                    if native.get_format() == fmt:
                        size = native.get_width(), native.get_height()
                        profile = Profile(stream, *size, native.get_fps(), bytes_per_pixel)
                        offers.setdefault(profile, native)
        self._offers = offers
        if self._live:
            chosen = choose(offers, self._wish.within(USB_2_BUDGET) if slow else self._wish)
        else:
            chosen = {profile.stream: profile for profile in reversed(offers)}
        if not {Stream.DEPTH, Stream.COLOR} <= chosen.keys():
            raise ModeUnsupported(
                "It gives no depth with colour.", hint="Choose another camera or recording."
            )
        return {stream: (profile, offers[profile]) for stream, profile in chosen.items()}

    def _describe(self) -> CameraInfo:
        info = self._device.get_device_info()
        model = _model(info.get_name())
        serial = info.get_serial_number()
        time_of_flight = model.lower().startswith(_TIME_OF_FLIGHT)
        return CameraInfo(
            id=_identifier(f"{model}_{serial}"),
            name=f"Orbbec {model}" if self._live else f"Orbbec {model} (recorded)",
            model=model,
            serial=serial,
            sensor="time of flight" if time_of_flight else "active stereo",
            rate_hz=float(self._chosen[Stream.DEPTH][0].rate_hz),
            live=self._live,
            link_bytes_per_s=bytes_per_s(self._chosen) if self._live else 0.0,
            port=info.get_uid(),
        )

    def _wait(self, deadline_ns: int) -> Any:
        remaining_ms = (deadline_ns - time.monotonic_ns()) // 1_000_000
        at_most_ms = _POLL_MS if self._live else _POLL_FILE_MS
        try:
            # In short steps, because nothing else can interrupt it.
            return self._pipeline.wait_for_frames(max(1, min(at_most_ms, remaining_ms)))
        except (self._ob.OBError, RuntimeError) as error:
            raise CameraLost(f"{self._info.name} stopped: {error}") from error

    def _frame(self, frames: Any, now_ns: int) -> Frame | None:
        """All images of `frames`; None for one that came before or that is not whole."""
        natives = {
            stream: native
            for stream, kinds in _kinds(self._ob).items()
            if stream in self._chosen and (native := _first(frames, kinds)) is not None
        }
        if natives.keys() != self._chosen.keys():
            return None
        depth = natives[Stream.DEPTH]
        number = depth.get_index()
        if number == self._last_number:
            return None
        self._last_number = number
        try:
            images = {stream: _pixels(self._ob, native) for stream, native in natives.items()}
            for stream in images.keys() - {Stream.COLOR, Stream.DEPTH}:
                images[stream] = _eight_bits(images[stream])
        except ValueError:  # a damaged JPEG; the gap in the index tells
            return None
        captured_ns, clock = self._exposed_ns(depth, now_ns)
        read = self._motion.taken(depth.get_timestamp_us()) if self._motion is not None else ()
        return Frame(
            camera_id=self._info.id,
            index=self._counter.index(number, captured_ns),
            captured_ns=captured_ns,
            device_ns=depth.get_timestamp_us() * 1000,
            color=images[Stream.COLOR],
            # The library gives millimetres per count.
            depth=DepthMap(images[Stream.DEPTH], round(depth.as_depth_frame().get_depth_scale() / 1000, 9)),
            calibration=self._calibration,
            ir_left=images.get(Stream.IR_LEFT),
            ir_right=images.get(Stream.IR_RIGHT),
            clock=clock,
            confidence=images.get(Stream.CONFIDENCE),
            imu=tuple(replace(sample, captured_ns=captured_ns + sample.captured_ns) for sample in read),
            settings=_settings(self._ob, depth),
        )

    def _exposed_ns(self, depth: Any, now_ns: int) -> tuple[int, Clock]:
        """The exposure on the host's clock; Orbbec's cameras stamp its middle."""
        if not self._live:
            return now_ns, Clock.HOST
        if global_us := depth.get_global_timestamp_us():
            return exposed_ns(global_us * 1000, now_ns), Clock.DEVICE
        return self._fit.host_ns(depth.get_timestamp_us() * 1000, now_ns), Clock.DEVICE

    def _end_of_file(self) -> None:
        if not self._frames_this_round:
            raise ModeUnsupported(
                f"{self._info.name} holds no complete frame", hint="Choose another recording."
            )
        if not self._loop:
            raise EndOfStream(f"{self._info.name} has no more frames")
        self.close()
        self._start()

    def _check_presence(self) -> None:
        """Ask whether a silent camera is still there; the library tells nobody who waits for frames.

        Raises:
            CameraLost: it is not.
        """
        try:
            listed = _serials(_context().query_devices())
        except (self._ob.OBError, RuntimeError) as error:
            raise CameraLost(f"{self._info.name} does not answer: {error}") from error
        if self._info.serial not in listed and not _is_address(self._info.serial):
            raise CameraUnplugged(f"{self._info.name} was unplugged")


def find_devices() -> list[Device]:
    """Every Orbbec camera that is plugged in; the network is not searched.

    Raises:
        SdkMissing: pyorbbecsdk2 is not installed, or the wrong package is.
    """
    ob: Any = SDK.require()
    with _as_camera_error(ob, VENDOR):
        found = _context().query_devices()
        return [_device(ob, found, number) for number in range(len(found))]


def live_cameras(serial: str = "", *, wish: Wish | None = None) -> list[OrbbecCamera]:
    """The live camera of this serial number or network address, or all on USB.

    Raises:
        SdkMissing: pyorbbecsdk2 is not installed, or the wrong package is.
        CameraNotFound: there is no such camera.
    """
    if serial:
        return [OrbbecCamera(functools.partial(_by_serial, serial), wish=wish)]
    found = [device for device in find_devices() if device.usable]
    return [camera for device in found for camera in live_cameras(device.serial, wish=wish)]


def recording(path: Path, *, loop: bool = True) -> OrbbecCamera:
    """The camera that a `.bag` of Orbbec's holds.

    Raises:
        SdkMissing: pyorbbecsdk2 is not installed, or the wrong package is.
        CameraNotFound: there is no such file.
        ModeUnsupported: it is no recording of an Orbbec camera with depth and colour.
    """
    return OrbbecCamera(functools.partial(_loaded, path), live=False, loop=loop)


def is_recording(path: Path) -> bool:
    """Whether a ROS 1 bag is one of Orbbec's; RealSense writes the same kind of file with other topics."""
    with path.open("rb") as file:
        head = file.read(4096)
        index = re.search(rb"index_pos=(.{8})", head, re.DOTALL)
        file.seek(int.from_bytes(index[1], "little") if index else 0)
        return b"topic=/cam/" in file.read(1 << 20)


@functools.cache
def _context() -> Any:
    """The one context of live cameras; it does not search the network, which would take a second."""
    context = SDK.require().Context()
    context.enable_net_device_enumeration(False)
    return context


def _by_serial(serial: str) -> Any:
    ob: Any = SDK.require()
    with _as_camera_error(ob, f"Orbbec {serial}"):
        if _is_address(serial):
            return _context().create_net_device(serial, NETWORK_PORT)
        return _context().query_devices().get_device_by_serial_number(serial)


def _loaded(path: Path) -> Any:
    ob: Any = SDK.require()
    if not path.is_file():
        raise CameraNotFound(f"There is no file {path}", hint="Check the path.")
    if not is_recording(path):
        # OrbbecSDK 2.9.3 may wait a minute for a thread of its own before it refuses such a file.
        raise ModeUnsupported(
            f"{path.name} cannot be read as an Orbbec recording: it has none of its topics",
            hint="Choose a .bag that Orbbec's software recorded.",
        )
    try:
        device = ob.PlaybackDevice(str(path))
    except (ob.OBError, RuntimeError) as error:
        raise ModeUnsupported(
            f"{path.name} cannot be read as an Orbbec recording: {error}",
            hint="Record it again with a present version of Orbbec's software.",
        ) from error
    # OrbbecSDK 2.9.3: a recording that is let go in its first milliseconds waits a minute for its own thread.
    time.sleep(_SETTLE_S)
    return device


def _serials(found: Any) -> set[str]:
    return {found.get_device_serial_number_by_index(number) for number in range(len(found))}


def _is_address(serial: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+){3}", serial) is not None


def _device(ob: Any, found: Any, number: int) -> Device:
    serial = found.get_device_serial_number_by_index(number)
    listed = Device(
        source=f"{SDK.name}:{serial}",
        vendor=VENDOR,
        model=_model(found.get_device_name_by_index(number)),
        serial=serial,
        link=re.sub(r"^USB(?=\d)", "USB ", found.get_device_connection_type_by_index(number)),
        port=found.get_device_uid_by_index(number),
    )
    try:
        firmware = found.get_device_by_index(number).get_device_info().get_firmware_version()
    except (ob.OBError, RuntimeError) as error:
        failure = _camera_error(error, VENDOR)
        return replace(listed, source="", problem=f"{failure}.", hint=failure.hint)
    if listed.link.startswith("USB 2"):
        return replace(
            listed,
            firmware=firmware,
            problem=f"It is connected at {listed.link} only, so it sends fewer frames.",
            hint="Use a USB 3 port and cable; push the plug in swiftly.",
        )
    return replace(listed, firmware=firmware)


def _model(name: str) -> str:
    return name.replace("(Playback)", "").strip().removeprefix("Orbbec ")


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _sensors(ob: Any, there: set[Any]) -> Mapping[Stream, Any]:
    kind = ob.OBSensorType
    # Time of flight has one infrared sensor, which is neither left nor right.
    one = kind.IR_SENSOR in there and kind.LEFT_IR_SENSOR not in there
    return {
        Stream.COLOR: kind.COLOR_SENSOR,
        Stream.DEPTH: kind.DEPTH_SENSOR,
        Stream.IR_LEFT: kind.IR_SENSOR if one else kind.LEFT_IR_SENSOR,
        Stream.IR_RIGHT: kind.RIGHT_IR_SENSOR,
        Stream.CONFIDENCE: kind.CONFIDENCE_SENSOR,
    }


def _kinds(ob: Any) -> Mapping[Stream, tuple[Any, ...]]:
    kind = ob.OBFrameType
    return {
        Stream.COLOR: (kind.COLOR_FRAME,),
        Stream.DEPTH: (kind.DEPTH_FRAME,),
        Stream.IR_LEFT: (kind.LEFT_IR_FRAME, kind.IR_FRAME),
        Stream.IR_RIGHT: (kind.RIGHT_IR_FRAME,),
        Stream.CONFIDENCE: (kind.CONFIDENCE_FRAME,),
    }


def _settings(ob: Any, depth: Any) -> FrameSettings | None:
    """What the metadata of a depth image say; of its temperature they say nothing."""
    kind = ob.OBFrameMetadataType
    exposure_us, gain, laser_mw, laser_on = (
        float(depth.get_metadata_value(each)) if depth.has_metadata(each) else None
        for each in (kind.EXPOSURE, kind.GAIN, kind.LASER_POWER, kind.LASER_STATUS)
    )
    if laser_on == 0:
        laser_mw = 0.0
    said = FrameSettings(exposure_us, gain, laser_mw)
    return None if said == FrameSettings() else said


def _first(frames: Any, kinds: tuple[Any, ...]) -> Any:
    return next((frame for kind in kinds if (frame := frames.get_frame(kind)) is not None), None)


def _formats(ob: Any, stream: Stream, *, slow: bool) -> tuple[tuple[Any, float], ...]:
    """Those that a stream may come in, the best first, with their bytes per pixel on the cable."""
    fmt = ob.OBFormat
    if stream is Stream.COLOR:
        plain = ((fmt.RGB, 2.0), (fmt.BGR, 2.0))
        packed = ((fmt.MJPG, 0.4),)
        return packed + plain if slow else plain + packed
    if stream is Stream.DEPTH:
        return ((fmt.Y16, 2.0), (fmt.Z16, 2.0))
    return ((fmt.Y8, 1.0), (fmt.Y16, 2.0))


def _pixels(ob: Any, frame: Any) -> NDArray[Any]:
    """The image of a frame.

    Raises:
        ValueError: a damaged JPEG.
    """
    data = np.asarray(frame.get_data())  # a copy already
    video = frame.as_video_frame()
    height, width = video.get_height(), video.get_width()
    fmt = frame.get_format()
    if fmt == ob.OBFormat.MJPG:
        import simplejpeg

        return np.asarray(simplejpeg.decode_jpeg(data.tobytes(), colorspace="RGB"))
    if fmt in {ob.OBFormat.Y16, ob.OBFormat.Z16}:
        return data.view(np.uint16).reshape(height, width)
    if fmt == ob.OBFormat.Y8:
        return data.reshape(height, width)
    pixels = data.reshape(height, width, 3)
    return np.ascontiguousarray(pixels[..., ::-1]) if fmt == ob.OBFormat.BGR else pixels


def _eight_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Infrared and confidence as they are, or of 16 bits in the range that time of flight uses."""
    if image.dtype == np.uint8:
        return image
    return np.asarray(np.minimum(image >> TIME_OF_FLIGHT_SHIFT, 255), np.uint8)


@contextlib.contextmanager
def _as_camera_error(ob: Any, name: str) -> Iterator[None]:
    try:
        yield
    except (ob.OBError, RuntimeError) as error:
        raise _camera_error(error, name) from error


def _camera_error(error: Exception, name: str) -> CameraError:
    """What the SDK means; its errors differ by their words only."""
    words = str(error).lower()
    message = f"{name}: {error}"
    if "disconnect" in words or "deactivated" in words:
        return CameraLost(message)
    if "not found" in words or "no device" in words:
        return CameraNotFound(message)
    if "busy" in words or "in use" in words:
        return CameraBusy(message)
    if "access" in words or "permission" in words or "openusb" in words.replace(" ", ""):
        return CameraError(message, hint=_RULES)
    if any(part in words for part in ("no matched", "support", "invalid input")):
        return ModeUnsupported(message)
    return CameraError(message, hint="Plug the camera out and in again.")


def _transform(source: Any, target: Any) -> NDArray[np.float64]:
    """(4, 4) target_from_source, metres."""
    extrinsics = source.get_extrinsic_to(target)
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(extrinsics.rot, (3, 3))
    matrix[:3, 3] = np.asarray(extrinsics.transform, np.float64) / 1000
    return matrix


def _intrinsics(profile: Any) -> Intrinsics:
    lens, bend = profile.get_intrinsic(), profile.get_distortion()
    plain = Intrinsics(lens.width, lens.height, lens.fx, lens.fy, lens.cx, lens.cy)
    # OpenCV's order. The library's own projection is OpenCV's rational model, whatever name the lens has.
    numbers = (bend.k1, bend.k2, bend.p1, bend.p2, bend.k3, bend.k4, bend.k5, bend.k6)
    if not any(numbers):
        return plain
    if bend.model.name == "KANNALA_BRANDT4":
        raise ModeUnsupported("Its fisheye lens is not understood.", hint="Choose another camera.")
    return replace(plain, distortion=numbers if any(numbers[5:]) else numbers[:5])
