"""From a network's numbers to a repair: anchoring, rejection, provenance and confidence, in this order."""

import numpy as np
from numpy.typing import NDArray

from model.anchor import FULL, Trust, agreement_of, anchor
from model.confidence import OF_ANCHORED, OF_NETWORK, confidence
from model.config import PATCH_PX
from model.mdm import MASK_THRESHOLD
from model.repair import USUAL_NOISE, Repair, SensorNoise, provenance

Map = NDArray[np.float32]

SURELY_NOTHING = 0.2
"""What the sensor measured takes a mask head that gives it less than this to be rejected, if anchored."""


def finished(
    color: NDArray[np.uint8],
    network_m: Map,
    measured_m: Map,
    probability: Map | None,
    *,
    anchored: bool,
    trust: Trust = FULL,
    noise: SensorNoise = USUAL_NOISE,
    token_px: float = PATCH_PX,
) -> Repair:
    """The repair that follows from what a network said about one frame.

    Not anchored, the depth is the network's own, bit for bit, and rejected as upstream does. Without any
    measurement (monocular) everything is invented, and nothing tells how far the network's metres can be
    trusted, so there is no confidence.

    Args:
        color: (H, W, 3) uint8 RGB.
        network_m: (H, W) float32 metres, positive.
        measured_m: (H, W) float32 metres that the network saw, 0 for a hole; all 0 in monocular repair.
        probability: (H, W) float32 in 0..1 of the mask head; None without one.
        anchored: tie the depth to the measurement (`model.anchor`).
        trust: how far the network's word goes where it is tied.
        noise: of the sensor, for provenance.
        token_px: how wide a token of the network was in the image.
    """
    accepted = None if probability is None else probability > MASK_THRESHOLD
    if anchored:
        if probability is not None:
            accepted = probability > np.where(measured_m > 0, SURELY_NOTHING, MASK_THRESHOLD)
        tied = anchor(color, network_m, measured_m, accepted=accepted, trust=trust, token_px=token_px)
        depth_m, kept, agreement = tied.depth_m, tied.believed, tied.agreement
        judge = OF_ANCHORED
    else:
        depth_m, kept, agreement = network_m, measured_m > 0, agreement_of(network_m, measured_m)
        judge = OF_NETWORK
    sure = None if agreement is None else confidence(judge, depth_m, kept, agreement)
    if accepted is not None:
        depth_m = np.where(accepted, depth_m, np.float32(np.inf))
        sure = None if sure is None else np.where(accepted, sure, np.float32(0))
    return Repair(depth_m, provenance(measured_m, depth_m, noise=noise), probability, sure)
