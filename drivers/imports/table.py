"""The table of importers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import CameraNotFound
from drivers.imports import azure_kinect, folders, record3d, tum, vendors
from drivers.imports.recording import Recording
from drivers.registry import RECORDINGS


@dataclass(frozen=True)
class Importer:
    """One format.

    Attributes:
        name: for people.
        files: what it looks like.
        matches: whether a path is one, as far as names tell.
        open: reads what is in it.
    """

    name: str
    files: str
    matches: Callable[[Path], bool]
    open: Callable[[Path], Recording]


IMPORTERS = (
    Importer("RealSense, Orbbec, ZED", ".db3, .bag, .svo2", vendors.matches, vendors.open_vendor),
    Importer("Azure Kinect", ".mkv", azure_kinect.matches, azure_kinect.open_mkv),
    Importer("Record3D", ".r3d", record3d.matches, record3d.open_r3d),
    Importer("TUM RGB-D", "a folder with rgb.txt and depth.txt", tum.matches, tum.open_tum),
    Importer("MDM data set", "a folder with color and rawdepth", folders.is_dataset, folders.open_dataset),
    Importer("frame folders", "folders with rgb and depth images", folders.is_frames, folders.open_frames),
)
"""The first one that matches reads a path."""
SUFFIXES = (*RECORDINGS, ".mkv", ".r3d")
"""Of files that can be imported."""


def open_recording(path: Path) -> Recording:
    """What another program recorded.

    Raises:
        CameraNotFound: there is no such path, or nothing in it that can be read.
        CameraError: it cannot be read; the message says why.
    """
    if not path.exists():
        raise CameraNotFound(f"there is nothing at {path}", hint="Check the path.")
    found = next((importer for importer in IMPORTERS if importer.matches(path)), None)
    if found is None:
        known = "; ".join(f"{importer.name} ({importer.files})" for importer in IMPORTERS)
        raise CameraNotFound(f"{path} holds no recording that can be imported", hint=f"There are: {known}.")
    return found.open(path)
