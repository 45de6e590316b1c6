"""`refine` shows what the network looks at, and repairs from colour alone and from a few points."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from app import cli

SIZE = (48, 64)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHMEND_CONFIG", str(tmp_path / "config" / "settings.toml"))
    monkeypatch.setenv("DEPTHMEND_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DEPTHMEND_LOGS", str(tmp_path / "logs"))


@pytest.fixture
def frame(tmp_path: Path) -> Path:
    """A wall at 2 m; the left half was not measured."""
    folder = tmp_path / "frame"
    folder.mkdir()
    rng = np.random.default_rng(0)
    cv2.imwrite(str(folder / "rgb.png"), rng.integers(0, 255, (*SIZE, 3), np.uint8))
    depth = np.full(SIZE, 2000, np.uint16)
    depth[:, :32] = 0
    cv2.imwrite(str(folder / "raw_depth.png"), depth)
    return folder


def refine(frame: Path, *flags: str) -> int:
    return cli.main(["refine", str(frame), "--out", str(frame.parent / "out"), "--device", "cpu", *flags])


def fails(capsys: pytest.CaptureFixture[str], frame: Path, *flags: str) -> str:
    assert refine(frame, *flags) != 0
    return capsys.readouterr().err


def test_attention_is_a_picture_of_the_frames_size_beside_the_results(frame: Path) -> None:
    assert refine(frame, "--attention", "50,20", "--layer", "0") == 0
    picture = cv2.imread(str(frame.parent / "out" / "attention.png"))
    assert picture.shape == (*SIZE, 3)
    assert (frame.parent / "out" / "depth_refined.npy").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--attention", "10,20"), "Nothing is measured around 10,20"),
        (("--attention", "64,20"), "64 x 48"),
        (("--attention", "50,20", "--layer", "99"), "no block 99"),
        (("--attention", "50,20", "--mono"), "Leave out --mono"),
        (("--attention", "50,20", "--model", "classical"), "Without a network"),
    ],
)
def test_attention_that_cannot_be_had_is_explained(
    frame: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], said: str
) -> None:
    assert said in fails(capsys, frame, *flags)


def test_monocular_repair_is_labelled_and_claims_no_confidence(
    frame: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refine(frame, "--mono") == 0
    assert "monocular" in capsys.readouterr().out
    assert not (frame.parent / "out" / "confidence.npy").exists()


def test_a_few_points_are_kept_and_carried_over_the_frame_with_a_confidence(frame: Path) -> None:
    points = np.zeros(SIZE, np.uint16)
    points[4::8, 4::8] = 2000
    cv2.imwrite(str(frame / "raw_depth.png"), points)
    assert refine(frame) == 0
    refined = np.load(frame.parent / "out" / "depth_refined.npy")
    sure = np.load(frame.parent / "out" / "confidence.npy")
    np.testing.assert_allclose(refined[points > 0], 2.0, rtol=1e-6)
    assert np.median(np.abs(refined - 2)) < 0.2
    assert ((sure >= 0) & (sure <= 1)).all()
