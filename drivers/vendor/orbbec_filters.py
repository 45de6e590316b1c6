"""Orbbec's own depth filters: to look at beside a repair, never to record.

The library lends them out only while one of its devices is there, and takes frames only of a stream that it
knows the lens of. So they are for Orbbec's cameras and recordings; other cameras have no such stream.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from drivers.depth import DepthMap
from drivers.errors import CameraError
from drivers.geometry import Intrinsics

NAMES: Final = {
    "orbbec decimation": "DecimationFilter",
    "orbbec noise removal": "NoiseRemovalFilter",
    "orbbec spatial": "SpatialAdvancedFilter",
    "orbbec temporal": "TemporalFilter",
    "orbbec hole filling": "HoleFillingFilter",
}
"""What the library calls each step, in the order of the list that it recommends for a Gemini 335."""
STEPS: Final = tuple(NAMES)
_OFF: Final = "Switch them off."


class OrbbecFilters:
    """The filters of one camera; they remember the frames before. To be used in one thread.

    Args:
        ob: the library, as `drivers.cameras.orbbec.SDK.require` gives it.
        profile: of the camera's depth stream.
        lens: of its depth.
        unit_m: metres per count of its depth.
        steps: some of `STEPS`.

    Raises:
        CameraError: the library has no such filters, or no device of it is there.
    """

    def __init__(self, ob: Any, profile: Any, lens: Intrinsics, unit_m: float, steps: Sequence[str]) -> None:
        unknown = set(steps) - set(STEPS)
        assert not unknown, unknown
        self._ob = ob
        self._profile = profile
        self._lens = lens
        self._unit_m = unit_m
        try:
            # By the factory: the classes themselves end the process where no device is there.
            self._filters = [ob.FilterFactory.create_filter(NAMES[step]) for step in STEPS if step in steps]
        except (ob.OBError, RuntimeError) as error:
            raise CameraError(f"Orbbec's filters are not to be had: {error}", hint=_OFF) from error

    @property
    def unit_m(self) -> float:
        """Metres per count that they were made for."""
        return self._unit_m

    def close(self) -> None:
        """Let go of the library's objects."""
        self._filters = []
        self._profile = None

    def filtered(self, depth: DepthMap) -> tuple[DepthMap, Intrinsics]:
        """What the filters make of a frame, and the lens of its grid: decimation makes it smaller.

        Raises:
            CameraError: the library refuses the frame or gives none back.
        """
        ob = self._ob
        try:
            image = ob.Frame.create_frame_from_stream_profile(self._profile).as_depth_frame()
            image.update_data(np.ascontiguousarray(depth.values).reshape(-1).view(np.uint8))
            image.set_value_scale(depth.unit_m * 1000)  # it has millimetres per count
            for step in self._filters:
                image = step.process(image)
                if image is None:
                    raise CameraError("Orbbec's filters gave no frame back", hint=_OFF)
            image = image.as_depth_frame()
            height, width = image.get_height(), image.get_width()
            counts = np.frombuffer(image.get_data(), np.uint16).reshape(height, width).copy()
        except (ob.OBError, RuntimeError) as error:
            raise CameraError(f"Orbbec's filters failed: {error}", hint=_OFF) from error
        return DepthMap(counts, depth.unit_m), self._lens.scaled(width, height)
