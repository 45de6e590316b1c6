"""Records the demo rig and accounts for every frame of every device counter.

    python benchmarks/recording.py [--seconds 60]

Counts what the session file holds with the official MCAP reader, and compares with what the recorder said:
every number of a device's counter is in the file or counted as lost.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from mcap.reader import make_reader

from app.compose import Studio, wait_for_frames
from drivers.registry import open_source
from drivers.session.labels import SessionLabels
from drivers.session.reader import Session
from drivers.session.topics import META, topic
from model.spec import EngineChoice


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--model", default="off", help="repair while recording with this model (off)")
    options = parser.parse_args()
    studio = Studio(EngineChoice(model=options.model))
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        try:
            pipeline = studio.open(open_source("demo"))
            assert wait_for_frames(pipeline, timeout_s=60), "the demo rig did not start"
            recorder = studio.record(Path(folder), SessionLabels())
            cpu_s, started_s = sum(process.cpu_times()[:2]), time.perf_counter()
            time.sleep(options.seconds)
            cpu_s, wall_s = sum(process.cpu_times()[:2]) - cpu_s, time.perf_counter() - started_s
            status = recorder.status()
            session = Session(studio.stop_recording() or Path())
        finally:
            studio.close()
        report(session, wall_s, cpu_s, status.bytes_written)


def report(session: Session, wall_s: float, cpu_s: float, size: int) -> None:
    """Print the table; fail if anything is unaccounted for."""
    in_file: Counter[str] = Counter()
    for segment in sorted(session.path.glob("*.mcap")):
        with segment.open("rb") as stream:
            for _, channel, _ in make_reader(stream, validate_crcs=True).iter_messages():
                in_file[channel.topic] += 1
    print(f"{wall_s:.1f} s, {size / 1e6:.0f} MB ({size / 1e6 / wall_s:.1f} MB/s), {cpu_s / wall_s:.2f} cores")
    print(f"{'camera':16} {'counter':>8} {'in file':>8} {'dropped':>8} {'device':>8} {'failed':>8} {'Hz':>6}")
    unaccounted = 0
    for camera_id, totals in session.manifest.totals.items():
        held = in_file[topic(camera_id, META)]
        indices = [session.meta(camera_id, n).frame_number for n in range(session.count(camera_id))]
        span = indices[-1] - indices[0] + 1
        missing = totals.device_frames - held - totals.lost
        unaccounted += abs(missing) + abs(held - totals.written)
        print(
            f"{camera_id:16} {totals.device_frames:8} {held:8} {totals.host_drop:8} {totals.device_gap:8}"
            f" {totals.error:8} {held / wall_s:6.1f}   first to last counter in file: {span}"
        )
    print(f"unaccounted for: {unaccounted} (limit 0)")
    assert unaccounted == 0


if __name__ == "__main__":
    main()
