"""The real client of the hub against a small hub that the test serves on localhost."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import huggingface_hub.utils
import pytest
from huggingface_hub import constants

from model import hub
from model.errors import WeightsError
from model.spec import ModelSpec, find, located
from tests.model.small_hub import COMMIT, Hub, served

REPO = "someone/some-mdm"
CONTENT = bytes(range(256)) * 12_000  # three pieces
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SPEC = ModelSpec(
    "some-mdm",
    "Some MDM",
    "",
    repo=REPO,
    revision=COMMIT,
    size_bytes=len(CONTENT),
    sha256=SHA256,
)
NEWEST = ModelSpec("some-mdm", "Some MDM", "", repo=REPO)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub; the client reads its environment once, so its constants are set."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "PAUSE_S", 0.01)
    return tmp_path / "cache"


@pytest.fixture
def server(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with served(CONTENT) as state:
        monkeypatch.setattr(constants, "ENDPOINT", state.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", state.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        yield state


def left(cache: Path) -> set[str]:
    """What lies in the cache, without locks and marks of the client."""
    below = cache / "models--someone--some-mdm"
    return {str(path.relative_to(below)) for path in below.rglob("*") if path.is_file()}


def test_a_published_file_is_downloaded_checked_and_told_of(server: Hub, cache: Path) -> None:
    told: list[tuple[int, int]] = []

    file = hub.fetch(SPEC, progress=lambda done, total: told.append((done, total)))

    assert file == located(SPEC).weights
    assert file is not None
    assert file.read_bytes() == CONTENT
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert left(cache) == {f"blobs/{SHA256}", f"snapshots/{COMMIT}/model.pt"}


def test_what_is_here_is_not_asked_for_again(server: Hub) -> None:
    first = hub.fetch(SPEC)
    server.asked.clear()

    assert hub.fetch(SPEC) == first
    assert server.asked == []


def test_without_a_revision_the_newest_is_taken_and_checked_against_the_hubs_word(
    server: Hub, cache: Path
) -> None:
    file = hub.fetch(NEWEST)

    assert file == located(NEWEST).weights
    assert left(cache) == {f"blobs/{SHA256}", f"snapshots/{COMMIT}/model.pt", "refs/main"}


def test_a_cut_connection_goes_on_where_it_ended(server: Hub) -> None:
    server.cuts = [1_100_000, 5]

    file = hub.fetch(SPEC)

    assert file is not None
    assert file.read_bytes() == CONTENT
    assert server.starts == [0, 1_100_000, 1_100_005]


def test_a_server_without_ranges_starts_over(server: Hub) -> None:
    server.cuts, server.ranges = [1_100_000], False

    file = hub.fetch(SPEC)

    assert file is not None
    assert file.read_bytes() == CONTENT


def test_a_stopped_download_keeps_what_came_and_the_next_one_goes_on(server: Hub, cache: Path) -> None:
    stop = threading.Event()

    def stop_soon(done: int, _total: int) -> None:
        if done >= 1 << 20:
            stop.set()

    assert hub.fetch(SPEC, progress=stop_soon, stop=stop) is None
    (partial,) = (cache / "models--someone--some-mdm" / "blobs").iterdir()
    kept = partial.stat().st_size
    assert 1 << 20 <= kept < len(CONTENT)
    assert not find(REPO).here

    server.asked.clear()
    file = hub.fetch(SPEC)

    assert file is not None
    assert file.read_bytes() == CONTENT
    assert server.starts == [kept]


def test_a_hub_that_sends_nothing_more_is_given_up_and_the_rest_kept(server: Hub, cache: Path) -> None:
    server.cuts = [1000, *[0] * hub.TRIES_IN_VAIN]

    with pytest.raises(WeightsError, match=f"after 1000 of {len(CONTENT)} bytes"):
        hub.fetch(SPEC)

    (partial,) = (cache / "models--someone--some-mdm" / "blobs").iterdir()
    assert partial.read_bytes() == CONTENT[:1000]


def test_a_wrong_file_is_one_error_and_is_not_used(server: Hub, cache: Path) -> None:
    server.content = CONTENT[:-1] + b"?"

    with pytest.raises(WeightsError) as error:
        hub.fetch(SPEC)

    assert hashlib.sha256(server.content).hexdigest() in error.value.args[0]
    assert SHA256 in error.value.args[0]
    assert left(cache) == set()
    assert not located(SPEC).here


def test_a_hub_that_offers_another_file_is_refused_before_anything_is_sent(server: Hub, cache: Path) -> None:
    server.content = b"another"
    server.etag = hashlib.sha256(server.content).hexdigest()

    with pytest.raises(WeightsError, match="offers another file"):
        hub.fetch(SPEC)

    assert [method for method, *_ in server.asked] == ["HEAD"]
    assert left(cache) == set()


def test_a_damaged_file_in_the_cache_is_replaced(server: Hub) -> None:
    file = hub.fetch(SPEC)
    assert file is not None
    file.resolve().write_bytes(b"damaged")

    assert hub.fetch(SPEC) == file
    assert file.read_bytes() == CONTENT


def test_offline_the_cache_is_enough(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hub.fetch(SPEC)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    assert hub.fetch(SPEC) == first


def test_offline_without_the_cache_is_one_error(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE"):
        hub.fetch(SPEC)
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "EntryNotFound", r"There is no model\.pt"),
        (404, "RevisionNotFound", f"There is no model.pt of {COMMIT}"),
        (401, "RepoNotFound", "or it is private"),
        (401, "GatedRepo", "accepted its conditions"),
        (403, "GatedRepo", "accepted its conditions"),
        (401, "", "refuses with status 401"),
        (500, "", "fails with status 500"),
    ],
)
def test_a_refusal_is_one_error_with_a_hint(
    server: Hub, cache: Path, status: int, code: str, said: str
) -> None:
    server.status, server.error_code = status, code

    with pytest.raises(WeightsError, match=said) as error:
        hub.fetch(SPEC)

    assert error.value.hint.endswith(".")
    assert "\n" not in error.value.args[0]
    assert not located(SPEC).here


def test_a_hub_that_is_not_there_is_one_error(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(CONTENT) as gone:
        pass
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", gone.url + "/{repo_id}/resolve/{revision}/{filename}"
    )

    with pytest.raises(WeightsError, match="cannot be reached"):
        hub.fetch(SPEC)


@pytest.mark.parametrize(
    "place",
    [
        lambda pack: pack / "model.pt",
        lambda pack: pack / "some-mdm" / "model.pt",
        lambda pack: pack / "someone" / "some-mdm" / "model.pt",
        lambda pack: pack / "models--someone--some-mdm" / "snapshots" / COMMIT / "model.pt",
        lambda pack: pack / "hub" / "models--someone--some-mdm" / "snapshots" / COMMIT / "model.pt",
    ],
)
def test_an_offline_pack_works_like_the_hub(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Callable[[Path], Path]
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    packed = place(tmp_path / "pack")
    packed.parent.mkdir(parents=True)
    packed.write_bytes(CONTENT)
    told: list[int] = []

    file = hub.fetch(SPEC, source=tmp_path / "pack", progress=lambda done, _total: told.append(done))

    assert file == located(SPEC).weights
    assert file is not None
    assert file.read_bytes() == CONTENT
    assert told[-1] == len(CONTENT)
    assert left(cache) == {f"snapshots/{COMMIT}/model.pt"}


def test_a_single_file_can_be_the_source_and_the_client_of_the_hub_finds_it(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "downloaded.bin").write_bytes(CONTENT)

    file = hub.fetch(SPEC, source=tmp_path / "downloaded.bin")

    found = huggingface_hub.try_to_load_from_cache(REPO, "model.pt", cache_dir=cache, revision=COMMIT)
    assert found == str(file)


def test_a_pack_with_a_wrong_file_is_refused(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(CONTENT[:-1] + b"?")

    with pytest.raises(WeightsError, match="not what was published"):
        hub.fetch(SPEC, source=tmp_path)
    assert left(cache) == set()


def test_a_pack_without_the_file_says_how_it_should_look(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as error:
        hub.fetch(SPEC, source=tmp_path)
    assert "some-mdm/model.pt" in error.value.hint


def test_a_stopped_copy_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(CONTENT)
    stop = threading.Event()

    assert hub.fetch(SPEC, source=tmp_path, progress=lambda *_: stop.set(), stop=stop) is None
    assert left(cache) == set()


def test_two_programs_do_not_get_the_same_file_at_once(
    server: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "LOCK_TIMEOUT_S", 0.01)
    lock = cache / ".locks" / "models--someone--some-mdm" / f"{SHA256}.lock"
    lock.parent.mkdir(parents=True)

    with huggingface_hub.utils.WeakFileLock(lock), pytest.raises(WeightsError, match="Another program"):
        hub.fetch(SPEC)

    assert hub.fetch(SPEC) is not None


def test_a_token_goes_to_the_hub_and_never_to_the_server_that_it_names(
    server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with served(CONTENT) as cdn:
        server.cdn = cdn.url
        file = hub.fetch(SPEC)

    assert file is not None
    assert file.read_bytes() == CONTENT
    assert {sent for _, _, sent in server.asked} == {"Bearer hf_secret"}
    assert [(method, sent) for method, _, sent in cdn.asked] == [("GET", "")]
