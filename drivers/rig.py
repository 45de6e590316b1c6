"""Rig files: which cameras a rig has and how they are set, as one TOML file that people can write."""

import difflib
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from drivers.camera import Camera, SyncRole
from drivers.errors import RigFileError

SUFFIX = ".toml"
KINDS = ("demo", "realsense", "orbbec", "zed", "zed-uvc", "uvc", "v4l2")
SYNC_KINDS = ("realsense", "orbbec")
FindMore = Callable[[Collection[str]], Sequence[Camera]]
"""Gives the cameras of a source that are not among those of these ids, such as one that was plugged in."""


class Rig(list[Camera]):
    """The cameras of a source, and what else the source says of them.

    Attributes:
        sources: what opens each camera, by its id, as a rig file spells it.
        calibration: the file that says where the cameras stand; None where the source names none.
        find_more: given the ids that are there, cameras of the source that have come since; None where a
            source has what it has.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        *,
        sources: Mapping[str, str] | None = None,
        calibration: Path | None = None,
        find_more: FindMore | None = None,
    ) -> None:
        super().__init__(cameras)
        self.sources = dict(sources or {})
        self.calibration = calibration
        self.find_more = find_more


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RigCamera(_Model):
    """One camera of the file.

    Attributes:
        source: such as "realsense:123456", "orbbec:ABC", "zed:123", "uvc:video0", "demo:stereo_active", or
            the path of a recording, seen from the rig file.
        name: for people; also the camera's id in recordings, without what cannot stand there.
        width: pixels of colour and depth, as `height`; the device's mode that is nearest is taken.
        height: see `width`.
        rate_hz: frames per second.
        infrared: whether the infrared images are wanted.
        sync: the role on a sync cable.
        controls: values by the control's name, as a saved rig and a session's session.json have them.
    """

    source: Annotated[str, Field(min_length=1)]
    name: str = ""
    width: Annotated[int, Field(ge=16, le=8192)] = 640
    height: Annotated[int, Field(ge=16, le=8192)] = 480
    rate_hz: Annotated[int, Field(ge=1, le=300)] = 30
    infrared: bool = True
    sync: Literal["free", "primary", "secondary"] = "free"
    controls: dict[str, bool | float | str] = {}

    @field_validator("source")
    @classmethod
    def _known(cls, source: str) -> str:
        kind, colon, rest = source.partition(":")
        if kind in KINDS:
            if not rest:
                which = "stereo_active" if kind == "demo" else "SERIAL"
                raise ValueError(f"write which one: {kind}:{which}")
            return source
        if colon and not re.fullmatch(r"[A-Za-z]", kind) and "/" not in kind:
            near = difflib.get_close_matches(kind, KINDS, 1)
            if near:
                raise ValueError(f"there are no cameras of the kind {kind!r}; did you mean {near[0]}?")
            raise ValueError(f"there are no cameras of the kind {kind!r}")
        return source

    @property
    def kind(self) -> str:
        """The vendor, "demo", or empty for a path."""
        kind = self.source.partition(":")[0]
        return kind if kind in KINDS else ""

    @property
    def serial(self) -> str:
        """What follows the kind; empty for a path."""
        return self.source.partition(":")[2] if self.kind else ""

    @property
    def sync_role(self) -> SyncRole:
        """As the driver calls it."""
        return SyncRole(self.sync)

    @property
    def id(self) -> str:
        """Fit for a topic and a file name."""
        return _identifier(self.name or self.source.replace(":", "_"))


class RigFile(_Model):
    """The whole file.

    Attributes:
        name: of the rig, for people.
        calibration: the file of the calibration that says where the cameras stand, seen from the rig file;
            empty for the one that this computer has for these cameras.
        camera: its cameras; without any, all that are found are taken.
    """

    name: str = ""
    calibration: str = ""
    camera: tuple[RigCamera, ...] = ()


def read_rig(path: Path) -> RigFile:
    """What a rig file says.

    Raises:
        RigFileError: it cannot be read, or says what cannot be; the message names line and field.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise RigFileError(f"{path} cannot be read: {error.strerror}", hint="Check the path.") from error
    except UnicodeDecodeError as error:
        raise RigFileError(f"{path.name} is no text in UTF-8", hint="Save it as UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise RigFileError(f"{path.name} is no TOML: {error}", hint="Mend that place.") from error
    try:
        rig = RigFile.model_validate(values)
    except ValidationError as error:
        raise RigFileError(_first_mistake(path.name, text, error), hint=_fields_hint(error)) from error
    for number, problem in _contradictions(rig, path.parent):
        line = _line_of(text, ("camera", number) if number is not None else ("calibration",))
        raise RigFileError(f"Mistake in {path.name}, line {line:d}: {problem}", hint="Mend that line.")
    return rig


def write_rig(path: Path, rig: RigFile) -> None:
    """Write a rig file, whole or not at all.

    Raises:
        OSError: the folder is missing, or cannot be written to.
    """
    values = rig.model_dump(exclude_defaults=True)
    values["camera"] = [camera.model_dump(exclude_defaults=True) for camera in rig.camera]
    partial = path.with_suffix(f"{path.suffix}.partial")
    partial.write_text(_HEAD + tomli_w.dumps(values), encoding="utf-8")
    partial.replace(path)


_HEAD = "# A rig of DepthMend. Open it on the Cameras page, or with --source and its path.\n"


def _contradictions(rig: RigFile, folder: Path) -> Iterator[tuple[int | None, str]]:
    """What no single field shows: the number of the camera, and what is wrong."""
    if rig.calibration and not (folder / rig.calibration).is_file():
        yield None, f"there is no calibration {rig.calibration}"
    seen_sources: dict[str, int] = {}
    seen_ids: dict[str, int] = {}
    for number, camera in enumerate(rig.camera):
        if not camera.kind and not (folder / Path(camera.source).expanduser()).exists():
            yield number, f"there is no camera and no file {camera.source!r}"
        if camera.source in seen_sources and camera.kind:
            yield number, f"{camera.source} is already camera {seen_sources[camera.source] + 1}"
        if camera.id in seen_ids:
            yield (
                number,
                f"camera {seen_ids[camera.id] + 1} has the same name, {camera.name or camera.source!r}",
            )
        if not camera.id:
            yield number, f"the name {camera.name!r} has no letter and no digit"
        if camera.sync != "free" and camera.kind not in SYNC_KINDS:
            yield number, f"{camera.source} has no sync cable; only {' and '.join(SYNC_KINDS)} cameras do"
        seen_sources.setdefault(camera.source, number)
        seen_ids.setdefault(camera.id, number)
    for kind in SYNC_KINDS:
        roles = [
            (number, c.sync) for number, c in enumerate(rig.camera) if c.kind == kind and c.sync != "free"
        ]
        primaries = [number for number, role in roles if role == "primary"]
        if len(primaries) > 1:
            yield primaries[1], f"two {kind} cameras are primary; one gives the beat"
        if roles and not primaries:
            yield roles[0][0], f"it follows a {kind} camera that is primary, and none is"


def _first_mistake(name: str, text: str, error: ValidationError) -> str:
    first = error.errors()[0]
    loc = first["loc"]
    field = ".".join(f"{part + 1}" if isinstance(part, int) else str(part) for part in loc)
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "there is no such field"
    line, more = _line_of(text, loc), error.error_count() - 1
    if more:
        return f"Mistake in {name}, line {line:d}, {field}, and {more:d} more after it: {message}"
    return f"Mistake in {name}, line {line:d}, {field}: {message}"


def _fields_hint(error: ValidationError) -> str:
    """The fields there are, the nearest first, where one is not known."""
    first = error.errors()[0]
    if first["type"] != "extra_forbidden":
        return "Mend that line."
    fields = list(RigCamera.model_fields if len(first["loc"]) > 1 else RigFile.model_fields)
    near = difflib.get_close_matches(str(first["loc"][-1]), fields, 1)
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(fields)}."


def _line_of(text: str, loc: Sequence[Any]) -> int:
    """The line on which a field stands, or the one that opens its table; 1 where nothing is found."""
    number = next((part for part in loc if isinstance(part, int)), None)
    key = next((str(part) for part in reversed(loc) if isinstance(part, str)), "")
    tables = -1
    opened = 1
    for at, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[\s*camera\s*\]\]", line):
            tables += 1
            if tables == number:
                opened = at
        here = (number is None and tables < 0) or tables == number
        if here and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return at
    return opened


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
