"""Optional libraries: imported when they are needed; the error has the command that installs them."""

import importlib
from dataclasses import dataclass
from types import ModuleType

from drivers.errors import LibraryMissing
from drivers.sdk import PIP


@dataclass(frozen=True)
class Extra:
    """A library that only some formats need.

    Attributes:
        module: what Python imports.
        requirement: what pip installs.
        what: it is for, as the subject of a sentence.
    """

    module: str
    requirement: str
    what: str

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f'{PIP} install "{self.requirement}"'

    def load(self) -> ModuleType:
        """The module.

        Raises:
            LibraryMissing: it is not installed, or does not load.
        """
        try:
            return importlib.import_module(self.module)
        except ImportError as error:
            name = self.requirement.split(">", maxsplit=1)[0]
            raise LibraryMissing(
                f"{self.what} needs the library {name}, which is not installed: {error}",
                hint=f"Run this: {self.install}",
            ) from error


VIDEO = Extra("av", "av>=16,<19", "Video")
PARQUET = Extra("pyarrow.parquet", "pyarrow>=20,<27", "The LeRobot format")
LZFSE = Extra("imagecodecs", "imagecodecs>=2026.1", "The depth of Record3D files")
