"""Where the cameras of the running rig stand: by a recording, by this computer's calibrations, or unknown."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app import paths
from app.language import from_below, joined, sentence, tr
from drivers.calibration.agree import compare
from drivers.calibration.rig import OLD_AFTER_DAYS, RigCalibration, find, load
from drivers.camera import CameraInfo
from drivers.errors import CalibrationError
from drivers.frame import Frame

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RigPlaces:
    """Where the cameras stand.

    Attributes:
        rig_from_color: (4, 4) metres by camera id, of every camera whose place is known.
        calibration: where that comes from; None of a recording, and where nothing is known.
        trouble: why the file of this rig cannot be used; empty where it can, or there is none.
    """

    rig_from_color: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    calibration: RigCalibration | None = None
    trouble: str = ""

    @property
    def shared(self) -> bool:
        """Whether two cameras or more can be shown in one space."""
        return len(self.rig_from_color) > 1

    @property
    def words(self) -> str:
        """What is known, for the screen."""
        if self.trouble:
            return self.trouble
        if self.calibration is None:
            return tr("Placed as recorded.") if self.shared else tr("Not calibrated.")
        return age_words(self.calibration.age_days())

    @property
    def old(self) -> bool:
        """Whether the calibration should be made anew."""
        return self.calibration is not None and self.calibration.age_days() > OLD_AFTER_DAYS


def age_words(days: float) -> str:
    """How old a calibration is, and what to do if that is too old."""
    if days < 1:
        return tr("Calibrated today.")
    age = tr("Calibrated yesterday") if days < 2 else tr("Calibrated {days:.0f} days ago").format(days=days)
    if days > OLD_AFTER_DAYS:
        return tr("{age}: calibrate the rig again, mounts settle (after {old_after_days:.0f} days).").format(
            age=age, old_after_days=OLD_AFTER_DAYS
        )
    return sentence(age)


def known_places(
    infos: Sequence[CameraInfo],
    recorded: Mapping[str, NDArray[np.float64]] | None = None,
    *,
    named: Path | None = None,
) -> RigPlaces:
    """What is known of the places of these cameras.

    Args:
        infos: the rig.
        recorded: (4, 4) `rig_from_color` by camera id, from the recording that is played; it wins.
        named: the calibration that a rig file names; it wins over what this computer has.
    """
    if recorded:
        return RigPlaces(dict(recorded))
    if not all(info.live for info in infos):
        return RigPlaces()
    serials = {info.id: info.serial for info in infos}
    try:
        if named is not None:
            calibration: RigCalibration | None = load(named)
        else:
            calibration = find(paths.calibrations_folder(), serials.values())
    except CalibrationError as error:
        log.warning("%s %s", error, error.hint)
        return RigPlaces(trouble=joined(" ", (from_below(str(error)), from_below(error.hint))))
    if calibration is None:
        return RigPlaces()
    return RigPlaces(calibration.places(serials), calibration)


STREAK = 3
"""So often in a row two clouds must disagree before it is said: a hand before a lens is no reason."""
ONE_MOMENT_NS = 150_000_000


class PlacesWatch:
    """Looks at one pair of cameras after the other, whether their clouds still agree.

    Attributes:
        words: what is wrong, short enough for the status strip; empty while nothing is.
    """

    def __init__(self) -> None:
        self.words = ""
        self._places: RigPlaces | None = None
        self._turn = 0
        self._apart: dict[tuple[str, str], int] = {}

    def look(
        self, places: RigPlaces | None, frames: Mapping[str, Frame | None], names: Mapping[str, str]
    ) -> None:
        """Compare the next pair.

        Args:
            places: where the cameras stand.
            frames: the newest of each camera.
            names: of the cameras for people.
        """
        if places is not self._places:
            self._places, self._apart, self._turn = places, {}, 0
        known = {} if places is None else places.rig_from_color
        pairs = list(combinations([name for name in known if name in frames], 2))
        if pairs:
            pair = pairs[self._turn % len(pairs)]
            self._turn += 1
            self._compare(pair, known, frames)
        self.words = self._said(names)

    def _compare(
        self,
        pair: tuple[str, str],
        known: Mapping[str, NDArray[np.float64]],
        frames: Mapping[str, Frame | None],
    ) -> None:
        one, other = frames[pair[0]], frames[pair[1]]
        if one is None or other is None or abs(one.captured_ns - other.captured_ns) > ONE_MOMENT_NS:
            return
        agreement = compare(one, other, np.linalg.inv(known[pair[1]]) @ known[pair[0]])
        if agreement is not None:
            self._apart[pair] = 0 if agreement.good else self._apart.get(pair, 0) + 1

    def _said(self, names: Mapping[str, str]) -> str:
        moved = [pair for pair, count in self._apart.items() if count >= STREAK]
        if moved:
            one, other = moved[0]
            return tr("{one} and {other} disagree: moved? Calibrate the rig").format(
                one=names[one], other=names[other]
            )
        if self._places is not None and self._places.old and self._places.calibration is not None:
            return tr("Calibration is {age_days:.0f} days old").format(
                age_days=self._places.calibration.age_days()
            )
        return ""
