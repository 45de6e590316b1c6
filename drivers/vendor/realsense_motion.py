"""A RealSense camera's inertial sensor: read beside the pictures, so that no set of them waits for it."""

import contextlib
import logging
from collections import deque
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drivers.frame import ImuSample

_log = logging.getLogger(__name__)

_QUEUED: Final = 512
"""Readings that wait for the next picture: more than a second of both kinds at 200 Hz each."""
_USUAL_HZ: Final = 200


class MotionReader:
    """Reads one device between `start` and `stop`.

    Args:
        rs: the library.
        device: open or not; its sensor is started apart from the pipeline.
        color: profile of the stream in whose axes readings are given.
    """

    def __init__(self, rs: Any, device: Any, color: Any) -> None:
        self._rs = rs
        self._sensor, self._profiles = _found(rs, device)
        self._turns = {p.stream_type(): _color_from_sensor(p, color) for p in self._profiles}
        self._queue: Any = None
        self._waiting: deque[tuple[float, ImuSample]] = deque(maxlen=_QUEUED)
        self._warned = False

    @property
    def present(self) -> bool:
        """Whether the device has one."""
        return self._sensor is not None

    def start(self) -> None:
        """Begin to read.

        Raises:
            RuntimeError: the device refuses.
        """
        if self.present:
            self._queue = self._rs.frame_queue(_QUEUED, True)
            self._sensor.open(self._profiles)
            self._sensor.start(self._queue)

    def stop(self) -> None:
        """End; a device that is gone is no error."""
        if self._queue is not None:
            self._queue = None
            with contextlib.suppress(RuntimeError):
                self._sensor.stop()
                self._sensor.close()

    def taken(self, until_ms: float, domain: Any) -> tuple[ImuSample, ...]:
        """What was read until a picture of this time, and not told before.

        The samples' times are nanoseconds from that picture on the device's clock; readings by another kind
        of clock cannot be placed and are left out.
        """
        while self._queue is not None and (frame := self._queue.poll_for_frame()):
            if frame.get_frame_timestamp_domain() == domain:
                self._waiting.append((float(frame.get_timestamp()), self._sample(frame)))
            elif not self._warned:
                self._warned = True
                _log.warning("inertial readings come by another clock than pictures; they are left out")
        due = sorted((r for r in self._waiting if r[0] <= until_ms), key=lambda reading: reading[0])
        later = [reading for reading in self._waiting if reading[0] > until_ms]
        self._waiting = deque(later, maxlen=_QUEUED)
        return tuple(replace(sample, captured_ns=round((at_ms - until_ms) * 1e6)) for at_ms, sample in due)

    def _sample(self, frame: Any) -> ImuSample:
        kind = frame.get_profile().stream_type()
        data = frame.as_motion_frame().get_motion_data()
        x, y, z = (float(value) for value in self._turns[kind] @ (data.x, data.y, data.z))
        if kind == self._rs.stream.accel:
            return ImuSample(0, linear_acceleration_m_s2=(x, y, z))
        return ImuSample(0, angular_velocity_rad_s=(x, y, z))


def _found(rs: Any, device: Any) -> tuple[Any, list[Any]]:
    """The sensor that has them, and one profile of each kind; None without."""
    for sensor in device.query_sensors():
        offered = [p for p in sensor.get_stream_profiles() if p.format() == rs.format.motion_xyz32f]
        chosen = [
            min((p for p in offered if p.stream_type() == kind), key=_far_from_usual)
            for kind in (rs.stream.accel, rs.stream.gyro)
            if any(p.stream_type() == kind for p in offered)
        ]
        if chosen:
            return sensor, chosen
    return None, []


def _far_from_usual(profile: Any) -> tuple[int, int]:
    return abs(profile.fps() - _USUAL_HZ), -profile.fps()


def _color_from_sensor(profile: Any, color: Any) -> NDArray[np.float64]:
    """(3, 3); the identity where the device was never calibrated for it."""
    try:
        rotation = profile.get_extrinsics_to(color).rotation
    except RuntimeError:
        return np.eye(3)
    return np.reshape(rotation, (3, 3)).T  # the SDK stores columns
