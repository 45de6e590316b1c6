"""Keeps the engine of the rig that goes for the one that comes, which it repairs from the first frame on."""

import threading
from dataclasses import dataclass

from app.flow.refine import Engine
from drivers.session.refined import MadeBy
from model.spec import EngineChoice, find


@dataclass(frozen=True)
class EngineKey:
    """What an engine was built for; one of the same key does the same.

    Attributes:
        choice: what was asked for.
        cameras: how many of them it was measured with.
        weights: path, time of the last change in ns, and bytes of the file; None where there is none.
    """

    choice: EngineChoice
    cameras: int
    weights: tuple[str, int, int] | None


@dataclass(frozen=True, eq=False)
class Loaded:
    """An engine that is ready to run.

    Attributes:
        key: what it was built for.
        engine: runs in one thread at a time.
        made_by: what a recording says of its results.
    """

    key: EngineKey
    engine: Engine
    made_by: MadeBy


def key_of(choice: EngineChoice, cameras: int) -> EngineKey:
    """The key of an engine that would be built now."""
    weights = find(choice.model).weights
    if weights is None or not weights.is_file():
        return EngineKey(choice, cameras, None)
    file = weights.stat()
    return EngineKey(choice, cameras, (str(weights), file.st_mtime_ns, file.st_size))


class EngineKeeper:
    """Room for one engine between two rigs; any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Loaded | None = None

    def keep(self, loaded: Loaded) -> None:
        """Keep this one and let go of the one before, unless it has had trouble: then it is built anew."""
        if not loaded.engine.troubled:
            with self._lock:
                self._kept = loaded

    def take(self, key: EngineKey) -> Loaded | None:
        """The engine that is kept, if it was built for the same; one that was not is let go of."""
        with self._lock:
            kept, self._kept = self._kept, None
        return kept if kept is not None and kept.key == key else None

    def clear(self) -> None:
        """Let go of what is kept."""
        with self._lock:
            self._kept = None
