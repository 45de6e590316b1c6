"""What is left of a session that was cut off or has a flipped bit: python benchmarks/damage.py

Each trial damages a fresh copy at a random place: its file of images is truncated as a crash leaves it, or
one bit of a finished file is flipped. Then nothing may raise but a `SessionError`, `verify` has to name the
damaged file, recovery has to work, every frame that does not lie in the damaged chunk has to come back, and
what comes back has to be what was recorded. Ends with 1 if not.
"""

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from mcap.reader import make_reader
from numpy.typing import NDArray

from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.errors import SessionError
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from drivers.session.encode import encode
from drivers.session.reader import Session
from drivers.session.recover import recover
from drivers.session.topics import META, topic
from drivers.session.verify import verify
from drivers.session.writer import SessionWriter, session_camera

SEGMENT = "seg_00000.mcap"
CAMERAS = ("left", "right")
FRAMES = 24
RECORDS_AT = 9 + 40  # within a chunk record: head, then times, lengths and checksum
Key = tuple[str, int]


@dataclass(frozen=True)
class Chunk:
    """One chunk of the undamaged file: its bytes, and the frames that have a message in it."""

    start: int
    end: int
    frames: frozenset[Key]


@dataclass(frozen=True)
class Undamaged:
    """A finished session, and what is where in its file.

    Attributes:
        folder: of the session.
        chunks: in order.
        ends: by frame, the byte after its last message.
    """

    folder: Path
    chunks: tuple[Chunk, ...]
    ends: dict[Key, int]


def depth_of(camera_id: str, index: int) -> NDArray[np.uint16]:
    random = np.random.default_rng([index, len(camera_id)])
    return random.integers(0, 65536, (24, 32), dtype=np.uint16)


def make_frame(camera_id: str, index: int) -> Frame:
    lens = Intrinsics(32, 24, 30.0, 30.0, 15.5, 11.5)
    shade = np.linspace(0, 250, 32, dtype=np.uint8)
    color = np.ascontiguousarray(np.broadcast_to(shade[None, :, None], (24, 32, 3)))
    gray = color[..., 0].copy()
    return Frame(
        camera_id,
        index,
        time.monotonic_ns(),
        index,
        color,
        DepthMap(depth_of(camera_id, index), 0.001),
        Calibration(lens, lens, ir=lens),
        ir_left=gray,
        ir_right=gray.copy(),
    )


def record(folder: Path) -> Undamaged:
    """A session of two cameras in several chunks, PNG and JPEG XL in turn."""
    infos = [CameraInfo(name, name, "noise", name, "none", 30.0, live=True) for name in CAMERAS]
    writer = SessionWriter(folder, [session_camera(i, replace(make_frame(i.id, 0))) for i in infos])
    for index in range(FRAMES):
        for camera_id in CAMERAS:
            writer.write(encode(make_frame(camera_id, index), compact=index % 2 == 1))
        if index % 3 == 2:
            writer.sync()
    writer.close()
    return look(folder)


def look(folder: Path) -> Undamaged:
    """Where everything is, as the official reader says."""
    path = folder / SEGMENT
    data = path.read_bytes()
    chunks, ends = [], {}
    with path.open("rb") as file:
        reader = make_reader(file)
        summary = reader.get_summary()
        assert summary is not None
        names = {channel.id: channel.topic for channel in summary.channels.values()}
        for index in summary.chunk_indexes:
            start, end = index.chunk_start_offset, index.chunk_start_offset + index.chunk_length
            frames, at = set(), start + RECORDS_AT
            while at < end:
                opcode, length = data[at], int.from_bytes(data[at + 1 : at + 9], "little")
                channel = names.get(int.from_bytes(data[at + 9 : at + 11], "little"), "")
                camera_id = channel[1:].partition("/")[0]
                if opcode == 5 and camera_id in CAMERAS and "camera_info" not in channel:
                    number = int.from_bytes(data[at + 11 : at + 15], "little")
                    frames.add((camera_id, number))
                    if channel == topic(camera_id, META):
                        ends[camera_id, number] = at + 9 + length
                at += 9 + length
            chunks.append(Chunk(start, end, frozenset(frames)))
    return Undamaged(folder, tuple(chunks), ends)


def go_on(_done: int, _total: int) -> bool:
    return True


def cut(whole: Undamaged, folder: Path, keep: int) -> str:
    """Cut the file off after `keep` bytes as a crash does, recover; what is wrong, or nothing."""
    shutil.copytree(whole.folder, folder)
    (folder / "manifest.json").unlink()
    active = (folder / SEGMENT).rename(folder / f"{SEGMENT}.active")
    with active.open("r+b") as file:
        file.truncate(keep)
    recover(folder)
    return missing(folder, {key for key, end in whole.ends.items() if end <= keep})


def flip(whole: Undamaged, folder: Path, bit: int) -> str:
    """Flip one bit of the finished file, verify, recover; what is wrong, or nothing."""
    shutil.copytree(whole.folder, folder)
    at = bit // 8
    with (folder / SEGMENT).open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit % 8)]))
    if [fault.file for fault in verify(folder, go_on)] != [SEGMENT]:
        return "verify does not name the file"
    hurt = {key for chunk in whole.chunks if chunk.start <= at < chunk.end for key in chunk.frames}
    try:  # before recovery as well, what is read has to be right
        fault = missing(folder, set())
    except SessionError:
        fault = ""
    if fault:
        return f"before recovery: {fault}"
    report = recover(folder, check=True)
    if not report.needed:
        return "recovery sees nothing to do"
    if verify(folder, go_on):
        return "it is not whole after recovery"
    return missing(folder, whole.ends.keys() - hurt)


def missing(folder: Path, expected: set[Key]) -> str:
    """Which of the frames cannot be read, or come back as something else."""
    session = Session(folder)
    found = set()
    for camera_id in CAMERAS:
        for n in range(session.count(camera_id)):
            frame = session.frame(camera_id, n)
            if not np.array_equal(frame.depth.values, depth_of(camera_id, frame.index)):
                return f"frame {frame.index} of {camera_id} is another one"
            found.add((camera_id, frame.index))
    lost = sorted(expected - found)
    return f"lost: {lost}" if lost else ""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random = np.random.default_rng(args.seed)
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        whole = record(Path(name) / "whole")
        size = (whole.folder / SEGMENT).stat().st_size
        first = whole.chunks[0].end
        print(f"{FRAMES} frames of {len(CAMERAS)} cameras, {len(whole.chunks)} chunks, {size:,} bytes")
        for what, places in (
            ("truncations", random.integers(first, size, args.trials).tolist()),
            ("bit flips", random.integers(0, 8 * size, args.trials).tolist()),
        ):
            wrong = 0
            for place in places:
                trial = Path(name) / "trial"
                fault = (cut if what == "truncations" else flip)(whole, trial, place)
                if fault:
                    wrong += 1
                    print(f"  {what} at {place}: {fault}")
                shutil.rmtree(trial)
            failures += wrong
            print(f"{len(places)} {what}: {wrong} went wrong (limit 0)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
