import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from model import checkpoint, spec
from model.errors import WeightsError
from model.spec import DEMO, PUBLISHED, RECOMMENDED, ModelSpec

ROOT = Path(__file__).resolve().parents[2]
V01 = "lingbot-depth-pretrain-vitl-14"


def in_cache(repo: str, *, revision: str, branch: str = "") -> Path:
    """An empty file where the client of the hub would have put it."""
    folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
    file = folder / "snapshots" / revision / "model.pt"
    file.parent.mkdir(parents=True)
    file.touch()
    if branch:
        (folder / "refs").mkdir()
        (folder / "refs" / branch).write_text(revision, encoding="utf-8")
    return file


def test_what_is_said_of_the_recommended_file_is_what_is_known_of_it(shared: Path) -> None:
    known = (shared / "MODEL_SPEC.md").read_text(encoding="utf-8")

    assert RECOMMENDED.sha256 is not None
    assert RECOMMENDED.sha256 in known
    assert f"{RECOMMENDED.size_bytes:,} bytes" in known
    assert all(one.name in known for one in PUBLISHED)


def test_nothing_is_invented_about_the_others() -> None:
    assert {(one.revision, one.size_bytes, one.sha256) for one in PUBLISHED[1:]} == {(None, None, None)}


def test_the_rules_of_the_bundled_network_are_those_of_its_file() -> None:
    assert DEMO.weights is not None
    assert DEMO.rules is not None
    record = json.loads(DEMO.weights.with_suffix(".json").read_text(encoding="utf-8"))

    assert hashlib.sha256(DEMO.weights.read_bytes()).hexdigest() == record["sha256"]
    assert checkpoint.read(DEMO.weights).config.num_tokens_range == DEMO.rules.tokens


@pytest.mark.parametrize(
    "name", [RECOMMENDED.name, RECOMMENDED.repo, "Robbyant/lingbot-depth-pretrain-vitl-14-v0.5"]
)
def test_a_published_model_is_found_by_name_and_by_hub_id(name: str) -> None:
    assert not spec.find(name).here

    file = in_cache(str(RECOMMENDED.repo), revision=str(RECOMMENDED.revision))

    found = spec.find(name)
    assert (found.name, found.weights, found.here) == (RECOMMENDED.name, file, True)


def test_another_revision_is_not_the_pinned_one() -> None:
    in_cache(str(RECOMMENDED.repo), revision="f" * 40, branch="main")

    assert not spec.find(RECOMMENDED.name).here


def test_without_a_pinned_revision_the_branch_says_which() -> None:
    file = in_cache(f"robbyant/{V01}", revision="a" * 40, branch="main")

    assert spec.find(V01).weights == file


def test_any_hub_id_can_be_named() -> None:
    file = in_cache("someone/some-mdm", revision="a" * 40, branch="main")

    found = spec.find("someone/some-mdm")

    assert (found.name, found.title, found.weights) == ("someone/some-mdm", "some-mdm", file)


@pytest.mark.parametrize("name", ["runs/mine.safetensors", "./weights/mine", "/x/y", "mine.pt", "a/b/c"])
def test_a_path_is_no_hub_id(name: str) -> None:
    assert spec.find(name).repo is None
    assert spec.find(name).weights == Path(name)


def test_a_folder_stands_for_the_weights_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for file in ("another.safetensors", "model.pt", "README.md"):
        (tmp_path / "mine" / file).touch()

    found = spec.find(str(tmp_path / "mine"))

    assert (found.weights, found.title) == (tmp_path / "mine" / "model.pt", "mine")


def test_a_pack_below_a_folder_of_the_menu_is_recognised(tmp_path: Path) -> None:
    file = tmp_path / "weights" / RECOMMENDED.name / "model.pt"
    file.parent.mkdir(parents=True)
    file.touch()

    found = next(one for one in spec.catalogue(tmp_path) if one.weights == file)

    assert (found.name, found.title) == (str(file), RECOMMENDED.title)
    assert (found.licence, found.sha256) == ("Apache-2.0", RECOMMENDED.sha256)
    assert spec.find(found.name) == found


def test_the_menu_offers_what_is_here_and_the_list_also_what_can_be_got() -> None:
    assert V01 not in [one.name for one in spec.catalogue()]

    in_cache(f"robbyant/{V01}", revision="a" * 40, branch="main")

    assert [one.name for one in spec.catalogue()] == ["demo", V01, "classical", "off"]
    assert [one.name for one in spec.published() if not one.here] == [PUBLISHED[0].name, PUBLISHED[2].name]


def test_the_recommended_model_is_the_default_only_with_its_file_and_a_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert spec.default() == DEMO
    assert spec.resolved("auto") == "demo"
    assert spec.resolved("classical") == "classical"

    file = in_cache(str(RECOMMENDED.repo), revision=str(RECOMMENDED.revision))
    assert spec.default().weights == file
    assert spec.find(spec.resolved("auto")).weights == file

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert spec.default() == DEMO


def test_menus_and_default_need_no_torch() -> None:
    code = (
        "import sys; from model import spec; spec.catalogue(); spec.default(); spec.find('a/b');"
        "sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("content", "said"), [(b"abc", None), (b"ab", "has 2 bytes"), (b"abd", "its SHA-256 is")]
)
def test_only_the_file_that_was_published_is_verified(
    tmp_path: Path, content: bytes, said: str | None
) -> None:
    # FIPS 180-2, appendix B.1
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    abc = ModelSpec("abc", "abc", "", repo="a/abc", size_bytes=3, sha256=sha256)
    path = tmp_path / "model.pt"
    path.write_bytes(content)

    if said is None:
        spec.verify(abc, path)
    else:
        with pytest.raises(WeightsError, match=said):
            spec.verify(abc, path)


def test_a_file_of_another_revision_has_another_hash() -> None:
    other = in_cache(str(RECOMMENDED.repo), revision="f" * 40)

    found = spec.known(other)

    assert found is not None
    assert (found.name, found.revision, found.sha256) == (RECOMMENDED.name, "f" * 40, None)
