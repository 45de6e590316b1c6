"""Pictures of an evaluation: depth in colours, errors in shades."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.score import Answer

WIDTH_PX = 320
JPEG_QUALITY = 85
ERROR_FULL = 0.2
"""Share of the true depth that is shown in the strongest shade."""


def strip(answer: Answer) -> dict[str, NDArray[np.uint8]]:
    """Pictures by caption: colour, what went in, the truth, then output and error of each method.

    All are (h, w, 3) uint8 RGB.
    """
    truth_m = answer.asked.truth_m
    known = truth_m[truth_m > 0]
    near, far = np.percentile(known, [2, 98]) if known.size else (0.5, 5.0)
    out = {
        "colour": small(answer.frame.color),
        "input": small(depth_picture(answer.asked.depth_m, near, far)),
        "truth" if answer.asked.part != "hidden" else "measured": small(depth_picture(truth_m, near, far)),
    }
    for name, depth_m in answer.outputs.items():
        out[name] = small(depth_picture(depth_m, near, far))
        out[f"{name}, error"] = small(error_picture(depth_m, truth_m))
    return out


def depth_picture(depth_m: NDArray[np.float32], near_m: float, far_m: float) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: near is blue and far red, as in the window, even in inverse depth; holes black."""
    good = np.isfinite(depth_m) & (depth_m > 0)
    inverse = 1 / np.where(good, depth_m, 1)
    share = (1 / near_m - inverse) / max(1 / near_m - 1 / far_m, 1e-6)
    shades = np.clip(share * 255, 0, 255).astype(np.uint8)
    picture = np.asarray(cv2.applyColorMap(shades, cv2.COLORMAP_TURBO), np.uint8)[..., ::-1]
    return np.where(good[..., None], picture, 0).astype(np.uint8)


def error_picture(depth_m: NDArray[np.float32], truth_m: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: white is right, dark red is off by a fifth or more; grey is not known."""
    known = truth_m > 0
    got = np.where(np.isfinite(depth_m), depth_m, 0)
    off = np.abs(got - truth_m) / np.where(known, truth_m, 1)
    share = np.clip(off / ERROR_FULL, 0, 1)[..., None]
    picture = 255 * (1 - share) + np.array([120, 0, 20]) * share
    return np.where(known[..., None], picture, 200).astype(np.uint8)


def small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture at the width of a report."""
    height = round(image.shape[0] * WIDTH_PX / image.shape[1])
    return np.asarray(cv2.resize(image, (WIDTH_PX, height), interpolation=cv2.INTER_AREA), np.uint8)


def embedded(image: NDArray[np.uint8]) -> str:
    """The picture as the address of an <img>."""
    jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"
