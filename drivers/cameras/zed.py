"""Stereolabs ZED cameras and their recordings, through the ZED SDK, which needs an NVIDIA GPU.

Written by the public names of ZED SDK 5.4; it has not been run with the SDK or a camera.
"""

import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.camera import CameraBase, CameraInfo, EndOfStream
from drivers.clock import Clock, exposed_ns
from drivers.controls import Control, Value
from drivers.depth import DepthMap
from drivers.devices import Device
from drivers.errors import (
    CameraBusy,
    CameraError,
    CameraNotFound,
    CameraUnplugged,
    ModeUnsupported,
    SdkMissing,
)
from drivers.frame import Frame, ImuSample
from drivers.geometry import Calibration, Intrinsics
from drivers.profiles import Wish
from drivers.sdk import Sdk
from drivers.vendor import zed_controls

VENDOR = "Stereolabs"
RATE_HZ = 30
OPEN_TIMEOUT_S = 5.0
_MILLIMETRE = 0.001
_CLOCK_JUMPED_NS = 1_000_000_000
_MOST_DOUBT = 100.0

SDK = Sdk(
    name="zed",
    title="Stereolabs ZED",
    module="pyzed.sl",
    distributions=("pyzed",),
    minimum=(4,),
    install=f"{shlex.quote(sys.executable)} /usr/local/zed/get_python_api.py",
    comes_with="the ZED SDK from stereolabs.com/developers, which brings this command",
    # The package of that name on PyPI is a client of a data service.
    wrong=(("pyzed", "is not Stereolabs' package, but another of that name"),),
)


