"""A pair of pictures becomes depth: calibration, rectification and matching, without a vendor's library."""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from drivers.depth import DepthMap
from drivers.errors import ModeUnsupported
from drivers.geometry import Calibration, Intrinsics

Image = NDArray[np.uint8]

MATCH_SHARE: Final = 2
"""Matching is done in pictures of half the size: an eighth of the work."""
DISPARITIES: Final = 96
"""Of the halved pictures: with a ZED 2 at 720p, everything beyond 0.44 m."""
_BLOCK: Final = 5
_MILLIMETRE: Final = 0.001
_SUBPIXEL: Final = 16
_SECTIONS: Final = {(2208, 1242): "2K", (1920, 1080): "FHD", (1280, 720): "HD", (672, 376): "VGA"}
"""Names of Stereolabs' sizes in a `.conf`."""


@dataclass(frozen=True, eq=False)
class StereoPair:
    """Two lenses as they are, before rectification.

    Attributes:
        left: with its distortion.
        right: likewise.
        right_from_left: (4, 4) metres.
    """

    left: Intrinsics
    right: Intrinsics
    right_from_left: NDArray[np.float64]


def read_conf(path: Path, width: int, height: int) -> StereoPair:
    """The factory calibration of a ZED for pictures of this size.

    Source: the convention of Stereolabs' public sample zed-opencv-native.

    Raises:
        ModeUnsupported: the file is none, or does not have this size.
    """
    import cv2

    file = configparser.ConfigParser()
    try:
        file.read_string(path.read_text(encoding="utf-8"))
        suffix = _SECTIONS[width, height]
        stereo = file["STEREO"]
        lenses = [_lens(file[f"{side}_CAM_{suffix}"], width, height) for side in ("LEFT", "RIGHT")]
        turn = [float(stereo.get(f"{key}_{suffix}", "0")) for key in ("RX", "CV", "RZ")]
        move_mm = [
            -float(stereo["Baseline"]),
            float(stereo.get(f"TY_{suffix}", "0")),
            float(stereo.get(f"TZ_{suffix}", "0")),
        ]
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError, ValueError) as error:
        raise ModeUnsupported(
            f"{path.name} is no calibration of a ZED for {width} x {height}: {error}",
            hint=f"Download it again: {conf_address(path.stem.removeprefix('SN'))}",
        ) from error
    right_from_left = np.eye(4)
    right_from_left[:3, :3] = cv2.Rodrigues(np.array(turn))[0]
    right_from_left[:3, 3] = np.array(move_mm) / 1000
    return StereoPair(lenses[0], lenses[1], right_from_left)


def conf_address(serial: str) -> str:
    """Where Stereolabs keeps the calibration of a camera."""
    return f"https://calib.stereolabs.com/?SN={serial}"


def _lens(section: Mapping[str, str], width: int, height: int) -> Intrinsics:
    fx, fy, cx, cy = (float(section[key]) for key in ("fx", "fy", "cx", "cy"))
    bend = tuple(float(section.get(key, "0")) for key in ("k1", "k2", "p1", "p2", "k3"))
    return Intrinsics(width, height, fx, fy, cx, cy, bend)


@dataclass(frozen=True, eq=False)
class Matched:
    """What a pair became.

    Attributes:
        color: (H, W, 3) uint8 RGB, rectified left picture.
        depth: in the left camera's rectified grid, of half the size; 0 where there is no match.
        left: (H/2, W/2) uint8 grey, rectified.
        right: likewise.
    """

    color: Image
    depth: DepthMap
    left: Image
    right: Image


class StereoMatcher:
    """Rectifies and matches pairs of one camera; keeps its tables.

    Args:
        pair: its lenses.
        disparities: that are searched in the halved pictures, a multiple of 16.
    """

    def __init__(self, pair: StereoPair, *, disparities: int = DISPARITIES) -> None:
        import cv2

        size = (pair.left.width, pair.left.height)
        bends = [np.array(lens.distortion or (0.0,) * 5) for lens in (pair.left, pair.right)]
        turn, move = pair.right_from_left[:3, :3], pair.right_from_left[:3, 3]
        turn_left, turn_right, seen, seen_right, *_ = cv2.stereoRectify(
            pair.left.matrix, bends[0], pair.right.matrix, bends[1], size, turn, move.reshape(3, 1),
            flags=cv2.CALIB_ZERO_DISPARITY, alpha=0, newImageSize=size,
        )  # fmt: skip
        color = Intrinsics(*size, seen[0, 0], seen[1, 1], seen[0, 2], seen[1, 2])
        small = color.scaled(size[0] // MATCH_SHARE, size[1] // MATCH_SHARE)
        self._small_size = (small.width, small.height)
        self._color_maps = cv2.initUndistortRectifyMap(
            pair.left.matrix, bends[0], turn_left, seen[:, :3], size, cv2.CV_16SC2
        )
        self._maps = [
            cv2.initUndistortRectifyMap(
                lens.scaled(*self._small_size).matrix,
                bend,
                turned,
                small.matrix,
                self._small_size,
                cv2.CV_16SC2,
            )
            for lens, bend, turned in zip(
                (pair.left, pair.right), bends, (turn_left, turn_right), strict=True
            )
        ]
        baseline_m = -float(seen_right[0, 3] / seen_right[0, 0])
        self._millimetres = small.fx * baseline_m * 1000 * _SUBPIXEL
        area = _BLOCK * _BLOCK
        self._match = cv2.StereoSGBM.create(
            minDisparity=0, numDisparities=disparities, blockSize=_BLOCK, P1=8 * area, P2=32 * area,
            disp12MaxDiff=1, preFilterCap=31, uniquenessRatio=10, speckleWindowSize=100, speckleRange=2,
            mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
        )  # fmt: skip
        self.calibration = Calibration(
            color, small, ir=small, color_from_ir_left=np.eye(4), baseline_m=baseline_m
        )

    def matched(self, left: Image, right: Image) -> Matched:
        """Depth of a pair.

        Args:
            left: (H, W, 3) uint8 BGR as the camera sends it.
            right: likewise.
        """
        import cv2

        color = cv2.cvtColor(cv2.remap(left, *self._color_maps, cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
        greys = [
            cv2.remap(
                cv2.resize(
                    cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), self._small_size, interpolation=cv2.INTER_AREA
                ),
                *maps,
                cv2.INTER_LINEAR,
            )
            for image, maps in zip((left, right), self._maps, strict=True)
        ]
        steps = self._match.compute(greys[0], greys[1])
        counts = np.zeros(steps.shape, np.float32)
        np.divide(self._millimetres, steps, out=counts, where=steps > 0)
        counts[counts > np.iinfo(np.uint16).max] = 0
        return Matched(
            color=np.asarray(color, np.uint8),
            depth=DepthMap(np.rint(counts).astype(np.uint16), _MILLIMETRE),
            left=np.asarray(greys[0], np.uint8),
            right=np.asarray(greys[1], np.uint8),
        )
