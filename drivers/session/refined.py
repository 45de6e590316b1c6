"""What a repair made of a recorded frame, as a session holds it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from drivers.depth import DepthMap
from drivers.errors import SessionError
from drivers.session.png16 import encode_png8, encode_png16
from drivers.session.topics import PROVENANCE, REFINED


class MadeBy(BaseModel):
    """What made a repair.

    Attributes:
        model: name in the model menu, or the path of a weights file.
        title: what the screen calls it.
        weights_sha256: of the weights file; empty for a repair without weights.
        precision: of the network's numbers.
        tokens: RGB tokens that were asked for; 0 left it to the model.
        anchored: whether it was pulled onto the measurement.
        stabilised: whether it was steadied over time, so that frames before have a part in it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    title: str
    weights_sha256: str = ""
    precision: str = ""
    tokens: int = 0
    anchored: bool = False
    stabilised: bool = False


class RefinedMeta(BaseModel):
    """The message that completes a refined frame.

    Attributes:
        frame_number: of the frame it belongs to, as in its `frame_meta`.
        took_ms: registration and repair together.
        made_by: model and settings.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    frame_number: int
    took_ms: float
    made_by: MadeBy


@dataclass(frozen=True, eq=False)
class RefinedFrame:
    """Refined depth of one frame, in the colour grid.

    Attributes:
        depth: counts in the unit of the raw depth, 0 where there is none.
        provenance: (H, W) uint8: 0 measured, 1 refined, 2 invented, 3 rejected.
        meta: what made it.
    """

    depth: DepthMap
    provenance: NDArray[np.uint8]
    meta: RefinedMeta


@dataclass(frozen=True, eq=False)
class EncodedRefined:
    """A refined frame ready to be written.

    Attributes:
        camera_id: of the frame it belongs to.
        images: PNG files by stream.
        size: width and height in pixels.
        unit_m: metres per count.
        ready_ns: when the repair was done, host monotonic.
        meta: what made it.
    """

    camera_id: str
    images: dict[str, bytes]
    size: tuple[int, int]
    unit_m: float
    ready_ns: int
    meta: RefinedMeta

    @property
    def total_bytes(self) -> int:
        """Of all images."""
        return sum(len(image) for image in self.images.values())


def encode_refined(camera_id: str, refined: RefinedFrame, *, ready_ns: int) -> EncodedRefined:
    """Compress a refined frame without loss; may run in any number of threads, as `encode` may."""
    height, width = refined.provenance.shape
    assert refined.depth.values.shape == (height, width), refined.depth.values.shape
    return EncodedRefined(
        camera_id=camera_id,
        images={
            REFINED: encode_png16(refined.depth.values),
            PROVENANCE: encode_png8(refined.provenance),
        },
        size=(width, height),
        unit_m=refined.depth.unit_m,
        ready_ns=ready_ns,
        meta=refined.meta,
    )


def parse_meta(text: str) -> RefinedMeta:
    """The counterpart of `RefinedMeta.model_dump_json`.

    Raises:
        SessionError: `text` is something else.
    """
    try:
        return RefinedMeta.model_validate_json(text)
    except ValidationError as error:
        raise SessionError(
            f"a refined frame is described by {text[:60]!r}",
            hint="The file is damaged; leave this frame out.",
        ) from error
