"""Two networks in one: the average of weights that were trained from the same start."""

from pathlib import Path

import torch
from pydantic import JsonValue

from model import checkpoint
from model.errors import WeightsError


def average(out: Path, first: Path, second: Path, *, share: float = 0.5, half: bool = False) -> None:
    """Write a network whose every weight lies between those of two checkpoints.

    It makes sense where one was trained further from the other (WiSE-FT, Wortsman et al. 2022): what further
    training gained on its own data mostly stays, and what it forgot elsewhere mostly comes back. It costs
    nothing at inference. Networks from different starts average to noise.

    Args:
        out: a .safetensors. Its record has both files' names, digests and records.
        first: a checkpoint.
        second: a checkpoint of the same architecture.
        share: of the second, 0 to 1.
        half: store float16, which takes half of the room; it is computed in float32.

    Raises:
        WeightsError: one cannot be read, or they are not of one architecture.
        ValueError: `share` is outside 0 to 1.
        OSError: `out` cannot be written.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {share} is not in 0 to 1")
    found = [(1 - share, first, checkpoint.read(first)), (share, second, checkpoint.read(second))]
    one, other = (checkpoint.build(file, content) for _, file, content in found)
    if one.config != other.config:
        raise WeightsError(
            f"{first} and {second} are networks of different architectures.",
            hint="Average a network with one that was trained from it.",
        )
    theirs = other.state_dict()
    mixed = {name: torch.lerp(weight, theirs[name], share) for name, weight in one.state_dict().items()}
    one.load_state_dict(mixed)
    parts: list[JsonValue] = [
        {
            "share": part,
            "sha256": checkpoint.sha256(file),
            "file": file.name,
            "record": dict(content.metadata),
        }
        for part, file, content in found
    ]
    checkpoint.save(out, one.half() if half else one, {"average": parts})
