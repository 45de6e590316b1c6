"""A whole sample as shards keep it: what the report's synthetic samples carry, materials and calibration."""

import json
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap, depth_map
from drivers.geometry import Intrinsics
from drivers.synth.render import View, inverted
from trainer.data.samples import Sample
from trainer.errors import DataError

JPEG_QUALITY = 95
IR_JPEG_QUALITY = 90
"""SYNTH.md, section 5: a matcher does as well on these as on lossless infrared, which noise makes large."""
DISPARITY_STEPS = 64
"""Counts for each pixel of disparity; 65,535 of them reach 1,023 px."""
UNITS_M = (0.00025, 0.001, 0.01)
"""The finest unit that holds the farthest pixel is taken: 16 m, 65 m, 655 m."""
BEYOND_UNIT_M = 0.001
FORMAT = 1


@dataclass(frozen=True, eq=False)
class StoredSample:
    """One sample with everything that is known of it.

    Attributes:
        color: (H, W, 3) uint8 RGB.
        depth: the sensor's, in the colour grid, 0 for a hole; None of a bare view, which none has measured.
        truth_m: (H, W) float32 metres along the optical axis to the first surface, 0 where that is unknown.
        camera: intrinsics of colour, depth and truth; None where they are not known.
        source: where it comes from, such as "synth" or the name of a data set.
        scene: samples of one scene are never split between training and evaluation.
        nothing: (H, W) bool, true where there is no surface at all; None where that is not known.
        material: (H, W) uint8, `drivers.synth.shapes.Material`, or None.
        ir_left: (h, w) uint8 infrared with speckle, or None.
        ir_right: likewise.
        disparity_px: (H, W) float32 true depth in pixels of disparity at the colour camera's focal length, 0
            for none; or None.
        baseline_m: of the stereo pair, or None.
        sensor: which kind of sensor `depth` comes from.
        shift_m: right and down from the colour camera to the sensor's left camera.
        zoom: the sensor's focal length over the colour camera's.
        beyond_m: (H, W) float32 metres to what is seen through glass and in mirrors, to the pane where there
            is a window, elsewhere `truth_m`; of a bare view, otherwise None.
    """

    color: NDArray[np.uint8]
    depth: DepthMap | None
    truth_m: NDArray[np.float32]
    camera: Intrinsics | None
    source: str
    scene: str
    nothing: NDArray[np.bool_] | None = None
    material: NDArray[np.uint8] | None = None
    ir_left: NDArray[np.uint8] | None = None
    ir_right: NDArray[np.uint8] | None = None
    disparity_px: NDArray[np.float32] | None = None
    baseline_m: float | None = None
    sensor: str = ""
    shift_m: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    beyond_m: NDArray[np.float32] | None = None

    @property
    def sample(self) -> Sample:
        """What training needs of it, unless it is a bare view."""
        assert self.depth is not None
        return Sample(self.color, self.depth.metres, self.truth_m, self.nothing)

    @property
    def view(self) -> View:
        """What a simulated sensor needs of a bare view."""
        assert self.beyond_m is not None
        assert self.material is not None
        assert self.camera is not None
        first_m = np.where(self.truth_m > 0, self.truth_m, self.beyond_m)
        inverse, beyond = inverted(first_m), inverted(self.beyond_m)
        return View(self.color, first_m, inverse, beyond, self.material, self.camera)


def stored(sample: Sample, *, source: str, scene: str) -> StoredSample:
    """A sample of a data set that knows no more than what training needs."""
    return StoredSample(
        color=sample.color,
        depth=depth_map(sample.depth_m, unit_m=_unit_for(sample.depth_m)),
        truth_m=sample.target_m,
        camera=None,
        source=source,
        scene=scene,
        nothing=sample.nothing,
    )


