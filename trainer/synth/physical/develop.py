"""From light to pictures: the denoiser, the camera's exposure, and the infrared that belongs to it."""

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Float = NDArray[np.float32]
MIDDLE_GREY = (0.13, 0.26)
"""Range of the middle brightness that a camera exposes for, linear, drawn evenly."""
BRIGHTEST = 1.8
"""The brightest twentieth of the picture is not exposed beyond this, linear; 1 is white."""
KNEE = 0.6
"""Linear brightness from which a camera's curve bends to hold highlights."""
TO_INFRARED = np.array([0.5, 0.35, 0.15], np.float32)


def denoised(light: Float, albedo: Float, normals: Float) -> Float:
    """(H, W, 3) light without the noise of few paths (Intel Open Image Denoise).

    Args:
        light: (H, W, 3) with noise.
        albedo: (H, W, 3) colour of the first surface that is not glass or a mirror.
        normals: (H, W, 3) of the first surface.
    """
    import pyoidn

    parts = (np.ascontiguousarray(part, np.float32) for part in (light, np.clip(albedo, 0, 1), normals))
    color, albedo, normals = parts
    return np.maximum(
        np.asarray(pyoidn.denoise(color, albedo=albedo, normal=normals, hdr=True), np.float32), 0
    )


def exposed(light: Float, rng: np.random.Generator) -> Bytes:
    """(H, W, 3) uint8 sRGB as a camera with automatic exposure takes it.

    Args:
        light: (H, W, 3) linear.
        rng: cameras do not agree on how bright is right.
    """
    luminance = light @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    middle = float(np.exp(np.log(luminance + 1e-3).mean()))
    gain = float(rng.uniform(*MIDDLE_GREY)) / middle
    bright = float(np.percentile(luminance, 95))
    if bright > 0:
        gain = min(gain, max(BRIGHTEST / bright, 0.35 * gain))
    linear = light * np.float32(gain)
    over = np.maximum(linear - np.float32(KNEE), 0) / np.float32(1 - KNEE)
    bent = np.minimum(linear, np.float32(KNEE)) + np.float32(1 - KNEE) * (1 - np.exp(-over))
    srgb = np.where(bent <= 0.0031308, 12.92 * bent, 1.055 * np.maximum(bent, 1e-8) ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(np.clip(srgb, 0, 1) * 255), np.uint8)


def infrared(light: Float, reflected: Float) -> Float:
    """(H, W) float32 near infrared in the room's own light, linear.

    Args:
        light: (H, W, 3) linear.
        reflected: (H, W) near infrared that the surface reflects, over visible light.
    """
    return np.asarray((light @ TO_INFRARED) * reflected, np.float32)


def reduced(picture: Float, width: int, height: int) -> Float:
    """(height, width, ...) averaged."""
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.float32)
