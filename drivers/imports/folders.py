"""Folders of frames: one folder for each, or the layout of the published data set."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drivers.camera import CameraInfo
from drivers.errors import CameraNotFound, ModeUnsupported
from drivers.frame import Frame
from drivers.frames_folder import (
    COLOR_NAMES,
    assumed_intrinsics,
    frame_folders,
    load_color,
    load_depth,
    load_frame,
    load_intrinsics,
    load_meta,
)
from drivers.geometry import Calibration, Intrinsics
from drivers.imports.recording import Imported, RecordedCamera, Recording

ASSUMED_RATE_HZ = 30.0
_TIME_KEYS = ("utc_ns", "captured_ns")
_DATASET_FOLDERS = ("color", "rawdepth")


def is_frames(path: Path) -> bool:
    """Whether there is a frame folder at or below a path."""
    try:
        return bool(frame_folders(path))
    except CameraNotFound:
        return False


def open_frames(path: Path) -> Recording:
    """Frame folders, those of one parent as one camera.

    Raises:
        CameraNotFound: there is none.
        ModeUnsupported: a first frame is not as it should be.
    """
    groups: dict[Path, list[Path]] = {}
    for folder in frame_folders(path):
        groups.setdefault(folder.parent if folder != path else folder, []).append(folder)
    timed = all(_time(load_meta(folders[0])) is not None for folders in groups.values())
    cameras = []
    for parent, folders in groups.items():
        name = parent.name if len(groups) > 1 else path.name
        cameras += _by_size(name, folders, timed=timed)
    notes = () if timed else (f"The files tell no times; {ASSUMED_RATE_HZ:g} frames per second are assumed.",)
    return Recording(f"frame folders, {path.name}", tuple(_told_apart(cameras)), notes)


def is_dataset(path: Path) -> bool:
    """Whether there are folders of the published data set's layout at or below a path."""
    return path.is_dir() and next(_dataset_folders(path), None) is not None


def open_dataset(path: Path) -> Recording:
    """Each folder with `color`, `rawdepth` and perhaps `gtdepth` as one camera.

    Raises:
        ModeUnsupported: a first frame is not as it should be.
    """
    cameras = [_dataset_camera(folder) for folder in sorted(_dataset_folders(path))]
    note = f"The layout tells no times; {ASSUMED_RATE_HZ:g} frames per second are assumed."
    source = f"MDM data set, {path.name}"
    return Recording(source, tuple(_told_apart(cameras)), (note,), "gtdepth of the data set")


def identifier(text: str) -> str:
    """A camera id made of a name."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "camera"


def _by_size(name: str, folders: Sequence[Path], *, timed: bool) -> list[RecordedCamera]:
    """A camera keeps its size and lens; stills that differ become several."""
    kinds: dict[object, list[tuple[int, Path]]] = {}
    for number, folder in enumerate(folders):
        frame = load_frame(folder)
        lens = frame.calibration
        kinds.setdefault((lens.color, lens.depth, frame.depth.unit_m), []).append((number, folder))
    sensor = load_meta(folders[0]).get("sensor", "files")
    return [_frames_camera(name, numbered, sensor, timed=timed) for numbered in kinds.values()]


def _frames_camera(
    name: str, numbered: Sequence[tuple[int, Path]], sensor: str, *, timed: bool
) -> RecordedCamera:
    info = _info(name, sensor)

    def frames() -> Iterator[Imported]:
        for index, (number, folder) in enumerate(numbered):  # there is no counter whose gaps would be losses
            meta = load_meta(folder)
            at_ns = _time(meta) if timed else round(number * 1e9 / ASSUMED_RATE_HZ)
            if at_ns is None:
                raise ModeUnsupported(
                    f"{folder} has no time and others have",
                    hint="Add utc_ns to its meta.txt, or leave it out.",
                )
            frame = load_frame(folder, index, camera_id=info.id, captured_ns=at_ns)
            color = next(folder / each for each in COLOR_NAMES if (folder / each).is_file())
            yield Imported(frame, color.read_bytes())

    return RecordedCamera(info, frames, len(numbered))


def _dataset_folders(path: Path) -> Iterator[Path]:
    candidates = [path, *(found.parent for found in path.rglob(_DATASET_FOLDERS[1]))]
    for folder in dict.fromkeys(candidates):
        if all((folder / name).is_dir() for name in _DATASET_FOLDERS):
            yield folder


def _dataset_camera(folder: Path) -> RecordedCamera:
    depths = sorted((folder / "rawdepth").glob("*.png"))
    vendor, _, rest = folder.name.partition("_")
    model, _, serial = rest.partition("_")
    info = replace(_info(folder.name, "files"), name=f"{vendor} {model}".strip(), model=model, serial=serial)

    def frames() -> Iterator[Imported]:
        for number, depth_path in enumerate(depths):
            color_path = _beside(folder / "color", depth_path.stem)
            color, depth = load_color(color_path), load_depth(depth_path)
            height, width = color.shape[:2]
            lens = _dataset_lens(folder, width, height)
            own = lens.scaled(depth.values.shape[1], depth.values.shape[0])
            at_ns = round(number * 1e9 / ASSUMED_RATE_HZ)
            frame = Frame(info.id, number, at_ns, at_ns, color, depth, Calibration(lens, own))
            target_path = folder / "gtdepth" / depth_path.name
            target = load_depth(target_path) if target_path.exists() else None
            yield Imported(frame, color_path.read_bytes(), target)

    return RecordedCamera(info, frames, len(depths))


def _dataset_lens(folder: Path, width: int, height: int) -> Intrinsics:
    lens = load_intrinsics(folder, width, height, name="intrinsic.txt")
    return assumed_intrinsics(width, height) if lens is None else lens


def _beside(folder: Path, stem: str) -> Path:
    for suffix in (".jpg", ".png", ".jpeg"):
        if (folder / (stem + suffix)).exists():
            return folder / (stem + suffix)
    raise ModeUnsupported(
        f"{folder} has no image {stem}", hint="Get the whole data set, or remove its depth."
    )


def _info(name: str, sensor: str) -> CameraInfo:
    return CameraInfo(identifier(name), name, "files", "", sensor, ASSUMED_RATE_HZ, live=False)


def _told_apart(cameras: Sequence[RecordedCamera]) -> Iterator[RecordedCamera]:
    taken: set[str] = set()
    for camera in cameras:
        name, number = camera.info.id, 2
        while name in taken:
            name, number = f"{camera.info.id}_{number}", number + 1
        taken.add(name)
        yield camera if name == camera.info.id else _renamed(camera, name)


def _renamed(camera: RecordedCamera, name: str) -> RecordedCamera:
    def frames() -> Iterator[Imported]:
        for each in camera.frames():
            yield replace(each, frame=replace(each.frame, camera_id=name))

    info = replace(camera.info, id=name, name=f"{camera.info.name} ({name.rpartition('_')[2]})")
    return RecordedCamera(info, frames, camera.count)


def _time(meta: Mapping[str, str]) -> int | None:
    found = next((meta[key] for key in _TIME_KEYS if key in meta), "")
    return int(found) if found.lstrip("-").isdecimal() else None
