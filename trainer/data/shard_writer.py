"""Writes samples into tar files in WebDataset layout, each with its index."""

import io
import os
import tarfile
import zlib
from pathlib import Path
from types import TracebackType

from trainer.data.shard_index import TAR, Place, write_index
from trainer.data.stored import StoredSample, encoded


class ShardWriter:
    """One shard; it appears under its name when it is complete, and not before.

    The bytes depend on the samples only: no times, no users. Used as a context; an exception leaves nothing.

    Args:
        path: of the tar file.
    """

    def __init__(self, path: Path) -> None:
        assert path.name.endswith(TAR), path
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._places: list[Place] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._partial.open("wb")

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._file.close()
            self._partial.unlink(missing_ok=True)
            return
        try:
            self._file.write(bytes(2 * tarfile.BLOCKSIZE))
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
        self._partial.replace(self._path)
        write_index(self._path, self._places)

    @property
    def count(self) -> int:
        """Samples so far."""
        return len(self._places)

    def add(self, key: str, sample: StoredSample) -> None:
        """Append a sample under a key without dots.

        Raises:
            OSError: the disk is full.
        """
        assert "." not in key, key
        block = _block(key, encoded(sample))
        self._places.append(Place(key, sample.scene, self._file.tell(), len(block), zlib.crc32(block)))
        self._file.write(block)


def shard_path(folder: Path, number: int) -> Path:
    """The tar file of shard `number`."""
    return folder / f"shard-{number:06}{TAR}"


def _block(key: str, files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    for ending, content in files.items():
        header = tarfile.TarInfo(f"{key}.{ending}")
        header.size = len(content)
        header.mode = 0o644
        out.write(header.tobuf(tarfile.USTAR_FORMAT))
        out.write(content)
        out.write(bytes(-len(content) % tarfile.BLOCKSIZE))
    return out.getvalue()
