"""Stored frames are repaired one by one, and results are exact and in the published names."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.refining import (
    UNREADABLE,
    repair_frame,
    stored_frame,
    stored_frames,
    write_point_cloud,
    write_repair,
)
from drivers.depth import DepthMap
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from model.repair import Provenance, Repair, provenance
from model.shot import Shot

CAMERA = Intrinsics(width=4, height=2, fx=2.0, fy=2.0, cx=1.0, cy=0.5)


def _frame() -> Frame:
    color = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    depth = DepthMap(np.array([[0, 1000, 2000, 3000]] * 2, np.uint16), 0.001)
    return Frame("cam", 7, 0, 0, color, depth, Calibration(CAMERA, CAMERA))


def test_a_point_lies_where_the_camera_model_puts_it(tmp_path: Path) -> None:
    depth_m = np.full((2, 4), np.inf, np.float32)
    depth_m[1, 3] = 2.0
    color = np.zeros((2, 4, 3), np.uint8)
    color[1, 3] = (10, 20, 30)
    provenance = np.full((2, 4), Provenance.INVENTED, np.uint8)
    write_point_cloud(tmp_path / "cloud.ply", color, Repair(depth_m, provenance), CAMERA)
    header, _, body = (tmp_path / "cloud.ply").read_bytes().partition(b"end_header\n")
    assert b"element vertex 1\n" in header
    (point,) = np.frombuffer(body, np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3), ("provenance", "u1")]))
    # x = (3 - 1) / 2 * 2 m, y = (1 - 0.5) / 2 * 2 m
    assert point["xyz"].tolist() == [2.0, 0.5, 2.0]
    assert point["rgb"].tolist() == [10, 20, 30]
    assert point["provenance"] == Provenance.INVENTED


def test_depth_is_written_unrounded_and_rejected_pixels_as_infinity(tmp_path: Path) -> None:
    depth_m = np.full((2, 4), 1.23456789, np.float32)
    depth_m[0, 0] = np.inf
    provenance = np.full((2, 4), Provenance.REFINED, np.uint8)
    stored = stored_frame(Path(), _frame())
    write_repair(tmp_path, stored, Repair(depth_m, provenance), title="Test")
    written = np.load(tmp_path / "depth_refined.npy")
    assert written.dtype == np.float32
    assert (written == depth_m).all()
    assert np.load(tmp_path / "depth_input.npy")[0].tolist() == pytest.approx([0.0, 1.0, 2.0, 3.0])
    rgb = cv2.cvtColor(cv2.imread(str(tmp_path / "rgb.png")), cv2.COLOR_BGR2RGB)
    assert (rgb == stored.color).all()


def test_a_frame_without_a_known_lens_gets_no_point_cloud(tmp_path: Path) -> None:
    stored = stored_frame(Path(), _frame(), lens_known=False)
    write_repair(tmp_path, stored, Repair(stored.measured_m, np.zeros((2, 4), np.uint8)), title="Test")
    assert (tmp_path / "depth_refined.npy").exists()
    assert not (tmp_path / "point_cloud.ply").exists()


def test_frames_are_found_at_any_depth_and_keep_their_relative_path(tmp_path: Path) -> None:
    for name in ("a/10", "a/2", "b"):
        (tmp_path / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / name / "rgb.png"), np.zeros((2, 4, 3), np.uint8))
        cv2.imwrite(str(tmp_path / name / "depth.png"), np.ones((2, 4), np.uint16))
    assert [waiting.name for waiting in stored_frames(tmp_path)] == [Path("a/2"), Path("a/10"), Path("b")]


def test_depth_scale_decides_the_metres(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "rgb.png"), np.zeros((2, 4, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "raw_depth.png"), np.full((2, 4), 5000, np.uint16))
    (tmp_path / "meta.txt").write_text("depth_scale=10000\n", encoding="utf-8")
    (waiting,) = stored_frames(tmp_path)
    assert waiting.read().measured_m[0, 0] == pytest.approx(0.5)


def test_a_bad_frame_is_found_out_when_it_is_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "rgb.png"), np.zeros((2, 4, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "depth.png"), np.zeros((2, 4), np.uint8))
    (waiting,) = stored_frames(tmp_path)
    with pytest.raises(UNREADABLE, match="8-bit"):
        waiting.read()


class _Shifted:
    """Moves every pixel 4 cm away, and invents the holes."""

    label, precision, batches, troubled = "shifted", "fp32", False, False

    def repair_batch(self, shots: Sequence[Shot]) -> list[Repair]:
        measured = [shot.counts * np.float32(shot.unit_m) for shot in shots]
        moved = [m + np.float32(0.04) for m in measured]
        return [
            Repair(m, provenance(was, m, noise=shot.noise), intrinsics=shot.intrinsics)
            for shot, was, m in zip(shots, measured, moved, strict=True)
        ]


def test_what_counts_as_measured_depends_on_the_sensor() -> None:
    # 4 cm at 1, 2 and 3 m; three sigmas of time of flight are 21, 33 and 45 mm
    frame = stored_frame(Path(), _frame(), sensor="time of flight")
    assert repair_frame(_Shifted(), frame).provenance[0].tolist() == [
        Provenance.INVENTED,
        Provenance.REFINED,
        Provenance.REFINED,
        Provenance.MEASURED,
    ]


def test_confidence_is_written_where_there_is_one(tmp_path: Path) -> None:
    stored = stored_frame(Path(), _frame())
    sure = np.full((2, 4), 0.75, np.float32)
    repair = Repair(stored.measured_m, np.zeros((2, 4), np.uint8), confidence=sure)
    write_repair(tmp_path, stored, repair, title="Test")
    assert np.array_equal(np.load(tmp_path / "confidence.npy"), sure)
