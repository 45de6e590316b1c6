"""The desktop application: it owns every thread."""

from importlib import metadata


def installed_version(package: str) -> str | None:
    """Of a Python package; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def app_version() -> str:
    """Of the program, for people and for recordings."""
    return installed_version("depthmend") or "checkout"
