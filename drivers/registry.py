"""Turns what the operator calls a source into cameras."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.camera import Camera
from drivers.errors import CameraNotFound, ModeUnsupported
from drivers.session.library import is_session

DEMO = "demo"
AUTO = "auto"
VENDOR_FILES = {".db3": "a ROS 2 bag", ".bag": "a RealSense or ROS 1 recording"}


@dataclass(frozen=True)
class Sdk:
    """A vendor's library.

    Attributes:
        title: the cameras it is for.
        module: what Python imports.
        install: the command that installs it.
    """

    title: str
    module: str
    install: str

    @property
    def installed(self) -> bool:
        """Whether Python finds it."""
        try:
            return importlib.util.find_spec(self.module) is not None
        except ModuleNotFoundError:  # the package above it is missing, or something else of that name
            return False


SDKS = (
    Sdk("Intel RealSense", "pyrealsense2", "pip install pyrealsense2"),
    # As a normal requirement it would pull in numpy 1. The package called pyorbbecsdk holds macOS files only.
    Sdk("Orbbec Gemini", "pyorbbecsdk", 'pip install --no-deps "pyorbbecsdk2>=2.1.2"'),
    # The pyzed on PyPI is another project.
    Sdk("Stereolabs ZED", "pyzed.sl", "python /usr/local/zed/get_python_api.py"),
)


def open_source(source: str, *, loop: bool = True) -> list[Camera]:
    """The cameras of a source, not open yet.

    Args:
        source: "demo", "auto", a session folder, or a folder of frame folders.
        loop: files start again at their end.

    Raises:
        CameraNotFound: there is no such source, or nothing in it.
        ModeUnsupported: this version does not read such a source, or its first frame is not as it should be.
    """
    if source == DEMO:
        from drivers.cameras.synthetic import demo_rig

        return list(demo_rig())
    if source == AUTO:
        raise CameraNotFound(
            "This version of DepthMend drives no real camera yet.",
            hint="Choose demo for the simulated rig, or a session or a folder of frames.",
        )
    return list(_from_path(Path(source).expanduser(), loop=loop))


def _from_path(path: Path, *, loop: bool) -> Sequence[Camera]:
    if path.suffix in VENDOR_FILES:
        raise ModeUnsupported(
            f"{path.name} is {VENDOR_FILES[path.suffix]}, which this version does not read.",
            hint="Export it as frame folders (rgb.png, raw_depth.png, intrinsics.txt) and open their folder.",
        )
    if not path.is_dir():
        raise CameraNotFound(
            f"There is no source {path}." if not path.exists() else f"{path} is a file, not a source.",
            hint="Give demo, auto, a session folder, or a folder of frame folders.",
        )
    if is_session(path):
        from drivers.cameras.replay import replay_cameras

        return replay_cameras(path, loop=loop)
    from drivers.cameras.folder import FolderCamera

    return [FolderCamera(path, loop=loop)]
