"""The verb against a real hub on localhost, and the models that other verbs can name."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from huggingface_hub import constants

from app import cli
from model import backbone, checkpoint
from model.config import ModelConfig
from model.mdm import MDM
from model.spec import PUBLISHED, RECOMMENDED
from tests.model.small_hub import served
from tests.model.small_networks import small_network

MAIN = Path(__file__).resolve().parents[3] / "main.py"
REPO = "someone/some-mdm"
MISSING_ONNX = [n for n in ("onnx", "onnxruntime", "onnxscript") if importlib.util.find_spec(n) is None]
DC = "lingbot-depth-postrain-dc-vitl14"
STACK = {
    "dim_res_blocks": [16, 8],
    "num_res_blocks": [0, 1],
    "res_block_in_norm": "none",
    "res_block_hidden_norm": "none",
    "resamplers": ["bilinear"],
}


def network(name: str, width: int) -> dict[str, object]:
    return {
        "encoder": {"backbone": name, "dim_out": width},
        "neck": {**STACK, "dim_in": [width + 2, 2]},
        "depth_head": {**STACK, "dim_in": [16, 8], "dim_out": [None, 1]},
        "num_tokens_range": [12, 12],
    }


def write(path: Path, config: dict[str, object]) -> MDM:
    """A published file with random weights."""
    torch.manual_seed(0)
    model = MDM(ModelConfig.parse(config))
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model_config": config, "model": model.state_dict()}, path)
    return model


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a small published file."""
    path = tmp_path_factory.mktemp("published") / "model.pt"
    write(path, network("mdm_vitt14_8", 192))
    return path.read_bytes()


