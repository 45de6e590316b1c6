"""The index of a shard: where in the tar file each sample begins, so that any one is read with one seek."""

import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from trainer.errors import DataError

FORMAT = 1
TAR = ".tar"
INDEX = ".index.json"


@dataclass(frozen=True)
class Place:
    """Where a sample lies in its shard.

    Attributes:
        key: name of the sample, up to the first dot of its files' names (WebDataset).
        scene: it belongs to.
        offset: of its first tar header, in bytes.
        size: to the end of its last file, padding included.
        crc32: of those bytes.
    """

    key: str
    scene: str
    offset: int
    size: int
    crc32: int


def index_path(shard: Path) -> Path:
    """The index that belongs to the tar file `shard`."""
    return shard.with_name(shard.name.removesuffix(TAR) + INDEX)


def write_index(shard: Path, places: list[Place]) -> None:
    """Write the index whole or not at all; where it stands, the shard is complete.

    Raises:
        OSError: the folder cannot be written.
    """
    path = index_path(shard)
    partial = path.with_name(f"{path.name}.partial")
    rows = [[place.key, place.scene, place.offset, place.size, place.crc32] for place in places]
    with partial.open("w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, "tar": shard.name, "samples": rows}, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_index(path: Path) -> list[Place]:
    """The places in the index file `path`.

    Raises:
        DataError: it is no index of ours.
    """
    try:
        return _Index.model_validate_json(path.read_bytes()).places
    except (OSError, ValidationError) as error:
        raise DataError(
            f"The index {path} cannot be read: {error}.",
            hint="Remove it and write it anew with: dataset index FOLDER",
        ) from error


class _Index(BaseModel):
    format: Literal[1]
    tar: str
    samples: list[tuple[str, str, int, int, int]]

    @property
    def places(self) -> list[Place]:
        return [Place(*row) for row in self.samples]


def scan(shard: Path) -> list[Place]:
    """The places of a tar file without an index, read from its headers from front to back.

    Raises:
        DataError: it is no whole tar file, or the files of one sample do not lie together.
    """
    places: list[Place] = []
    try:
        with shard.open("rb") as file, tarfile.open(fileobj=file) as tar:
            for key, offset, end in _groups(tar):
                if any(place.key == key for place in places[-1:]):
                    raise DataError(
                        f"The files of {key} lie apart in {shard}.", hint="Sort the tar file by name."
                    )
                file.seek(offset)
                block = file.read(end - offset)
                places.append(Place(key, scene_in(block), offset, end - offset, zlib.crc32(block)))
    except (tarfile.TarError, OSError) as error:
        raise DataError(
            f"The shard {shard} cannot be read: {error}.", hint="Fetch or make it again."
        ) from error
    return places


def _groups(tar: tarfile.TarFile) -> Iterator[tuple[str, int, int]]:
    key, offset, end = "", 0, 0
    for member in tar:
        if not member.isfile():
            continue
        stem = member.name.partition(".")[0]
        if stem != key:
            if end:
                yield key, offset, end
            key, offset = stem, member.offset
        end = member.offset_data + -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    if end:
        yield key, offset, end


def members(block: bytes) -> dict[str, bytes]:
    """Ending and content of each file in the bytes of one sample.

    Raises:
        DataError: they are no part of a tar file.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(block)) as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is not None:
                    found[member.name.partition(".")[2]] = content.read()
    except tarfile.TarError as error:
        raise DataError(
            f"A sample is no part of a tar file: {error}.", hint="Make the shard again."
        ) from error
    return found


def scene_in(block: bytes) -> str:
    """The scene that the sample's meta.json names; "" where it has none."""
    meta = members(block).get("meta.json")
    if meta is None:
        return ""
    try:
        return str(json.loads(meta).get("scene", ""))
    except (ValueError, AttributeError):
        return ""