class ZedCamera(CameraBase):
    """One ZED, or an SVO file.

    Confidence is the SDK's, turned round: 255 where it is surest. Readings of an inertial sensor are one for
    each frame, because the SDK hands out the newest only. Its own axes stand in for the left camera's, from
    which they differ by a turn of less than a degree.

    Colour and both grey images are those of the rectified pair; depth is the SDK's own, in the left camera's
    grid, in millimetres, neither filled nor smoothed over time. The SDK has no frame counter, so the index
    counts periods by its timestamps. `grab` waits for a frame as long as the SDK likes.
    """

    def __init__(
        self,
        *,
        serial: str = "",
        model: str = "ZED",
        file: Path | None = None,
        loop: bool = True,
        realtime: bool = True,
    ) -> None:
        """Nothing is opened yet.

        Args:
            serial: of the live camera.
            model: for people.
            file: a recording instead of a live camera.
            loop: a recording begins again at its end; frame indices count on.
            realtime: a recording takes as long as it took, and leaves out what is late; otherwise every frame
                comes as soon as it is asked for.

        Raises:
            SdkMissing: the ZED SDK's Python package is not installed, or another package of its name is.
        """
        self._sl: Any = SDK.require()
        self._serial = serial
        self._file = file
        self._loop = loop
        self._realtime = realtime
        identity = serial or (file.stem if file is not None else "")
        self._info = CameraInfo(
            id="".join(c if c.isalnum() else "_" for c in f"zed_{identity}".lower()),
            name=f"{VENDOR} {model}" if file is None else f"{file.name} (recorded)",
            model=model,
            serial=serial,
            sensor="passive stereo",
            rate_hz=float(RATE_HZ),
            live=file is None,
        )
        self._camera: Any = None
        self._calibration: Calibration | None = None
        self._index = -1
        self._last: tuple[int, int] | None = None

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        if self._calibration is None:
            raise CameraError(f"{self._info.name} was not opened yet", hint="Open the camera first.")
        return self._calibration

    def open(self) -> None:
        self.close()
        sl = self._sl
        parameters = sl.InitParameters(
            camera_resolution=sl.RESOLUTION.AUTO,
            camera_fps=RATE_HZ,
            svo_real_time_mode=self._realtime,
            depth_mode=sl.DEPTH_MODE.NEURAL,
            coordinate_units=sl.UNIT.METER,
            sdk_verbose=0,
            depth_stabilization=0,
            open_timeout_sec=OPEN_TIMEOUT_S,
        )
        if self._file is not None:
            parameters.set_from_svo_file(str(self._file))
        else:
            parameters.set_from_serial_number(int(self._serial))
        camera = sl.Camera()
        try:
            self._check(camera.open(parameters), opening=True)
            found = camera.get_camera_information().camera_configuration
            self._calibration = _calibration(found.calibration_parameters)
        except CameraError:
            camera.close()
            raise
        self._camera = camera
        self._mats = {name: sl.Mat() for name in ("color", "left", "right", "depth", "confidence")}
        self._imu = _has_imu(camera.get_camera_information())
        self._sensors = sl.SensorsData()
        self._runtime = sl.RuntimeParameters(enable_depth=True, enable_fill_mode=False)
        if not self._info.live:  # what passed while a camera was away was lost; a file loses nothing
            self._last = None

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def reset(self) -> None:
        self.close()
        if self._info.live:
            self._check(self._sl.Camera.reboot(int(self._serial)))

    def read(self, *, timeout_s: float) -> Frame | None:
        if self._camera is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        sl, camera = self._sl, self._camera
        error = camera.grab(self._runtime)
        if error == sl.ERROR_CODE.END_OF_SVOFILE_REACHED:
            if not self._loop or self._last is None:
                raise EndOfStream(f"{self._info.name} has no more frames")
            camera.set_svo_position(0)
            self._last = None
            return None
        if error in {sl.ERROR_CODE.CORRUPTED_FRAME, sl.ERROR_CODE.CAMERA_REBOOTING}:
            return None
        self._check(error)
        device_ns = int(camera.get_timestamp(sl.TIME_REFERENCE.IMAGE).get_nanoseconds())
        now_ns = time.monotonic_ns()
        self._count(device_ns, now_ns)
        captured_ns = exposed_ns(device_ns, now_ns) if self._info.live else now_ns
        return Frame(
            camera_id=self._info.id,
            index=self._index,
            captured_ns=captured_ns,
            device_ns=device_ns,
            color=np.ascontiguousarray(self._image("color", sl.VIEW.LEFT)[..., 2::-1]),  # from BGRA
            depth=DepthMap(self._depth(), _MILLIMETRE),
            calibration=self.calibration,
            ir_left=self._grey("left", sl.VIEW.LEFT_GRAY),
            ir_right=self._grey("right", sl.VIEW.RIGHT_GRAY),
            clock=Clock.DEVICE if self._info.live else Clock.HOST,
            confidence=self._confidence(),
            imu=self._felt(device_ns, captured_ns),
        )

    def controls(self) -> tuple[Control, ...]:
        camera = self._of_open_camera()
        found = zed_controls.controls(self._sl, camera)
        return found if self._info.live else tuple(replace(c, read_only=True) for c in found)

    def set_control(self, name: str, value: Value) -> None:
        super().set_control(name, value)
        if not zed_controls.set_control(self._sl, self._of_open_camera(), name, value):
            raise CameraError(f"{self._info.name} does not take {name}", hint="Try another value.")

    def _of_open_camera(self) -> Any:
        if self._camera is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        return self._camera

    def _count(self, device_ns: int, now_ns: int) -> None:
        passed_ns = 0
        if self._last is not None:
            passed_ns, waited_ns = device_ns - self._last[0], now_ns - self._last[1]
            if self._info.live and abs(passed_ns - waited_ns) > _CLOCK_JUMPED_NS:
                passed_ns = waited_ns
        self._index += max(1, round(passed_ns * RATE_HZ / 1e9))
        self._last = device_ns, now_ns

    def _image(self, name: str, view: Any) -> NDArray[Any]:
        self._check(self._camera.retrieve_image(self._mats[name], view))
        return np.asarray(self._mats[name].get_data())

    def _grey(self, name: str, view: Any) -> NDArray[np.uint8]:
        image = self._image(name, view)
        return image.reshape(image.shape[:2]).copy()  # the SDK writes the next frame into the same memory

    def _depth(self) -> NDArray[np.uint16]:
        self._check(self._camera.retrieve_measure(self._mats["depth"], self._sl.MEASURE.DEPTH_U16_MM))
        image = np.asarray(self._mats["depth"].get_data())
        return image.reshape(image.shape[:2]).copy()

    def _confidence(self) -> NDArray[np.uint8]:
        """From the SDK's map, in which 1 is sure, 100 is not, and what is no number was not matched."""
        measure = self._sl.MEASURE.CONFIDENCE
        self._check(self._camera.retrieve_measure(self._mats["confidence"], measure))
        doubt = np.asarray(self._mats["confidence"].get_data(), np.float32)
        doubt = np.nan_to_num(doubt.reshape(doubt.shape[:2]), nan=_MOST_DOUBT, posinf=_MOST_DOUBT)
        sure = np.clip((_MOST_DOUBT - doubt) / (_MOST_DOUBT - 1), 0, 1)
        return np.asarray(np.rint(sure * 255), np.uint8)

    def _felt(self, device_ns: int, captured_ns: int) -> tuple[ImuSample, ...]:
        sl = self._sl
        if not self._imu:
            return ()
        if self._camera.get_sensors_data(self._sensors, sl.TIME_REFERENCE.IMAGE) > sl.ERROR_CODE.SUCCESS:
            return ()
        imu = self._sensors.get_imu_data()
        if not imu.is_available:
            return ()
        turn = [float(np.deg2rad(value)) for value in imu.get_angular_velocity()]
        push = [float(value) for value in imu.get_linear_acceleration()]
        after_ns = int(imu.timestamp.get_nanoseconds()) - device_ns
        sample = ImuSample(captured_ns + after_ns, (turn[0], turn[1], turn[2]), (push[0], push[1], push[2]))
        return (sample,)

    def _check(self, error: Any, *, opening: bool = False) -> None:
        """Raise what the SDK means; codes up to SUCCESS are warnings."""
        code = self._sl.ERROR_CODE
        if error <= code.SUCCESS:
            return
        message = f"{self._info.name}: {error.name.replace('_', ' ').lower()}"
        if error == code.CAMERA_NOT_DETECTED:
            raise (CameraNotFound if opening else CameraUnplugged)(message)
        if error == code.CANNOT_START_CAMERA_STREAM:
            raise CameraBusy(message)
        if error in {code.LOW_USB_BANDWIDTH, code.CAMERA_EXCEEDS_BANDWIDTH}:
            raise CameraError(message, hint="Plug it into another USB 3 port, with nothing else on it.")
        if error in {code.NO_GPU_DETECTED, code.NO_GPU_COMPATIBLE, code.NVIDIA_DRIVER_OUT_OF_DATE}:
            raise SdkMissing(message, hint="The ZED SDK needs an NVIDIA GPU with a present driver.")
        if error in {code.INVALID_SVO_FILE, code.SVO_UNSUPPORTED_COMPRESSION, code.INVALID_RESOLUTION}:
            raise ModeUnsupported(message)
        raise CameraError(message, hint="Plug the camera out and in again.")


