"""A recorded camera, played again."""

import time
from dataclasses import replace
from pathlib import Path

from drivers.camera import CameraBase, CameraInfo, EndOfStream
from drivers.errors import CameraError, CameraNotFound, ModeUnsupported, SessionError
from drivers.frame import Frame
from drivers.geometry import Calibration
from drivers.playback import Playback
from drivers.session.reader import Session

_STILL_NS = 1_000_000_000
"""While the playback is paused, the frame that is shown is delivered again so often, as if it were live."""


class ReplayCamera(CameraBase):
    """One camera of a session.

    Cameras of one session share a playback, which keeps them together and can be paused and moved. A reader
    that is too slow makes the playback slower; no frame is left out unless the playback is told to.

    Attributes:
        playback: where the replay stands.
    """

    def __init__(
        self,
        session: Session,
        camera_id: str,
        *,
        loop: bool = True,
        realtime: bool = True,
        playback: Playback | None = None,
    ) -> None:
        """Take a camera of an open session.

        Args:
            session: whole.
            camera_id: one of its cameras.
            loop: begin again after the last frame; frame indices count on.
            realtime: wait between frames as long as the recording did; otherwise deliver at once.
            playback: shared with other cameras of the session; None for one of its own.

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
            count = session.count(camera_id)
            if not count:
                raise CameraNotFound(
                    f"{session.path} holds no frame of {camera_id}", hint="Choose another camera or session."
                )
            first = session.meta(camera_id, 0).frame_number
            last = session.meta(camera_id, count - 1).frame_number
            self.playback = playback or Playback(session, loop=loop)
        except SessionError as error:
            raise ModeUnsupported(str(error), hint=error.hint) from error
        self._session = session
        self._camera_id = camera_id
        self._loop = loop
        self._realtime = realtime
        self._cursor = self.playback.cursor(camera_id)
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
        self._ahead: tuple[int, Frame] | None = None
        self._shown: Frame | None = None
        self._index_offset = 0

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    def open(self) -> None:
        if self._open:
            return
        self._open = True
        self._ahead = self._shown = None
        self._index_offset = 0
        self.playback.join(self._cursor)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._ahead = self._shown = None
            self.playback.leave()

    def read(self, *, timeout_s: float) -> Frame | None:
        if not self._open:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera before reading.")
        cursor = self._cursor
        if cursor.next == cursor.times_ns.size:
            if not self._loop:
                raise EndOfStream(f"{self._session.path} has no more frames of {self._camera_id}")
            cursor.next = 0
            cursor.round += 1
            self._index_offset += self._index_period
        frame = self._decoded(cursor.next)  # before it is due, so that decoding does not make it late
        place = cursor.jumps, cursor.next
        if self._realtime and not self.playback.follow(cursor, timeout_s=timeout_s):
            return self._still()
        if (cursor.jumps, cursor.next) != place:
            frame = self._decoded(cursor.next)
            if self._shown is not None:
                # Indices count on across what was asked for, or it would look like lost frames.
                self._index_offset = self._shown.index + 1 - frame.index
        self._ahead = None
        cursor.next += 1
        now_ns = time.monotonic_ns()
        later_ns = now_ns - frame.captured_ns
        imu = tuple(replace(sample, captured_ns=sample.captured_ns + later_ns) for sample in frame.imu)
        index = frame.index + self._index_offset
        self._shown = replace(frame, index=index, captured_ns=now_ns, imu=imu)
        return self._shown

    def _decoded(self, n: int) -> Frame:
        if self._ahead is None or self._ahead[0] != n:
            try:
                self._ahead = n, self._session.frame(self._camera_id, n)
            except SessionError as error:
                raise ModeUnsupported(str(error), hint=error.hint) from error
        return self._ahead[1]

    def _still(self) -> Frame | None:
        now_ns = time.monotonic_ns()
        if self.playback.playing or self._shown is None or now_ns - self._shown.captured_ns < _STILL_NS:
            return None
        self._shown = replace(self._shown, captured_ns=now_ns, imu=())  # each reading was told once
        return self._shown


def replay_cameras(path: Path, *, loop: bool = True, realtime: bool = True) -> list[ReplayCamera]:
    """All cameras of a session that have frames.

    Raises:
        CameraNotFound: there is no whole session, or it holds no frame.
        ModeUnsupported: the session is damaged.
    """
    try:
        session = Session(path)
        filled = [camera_id for camera_id in session.camera_ids if session.count(camera_id)]
        if not filled:
            raise CameraNotFound(f"{path} holds no frame", hint="Choose another session.")
        playback = Playback(session, loop=loop)
    except SessionError as error:
        raise CameraNotFound(str(error), hint=error.hint) from error
    return [
        ReplayCamera(session, camera_id, loop=loop, realtime=realtime, playback=playback)
        for camera_id in filled
    ]
