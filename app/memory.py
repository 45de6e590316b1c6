"""Remembers what the operator wants of each camera's controls, from one run of the program to the next."""

import logging
import threading
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from app.flow.desk import NOTHING, Desk, Wanted
from app.language import from_below, tr
from drivers.camera import CameraInfo

log = logging.getLogger(__name__)


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    controls: dict[str, bool | float | str] = {}
    vendor_settings: str = ""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    cameras: dict[str, _Kept] = {}


class ControlMemory:
    """What is wanted, by model and serial number, so that a camera is known again at another port.

    Args:
        path: of the file; None remembers while the program runs.

    Attributes:
        problem: why the file could not be read or written; empty while all is well.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._changed = False
        self.problem = ""
        self._wanted: dict[str, Wanted] = {}
        if path is not None and path.exists():
            try:
                kept = _File.model_validate_json(path.read_bytes())
            except (OSError, ValidationError) as error:
                self.problem = tr(
                    "{path} cannot be read, so every camera starts with its own settings: {error}"
                ).format(path=path, error=error)
                log.warning("%s", self.problem)
            else:
                self._wanted = {k: Wanted(v.controls, v.vendor_settings) for k, v in kept.cameras.items()}

    def desk(self, info: CameraInfo) -> Desk:
        """The controls of this camera, with what is wanted of them; changes come back by themselves."""
        key = f"{info.model} {info.serial}"

        def remember(wanted: Wanted) -> None:
            with self._lock:
                self._wanted[key] = wanted
                self._changed = True

        if not info.live:  # files have nothing that could be set
            return Desk()
        return Desk(self._wanted.get(key, NOTHING), remember)

    def save(self) -> None:
        """Write the file, if anything changed since the last time; whole or not at all."""
        with self._lock:
            if not self._changed or self._path is None:
                return
            self._changed = False
            kept = {
                key: _Kept(controls=dict(wanted.values), vendor_settings=wanted.vendor_settings)
                for key, wanted in self._wanted.items()
                if wanted != NOTHING
            }
        partial = self._path.with_suffix(".partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_text(_File(cameras=kept).model_dump_json(indent=2), encoding="utf-8")
            partial.replace(self._path)
        except OSError as error:
            self.problem = tr("{path} cannot be written: {strerror}").format(
                path=self._path, strerror=from_below(str(error.strerror))
            )
            log.warning("%s", self.problem)
