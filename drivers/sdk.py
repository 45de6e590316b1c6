"""The vendors' libraries: which are there, which are the wrong ones, and the command that puts it right."""

import importlib
import importlib.metadata
import importlib.util
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import ModuleType

from drivers.errors import SdkMissing

PIP = f"{shlex.quote(sys.executable)} -m pip"


class SdkStatus(Enum):
    """Whether a library can be used."""

    READY = "ready"
    MISSING = "missing"
    OLD = "too old"
    WRONG = "the wrong package"
    BROKEN = "does not load"


@dataclass(frozen=True)
class SdkState:
    """What was found of a library.

    Attributes:
        status: whether it can be used.
        version: that is installed, or empty.
        text: what is the case, in one sentence.
        fix: the command to run; empty where nothing is wrong.
    """

    status: SdkStatus
    version: str
    text: str
    fix: str = ""

    @property
    def ready(self) -> bool:
        """Whether its cameras can be opened."""
        return self.status is SdkStatus.READY


@dataclass(frozen=True)
class Sdk:
    """A vendor's library.

    Attributes:
        name: the vendor, as in the source "realsense:123".
        title: the cameras it is for.
        module: what Python imports.
        distributions: the packages that bring the module, as `pip` calls them.
        minimum: oldest version that will do.
        install: the command that installs it.
        comes_with: where to get it, if `install` alone does not do it.
        wrong: packages of the same import name that are something else, and what they are.
        load: imports the module; what a library needs before or after its import is done here.
    """

    name: str
    title: str
    module: str
    distributions: tuple[str, ...]
    minimum: tuple[int, ...]
    install: str
    comes_with: str = ""
    wrong: tuple[tuple[str, str], ...] = ()
    load: Callable[[], ModuleType] | None = None

    def state(self) -> SdkState:
        """What is installed; imports the library, which is the only proof that it works."""
        for package, what in self.wrong:
            if (version := _version(package)) is not None and self._is_wrong(package):
                # Both write into one folder: taking the wrong one away takes files of the right one along.
                beside = [name for name in self.distributions if name != package and _version(name)]
                fix = f"{PIP} uninstall -y {' '.join((package, *beside))} && {self.install}"
                return SdkState(SdkStatus.WRONG, version, f"{package} {version} {what}.", fix)
        installed = {name: version for name in self.distributions if (version := _version(name)) is not None}
        if not installed and not _found(self.module):
            text = "Not installed."
            if self.comes_with:
                text = f"Not installed. It comes with {self.comes_with}."
            return SdkState(SdkStatus.MISSING, "", text, self.install)
        # Some vendors' installers leave no metadata; then the import has to tell.
        package, version = next(iter(installed.items()), (self.module, ""))
        if version and _numbers(version) < self.minimum:
            needed = ".".join(map(str, self.minimum))
            text = f"{package} {version} is too old; {needed} or newer is needed."
            return SdkState(SdkStatus.OLD, version, text, self.install)
        try:
            self._import()
        except (ImportError, OSError) as error:
            return SdkState(
                SdkStatus.BROKEN, version, f"{package} {version} does not load: {error}.", self.install
            )
        return SdkState(SdkStatus.READY, version, f"{package} {version}".strip())

    def require(self) -> ModuleType:
        """The library.

        Raises:
            SdkMissing: it is not there, too old, or another package of its name; the hint is the command.
        """
        state = self.state()
        if not state.ready:
            raise SdkMissing(
                f"The library for {self.title} is not ready. {state.text}", hint=f"Run this: {state.fix}"
            )
        return self._import()

    def _import(self) -> ModuleType:
        return self.load() if self.load is not None else importlib.import_module(self.module)

    def _is_wrong(self, package: str) -> bool:
        if package not in self.distributions:
            return True
        # The right and the wrong one have the same name: only the right one has the submodule.
        return not _found(self.module)


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (
        ModuleNotFoundError,
        ValueError,
    ):  # the package above it is missing, or something else of that name
        return False


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:4])