def encoded(sample: StoredSample) -> dict[str, bytes]:
    """Ending and content of each of the sample's files, `meta.json` first."""
    truth = depth_map(sample.truth_m, unit_m=_unit_for(sample.truth_m))
    meta: dict[str, object] = {
        "format": FORMAT,
        "source": sample.source,
        "scene": sample.scene,
        "sensor": sample.sensor,
        "depth_unit_m": None if sample.depth is None else sample.depth.unit_m,
        "truth_unit_m": truth.unit_m,
        "beyond_unit_m": BEYOND_UNIT_M,
        "disparity_unit_px": 1 / DISPARITY_STEPS,
        "camera": None if sample.camera is None else vars(sample.camera),
        "baseline_m": sample.baseline_m,
        "shift_m": sample.shift_m,
        "zoom": sample.zoom,
    }
    files = {
        "meta.json": json.dumps(meta, sort_keys=True).encode(),
        "color.jpg": _jpeg(sample.color[..., ::-1], JPEG_QUALITY),
        "truth.png": _png(truth.values),
    }
    if sample.depth is not None:
        files["depth.png"] = _png(sample.depth.values)
    if sample.beyond_m is not None:
        files["beyond.png"] = _png(depth_map(sample.beyond_m, unit_m=BEYOND_UNIT_M).values)
    if sample.nothing is not None:
        files["nothing.png"] = _png(sample.nothing.astype(np.uint8))
    if sample.material is not None:
        files["material.png"] = _png(sample.material)
    if sample.ir_left is not None:
        files["ir_left.jpg"] = _jpeg(sample.ir_left, IR_JPEG_QUALITY)
    if sample.ir_right is not None:
        files["ir_right.jpg"] = _jpeg(sample.ir_right, IR_JPEG_QUALITY)
    if sample.disparity_px is not None:
        counts = np.clip(np.rint(sample.disparity_px * DISPARITY_STEPS), 0, np.iinfo(np.uint16).max)
        files["disparity.png"] = _png(counts.astype(np.uint16))
    return files


def decoded(files: dict[str, bytes]) -> StoredSample:
    """The sample of these files.

    Raises:
        DataError: a file is missing or no picture.
    """
    try:
        meta: dict[str, Any] = json.loads(files["meta.json"])
        nothing, counts = _optional(files, "nothing.png"), _optional(files, "disparity.png")
        beyond = _optional(files, "beyond.png")
        depth = None if beyond is not None else _image(files, "depth.png", cv2.IMREAD_UNCHANGED)
        return StoredSample(
            color=np.ascontiguousarray(_image(files, "color.jpg", cv2.IMREAD_COLOR)[..., ::-1]),
            depth=None if depth is None else DepthMap(depth, meta["depth_unit_m"]),
            truth_m=DepthMap(_image(files, "truth.png", cv2.IMREAD_UNCHANGED), meta["truth_unit_m"]).metres,
            camera=_camera(meta["camera"]),
            source=meta["source"],
            scene=meta["scene"],
            nothing=None if nothing is None else nothing > 0,
            material=_optional(files, "material.png"),
            ir_left=_optional(files, "ir_left.jpg"),
            ir_right=_optional(files, "ir_right.jpg"),
            disparity_px=None if counts is None else counts * np.float32(meta["disparity_unit_px"]),
            baseline_m=meta["baseline_m"],
            sensor=meta["sensor"],
            shift_m=tuple(meta.get("shift_m", (0.0, 0.0))),
            zoom=meta.get("zoom", 1.0),
            beyond_m=None if beyond is None else DepthMap(beyond, meta["beyond_unit_m"]).metres,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"A stored sample is incomplete: {error!r}.", hint="Make the shard again, or remove it."
        ) from error


def _camera(entry: dict[str, Any] | None) -> Intrinsics | None:
    return None if entry is None else Intrinsics(**{**entry, "distortion": tuple(entry["distortion"])})


def _unit_for(depth_m: NDArray[np.float32]) -> float:
    farthest = float(depth_m.max(initial=0))
    limit = np.iinfo(np.uint16).max
    return next((unit for unit in UNITS_M if farthest <= unit * limit), UNITS_M[-1])


def _jpeg(image: NDArray[np.uint8], quality: int) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _png(image: NDArray[Any]) -> bytes:
    return cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _optional(files: dict[str, bytes], name: str) -> NDArray[Any] | None:
    return _image(files, name, cv2.IMREAD_UNCHANGED) if name in files else None


def _image(files: dict[str, bytes], name: str, flags: int) -> NDArray[Any]:
    image = cv2.imdecode(np.frombuffer(files[name], np.uint8), flags)
    if image is None:
        raise ValueError(f"{name} is no picture")
    return np.asarray(image)
