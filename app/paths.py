"""Where the program keeps its files."""

import os
import shutil
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("DepthMend", appauthor=False)


def _under(variable: str, standard: Path) -> Path:
    return Path(os.environ[variable]) if variable in os.environ else standard


def settings_file() -> Path:
    """The settings; `DEPTHMEND_CONFIG` names another file."""
    return _under("DEPTHMEND_CONFIG", _DIRS.user_config_path / "settings.toml")


def controls_file() -> Path:
    """What the operator wants of each camera's controls; lies beside the settings."""
    return settings_file().with_name("controls.json")


def data_folder() -> Path:
    """Parent of sessions, weights and runs; `DEPTHMEND_DATA` names another."""
    return _under("DEPTHMEND_DATA", _DIRS.user_documents_path / "DepthMend")


def log_folder() -> Path:
    """Log files; `DEPTHMEND_LOGS` names another."""
    return _under("DEPTHMEND_LOGS", _DIRS.user_log_path)


def sessions_folder() -> Path:
    """Recorded sessions, one folder each."""
    return data_folder() / "sessions"


def runs_folder() -> Path:
    """Training runs, one folder each."""
    return data_folder() / "runs"


def calibrations_folder() -> Path:
    """Where the cameras of each rig stand, one file a rig; `DEPTHMEND_CALIBRATIONS` names another.

    It belongs to this computer and its cameras, not to the operator's documents.
    """
    return _under("DEPTHMEND_CALIBRATIONS", _DIRS.user_data_path / "calibrations")


def rigs_folder() -> Path:
    """Rig files that were saved from the window."""
    return data_folder() / "rigs"


def pictures_folder() -> Path:
    """Pictures that were saved from the window."""
    return data_folder() / "pictures"


def weights_folder() -> Path:
    """Weights that the menus offer besides the bundled ones."""
    return data_folder() / "weights"


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def free_bytes(folder: Path) -> int | None:
    """Room on the disk that holds the folder, or will hold it; None where that is no disk, as with /proc.

    Raises:
        OSError: the disk is gone.
    """
    usage = shutil.disk_usage(existing(folder))
    return usage.free if usage.total else None
