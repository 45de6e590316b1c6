"""How long one simulated frame takes, and whether three cameras in three threads keep 30 frames a second."""

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np

from drivers.cameras.synthetic import SyntheticCamera, demo_rig

LIMIT_HZ = 30.0
FRAMES = 60
THREADS_S = 6.0


def main() -> None:
    cv2.setNumThreads(1)
    rig = demo_rig()
    for camera in rig:
        camera.expose(0)
        cpu_ms, wall_ms = [], []
        # Neighbours in pairs, because mirrors are painted for every second frame.
        for index in (first + second for first in range(0, FRAMES * 10, 20) for second in (0, 1)):
            cpu, wall = time.thread_time(), time.perf_counter()
            camera.expose(index)
            cpu_ms.append((time.thread_time() - cpu) * 1e3)
            wall_ms.append((time.perf_counter() - wall) * 1e3)
        print(
            f"{camera.info.id:16} CPU {np.mean(cpu_ms):5.1f} ms on average  wall {np.median(wall_ms):5.1f} ms"
            f"  (fastest tenth {np.percentile(wall_ms, 10):5.1f} ms)"
        )
    counts = dict.fromkeys((camera.info.id for camera in rig), 0)
    stop = threading.Event()

    def work(camera: SyntheticCamera) -> None:
        with camera:
            while not stop.is_set():
                if camera.read(timeout_s=0.1) is not None:
                    counts[camera.info.id] += 1

    threads = [threading.Thread(target=work, args=(camera,)) for camera in rig]
    cpu, started = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(THREADS_S)
    stop.set()
    for thread in threads:
        thread.join(5.0)
    took_s = time.perf_counter() - started
    cores = (time.process_time() - cpu) / took_s
    for name, count in counts.items():
        rate_hz = count / took_s
        verdict = "ok" if rate_hz > 0.97 * LIMIT_HZ else "TOO SLOW"
        print(f"{name:16} {rate_hz:5.1f} Hz of {LIMIT_HZ:.0f}  {verdict}")
    print(f"three cameras use {cores:.2f} cores")


if __name__ == "__main__":
    main()
