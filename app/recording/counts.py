"""Where the frames of a recording went, and what the screen shows of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.recording.guards import Caution
from drivers.session.ledger import Stage
from drivers.session.manifest import CameraTotals


@dataclass(frozen=True)
class CameraCount:
    """Where one camera's frames went; every count of the device is in exactly one of them.

    Attributes:
        written: in the file.
        compact: of those, the ones whose depth is JPEG XL.
        dropped: received, and thrown away because encoders or disk were too slow.
        unencoded: received, and could not be compressed.
        unwritten: received, and not taken by the disk.
        late: received after the recording had ended by itself.
        device_gap: skipped by the device's own counter before they reached us.
        waiting: received and not written yet.
        away_s: how long it sent nothing at all, unplugged or silent. Frames that it would have sent meanwhile
            are in `device_gap` once it is back; until then nobody has counted them.
    """

    written: int = 0
    compact: int = 0
    dropped: int = 0
    unencoded: int = 0
    unwritten: int = 0
    late: int = 0
    device_gap: int = 0
    waiting: int = 0
    away_s: float = 0.0

    @property
    def failed(self) -> int:
        """Received, and not written for another reason than too little time."""
        return self.unencoded + self.unwritten + self.late

    @property
    def lost(self) -> int:
        """Frames that are in no file."""
        return self.dropped + self.failed + self.device_gap

    @property
    def device_frames(self) -> int:
        """Frames that the device's counter went through."""
        return self.written + self.waiting + self.lost

    @property
    def stages(self) -> dict[str, int]:
        """Lost frames by where they were lost."""
        counts = {
            Stage.DEVICE: self.device_gap,
            Stage.QUEUE: self.dropped,
            Stage.ENCODE: self.unencoded,
            Stage.WRITE: self.unwritten,
            Stage.ENDED: self.late,
        }
        return {stage.value: count for stage, count in counts.items() if count}

    @property
    def totals(self) -> CameraTotals:
        """As the manifest holds it, once nothing waits."""
        return CameraTotals(
            device_frames=self.device_frames,
            written=self.written,
            host_drop=self.dropped,
            device_gap=self.device_gap,
            error=self.failed + self.waiting,
            stages=self.stages,
            compact=self.compact,
            away_s=round(self.away_s, 3),
        )


@dataclass(frozen=True)
class RefinedCount:
    """Where one camera's refined frames went; every one that the repair delivers is in exactly one of them.

    Attributes:
        written: in the file.
        dropped: thrown away because encoders or disk were too slow; raw frames go first.
        unplaced: of a frame that is itself in no file.
        failed: could not be encoded or written.
        waiting: delivered and not written yet.
    """

    written: int = 0
    dropped: int = 0
    unplaced: int = 0
    failed: int = 0
    waiting: int = 0

    @property
    def lost(self) -> int:
        """Refined frames that are in no file."""
        return self.dropped + self.unplaced + self.failed

    @property
    def made(self) -> int:
        """Refined frames that the repair delivered."""
        return self.written + self.waiting + self.lost


@dataclass(frozen=True)
class RecorderStatus:
    """What the screen shows of a recording.

    Attributes:
        seconds: since it started.
        cameras: counts by camera id.
        refined: the same of refined depth; empty where none is recorded.
        cautions: what may spoil the recording.
        bytes_written: in this session so far.
        disk_free_bytes: on the session's disk.
        time_left_s: until the recording ends by itself at the present rate.
        queue_fill: share of the queue in use, 0 to 1.
        synced_s: how much of the recording would survive a power cut now.
        sync_ms: how long the disk took to make the last quarter second durable.
        compact: whether depth is written as JPEG XL now.
        error: why it stopped by itself; empty while all is well.
        hint: what to do about it.
    """

    seconds: float
    cameras: Mapping[str, CameraCount]
    bytes_written: int
    disk_free_bytes: int
    time_left_s: float
    queue_fill: float
    synced_s: float
    refined: Mapping[str, RefinedCount] = field(default_factory=dict)
    cautions: tuple[Caution, ...] = ()
    sync_ms: float = 0.0
    compact: bool = False
    error: str = ""
    hint: str = ""
