"""One MCAP file while it is being written."""

import hashlib
import os
import time
from collections import Counter
from pathlib import Path
from typing import IO, cast

from mcap.writer import CompressionType, Writer

from drivers.session import cdr
from drivers.session.manifest import SegmentEntry
from drivers.session.topics import TF_STATIC

ACTIVE_SUFFIX = ".active"
CHUNK_BYTES = 1 << 20
CHUNK_PERIOD_S = 0.25
PROFILE = "ros2"
LIBRARY = "depthmend rgbd-session 1"

# So that `ros2 bag play` hands the transforms to whoever subscribes later.
_LATCHED = (
    "- history: 3\n  depth: 0\n  reliability: 1\n  durability: 1\n"
    "  deadline:\n    sec: 9223372036\n    nsec: 854775807\n"
    "  lifespan:\n    sec: 9223372036\n    nsec: 854775807\n"
    "  liveliness: 1\n"
    "  liveliness_lease_duration:\n    sec: 9223372036\n    nsec: 854775807\n"
    "  avoid_ros_namespace_conventions: false\n"
)


class _AppendedFile:
    """The stream below the MCAP writer: no buffer of its own, whole writes or an error, a running hash."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self.descriptor = os.open(path, flags, 0o644)
        self.hash = hashlib.sha256()
        self.broken = False
        self._size = 0

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except OSError:
            self.broken = True
            raise
        self.hash.update(data)
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass


class Segment:
    """An MCAP file that can be read on its own. Not for several threads at once."""

    def __init__(self, folder: Path, number: int) -> None:
        """Create the file.

        Raises:
            OSError: the disk does not take it.
        """
        self.name = f"seg_{number:05d}.mcap"
        self.path = folder / (self.name + ACTIVE_SUFFIX)
        self.opened_s = time.monotonic()
        self.pending_bytes = 0
        self.finished = False
        self.repaired = False
        self._folder = folder
        self._file = _AppendedFile(self.path)
        self._writer = Writer(
            cast("IO[bytes]", self._file), chunk_size=CHUNK_BYTES, compression=CompressionType.NONE
        )
        self._writer.start(PROFILE, LIBRARY)
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._first_ns = 0
        self._last_ns = 0
        self._chunk_started_s: float | None = None

    @property
    def size(self) -> int:
        """Bytes so far, those not yet in the file included."""
        return self._file.tell() + self.pending_bytes

    @property
    def broken(self) -> bool:
        """Whether the disk refused a part, so that the MCAP writer's own state is of no more use."""
        return self._file.broken

    @property
    def descriptor(self) -> int:
        """Of the open file."""
        return self._file.descriptor

    def register(self, topic: str, schema: str) -> None:
        """Announce a topic; again is nothing."""
        if topic in self._channels:
            return
        if schema not in self._schemas:
            self._schemas[schema] = self._writer.register_schema(
                schema, "ros2msg", cdr.SCHEMAS[schema].encode()
            )
        metadata = {"offered_qos_profiles": _LATCHED if topic == TF_STATIC else ""}
        self._channels[topic] = self._writer.register_channel(topic, "cdr", self._schemas[schema], metadata)

    def add_metadata(self, name: str, values: dict[str, str]) -> None:
        """A metadata record."""
        self._writer.add_metadata(name, values)

    def add_attachment(self, name: str, data: bytes, at_ns: int) -> None:
        """A JSON file within the file."""
        self._writer.add_attachment(at_ns, at_ns, name, "application/json", data)

    def add(self, topic: str, data: bytes, *, log_ns: int, publish_ns: int, sequence: int) -> None:
        """One message on a registered topic; times are UTC.

        Raises:
            OSError: the disk does not take it.
        """
        if self._chunk_started_s is None:
            self._chunk_started_s = time.monotonic()
        written = self._file.tell()
        self._writer.add_message(self._channels[topic], log_ns, data, publish_ns, sequence % (1 << 32))
        self._counts[topic] += 1
        self._first_ns = min(self._first_ns or log_ns, log_ns)
        self._last_ns = max(self._last_ns, log_ns)
        if self._file.tell() > written:
            self._chunk_started_s = None
            self.pending_bytes = 0
        else:
            self.pending_bytes += len(data)

    @property
    def chunk_due(self) -> bool:
        """Whether the open chunk is older than it may be."""
        started_s = self._chunk_started_s
        return started_s is not None and time.monotonic() - started_s >= CHUNK_PERIOD_S

    def end_chunk(self) -> None:
        """Hand everything so far to the operating system.

        Raises:
            OSError: the disk does not take it.
        """
        self._writer.flush()  # type: ignore[no-untyped-call]
        self._chunk_started_s = None
        self.pending_bytes = 0

    def finish(self) -> None:
        """Write the last chunk and the index.

        Raises:
            OSError: the disk does not take it.
        """
        assert not self._file.broken
        self._writer.finish()  # type: ignore[no-untyped-call]
        self.pending_bytes = 0
        self.finished = True

    def entry(self) -> SegmentEntry:
        """What the manifest says of the finished file."""
        return SegmentEntry(
            name=self.name,
            size=self._file.tell(),
            sha256=self._file.hash.hexdigest(),
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            counts=dict(self._counts),
        )

    def close_file(self) -> None:
        """Close the descriptor; the file keeps its temporary name."""
        os.close(self._file.descriptor)

    def rename(self) -> None:
        """Give the closed file its final name."""
        self.path.rename(self._folder / self.name)