def run(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The program as it is started, with this environment."""
    return subprocess.run(
        [sys.executable, str(MAIN), *argv],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        timeout=100,
        check=False,
    )


def fails(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """What the verb says on standard error: one line, and no traceback."""
    assert cli.main(argv) == 1
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "Traceback" not in errors
    return errors


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_list_has_what_is_here_and_what_can_be_got(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "--json"]) == 0

    models = {event["name"]: event for event in events(capsys) if event["event"] == "model"}
    assert [name for name, model in models.items() if model["here"]] == ["demo", "classical", "off"]
    assert [name for name, model in models.items() if not model["here"]] == [one.name for one in PUBLISHED]
    recommended = models[RECOMMENDED.name]
    assert (recommended["size_bytes"], recommended["sha256"]) == (RECOMMENDED.size_bytes, RECOMMENDED.sha256)
    assert recommended["rules"] == {
        "nearest_m": 0.01,
        "farthest_m": None,
        "tokens": [1200, 3600],
        "color_order": "RGB",
        "depth_unit": "metre",
    }


def test_the_list_is_words_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models"]) == 0

    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.startswith(RECOMMENDED.name))
    assert row.split("  ", 1)[1].split()[:4] == ["to", "get", "1285", "MB"]
    assert "Apache-2.0" in row
    assert any("models get NAME" in line for line in lines)


def test_a_model_is_got_as_the_environment_says_and_then_needs_no_network(
    published: bytes, tmp_path: Path
) -> None:
    home = str(tmp_path / "elsewhere")
    with served(published) as hub:
        got = run("models", "get", REPO, "--json", HF_ENDPOINT=hub.url, HF_HOME=home)
    assert got.returncode == 0, got.stderr
    said = [json.loads(line) for line in got.stdout.splitlines()]
    assert said[-1]["event"] == "got"
    assert Path(said[-1]["file"]).read_bytes() == published
    assert Path(said[-1]["file"]).is_relative_to(home)
    progress = [event for event in said if event["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == len(published) // 1_000_000

    again = run("models", "get", REPO, HF_ENDPOINT=hub.url, HF_HOME=home, HF_HUB_OFFLINE="1")

    assert again.returncode == 0
    assert REPO in again.stdout


def test_ctrl_c_keeps_what_came(published: bytes, tmp_path: Path) -> None:
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    with served(published) as hub:
        hub.cuts, hub.hold = [200_000], threading.Event()
        argv = [sys.executable, str(MAIN), "models", "get", REPO, "--json"]
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, text=True, env={**environment, "HF_ENDPOINT": hub.url}
        ) as child:
            assert child.stdout is not None
            assert '"progress"' in child.stdout.readline()
            while not any(path.stat().st_size for path in tmp_path.rglob("*.incomplete")):
                assert '"progress"' in child.stdout.readline()
            child.send_signal(signal.SIGINT)
            assert child.wait(60) == cli.INTERRUPTED
        hub.hold.set()

    (partial,) = tmp_path.rglob("*.incomplete")
    assert published.startswith(partial.read_bytes())
    assert partial.stat().st_size > 0


def test_offline_says_how_else_to_get_it(tmp_path: Path) -> None:
    done = run("models", "get", DC, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")

    assert done.returncode == 1
    assert "HF_HUB_OFFLINE" in done.stderr
    assert "--from FOLDER" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_offline_pack_is_taken_in(
    published: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = tmp_path / "pack" / DC / "model.pt"
    pack.parent.mkdir(parents=True)
    pack.write_bytes(published)

    assert cli.main(["models", "get", DC, "--from", str(tmp_path / "pack")]) == 0

    assert cli.main(["models", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    here = [json.loads(line) for line in lines if line.startswith("{")]
    assert next(model["here"] for model in here if model.get("name") == DC)


def test_a_pack_with_another_file_under_a_published_name_is_refused(
    published: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.pt").write_bytes(published)

    said = fails(capsys, "models", "get", RECOMMENDED.name, "--from", str(tmp_path))

    assert f"{len(published)} bytes" in said
    assert not list(Path(constants.HF_HUB_CACHE).rglob("model.pt*"))


@pytest.mark.parametrize(("name", "said"), [("demo", "comes with the program"), ("./mine", "is neither")])
def test_what_is_on_no_hub_cannot_be_got(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in fails(capsys, "models", "get", name)


@pytest.mark.parametrize("name", [DC, f"robbyant/{DC}"])
def test_a_published_model_repairs_once_it_is_here(
    published: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    frame = tmp_path / "frame"
    frame.mkdir()
    cv2.imwrite(str(frame / "rgb.png"), np.full((42, 56, 3), 90, np.uint8))
    cv2.imwrite(str(frame / "raw_depth.png"), np.full((42, 56), 2000, np.uint16))
    (frame / "intrinsics.txt").write_text("50 0 27.5\n0 50 20.5\n0 0 1\n", encoding="utf-8")
    out = tmp_path / "out"

    said = fails(capsys, "refine", str(frame), "--out", str(out), "--model", name)

    assert f"models get {DC}`" in said

    (tmp_path / "model.pt").write_bytes(published)
    assert cli.main(["models", "get", name, "--from", str(tmp_path)]) == 0
    assert cli.main(["refine", str(frame), "--out", str(out), "--model", name]) == 0
    assert list(out.rglob("depth_refined.npy"))


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_an_encoder_is_exported_as_a_backbone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    model = write(tmp_path / "small" / "model.pt", network("dinov2_vits14_reg", 384))
    out = tmp_path / "new" / f"backbone{ending}"

    assert (
        cli.main(
            ["models", "export-backbone", "--json", "--model", str(tmp_path / "small"), "--out", str(out)]
        )
        == 0
    )

    (said,) = events(capsys)
    assert said["official_file"] == "dinov2_vits14_reg4_pretrain.pth"  # as DINOv2's README lists it
    tensors = backbone.read(out)
    want = {n: t for n, t in model.encoder.backbone.state_dict().items() if "depth" not in n}
    torch.testing.assert_close(dict(tensors), want, rtol=0, atol=0)


def test_an_encoder_of_ours_alone_is_not_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.pth"

    assert "DINOv2 does not have" in fails(
        capsys, "models", "export-backbone", "--model", "demo", "--out", str(out)
    )
    assert not out.exists()


@pytest.mark.parametrize(
    ("model", "out", "said"),
    [
        ("classical", "x.pth", "no encoder"),
        ("demo", "x.onnx", "no ending"),
        (DC, "x.pth", f"models get {DC}`"),
    ],
)
def test_an_export_that_cannot_be_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: str, out: str, said: str
) -> None:
    argv = ("models", "export-backbone", "--model", model, "--out", str(tmp_path / out))
    assert said in fails(capsys, *argv)


def test_two_networks_are_averaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint.save(tmp_path / "small.safetensors", small_network(), {})
    small, out = str(tmp_path / "small.safetensors"), tmp_path / "new" / "mean.safetensors"
    mean = ("models", "average", small, small, "--out")

    assert "from 0 to 1" in fails(capsys, *mean, str(out), "--share", "2")
    assert ".safetensors" in fails(capsys, *mean, str(tmp_path / "x.pt"))
    assert "no network" in fails(capsys, "models", "average", "classical", small, "--out", str(out))
    assert cli.main(["models", "average", "--json", small, small, "--out", str(out), "--share", "0.3"]) == 0

    (said,) = events(capsys)
    assert said["share"] == 0.3
    assert checkpoint.load(out).config == small_network().config


@pytest.mark.skipif(bool(MISSING_ONNX), reason=f"not installed: {', '.join(MISSING_ONNX)}")
@pytest.mark.timeout(300)
def test_a_network_is_exported_as_onnx_for_someone_who_has_only_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import onnxruntime

    model = small_network(fill_patches=True)
    checkpoint.save(tmp_path / "small.safetensors", model, {})
    out = tmp_path / "new" / "small.onnx"
    argv = ["--model", str(tmp_path / "small.safetensors"), "--size", "128x96", "--depth-size", "64x48"]

    assert cli.main(["models", "export-onnx", "--json", "--out", str(out), *argv]) == 0

    (said,) = events(capsys)
    assert said["tokens"] == 12
    assert 0 <= said["off_in_holes"] < 1e-5
    assert list(out.parent.iterdir()) == [out]
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).random((1, 3, 96, 128), np.float32)
    depth_m = np.full((1, 48, 64), 1.5, np.float32)
    depth_m[:, 10:40, 20:50] = 0
    (answer,) = session.run(None, {"image": image, "depth_m": depth_m})
    want = model.infer(torch.from_numpy(image), torch.from_numpy(depth_m), num_tokens=12, apply_mask=False)
    assert want.mask_prob is not None
    np.testing.assert_allclose(answer[:, 0], want.depth_m.numpy().clip(0.01), rtol=1e-4)
    np.testing.assert_allclose(answer[:, 1], want.mask_prob.numpy(), atol=1e-5)


def test_what_cannot_be_exported_as_onnx_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export = ("models", "export-onnx", "--model")
    assert "no network" in fails(capsys, *export, "classical", "--out", str(tmp_path / "x.onnx"))
    assert "End it in .onnx" in fails(capsys, *export, "demo", "--out", str(tmp_path / "x.pth"))
