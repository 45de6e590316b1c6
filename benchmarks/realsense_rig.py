"""Runs a rig of RealSense software devices through the real SDK and counts every frame.

    python benchmarks/realsense_rig.py [--cameras 8] [--seconds 600]

Each device sends depth, colour and two infrared images of 640 x 480 at 30 Hz. A frame that the device has
sent and the pipeline has not delivered is lost in our code. The devices draw nothing while they run: their
images were made before. What a device's own push costs is measured with the same devices before the rig is
started, while nobody listens. Takes the seconds asked for and half a minute. Limits: no frame lost; memory of
the second half of the run not 100 MB above that of the first; every camera at 29 Hz or more.
"""

import argparse
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/drivers/cameras"))

import numpy as np
import psutil
import software_realsense
from software_realsense import SoftwareRealSense

from app.compose import Pipeline, wait_for_frames
from drivers.cameras.realsense import RealSenseCamera
from model.spec import EngineChoice

MEGA = 1_000_000
SIZE = (640, 480)
RATE_HZ = 30
GROWTH_LIMIT_MB = 100
RATE_LIMIT_HZ = 29.0
ALONE_S = 5.0
SAMPLE_S = 1.0
DRAWN = 8


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=600.0)
    options = parser.parse_args()
    draw_before()
    process = psutil.Process()
    devices = [SoftwareRealSense(f"SW{n:04}", size=SIZE) for n in range(options.cameras)]
    cameras = [RealSenseCamera(lambda device=device: device.device) for device in devices]
    alone = cores_of_pushing(devices, process)
    feeding = threading.Event()
    feeders = [threading.Thread(target=feed, args=(device, feeding), daemon=True) for device in devices]
    with Pipeline(cameras, EngineChoice(model="off")) as pipeline:
        while any(camera._pipeline is None for camera in cameras):
            time.sleep(0.05)
        for device in devices:
            device.number = 0
        for feeder in feeders:
            feeder.start()
        assert wait_for_frames(pipeline, timeout_s=30), "the rig did not start"
        time.sleep(2)
        cpu_s, start_s, sent = cpu(process), time.perf_counter(), [device.number for device in devices]
        memory_mb = []
        while time.perf_counter() - start_s < options.seconds:
            time.sleep(SAMPLE_S)
            memory_mb.append(process.memory_info().rss / MEGA)
        cpu_s, wall_s = cpu(process) - cpu_s, time.perf_counter() - start_s
        rates_hz = [(device.number - n) / wall_s for device, n in zip(devices, sent, strict=True)]
        spread, latency_ms = (
            pipeline.moments.spread(),
            [line.channel.meter.read(time.monotonic_ns()).median_ms for line in pipeline.lines.values()],
        )
        feeding.set()
        for feeder in feeders:
            feeder.join()
        time.sleep(1)
        lost = 0
        for device, line in zip(devices, pipeline.lines.values(), strict=True):
            missing = device.number - line.channel.meter.total
            lost += missing
            print(f"{line.info.id:16} sent {device.number:6}, lost {missing}")
    half = len(memory_mb) // 2
    grown_mb = float(np.median(memory_mb[half:]) - np.median(memory_mb[:half]))
    cores = cpu_s / wall_s
    print(
        f"{wall_s:.0f} s, {min(rates_hz):.1f} Hz at least (limit {RATE_LIMIT_HZ:g}), lost: {lost} (limit 0)"
    )
    print(
        f"{cores:.2f} cores, of which the devices' pushing took {alone:.2f}, so {cores - alone:.2f} are ours"
    )
    print(f"memory: {memory_mb[-1]:.0f} MB, {grown_mb:+.0f} MB from half to half (limit {GROWTH_LIMIT_MB})")
    print(f"exposure to arrival {np.median(latency_ms):.1f} ms; {spread.rate_hz:.1f} sets a second")
    return int(lost > 0 or grown_mb > GROWTH_LIMIT_MB or min(rates_hz) < RATE_LIMIT_HZ)


def draw_before() -> None:
    """The devices send these images in turn; drawing them would cost more than everything else."""
    drawn = [software_realsense.scene(number, *SIZE) for number in range(DRAWN)]
    software_realsense.scene = lambda number, *_size: drawn[number % DRAWN]


def cores_of_pushing(devices: list[SoftwareRealSense], process: psutil.Process) -> float:
    """What the devices cost while nobody listens."""
    stop = threading.Event()
    feeders = [threading.Thread(target=feed, args=(device, stop), daemon=True) for device in devices]
    cpu_s, start_s = cpu(process), time.perf_counter()
    for feeder in feeders:
        feeder.start()
    time.sleep(ALONE_S)
    stop.set()
    for feeder in feeders:
        feeder.join()
    return (cpu(process) - cpu_s) / (time.perf_counter() - start_s)


def feed(device: SoftwareRealSense, stop: threading.Event) -> None:
    """Push at the device's rate; a device that is late does not send in bursts."""
    next_s = time.monotonic()
    while not stop.is_set():
        device.push(domain="global_time", at_ms=time.time_ns() / 1e6)
        next_s = max(next_s + 1 / RATE_HZ, time.monotonic())
        stop.wait(next_s - time.monotonic())


def cpu(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


if __name__ == "__main__":
    sys.exit(main())
