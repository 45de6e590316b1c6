"""The vendors' own libraries as a computer may have them: each ends in the command that puts it right."""

import sys
from importlib import metadata

import pytest

from drivers.cameras import orbbec, realsense, zed
from drivers.errors import SdkMissing
from drivers.registry import SDKS
from drivers.sdk import PIP, SdkStatus

ORBBEC_FIX = f'{PIP} install --no-deps "pyorbbecsdk2>=2.1.2"'
REALSENSE_FIX = f'{PIP} install "pyrealsense2>=2.56" libusb-package'


@pytest.fixture
def installed(monkeypatch):
    """A computer that has these packages and none else; what is importable stays as it is."""

    def say(**versions):
        def version(package):
            if package not in versions:
                raise metadata.PackageNotFoundError(package)
            return versions[package]

        monkeypatch.setattr(metadata, "version", version)

    return say


@pytest.fixture
def importable(monkeypatch):
    """Whether a module of the vendors can be found, said of all alike."""

    def say(found):
        monkeypatch.setattr("drivers.sdk._found", lambda _module: found)

    return say


def hint_of(sdk):
    with pytest.raises(SdkMissing) as caught:
        sdk.require()
    assert sdk.title in str(caught.value)
    return caught.value.hint


def test_orbbecs_package_of_1_3_2_is_the_wrong_one(installed, importable):
    installed(pyorbbecsdk="1.3.2")
    importable(True)

    state = orbbec.SDK.state()

    assert (state.status, state.version) == (SdkStatus.WRONG, "1.3.2")
    assert state.text == "pyorbbecsdk 1.3.2 is another package, and holds files for macOS only."
    assert state.fix == f"{PIP} uninstall -y pyorbbecsdk && {ORBBEC_FIX}"
    assert hint_of(orbbec.SDK) == f"Run this: {state.fix}"


def test_beside_the_right_one_both_are_taken_away_for_they_share_their_files(installed, importable):
    installed(pyorbbecsdk="1.3.2", pyorbbecsdk2="2.1.2")
    importable(True)

    state = orbbec.SDK.state()

    assert state.status is SdkStatus.WRONG
    assert state.fix == f"{PIP} uninstall -y pyorbbecsdk pyorbbecsdk2 && {ORBBEC_FIX}"


@pytest.mark.parametrize(
    ("sdk", "package", "version", "needed", "fix"),
    [
        (realsense.SDK, "pyrealsense2", "2.55.1.6486", "2.56", REALSENSE_FIX),
        (realsense.SDK, "pyrealsense2", "2.9.0", "2.56", REALSENSE_FIX),
        (orbbec.SDK, "pyorbbecsdk2", "2.0.18", "2.1", ORBBEC_FIX),
    ],
)
def test_a_library_that_is_too_old_says_what_is_needed(
    installed, importable, sdk, package, version, needed, fix
):
    installed(**{package: version})
    importable(True)

    state = sdk.state()

    assert (state.status, state.fix) == (SdkStatus.OLD, fix)
    assert state.text == f"{package} {version} is too old; {needed} or newer is needed."
    assert hint_of(sdk) == f"Run this: {fix}"


def test_2_56_of_realsense_is_new_enough(installed):
    if not realsense.SDK.state().ready:
        pytest.skip("pyrealsense2 is not here")
    installed(pyrealsense2="2.56.5.9235")

    assert realsense.SDK.state().ready


def test_the_pyzed_of_pypi_is_not_stereolabs(installed, importable):
    installed(pyzed="0.1.0")
    importable(False)  # it has no pyzed.sl

    state = zed.SDK.state()

    assert state.status is SdkStatus.WRONG
    assert state.text == "pyzed 0.1.0 is not Stereolabs' package, but another of that name."
    assert state.fix.startswith(f"{PIP} uninstall -y pyzed && ")
    assert state.fix.endswith(" /usr/local/zed/get_python_api.py")
    assert hint_of(zed.SDK) == f"Run this: {state.fix}"


def test_a_zed_sdk_that_is_too_old_says_so(installed, importable):
    installed(pyzed="3.8.2")
    importable(True)

    assert zed.SDK.state().status is SdkStatus.OLD


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
def test_a_library_that_is_not_there_comes_with_its_command(installed, importable, sdk):
    installed()
    importable(False)

    state = sdk.state()

    assert (state.status, state.fix) == (SdkStatus.MISSING, sdk.install)
    assert hint_of(sdk) == f"Run this: {sdk.install}"


def test_every_command_is_for_the_python_that_runs():
    for sdk in SDKS:
        assert sys.executable in sdk.install.replace("'", "")
