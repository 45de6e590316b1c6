"""TartanAir, version 1: simulated flights; `<env>/{Easy,Hard}/PNNN/{image_left,depth_left}`.

Depth is float32 metres along the optical axis. The sky lies at about 10,000 m: it is no target, and `nothing`
says so.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from trainer.data.datasets.files import listed
from trainer.data.datasets.taskonomy import clean_sample
from trainer.data.images import HINT, color_of, resized_depth, usable
from trainer.data.samples import Sample
from trainer.errors import DataError

SKY_M = 1000.0
FARTHEST_M = 80.0
"""Beyond this, a step of one metre changes nothing that a camera sees; such pixels carry no loss."""


class TartanAir:
    """All left views below a folder."""

    clean = True

    def __init__(self, root: Path) -> None:
        self._views = listed(
            root.rglob("image_left/*_left.png"), root=root, wanted="TartanAir view (image_left/*_left.png)"
        )

    def __len__(self) -> int:
        return len(self._views)

    def scene(self, number: int) -> str:
        return self._views[number].parents[3].name

    def read(self, number: int) -> Sample:
        path = self._views[number]
        depth = path.parents[1] / "depth_left" / f"{path.stem}_depth.npy"
        try:
            depth_m = np.load(depth)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{depth} cannot be read: {error}.", hint=HINT) from error
        sample = clean_sample(color_of(path), usable(depth_m, farthest_m=FARTHEST_M))
        size = sample.depth_m.shape[1], sample.depth_m.shape[0]
        return replace(sample, nothing=resized_depth(depth_m > SKY_M, size) > 0)
