"""Recorded sessions as training samples."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from drivers.errors import SessionError
from drivers.frame import Frame
from drivers.geometry import register_depth
from drivers.session.reader import Session
from trainer.data.hidden_blocks import hide_blocks
from trainer.data.samples import Sample

FARTHEST_M = 40.0
"""What is measured beyond is no target."""
HELD_OUT_SHARE = 0.1
"""The last tenth of each camera's frames is for evaluation; neighbours in time look too much alike to mix."""


class SessionSource:
    """Frames of sessions, drawn evenly.

    Where a recording has exact depth (a simulated camera's), that is the target. Elsewhere the recorded depth
    is: the network gets it with further tokens hidden and has to find what was hidden; natural holes are
    holes in input and target alike.

    Args:
        paths: session folders.
        seed: of the order.

    Raises:
        SessionError: a session cannot be read, or there are no frames to learn from.
    """

    def __init__(self, paths: Sequence[Path], *, seed: int) -> None:
        self._seed = seed
        self._sessions = [Session(path) for path in paths]
        self._train: list[tuple[int, str, int]] = []
        self._test: list[tuple[int, str, int]] = []
        for place, session in enumerate(self._sessions):
            for camera_id in session.camera_ids:
                count = session.count(camera_id)
                test = max(1, round(count * HELD_OUT_SHARE)) if count > 1 else 0
                frames = [(place, camera_id, n) for n in range(count)]
                self._train += frames[: count - test]
                self._test += frames[count - test :]
        if not self._test:
            raise SessionError(
                f"There is nothing to learn from in {', '.join(str(path) for path in paths)}.",
                hint="Record at least a second and try again.",
            )

    def sample(self, number: int) -> Sample:
        rng = np.random.default_rng((self._seed, 4, number))
        place, camera_id, n = self._train[int(rng.integers(len(self._train)))]
        return as_sample(self._sessions[place].frame(camera_id, n))

    def held_out(self, number: int) -> Sample:
        rng = np.random.default_rng((self._seed, 5, number))
        place, camera_id, n = self._test[int(rng.integers(len(self._test)))]
        sample = as_sample(self._sessions[place].frame(camera_id, n))
        hidden = hide_blocks(sample.depth_m, rng)
        return replace(sample, depth_m=np.where(hidden, np.float32(0), sample.depth_m))


def as_sample(frame: Frame) -> Sample:
    """The frame with depth in the colour grid.

    The target is exact depth where there is some, else what was measured, but for outliers: those of
    RealSense cameras lie up to 65 m away. The network gets them, as it does at work, and is not taught to
    repeat them.
    """
    depth_m = register_depth(frame.depth, frame.calibration).metres
    if frame.truth is not None:
        return Sample(frame.color, depth_m, frame.truth.metres)
    return Sample(frame.color, depth_m, np.where(depth_m <= FARTHEST_M, depth_m, np.float32(0)))