def find_devices() -> list[Device]:
    """Every ZED that is plugged in.

    Raises:
        SdkMissing: the ZED SDK's Python package is not installed, or another package of its name is.
    """
    sl: Any = SDK.require()
    return [_device(sl, found) for found in sl.Camera.get_device_list()]


def live_cameras(serial: str = "", *, wish: Wish | None = None) -> list[ZedCamera]:
    """The live camera of this serial number, or all that are free; the SDK chooses size and rate.

    Raises:
        SdkMissing: the ZED SDK's Python package is not installed, or another package of its name is.
        CameraNotFound: there is no such camera.
    """
    del wish
    found = [device for device in find_devices() if device.serial == serial or not serial]
    if serial and not found:
        raise CameraNotFound(f"There is no ZED camera {serial}")
    return [ZedCamera(serial=device.serial, model=device.model) for device in found if device.usable]


def _device(sl: Any, found: Any) -> Device:
    serial = str(found.serial_number)
    free = found.camera_state == sl.CAMERA_STATE.AVAILABLE
    return Device(
        source=f"{SDK.name}:{serial}" if free else "",
        vendor=VENDOR,
        model=str(found.camera_model),
        serial=serial,
        port=str(found.path),
        problem="" if free else "Another program uses it.",
        hint="" if free else "Close that program.",
    )


def _has_imu(information: Any) -> bool:
    sensors = information.sensors_configuration
    both = (sensors.accelerometer_parameters, sensors.gyroscope_parameters)
    return all(sensor.is_available for sensor in both)


def _calibration(found: Any) -> Calibration:
    """Of the rectified pair, so without distortion; colour, depth and the left grey image are one view."""
    left = _intrinsics(found.left_cam)
    baseline_m = float(found.get_camera_baseline())
    return Calibration(left, left, ir=left, color_from_ir_left=np.eye(4), baseline_m=baseline_m)


def _intrinsics(camera: Any) -> Intrinsics:
    size = camera.image_size
    return Intrinsics(size.width, size.height, camera.fx, camera.fy, camera.cx, camera.cy)
