"""Several sources as one."""

import numpy as np

from trainer.config import TrainConfig
from trainer.data.samples import Sample, SampleSource


class Mix:
    """Draws each sample's source by weight.

    Args:
        parts: sources and their weights, which sum to 1.
        seed: of the draw.
    """

    def __init__(self, parts: list[tuple[SampleSource, float]], seed: int) -> None:
        self._sources = [source for source, _ in parts]
        self._weights = np.array([weight for _, weight in parts])
        self._seed = seed

    def sample(self, number: int) -> Sample:
        return self._pick(number).sample(number)

    def held_out(self, number: int) -> Sample:
        return self._pick(number).held_out(number)

    def _pick(self, number: int) -> SampleSource:
        draw = np.random.default_rng((self._seed, 3, number)).choice(len(self._sources), p=self._weights)
        return self._sources[int(draw)]


def source_for(config: TrainConfig) -> SampleSource:
    """What the configuration says to learn from.

    Raises:
        SessionError: a session cannot be read.
    """
    from trainer.data.sessions import SessionSource
    from trainer.data.synthetic import SyntheticSource

    parts: list[tuple[SampleSource, float]] = []
    if config.synthetic > 0:
        parts.append((SyntheticSource(config.seed), config.synthetic))
    if config.sessions and config.synthetic < 1:
        parts.append((SessionSource(config.sessions, seed=config.seed), 1 - config.synthetic))
    return parts[0][0] if len(parts) == 1 else Mix(parts, config.seed)
