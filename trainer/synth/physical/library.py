"""Loads Mitsuba and its denoiser, or says what to install; never lets a wrong LLVM end the process."""

import ctypes
import importlib
import importlib.util
import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from trainer.errors import TrainingError

VARIANT = "llvm_ad_rgb"
LEAST_LLVM = 19
"""Older ones are refused by Dr.Jit, or end the process: LLVM 15 and 16 cannot compile `fminimum`."""
NAMED = "DRJIT_LIBLLVM_PATH"
PLACES = (
    ("/usr/lib", "*-linux-gnu/libLLVM*.so*"),
    ("/usr/lib", "llvm-*/lib/libLLVM*.so*"),
    ("/usr/lib64", "libLLVM*.so*"),
    ("/usr/lib64", "llvm*/lib/libLLVM*.so*"),
    ("/usr/lib", "libLLVM*.so*"),
    ("/opt/homebrew/opt", "llvm*/lib/libLLVM*.dylib"),
    ("C:/Program Files/LLVM/bin", "LLVM-C.dll"),
)
INSTALL = (
    'Run: pip install "depthmend[render]" (in a checkout: pip install .[render]) and: '
    f"apt install libllvm{LEAST_LLVM}, or newer. An LLVM that lies elsewhere is named by {NAMED}."
)


@lru_cache(1)
def load() -> tuple[ModuleType, ModuleType]:
    """Mitsuba, set to compile for this processor, and Dr.Jit.

    Raises:
        TrainingError: one of Mitsuba, its denoiser and LLVM is missing or too old; the hint says what to do.
    """
    missing = [name for name in ("mitsuba", "drjit", "pyoidn") if not _there(name)]
    if missing:
        raise TrainingError(f"The renderer needs {' and '.join(missing)}, not installed here.", hint=INSTALL)
    os.environ[NAMED] = str(llvm())
    mitsuba, drjit = importlib.import_module("mitsuba"), importlib.import_module("drjit")
    mitsuba.set_variant(VARIANT)
    return mitsuba, drjit


def use_one_core() -> None:
    """This process leaves the other cores to others."""
    os.environ.setdefault("OIDN_NUM_THREADS", "1")
    os.environ.setdefault("OIDN_SET_AFFINITY", "0")
    load()[1].set_thread_count(1)


def llvm() -> Path:
    """The LLVM library that Dr.Jit shall load.

    Raises:
        TrainingError: there is none that is new enough.
    """
    named = os.environ.get(NAMED)
    if named:
        found = _version(Path(named))
        if found is None or found < LEAST_LLVM:
            what = f"is LLVM {found}" if found else "is not LLVM"
            raise TrainingError(f"{named} ({NAMED}) {what}; the renderer needs {LEAST_LLVM}.", hint=INSTALL)
        return Path(named)
    paths = [path for root, pattern in PLACES for path in sorted(Path(root).glob(pattern))]
    best = max(((_numbered(path) or 0, str(path)) for path in paths), default=(0, ""))
    if best[0] >= LEAST_LLVM:
        return Path(best[1])
    unnumbered = [path for path in paths if _numbered(path) is None and (_version(path) or 0) >= LEAST_LLVM]
    if unnumbered:
        return unnumbered[0]
    newest = f"LLVM {best[0]} is too old" if best[0] else "LLVM is missing"
    raise TrainingError(f"{newest}: the renderer needs {LEAST_LLVM} or newer.", hint=INSTALL)


def _numbered(path: Path) -> int | None:
    """The version that a file's name tells: libLLVM-19.so, libLLVM.so.19.1, llvm-19/lib/libLLVM.so."""
    for pattern in (r"libLLVM-(\d+)", r"libLLVM\.so\.(\d+)", r"libLLVM\.(\d+)", r"llvm(?:-|@)(\d+)"):
        found = re.search(pattern, path.as_posix())
        if found:
            return int(found[1])
    return None


def _version(path: Path) -> int | None:
    """The version that a library itself tells; None if it does not load, or is older than LLVM 16."""
    numbered = _numbered(path)
    if numbered is not None and path.is_file():
        return numbered
    try:
        library = ctypes.CDLL(str(path))
        major, minor, patch = (ctypes.c_uint() for _ in range(3))
        library.LLVMGetVersion(ctypes.byref(major), ctypes.byref(minor), ctypes.byref(patch))
    except (OSError, AttributeError):
        return None
    return major.value


def _there(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None
