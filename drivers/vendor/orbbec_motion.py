"""An Orbbec camera's inertial sensor: in a pipeline of its own, so that no set of pictures waits for it."""

import contextlib
from collections import deque
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drivers.frame import ImuSample

_MOST_POLLS: Final = 64
_WAITING: Final = 512


class MotionReader:
    """Reads one device between `start` and `stop`.

    Args:
        ob: the library.
        device: open or not.
        color: profile of the stream in whose axes readings are given.
    """

    def __init__(self, ob: Any, device: Any, color: Any) -> None:
        self._ob = ob
        self._device = device
        self._color = color
        self._pipeline: Any = None
        self._turns: dict[Any, NDArray[np.float64]] = {}
        self._waiting: deque[tuple[int, ImuSample]] = deque(maxlen=_WAITING)

    def start(self) -> None:
        """Begin to read; nothing where the device has no such sensor.

        Raises:
            OBError: the device refuses.
        """
        ob = self._ob
        sensors = self._device.get_sensor_list()
        there = {sensors[number].get_type() for number in range(len(sensors))}
        kinds = {
            ob.OBSensorType.ACCEL_SENSOR: ob.OBFrameType.ACCEL_FRAME,
            ob.OBSensorType.GYRO_SENSOR: ob.OBFrameType.GYRO_FRAME,
        }
        if not kinds.keys() <= there:
            return
        pipeline, config = ob.Pipeline(self._device), ob.Config()
        for sensor, frame_kind in kinds.items():
            profile = _usual(ob, pipeline.get_stream_profile_list(sensor), sensor)
            config.enable_stream(profile)
            self._turns[frame_kind] = _color_from_sensor(ob, profile, self._color)
        config.set_frame_aggregate_output_mode(ob.OBFrameAggregateOutputMode.ANY_SITUATION)
        pipeline.start(config)
        self._pipeline = pipeline

    def stop(self) -> None:
        """End; a device that is gone is no error."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            with contextlib.suppress(self._ob.OBError, RuntimeError):
                pipeline.stop()

    def taken(self, until_us: int) -> tuple[ImuSample, ...]:
        """What was read until a picture of this time on the device's clock, and not told before.

        The samples' times are nanoseconds from that picture.
        """
        for _ in range(_MOST_POLLS):
            frames = self._pipeline.wait_for_frames(1) if self._pipeline is not None else None
            if frames is None:
                break
            for kind in self._turns:
                if (frame := frames.get_frame(kind)) is not None:
                    self._waiting.append((int(frame.get_timestamp_us()), self._sample(kind, frame)))
        due = sorted((r for r in self._waiting if r[0] <= until_us), key=lambda reading: reading[0])
        self._waiting = deque((r for r in self._waiting if r[0] > until_us), maxlen=_WAITING)
        return tuple(replace(sample, captured_ns=(at_us - until_us) * 1000) for at_us, sample in due)

    def _sample(self, kind: Any, frame: Any) -> ImuSample:
        accelerated = kind == self._ob.OBFrameType.ACCEL_FRAME
        read = frame.as_accel_frame() if accelerated else frame.as_gyro_frame()
        x, y, z = (float(v) for v in self._turns[kind] @ (read.get_x(), read.get_y(), read.get_z()))
        if accelerated:
            return ImuSample(0, linear_acceleration_m_s2=(x, y, z))
        return ImuSample(0, angular_velocity_rad_s=(x, y, z))


def _usual(ob: Any, listed: Any, sensor: Any) -> Any:
    """The profile of 100 Hz, whose readings fit into the library's queue of ten between two pictures."""
    wanted = ob.OBGyroSampleRate.SAMPLE_RATE_100_HZ
    accelerated = sensor == ob.OBSensorType.ACCEL_SENSOR
    profiles = [listed.get_stream_profile_by_index(number) for number in range(len(listed))]
    for profile in profiles:
        own = profile.as_accel_stream_profile() if accelerated else profile.as_gyro_stream_profile()
        if own.get_sample_rate() == wanted:
            return profile
    return profiles[0]


def _color_from_sensor(ob: Any, profile: Any, color: Any) -> NDArray[np.float64]:
    """(3, 3); the identity where the device was never calibrated for it."""
    try:
        return np.reshape(np.asarray(profile.get_extrinsic_to(color).rot, np.float64), (3, 3))
    except (ob.OBError, RuntimeError):
        return np.eye(3)
