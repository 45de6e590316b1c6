import ctypes
import sys

import pytest

from trainer.errors import TrainingError
from trainer.synth import cli
from trainer.synth.physical import library


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.delenv(library.NAMED, raising=False)
    library.load.cache_clear()
    yield
    library.load.cache_clear()


def places(monkeypatch, folder, *names):
    for name in names:
        (folder / name).write_bytes(b"")
    monkeypatch.setattr(library, "PLACES", ((str(folder), "*"),))


def never_load(path):
    raise AssertionError(f"{path} was loaded")


def test_the_newest_llvm_is_chosen_by_its_name_without_loading_any(tmp_path, monkeypatch):
    places(monkeypatch, tmp_path, "libLLVM-14.so", "libLLVM-15.so.1", "libLLVM.so.19.1", "libLLVM-22.so")
    monkeypatch.setattr(ctypes, "CDLL", never_load)
    assert library.llvm().name == "libLLVM-22.so"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), "LLVM is missing"),
        (("libLLVM-14.so", "libLLVM-15.so.1", "libLLVM.so.18.1"), "LLVM 18 is too old"),
    ],
)
def test_an_llvm_that_would_end_the_process_is_never_loaded(tmp_path, monkeypatch, names, words):
    places(monkeypatch, tmp_path, *names)
    monkeypatch.setattr(ctypes, "CDLL", never_load)
    with pytest.raises(TrainingError, match=words) as error:
        library.llvm()
    assert "apt install libllvm19" in error.value.hint


@pytest.mark.parametrize("name", ["libLLVM-15.so", "libLLVM.so"])
def test_a_library_that_is_named_must_be_new_enough_too(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(b"")
    monkeypatch.setenv(library.NAMED, str(tmp_path / name))
    with pytest.raises(TrainingError, match="DRJIT_LIBLLVM_PATH"):
        library.llvm()


def test_without_mitsuba_the_verb_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "mitsuba", raising=False)
    monkeypatch.setattr(library, "_there", lambda name: name != "mitsuba")
    flags = ["--scenes", "1", "--samples", "1", "--out", str(tmp_path / "set"), "--renderer", "mitsuba"]
    assert cli.main(flags) == 1
    said = capsys.readouterr().out
    assert "needs mitsuba" in said
    assert "pip install" in said
    assert not (tmp_path / "set").exists()
