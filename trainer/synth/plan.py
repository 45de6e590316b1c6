"""What a set of simulated samples is made of: number, sizes, seed and sensors."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from trainer.errors import DataError
from trainer.simulation.sensors import APART, MIX

PLAN = "plan.json"


class SynthPlan(BaseModel):
    """Decides every byte of a set; the same plan is the same set, on any number of machines.

    Attributes:
        scenes: rooms.
        samples: views of all rooms together.
        seed: other seeds are other rooms.
        width: of colour, depth and truth, in pixels (report: 1280).
        height: likewise (report: 960).
        matched_width: of the infrared pair (report: 960).
        matched_height: likewise (report: 720).
        baseline_m: range, drawn evenly (report: 0.05 to 0.2).
        focal_mm: range on a sensor 36 mm wide, drawn evenly (report: 16 to 28).
        sensors: shares of the kinds, names of `trainer.simulation.sensors.MIX`.
        apart: share of the sensors that stand beside the colour camera.
        close: share of views of small things from an arm's length.
        bare: leave the sensor out: each time a view is trained on, another one is simulated
            (`trainer.data.hardships`).
        shard_samples: in each shard, which is the unit of work.
        renderer: "opencv" draws at camera rate with baked light; "mitsuba" follows light through glass and
            by way of mirrors.
        paths: of light for each pixel; "mitsuba" only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenes: int = Field(gt=0)
    samples: int = Field(gt=0)
    seed: int = 0
    width: int = Field(1280, ge=32)
    height: int = Field(960, ge=24)
    matched_width: int = Field(960, ge=32)
    matched_height: int = Field(720, ge=24)
    baseline_m: tuple[float, float] = (0.05, 0.2)
    focal_mm: tuple[float, float] = (16.0, 28.0)
    sensors: dict[str, float] = MIX
    apart: float = Field(APART, ge=0, le=1)
    close: float = Field(0.0, ge=0, le=1)
    bare: bool = False
    shard_samples: int = Field(50, gt=0)
    renderer: Literal["opencv", "mitsuba"] = "opencv"
    paths: int = Field(8, gt=0)

    @field_validator("sensors")
    @classmethod
    def _known(cls, sensors: dict[str, float]) -> dict[str, float]:
        unknown = [name for name in sensors if name not in MIX]
        if unknown:
            raise ValueError(f"there is no sensor {unknown[0]!r}; there are: {', '.join(MIX)}")
        if min(sensors.values(), default=0) < 0 or sum(sensors.values()) <= 0:
            raise ValueError("shares of sensors are positive numbers")
        return sensors

    @property
    def shards(self) -> int:
        """How many there will be."""
        return -(-self.samples // self.shard_samples)

    def numbers(self, shard: int) -> range:
        """Samples of one shard."""
        return range(shard * self.shard_samples, min((shard + 1) * self.shard_samples, self.samples))

    def scene(self, number: int) -> int:
        """The room of a sample; neighbours share one."""
        return number * self.scenes // self.samples


def kept(folder: Path, plan: SynthPlan) -> None:
    """Store the plan with the set, or see that it is the one that is stored.

    Raises:
        DataError: the folder holds another set.
        OSError: the folder cannot be written.
    """
    path = folder / PLAN
    if path.is_file():
        if read(folder) != plan:
            raise DataError(
                f"{folder} holds a set with another plan.",
                hint="Choose another folder, or the plan in plan.json.",
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(plan.model_dump_json(indent=2), encoding="utf-8")


def read(folder: Path) -> SynthPlan:
    """The plan of the set in `folder`.

    Raises:
        DataError: there is none.
    """
    try:
        return SynthPlan.model_validate_json((folder / PLAN).read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"There is no plan of simulated samples in {folder}: {error}.", hint="Run: synth"
        ) from error
