"""What repeating a run needs beside its configuration: program, versions, machine, command and data."""

import json
import os
import platform
import socket
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import torch

from trainer.config import TrainConfig
from trainer.distributed import World
from trainer.files import RECORD

ROOT = Path(__file__).resolve().parents[1]
LIBRARIES = (
    "torch",
    "numpy",
    "opencv-python-headless",
    "pydantic",
    "safetensors",
    "zstandard",
    "h5py",
    "OpenEXR",
)


def write_record(folder: Path, config: TrainConfig, world: World) -> None:
    """Add this start of the run to its record; a run that was resumed has several.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / RECORD
    starts = json.loads(path.read_bytes())["starts"] if path.is_file() else []
    starts.append(facts(config, world))
    path.write_text(json.dumps({"starts": starts}, indent=2), encoding="utf-8")


def facts(config: TrainConfig, world: World) -> dict[str, Any]:
    """Of one start."""
    gpu = world.device.type == "cuda"
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": (_git("status", "--porcelain") or "").splitlines(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "host": socket.gethostname(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "processes": world.size,
        "device": torch.cuda.get_device_name(world.device) if gpu else "cpu",
        "versions": {d.name: d.version for d in distributions() if d.name in LIBRARIES},
        "seed": config.seed,
        "data": [
            {"kind": part.kind, "path": str(part.path), "fingerprint": fingerprint(part.path)}
            for part in config.sources
            if part.path is not None
        ],
        "init": None if config.init is None else {"path": str(config.init), "crc32": _crc32(config.init)},
    }


def fingerprint(folder: Path) -> str:
    """Tells whether a data set is the same one later: number, sizes and names of its files, as a checksum."""
    lines = sorted(
        f"{path.relative_to(folder).as_posix()} {path.stat().st_size}"
        for path in folder.rglob("*")
        if path.is_file()
    )
    return f"{len(lines)} files, {zlib.crc32(chr(10).join(lines).encode()):08x}"


def _crc32(path: Path) -> str:
    if not path.is_file():
        return ""
    value = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return f"{value:08x}"


def _git(*words: str) -> str | None:
    """What git says of the program's folder; None where it is no checkout or there is no git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
