"""Looks into the network at one place of a picture: what its depth token there attends to in colour."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.flow.refine import Refined
from app.flow.slot import Slot
from app.language import tr
from model.errors import WeightsError
from model.spec import EngineChoice, find

IDLE_S = 0.2
REST = 2.0
"""Times as long as a look took nothing is looked at: the repair needs the processor too."""
NICENESS = 10

Look = Callable[[NDArray[np.uint8], NDArray[np.float32], tuple[int, int]], NDArray[np.float32] | None]
"""(R, C) attention by (H, W, 3) colour, (H, W) metres, and x, y in pixels; None where nothing is measured."""


class AttentionError(Exception):
    """There is no attention to be seen.

    Attributes:
        hint: what to do about it.
    """

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


@dataclass(frozen=True, eq=False)
class Asked:
    """A place that somebody wants to look into.

    Attributes:
        camera_id: whose picture.
        x: 0 to 1 from the left edge of the colour picture.
        y: 0 to 1 from its upper edge.
        moment: the frame that stands still on the screen; None for the newest, again and again.
    """

    camera_id: str
    x: float
    y: float
    moment: Refined | None = None


@dataclass(frozen=True, eq=False)
class Attention:
    """What a place attends to.

    Attributes:
        asked: the place.
        weights: (R, C) float32 of at least 0; None where nothing is measured, so that no token sees it.
        problem: why there is nothing to see; empty while all is well.
        waiting: nobody has looked yet.
    """

    asked: Asked
    weights: NDArray[np.float32] | None = None
    problem: str = ""
    waiting: bool = False


class AttentionLoop:
    """Looks at the place in `asked` while there is one.

    Args:
        refined: newest repaired frame by camera id.
        choice: the repair that runs now.
        load: its network, as what looks into it; raises `AttentionError` or `WeightsError`.

    Attributes:
        asked: may be changed from any thread; None frees the network.
        newest: what was seen last.
    """

    def __init__(
        self,
        refined: Callable[[], Mapping[str, Slot[Refined]]],
        choice: Callable[[], EngineChoice],
        load: Callable[[EngineChoice], Look],
    ) -> None:
        self.asked: Asked | None = None
        self.newest: Slot[Attention] = Slot()
        self._refined = refined
        self._choice = choice
        self._load = load

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; in a thread of its own, which goes behind all others when it has something to do."""
        loaded: tuple[EngineChoice, Look] | None = None
        done: tuple[object, ...] = ()
        while not stop.is_set():
            asked, choice = self.asked, self._choice()
            if asked is None:
                loaded, done = None, ()
            source = None if asked is None else self._source(asked)
            if asked is None or done == (asked, source, choice):
                stop.wait(IDLE_S)
                continue
            done = asked, source, choice
            started_s = time.perf_counter()
            try:
                if loaded is None or loaded[0] != choice:
                    if sys.platform == "linux":
                        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
                    loaded = choice, self._load(choice)
                started_s = time.perf_counter()
                if source is not None:
                    self.newest.put(Attention(asked, _seen(loaded[1], source, asked)))
            except (AttentionError, WeightsError, RuntimeError, MemoryError, OSError) as error:
                hint = getattr(error, "hint", "")
                self.newest.put(Attention(asked, problem=f"{error} {hint}".strip()))
            stop.wait(REST * (time.perf_counter() - started_s))

    def _source(self, asked: Asked) -> Refined | None:
        if asked.moment is not None:
            return asked.moment
        slot = self._refined().get(asked.camera_id)
        return None if slot is None else slot.latest()


def _seen(look: Look, source: Refined, asked: Asked) -> NDArray[np.float32] | None:
    height, width = source.raw.values.shape
    at = min(int(asked.x * width), width - 1), min(int(asked.y * height), height - 1)
    return look(source.frame.color, source.raw.metres, at)


def load_look(choice: EngineChoice, layer: int = -1) -> Look:
    """The network of a choice, loaded once more, whatever engine does the repair.

    Args:
        choice: the model; where it runs on a graphics card, looking does too.
        layer: block of the transformer, from 0, or from -1 backwards.

    Raises:
        AttentionError: there is no network, it sees no depth, or it has no such block.
        WeightsError: the weights cannot be read.
    """
    weights = find(choice.model).weights
    if weights is None:
        raise AttentionError(
            tr("Without a network there is no attention."), tr("Choose a model with a network.")
        )
    if choice.monocular:
        raise AttentionError(
            tr("A monocular network sees no depth, so it has no depth token."), tr("Choose completion.")
        )
    import torch

    from model import checkpoint
    from model.inside import depth_attention

    on_card = choice.device in {"auto", "cuda", "tensorrt"} and torch.cuda.is_available()
    device = "cuda" if on_card else "cpu"
    model = checkpoint.load(weights, device=device)
    tokens = choice.tokens or model.config.num_tokens_range[0]
    blocks = len(model.encoder.backbone.blocks)
    if not -blocks <= layer < blocks:
        raise AttentionError(
            tr("The network has no block {layer}.").format(layer=layer),
            tr("Choose one from 0 to {last}.").format(last=blocks - 1),
        )

    def look(
        color: NDArray[np.uint8], depth_m: NDArray[np.float32], at: tuple[int, int]
    ) -> NDArray[np.float32] | None:
        image = torch.from_numpy(color.copy()).to(device).permute(2, 0, 1).float() / 255
        measured_m = torch.from_numpy(depth_m.copy()).to(device)
        found = depth_attention(model, image, measured_m, at=at, layer=layer, num_tokens=tokens)
        return None if found is None else found.cpu().numpy()

    return look
