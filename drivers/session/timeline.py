"""When every frame of a session was exposed and which file holds it, kept beside the files.

The file of it may be deleted at any time: it is made again from the indexes of the recording.
"""

import hashlib
import logging
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.session.durable import write_atomically
from drivers.session.manifest import Manifest

TIMELINE_NAME = "index.npz"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Track:
    """Frames of one kind, of one camera.

    Attributes:
        times: (N,) int64 UTC nanoseconds of mid-exposure, ascending.
        segments: (N,) int64 position in the manifest's list of the file that holds each.
    """

    times: NDArray[np.int64]
    segments: NDArray[np.int64]


Timeline = dict[str, Track]
"""By camera id; refined depth of a camera by `refined_key`."""


def refined_key(camera_id: str) -> str:
    """Under which name a timeline has the refined frames of a camera."""
    return f"{camera_id}/refined"


def track(parts: Iterable[tuple[int, NDArray[np.int64]]]) -> Track:
    """One track of the times that each file holds."""
    found = [(times, np.full(times.size, number)) for number, times in parts]
    if not found:
        return Track(np.empty(0, np.int64), np.empty(0, np.int64))
    times, segments = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(times, kind="stable")
    return Track(times[order], segments[order])


def load_timeline(folder: Path, manifest: Manifest, names: Iterable[str]) -> Timeline | None:
    """What `save_timeline` left, or None where it is not there, damaged, or of other files."""
    try:
        data = BytesIO((folder / TIMELINE_NAME).read_bytes())
        with np.load(data, allow_pickle=False) as stored:
            if str(stored["of"]) != _fingerprint(manifest):
                return None
            return {name: Track(stored[f"{name}/times"], stored[f"{name}/segments"]) for name in names}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def save_timeline(folder: Path, manifest: Manifest, timeline: Timeline) -> None:
    """Keep a timeline for the next opening; a folder that cannot be written does without."""
    arrays = {f"{name}/times": each.times for name, each in timeline.items()}
    arrays |= {f"{name}/segments": each.segments for name, each in timeline.items()}
    data = BytesIO()
    np.savez(data, allow_pickle=False, of=np.array(_fingerprint(manifest)), **arrays)
    try:
        write_atomically(folder / TIMELINE_NAME, data.getvalue())
    except OSError as error:
        _log.info("the index of %s is not kept: %s", folder, error)


def _fingerprint(manifest: Manifest) -> str:
    """Of the files that a timeline was made from."""
    files = "".join(f"{file.name} {file.size} {file.sha256}\n" for file in manifest.files)
    return hashlib.sha256(files.encode()).hexdigest()
