"""Still frames from a folder, shown as if a camera held still."""

import logging
import time
from dataclasses import replace
from pathlib import Path

from drivers.camera import CameraBase, CameraInfo, EndOfStream
from drivers.errors import CameraError
from drivers.frame import Frame
from drivers.frames_folder import INTRINSICS_NAME, frame_folders, load_frame, load_meta
from drivers.geometry import Calibration

_log = logging.getLogger(__name__)


class FolderCamera(CameraBase):
    """All frame folders at or below a path, one after the other; `drivers.frames_folder` says what they hold.

    Stills may differ in size and lens, so each frame carries its own calibration.
    """

    def __init__(
        self,
        path: Path,
        *,
        camera_id: str = "folder",
        rate_hz: float = 30.0,
        hold_s: float = 2.0,
        loop: bool = True,
    ) -> None:
        """Find the frames.

        Args:
            path: a frame folder or any folder above some.
            camera_id: for topics and file names.
            rate_hz: frames per second.
            hold_s: how long each still is shown.
            loop: begin again after the last still; frame indices count on.

        Raises:
            CameraNotFound: there is no frame.
            ModeUnsupported: the first frame is not as it should be.
        """
        assert rate_hz > 0, rate_hz
        self._folders = frame_folders(path)
        self._camera_id = camera_id
        self._period_ns = int(1e9 / rate_hz)
        self._repeats = max(1, round(hold_s * rate_hz))
        self._loop = loop
        self._still_number = 0
        self._still: Frame = load_frame(self._folders[0], camera_id=camera_id)
        unknown = sum(not (folder / INTRINSICS_NAME).exists() for folder in self._folders)
        sensor = load_meta(self._folders[0]).get("sensor", "files")
        if unknown:
            sensor += ", 60 degree lens assumed"
            _log.info("%d of %d frames in %s have no %s: a lens of 60 degrees is assumed", unknown,
                      len(self._folders), path, INTRINSICS_NAME)  # fmt: skip
        self._info = CameraInfo(
            id=camera_id,
            name=path.name or str(path),
            model="folder",
            serial=str(path),
            sensor=sensor,
            rate_hz=rate_hz,
            live=False,
        )
        self._open = False
        self._index = 0
        self._due_ns = 0

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._still.calibration

    def open(self) -> None:
        self._open = True
        self._index = 0
        self._due_ns = time.monotonic_ns()

    def close(self) -> None:
        self._open = False

    def read(self, *, timeout_s: float) -> Frame | None:
        if not self._open:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera before reading.")
        deadline_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        number = self._index // self._repeats
        if number >= len(self._folders) and not self._loop:
            raise EndOfStream(f"{self._info.name} has no more frames")
        number %= len(self._folders)
        if number != self._still_number:
            self._still = load_frame(self._folders[number], camera_id=self._camera_id)
            self._still_number = number
        until_ns = min(self._due_ns, deadline_ns)
        if (wait_ns := until_ns - time.monotonic_ns()) > 0:
            time.sleep(wait_ns / 1e9)
        if self._due_ns > deadline_ns:
            return None
        now_ns = time.monotonic_ns()
        frame = replace(self._still, index=self._index, captured_ns=now_ns, device_ns=now_ns)
        self._index += 1
        # After a late reader the pace starts anew; there is no burst to catch up.
        self._due_ns = max(self._due_ns, now_ns - self._period_ns) + self._period_ns
        return frame
