"""Raw side-by-side pictures of textured planes, traced through two bent lenses that are not quite alike."""

import cv2
import numpy as np

CONF = """
[LEFT_CAM_HD]
fx=700.1
fy=700.3
cx=640.5
cy=362.2
k1=-0.17
k2=0.025
k3=0
p1=0.0002
p2=-0.0001
[RIGHT_CAM_HD]
fx=699.2
fy=699.4
cx=643.7
cy=358.9
k1=-0.172
k2=0.026
k3=0
p1=0.0001
p2=0.0001
[STEREO]
Baseline=119.95
TY_HD=0.15
TZ_HD=-0.4
CV_HD=0.008
RX_HD=-0.004
RZ_HD=0.0015
"""
PLANES_M = ((3.0, -1e9, 1e9), (1.5, -0.7, -0.1), (1.0, 0.15, 0.5))
"""Distance, and from where to where it reaches, in metres to the right of the left camera."""


def side_by_side(pair):
    """(H, 2 W, 3) uint8 BGR as the camera sends it, and (H, W) float metres of the raw left picture."""
    width, height = pair.left.width, pair.left.height
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (2048, 2048), np.uint8), (0, 0), 1.3)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    pixels = np.stack([columns.ravel(), rows.ravel()], axis=1)[:, None]
    images, depths = [], []
    for lens, pose in ((pair.left, np.eye(4)), (pair.right, pair.right_from_left)):
        exact = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 50, 1e-9)
        flat = cv2.undistortPoints(pixels, lens.matrix, np.array(lens.distortion), criteria=exact)[:, 0]
        rays = np.column_stack([flat, np.ones(len(flat))]) @ pose[:3, :3]
        eye = -pose[:3, :3].T @ pose[:3, 3]
        depth, grey = np.full(len(rays), np.inf), np.zeros(len(rays), np.uint8)
        for z_m, left_m, right_m in PLANES_M:
            reach = (z_m - eye[2]) / rays[:, 2]
            x, y = eye[0] + reach * rays[:, 0], eye[1] + reach * rays[:, 1]
            hit = (x > left_m) & (x < right_m) & (z_m < depth)
            u = ((x * 500) % 2046).astype(np.float32).reshape(height, width)
            v = ((y * 500 + 7000 * z_m) % 2046).astype(np.float32).reshape(height, width)
            seen = cv2.remap(texture, u, v, cv2.INTER_LINEAR).ravel()
            grey[hit], depth[hit] = seen[hit], z_m
        images.append(grey.reshape(height, width))
        depths.append(depth.reshape(height, width))
    return cv2.cvtColor(np.hstack(images), cv2.COLOR_GRAY2BGR), depths[0]
