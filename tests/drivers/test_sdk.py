"""Libraries that are right, missing, too old, broken or of the wrong kind, made as real packages."""

import importlib
import sys

import pytest

from drivers.errors import SdkMissing
from drivers.sdk import Sdk, SdkStatus


@pytest.fixture
def install(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)

    def put(distribution, version, module=None, source=""):
        info = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        if module is not None:
            path = tmp_path / f"{module.replace('.', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(source)
            sys.modules.pop(module, None)
        importlib.invalidate_caches()

    return put


def sdk(**how):
    described = {
        "name": "acme",
        "title": "Acme cameras",
        "module": "acme_depth",
        "distributions": ("acme-depth",),
        "minimum": (2, 1),
        "install": "pip install acme-depth",
    }
    return Sdk(**(described | how))


def test_what_is_not_there_comes_with_the_command():
    state = sdk().state()

    assert (state.status, state.fix) == (SdkStatus.MISSING, "pip install acme-depth")
    with pytest.raises(SdkMissing, match="Acme cameras") as caught:
        sdk().require()
    assert "pip install acme-depth" in caught.value.hint


def test_what_is_new_enough_is_loaded(install):
    install("acme-depth", "2.10.3", "acme_depth", "answer = 42")

    assert (sdk().state().status, sdk().state().version) == (SdkStatus.READY, "2.10.3")
    assert sdk().require().answer == 42


def test_what_is_too_old_says_both_versions(install):
    install("acme-depth", "2.0.9", "acme_depth")

    state = sdk().state()

    assert state.status is SdkStatus.OLD
    assert "2.0.9" in state.text
    assert "2.1" in state.text


def test_what_does_not_load_says_why(install):
    install("acme-depth", "2.1", "acme_depth", "raise ImportError('libacme.so: cannot open')")

    state = sdk().state()

    assert state.status is SdkStatus.BROKEN
    assert "libacme.so" in state.text


def test_another_package_of_the_same_import_name_is_taken_away_first(install):
    install("acmedepth", "1.3.2", "acme_depth")

    state = sdk(wrong=(("acmedepth", "holds files for another system"),)).state()

    assert state.status is SdkStatus.WRONG
    assert "acmedepth 1.3.2 holds files for another system" in state.text
    assert "uninstall -y acmedepth && pip install acme-depth" in state.fix


def test_another_package_of_the_very_same_name_is_known_by_what_it_lacks(install):
    zed = sdk(module="acme_zed.sl", distributions=("acme_zed",), wrong=(("acme_zed", "is something else"),))
    install("acme_zed", "3.0", "acme_zed")
    assert zed.state().status is SdkStatus.WRONG


def test_the_right_one_of_that_name_is_not_mistaken(install):
    zed = sdk(module="acme_zee.sl", distributions=("acme_zee",), wrong=(("acme_zee", "is something else"),))
    install("acme_zee", "3.0", "acme_zee.sl")
    assert zed.state().ready
