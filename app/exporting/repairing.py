"""Repairs recorded frames again while they are exported."""

import time
from pathlib import Path

from app.flow.refine import Engine
from app.refining import repair_frame, stored_frame
from drivers.depth import depth_map
from drivers.frame import Frame
from drivers.session.refined import MadeBy, RefinedFrame, RefinedMeta
from model.spec import EngineChoice, find


def load_repairer(choice: EngineChoice) -> "EngineRepairer":
    """What repairs with a model of the menu.

    Raises:
        WeightsError: the weights cannot be used.
    """
    from model.checkpoint import sha256  # torch takes seconds to import
    from model.engine import build

    spec, engine = find(choice.model), build(choice)
    made_by = MadeBy(
        model=spec.name,
        title=engine.label,
        weights_sha256="" if spec.weights is None else spec.sha256 or sha256(spec.weights),
        precision=choice.precision,
        tokens=choice.tokens,
        anchored=choice.anchor,
    )
    return EngineRepairer(engine, made_by)


class EngineRepairer:
    """An engine as exporters want it.

    Args:
        engine: repairs.
        made_by: what the export says of it.
    """

    def __init__(self, engine: Engine, made_by: MadeBy) -> None:
        self._engine = engine
        self._made_by = made_by

    @property
    def title(self) -> str:
        """Of the model and its settings."""
        return self._made_by.title

    def __call__(self, frame: Frame, sensor: str) -> RefinedFrame:
        """Refined depth of a frame, in the unit of its raw depth."""
        began_s = time.perf_counter()
        repair = repair_frame(self._engine, stored_frame(Path(), frame, sensor=sensor))
        took_ms = (time.perf_counter() - began_s) * 1000
        meta = RefinedMeta(frame_number=frame.index, took_ms=took_ms, made_by=self._made_by)
        depth = depth_map(repair.depth_m, unit_m=frame.depth.unit_m)
        return RefinedFrame(depth, repair.provenance, meta)
