"""The published archives of LingBot-Depth (robbyant/mdm_depth): `.tar.zst` of hundreds of gigabytes.

Inside: `<scene>/<camera>_<sequence>/{color,rawdepth,gtdepth}/<frame>.*` and `intrinsic.txt`; depth is 16-bit
millimetres. An archive is read from front to back and no further than needed, so the first samples of a
download that is still going on, or of standard input, can be had. Unpacked folders are read as well.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap
from drivers.geometry import intrinsics_from_matrix
from trainer.data.datasets.files import ScenesOfFiles
from trainer.data.images import (
    HINT,
    color_of,
    counts_of,
    decoded_counts,
    fitted,
    metres,
    resized_color,
    resized_depth,
    usable,
)
from trainer.data.samples import Sample
from trainer.data.stored import StoredSample
from trainer.errors import DataError

UNIT_M = 0.001
FARTHEST_M = 40.0
"""RealSense captures carry outliers of up to 65 m; none of the cameras measures half as far."""
PARTS = ("color", "rawdepth", "gtdepth")
INTRINSICS = ("intrinsic.txt", "intrinsics.txt")
PENDING_LIMIT = 200_000
"""Files held while their triplets are incomplete; archives sort by folder, so a sequence's colour comes
first."""


class MdmDepth(ScenesOfFiles):
    """Unpacked triplets below a folder."""

    clean = False

    def __init__(self, root: Path) -> None:
        colors = (path for path in root.rglob("color/*") if _other(path, "rawdepth").is_file())
        super().__init__(colors, root=root, wanted="triplet (color/, rawdepth/ and gtdepth/)")

    def read(self, number: int) -> Sample:
        path = self._frames[number]
        color = color_of(path)
        size = fitted(color)
        raw, truth = (
            usable(metres(counts_of(_other(path, part)), UNIT_M), farthest_m=FARTHEST_M) for part in PARTS[1:]
        )
        return Sample(resized_color(color, size), resized_depth(raw, size), resized_depth(truth, size))


def _other(color: Path, part: str) -> Path:
    return color.parents[1] / part / f"{color.stem}.png"


@dataclass(eq=False)
class _Sequence:
    camera: NDArray[np.float64] | None = None
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)


def triplets(archive: IO[bytes], *, first: int | None = None) -> Iterator[StoredSample]:
    """Samples of a compressed archive, in its order, as soon as their three files have come.

    A sequence's camera is known only if its `intrinsic.txt` came before.

    Args:
        archive: `.tar.zst`, read forward only.
        first: stop after that many; None reads to the end.

    Raises:
        DataError: it is no such archive, or it ends before `first` samples came.
    """
    import zstandard

    found = pending = 0
    sequences: dict[str, _Sequence] = {}
    if first == 0:
        return
    try:
        with (
            zstandard.ZstdDecompressor().stream_reader(archive, read_across_frames=True) as plain,
            tarfile.open(fileobj=plain, mode="r|") as tar,
        ):
            for member in tar:
                path = PurePosixPath(member.name)
                part, folder = path.parent.name, str(path.parent.parent)
                if path.name in INTRINSICS:
                    sequences.setdefault(str(path.parent), _Sequence()).camera = _matrix(
                        _content(tar, member)
                    )
                if not member.isfile() or part not in PARTS:
                    continue
                sequence = sequences.setdefault(folder, _Sequence())
                files = sequence.files.setdefault(path.stem, {})
                files[part] = _content(tar, member)
                pending += 1
                if len(files) == len(PARTS):
                    del sequence.files[path.stem]
                    pending -= len(PARTS)
                    yield _stored(files, sequence.camera, folder)
                    found += 1
                    if found == first:
                        return
                if pending > PENDING_LIMIT:
                    raise DataError(
                        "The archive holds too many files of which the other two have not come.",
                        hint="Unpack it and give the folder.",
                    )
    except (zstandard.ZstdError, tarfile.TarError) as error:
        raise DataError(
            f"The archive cannot be read after {found} samples: {error}.", hint="Fetch it again."
        ) from error
    if first is not None or not found:
        raise DataError(
            f"The archive ends after {found} samples.", hint="Ask for fewer, or fetch the next one."
        )


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return b"" if file is None else file.read()


def _matrix(content: bytes) -> NDArray[np.float64]:
    numbers = np.array(content.decode("utf-8", errors="replace").replace(",", " ").split(), np.float64)
    if numbers.size == 9:
        return numbers.reshape(3, 3)
    if numbers.size == 4:
        fx, fy, cx, cy = numbers
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    raise DataError(f"intrinsic.txt holds {numbers.size} numbers, not 9 or 4.", hint=HINT)


def _stored(files: dict[str, bytes], camera: NDArray[np.float64] | None, folder: str) -> StoredSample:
    content = {part: np.frombuffer(files[part], np.uint8) for part in PARTS}
    color = cv2.imdecode(content["color"], cv2.IMREAD_COLOR)
    if color is None:
        raise DataError(f"A colour image of {folder} is no picture.", hint=HINT)
    height, width = color.shape[:2]
    raw, truth = (decoded_counts(content[part], f"{part} of {folder}") for part in PARTS[1:])
    raw = np.where(raw > FARTHEST_M / UNIT_M, 0, raw).astype(np.uint16)
    raw = np.asarray(cv2.resize(raw, (width, height), interpolation=cv2.INTER_NEAREST), np.uint16)
    return StoredSample(
        color=np.ascontiguousarray(np.asarray(color, np.uint8)[..., ::-1]),
        depth=DepthMap(raw, UNIT_M),
        truth_m=resized_depth(usable(metres(truth, UNIT_M), farthest_m=FARTHEST_M), (width, height)),
        camera=None if camera is None else intrinsics_from_matrix(camera, width, height),
        source="mdm_depth",
        scene=PurePosixPath(folder).parent.name,
    )
