"""Curves and pictures for TensorBoard, where it is installed."""

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.files import BOARD


class Board:
    """Writes event files into the run's folder; without TensorBoard it does nothing and `missing` is true.

    Args:
        folder: of the run.
        enabled: false for processes that do not write.
        step: steps done; what was written beyond is hidden.
    """

    def __init__(self, folder: Path, *, enabled: bool, step: int) -> None:
        self._writer: Any = None
        self.missing = False
        if not enabled:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self.missing = True
        else:
            self._writer = SummaryWriter(str(folder / BOARD), purge_step=step + 1 if step else None)

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def numbers(self, step: int, **values: float) -> None:
        """Points of curves; a double underscore in a name becomes a group."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name.replace("__", "/"), value, step)

    def picture(self, step: int, name: str, image: NDArray[np.uint8]) -> None:
        """(H, W, 3) uint8 RGB."""
        if self._writer is not None:
            self._writer.add_image(name, image, step, dataformats="HWC")
