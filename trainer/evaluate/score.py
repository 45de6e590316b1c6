"""Scores of methods on frames: hidden pixels, raw depth against the truth, and protocol 1."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.frames import FEWEST_MEASURED, TestFrame
from trainer.evaluate.methods import Method
from trainer.evaluate.protocol import corrupted, hidden, trusted
from trainer.metrics import WRONG, Errors, errors, mean

PARTS = ("hidden", "truth", "protocol1")
FEWEST_PIXELS = 50
FEWEST_LEFT = 500
RAW = "raw"
"""The measurement itself, where it answers."""


@dataclass(frozen=True)
class Asked:
    """One question on one frame.

    Attributes:
        part: one of `PARTS`.
        level: of difficulty, or "" where there is none.
        depth_m: (H, W) float32, what a method gets.
        truth_m: (H, W) float32, what it is compared with.
        kinds: (H, W) bool by name, where.
    """

    part: str
    level: str
    depth_m: NDArray[np.float32]
    truth_m: NDArray[np.float32]
    kinds: Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True)
class Row:
    """One score."""

    method: str
    part: str
    level: str
    kind: str
    key: str
    errors: Errors

    @property
    def source(self) -> str:
        """Of the frame."""
        return self.key.partition("/")[0]


@dataclass(frozen=True, eq=False)
class Answer:
    """What the methods said to one question; for pictures."""

    frame: TestFrame
    asked: Asked
    outputs: Mapping[str, NDArray[np.float32]]


def questions(frame: TestFrame, *, parts: Sequence[str], levels: Sequence[str]) -> list[Asked]:
    """Everything that is asked about a frame.

    "hidden" takes measured pixels away and asks for those that can be trusted. "truth" gives the measurement
    and asks for the true depth: everywhere, where nothing was measured (`hole`), where it is more than 5 %
    off (`wrong`), and on marked objects (`object`). "protocol1" gives the truth with blocks and noise.
    """
    asked = []
    measured = frame.depth_m > 0
    if "hidden" in parts and measured.mean() > FEWEST_MEASURED:
        good = trusted(frame.depth_m)
        for level in levels:
            masks = hidden(frame.key, frame.color, frame.depth_m, level)
            everything = masks["block"] | masks["edge"] | masks["segment"]
            left = np.where(everything, np.float32(0), frame.depth_m)
            if (left > 0).sum() >= FEWEST_LEFT:
                kinds = {"all": everything, **masks}
                asked.append(
                    Asked(
                        "hidden",
                        level,
                        left,
                        frame.depth_m,
                        {name: mask & good for name, mask in kinds.items()},
                    )
                )
    if frame.truth_m is None:
        return asked
    known = frame.truth_m > 0
    if "truth" in parts:
        wrong = measured & known & (np.abs(frame.depth_m - frame.truth_m) > WRONG * frame.truth_m)
        kinds = {"all": known, "hole": known & ~measured, "wrong": wrong}
        if frame.objects is not None:
            kinds["object"] = known & frame.objects
        asked.append(Asked("truth", "", frame.depth_m, frame.truth_m, kinds))
    if "protocol1" in parts:
        for level in levels:
            depth_m, removed = corrupted(frame.key, frame.truth_m, level)
            kinds = {"all": known, "removed": known & removed}
            asked.append(Asked("protocol1", level, depth_m, frame.truth_m, kinds))
    return asked


@dataclass(eq=False)
class Scores:
    """All scores so far.

    Attributes:
        rows: one for each method, frame, question and kind.
        seconds: of each method, one for each repair.
    """

    rows: list[Row]
    seconds: dict[str, list[float]]

    def table(self) -> dict[tuple[str, str, str], dict[str, Errors]]:
        """Errors by (part, level, kind) and method: frames are averaged within a source, then sources."""
        groups: dict[tuple[str, str, str], dict[str, dict[str, list[Errors]]]] = {}
        for row in self.rows:
            methods = groups.setdefault((row.part, row.level, row.kind), {})
            methods.setdefault(row.method, {}).setdefault(row.source, []).append(row.errors)
        return {
            key: {
                method: mean([mean(found) for found in sources.values()])
                for method, sources in methods.items()
            }
            for key, methods in groups.items()
        }


def score(
    frames: Iterable[TestFrame],
    methods: Mapping[str, Method],
    *,
    parts: Sequence[str] = PARTS,
    levels: Sequence[str],
    seen: Callable[[Answer], None] = lambda _answer: None,
) -> Scores:
    """Ask every method everything about every frame.

    Args:
        frames: to repair.
        methods: by name; `RAW` joins them, where the measurement answers.
        parts: some of `PARTS`.
        levels: some of `protocol.LEVELS`.
        seen: is told every answer.
    """
    scores = Scores([], {name: [] for name in methods})
    for frame in frames:
        for asked in questions(frame, parts=parts, levels=levels):
            outputs = {}
            for name, method in methods.items():
                began = time.perf_counter()
                outputs[name] = method(frame.color, asked.depth_m)
                scores.seconds[name].append(time.perf_counter() - began)
                scores.rows += _rows(name, outputs[name], frame, asked, everywhere=True)
            if asked.part != "hidden":
                scores.rows += _rows(RAW, asked.depth_m, frame, asked, everywhere=False)
            seen(Answer(frame, asked, outputs))
    return scores


def _rows(
    name: str, depth_m: NDArray[np.float32], frame: TestFrame, asked: Asked, *, everywhere: bool
) -> list[Row]:
    rows = []
    for kind, mask in asked.kinds.items():
        where = mask if everywhere else mask & (asked.depth_m > 0)
        found = errors(depth_m, asked.truth_m, where)
        if found is not None and found.pixels >= FEWEST_PIXELS:
            rows.append(Row(name, asked.part, asked.level, kind, frame.key, found))
    return rows
