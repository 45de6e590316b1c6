"""A recorded camera, played again."""

import time
from dataclasses import replace
from pathlib import Path

from drivers.camera import CameraBase, CameraInfo, EndOfStream
from drivers.errors import CameraError, CameraNotFound, ModeUnsupported, SessionError
from drivers.frame import Frame
from drivers.geometry import Calibration
from drivers.session.reader import Session

_LATE_NS = 500_000_000


class ReplayCamera(CameraBase):
    """One camera of a session.

    Cameras of one session that are opened together stay together: they wait for the same start and repeat
    with the same period. A reader that is too slow makes the playback slower; no frame is left out.
    """

    def __init__(self, session: Session, camera_id: str, *, loop: bool = True, realtime: bool = True) -> None:
        """Take a camera of an open session.

        Args:
            session: whole.
            camera_id: one of its cameras.
            loop: begin again after the last frame; frame indices count on.
            realtime: wait between frames as long as the recording did; otherwise deliver at once.

        Raises:
            CameraNotFound: the session has no such camera, or no frame of it.
            ModeUnsupported: the session is damaged.
        """
        entry = next((entry for entry in session.cameras if entry.id == camera_id), None)
        if entry is None:
            raise CameraNotFound(
                f"{session.path} has no camera {camera_id}",
                hint=f"Choose one of: {', '.join(session.camera_ids)}.",
            )
        try:
            self._calibration = session.calibration(camera_id)
            self._times_ns = session.times(camera_id)
            if not self._times_ns.size:
                raise CameraNotFound(
                    f"{session.path} holds no frame of {camera_id}", hint="Choose another camera or session."
                )
            first = session.meta(camera_id, 0).frame_number
            last = session.meta(camera_id, len(self._times_ns) - 1).frame_number
        except SessionError as error:
            raise ModeUnsupported(str(error), hint=error.hint) from error
        self._session = session
        self._camera_id = camera_id
        self._loop = loop
        self._realtime = realtime
        self._start_ns = session.start_ns
        self._period_ns = int(session.duration_s * 1e9 + 1e9 / max(entry.rate_hz, 1.0))
        self._index_period = max(last - first, 0) + 1
        self._info = CameraInfo(
            id=camera_id,
            name=f"{entry.name or camera_id} (recorded)",
            model=entry.model,
            serial=entry.serial,
            sensor=entry.sensor,
            rate_hz=entry.rate_hz,
            live=False,
        )
        self._open = False
        self._epoch_ns = 0
        self._n = 0
        self._round = 0
        self._next: Frame | None = None

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    def open(self) -> None:
        self._open = True
        self._epoch_ns = time.monotonic_ns()
        self._n = 0
        self._round = 0
        self._next = None

    def close(self) -> None:
        self._open = False
        self._next = None

    def read(self, *, timeout_s: float) -> Frame | None:
        if not self._open:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera before reading.")
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        if self._n == len(self._times_ns):
            if not self._loop:
                raise EndOfStream(f"{self._session.path} has no more frames of {self._camera_id}")
            self._n = 0
            self._round += 1
        if self._next is None:
            # Decoded before it is due, so that decoding does not make it late.
            try:
                self._next = self._session.frame(self._camera_id, self._n)
            except SessionError as error:
                raise ModeUnsupported(str(error), hint=error.hint) from error
        if self._realtime and not self._wait(deadline_ns):
            return None
        now_ns = time.monotonic_ns()
        frame = replace(
            self._next, index=self._next.index + self._round * self._index_period, captured_ns=now_ns
        )
        self._next = None
        self._n += 1
        return frame

    def _wait(self, deadline_ns: int) -> bool:
        """Wait until the next frame is due; false if that is after the deadline."""
        offset_ns = int(self._times_ns[self._n]) - self._start_ns + self._round * self._period_ns
        due_ns = self._epoch_ns + offset_ns
        now_ns = time.monotonic_ns()
        if now_ns - due_ns > _LATE_NS:
            self._epoch_ns += now_ns - due_ns
        until_ns = min(due_ns, deadline_ns)
        if until_ns > now_ns:
            time.sleep((until_ns - now_ns) / 1e9)
        return due_ns <= deadline_ns


def replay_cameras(path: Path, *, loop: bool = True, realtime: bool = True) -> list[ReplayCamera]:
    """All cameras of a session that have frames.

    Raises:
        CameraNotFound: there is no whole session, or it holds no frame.
    """
    try:
        session = Session(path)
        filled = [camera_id for camera_id in session.camera_ids if session.count(camera_id)]
    except SessionError as error:
        raise CameraNotFound(str(error), hint=error.hint) from error
    if not filled:
        raise CameraNotFound(f"{path} holds no frame", hint="Choose another session.")
    return [ReplayCamera(session, camera_id, loop=loop, realtime=realtime) for camera_id in filled]
