"""Runs a rig of RealSense software devices through the real SDK and counts every frame.

    python benchmarks/realsense_rig.py [--cameras 8] [--seconds 30]

Each device sends depth, colour and two infrared images of 640 x 480 at 30 Hz. A frame that the device has
sent and the pipeline has not delivered is lost in our code. The cores include what drawing and pushing the
images costs.
"""

import argparse
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/drivers/cameras"))

import psutil
from software_realsense import SoftwareRealSense

from app.compose import Pipeline, wait_for_frames
from drivers.cameras.realsense import RealSenseCamera
from model.spec import EngineChoice

MEGA = 1_000_000
GROWTH_LIMIT_MB = 150


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    process = psutil.Process()
    devices = [SoftwareRealSense(f"SW{n:04}", size=(640, 480)) for n in range(options.cameras)]
    cameras = [RealSenseCamera(lambda device=device: device.device) for device in devices]
    feeding = threading.Event()
    feeders = [threading.Thread(target=feed, args=(device, feeding), daemon=True) for device in devices]
    with Pipeline(cameras, EngineChoice(model="off")) as pipeline:
        while any(camera._pipeline is None for camera in cameras):
            time.sleep(0.05)
        for feeder in feeders:
            feeder.start()
        assert wait_for_frames(pipeline, timeout_s=30), "the rig did not start"
        time.sleep(2)
        memory, cpu_s, start_s = process.memory_info().rss, cpu(process), time.perf_counter()
        time.sleep(options.seconds)
        cpu_s, wall_s = cpu(process) - cpu_s, time.perf_counter() - start_s
        grown_mb = (process.memory_info().rss - memory) / MEGA
        feeding.set()
        for feeder in feeders:
            feeder.join()
        time.sleep(1)
        lost = 0
        for device, line in zip(devices, pipeline.lines.values(), strict=True):
            missing = device.number - line.channel.meter.total
            lost += missing
            print(f"{line.info.id:16} sent {device.number:6}, lost {missing}")
    print(f"{wall_s:.0f} s, {cpu_s / wall_s:.2f} cores with the devices, memory grew by {grown_mb:.0f} MB")
    print(f"lost: {lost} (limit 0)")
    assert lost == 0
    assert grown_mb < GROWTH_LIMIT_MB


def feed(device: SoftwareRealSense, stop: threading.Event) -> None:
    """Push at the device's rate; a device that is late does not send in bursts."""
    next_s = time.monotonic()
    while not stop.is_set():
        device.push()
        next_s = max(next_s + 1 / 30, time.monotonic())
        stop.wait(next_s - time.monotonic())


def cpu(process: psutil.Process) -> float:
    return sum(process.cpu_times()[:2])


if __name__ == "__main__":
    main()
