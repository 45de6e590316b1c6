"""What every test gets: no thread of ours outlives it, and where the shared material lies."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as main.py does, before anything loads torch

SHARED = Path(__file__).resolve().parents[2] / "shared"


SLOWEST_END_S = 30.0
"""What a thread that was told to stop may take on a machine that does other things besides."""


OURS = ("app", "drivers", "model", "trainer", "tests")


@pytest.fixture(autouse=True)
def _no_leftover_threads() -> Iterator[None]:
    """Daemons of ours count: Python ends under them, and one inside OpenCV then takes the whole run with it.

    `std::terminate` is called where Python unwinds such a thread through C++ ("terminate called without an
    active exception"); `main.py` leaves in another way for that reason. Those of torch and others stay.
    """
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + SLOWEST_END_S
    for thread in set(threading.enumerate()) - before:
        if not thread.daemon or _target_module(thread).split(".")[0] in OURS:
            thread.join(max(deadline - time.monotonic(), 0))
            assert not thread.is_alive(), f"thread still running: {thread.name}"


def _target_module(thread: threading.Thread) -> str:
    """Where the function is from that a living thread runs; empty where Python did not start the thread."""
    return getattr(getattr(thread, "_target", None), "__module__", "")


@pytest.fixture(autouse=True)
def _own_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees what the operator got from the hub, or signs in there."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "huggingface" / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "huggingface" / "token"))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with reference outputs and real frames; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not here")
    return SHARED
