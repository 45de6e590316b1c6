"""Frames of an evaluation with every answer to them, kept so that a window can show them side by side."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trainer.metrics import errors

if TYPE_CHECKING:
    from trainer.evaluate.score import Answer

FOLDER = "frames"
LIST = "frames.json"
UNIT_M = 0.001
COUNT_MAX = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class KeptFrame:
    """One question and its answers, on a disk.

    Attributes:
        path: of the file with the images.
        key: "source/frame".
        part: of the evaluation.
        level: of difficulty, or "".
        rmse_m: of each method on all pixels that were asked for.
    """

    path: Path
    key: str
    part: str
    level: str
    rmse_m: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Images:
    """What `KeptFrame.path` holds; depth is (H, W) uint16 in `UNIT_M`, 0 for none.

    Attributes:
        color: (H, W, 3) uint8 RGB.
        asked: depth that the methods got.
        right: depth that was expected.
        outputs: of each method.
    """

    color: NDArray[np.uint8]
    asked: NDArray[np.uint16]
    right: NDArray[np.uint16]
    outputs: Mapping[str, NDArray[np.uint16]]


class Keeper:
    """Writes the answers of an evaluation as they come.

    Args:
        out: folder of the evaluation.
        most: how many are kept; further ones are left out.
    """

    def __init__(self, out: Path, most: int) -> None:
        self._folder = out / FOLDER
        self._most = most
        self._entries: list[dict[str, object]] = []

    def add(self, answer: "Answer") -> None:
        """Keep this one, unless there are enough.

        Raises:
            OSError: the folder cannot be written.
        """
        if len(self._entries) >= self._most:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / LIST).unlink(missing_ok=True)  # that of an evaluation before names other frames
        name = f"{len(self._entries):04}.npz"
        asked = answer.asked
        arrays: dict[str, Any] = {
            "color": answer.frame.color,
            "asked": _counts(asked.depth_m),
            "right": _counts(asked.truth_m),
        }
        for number, depth_m in enumerate(answer.outputs.values()):
            arrays[f"output_{number}"] = _counts(depth_m)
        np.savez_compressed(self._folder / name, **arrays)
        found = {
            method: errors(depth_m, asked.truth_m, asked.kinds["all"])
            for method, depth_m in answer.outputs.items()
        }
        self._entries.append(
            {
                "file": name,
                "key": answer.frame.key,
                "part": asked.part,
                "level": asked.level,
                "rmse_m": {method: None if one is None else one.rmse_m for method, one in found.items()},
            }
        )

    def close(self) -> None:
        """Write the list, without which there are no frames.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._entries:
            (self._folder / LIST).write_text(json.dumps(self._entries), encoding="utf-8")


def kept_frames(out: Path) -> list[KeptFrame]:
    """What an evaluation kept in its folder, in its order; none where it kept none."""
    try:
        entries = json.loads((out / FOLDER / LIST).read_bytes())
    except FileNotFoundError:
        return []
    return [
        KeptFrame(
            out / FOLDER / entry["file"],
            entry["key"],
            entry["part"],
            entry["level"],
            {name: float("nan") if value is None else value for name, value in entry["rmse_m"].items()},
        )
        for entry in entries
    ]


def images(frame: KeptFrame) -> Images:
    """The images of a kept frame.

    Raises:
        OSError: its file is gone.
    """
    with np.load(frame.path) as stored:
        outputs = {name: stored[f"output_{number}"] for number, name in enumerate(frame.rmse_m)}
        return Images(stored["color"], stored["asked"], stored["right"], outputs)


def _counts(depth_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    good = np.isfinite(depth_m) & (depth_m > 0)
    counts = np.rint(np.where(good, depth_m, 0) / UNIT_M)
    return np.clip(counts, 0, COUNT_MAX).astype(np.uint16)
