"""Published checkpoints from the hub, a mirror of it or a folder, into the hub's cache on this machine.

Names, tokens, errors and the cache are the business of huggingface_hub. Only the transfer is ours: as of
version 2.4, `hf_hub_download` deletes what came of a download that was cut, and has no way to be stopped.
"""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_download,
    hf_hub_url,
)
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

# Both exist in all versions that we take; the client below them is httpx in some and httpx2 in others.
from huggingface_hub.errors import HTTPError as TransportError  # type: ignore[attr-defined]
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    WeakFileLock,
    build_hf_headers,
    hf_raise_for_status,
)

from model.errors import WeightsError
from model.spec import ModelSpec, located, verify

Progress = Callable[[int, int], None]
"""Told how many bytes are here and how many there are in all; called for each piece that came."""

PIECE_BYTES = 1 << 20
TRIES_IN_VAIN = 4
"""Connections in a row that bring nothing before the download is given up."""
PAUSE_S = 1.0
LOCK_TIMEOUT_S = 1.0

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class _Job:
    """What is got, who is told, and who can end it."""

    spec: ModelSpec
    progress: Progress
    stop: threading.Event


def fetch(
    spec: ModelSpec,
    *,
    source: Path | None = None,
    progress: Progress = lambda _done, _total: None,
    stop: threading.Event | None = None,
) -> Path | None:
    """The checked file of a published model, brought here if it is not here yet.

    It ends in the cache of `HF_HOME`, where every program that uses the hub finds it. A download that was cut
    goes on where it ended, in this call or the next one.

    Args:
        spec: with a repository.
        source: a file, or a folder such as an offline pack or a copied cache, instead of `HF_ENDPOINT`.
        progress: called in this thread.
        stop: ends the work when set; what a download brought so far is kept.

    Returns:
        The file; None if `stop` ended it.

    Raises:
        WeightsError: it is not there, not reachable, not allowed, or not the file that was published.
        OSError: the disk is full or cannot be written.
    """
    spec = located(spec)
    assert spec.weights is not None
    if spec.here:
        if _sound(spec, spec.weights):
            return spec.weights
        spec.weights.unlink()
    job = _Job(spec, progress, stop or threading.Event())
    return _copied(job, source) if source else _downloaded(job)


def _downloaded(job: _Job) -> Path | None:
    spec = job.spec
    assert spec.repo is not None
    assert spec.weights is not None
    if constants.HF_HUB_OFFLINE:
        raise WeightsError(
            f"{spec.name} is not in {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE forbids to get it.",
            hint="Unset HF_HUB_OFFLINE, or take it from a disk with --from FOLDER.",
        )
    url = hf_hub_url(spec.repo, spec.file, revision=spec.revision)
    with _in_words(spec):
        remote = get_hf_file_metadata(url)
    if remote.etag is None or remote.commit_hash is None or remote.size is None:
        raise WeightsError(
            f"{constants.ENDPOINT} answers, but not as a hub does.", hint="Check HF_ENDPOINT and the proxy."
        )
    # The hub calls large files by their SHA-256, so every one can be checked against what was promised.
    promised = remote.etag if _SHA256.fullmatch(remote.etag) else None
    if spec.size_bytes not in {None, remote.size} or (promised and spec.sha256 not in {None, promised}):
        raise WeightsError(
            f"{constants.ENDPOINT} offers another file as {spec.name} than was published: "
            f"{remote.size} bytes, called {remote.etag}.",
            hint="Set HF_ENDPOINT to a hub or mirror that has the published one.",
        )
    exact = replace(spec, size_bytes=remote.size, sha256=spec.sha256 or promised)
    folder = spec.weights.parents[2]
    blob = folder / "blobs" / remote.etag
    if not (blob.is_file() and _sound(exact, blob)):
        with _alone(spec, folder.parent / ".locks" / folder.name / f"{remote.etag}.lock"):
            partial = blob.with_name(f"{remote.etag}.incomplete")
            partial.parent.mkdir(parents=True, exist_ok=True)
            if not _transferred(job, url, partial, remote.size):
                return None
            _accept(exact, partial, blob)
    with _in_words(spec):
        # It finds the blob, sends for nothing, and enters it in the cache.
        return Path(hf_hub_download(spec.repo, spec.file, revision=spec.revision))


def _transferred(job: _Job, url: str, partial: Path, size: int) -> bool:
    """Fill `partial` up to `size` bytes from where it ends; False if `stop` came first."""
    with partial.open("ab") as file:
        if _length(file) > size:
            file.truncate(0)
        _check_room(job.spec, partial.parent, size - _length(file))
        in_vain = 0
        while (before := _length(file)) < size:
            cause: Exception | None = None
            with _in_words(job.spec):
                try:
                    if not _continued(job, url, file, size):
                        return False
                except HfHubHTTPError:
                    raise
                except TransportError as error:
                    cause = error
            in_vain = 0 if _length(file) > before else in_vain + 1
            if in_vain == TRIES_IN_VAIN:
                raise WeightsError(
                    f"The download of {job.spec.name} ended after {before} of {size} bytes: "
                    f"{_reason(cause) if cause else 'nothing more came'}.",
                    hint="Get it again: it goes on where it ended.",
                ) from cause
            if _length(file) < size and job.stop.wait(PAUSE_S):
                return False
    return True


def _continued(job: _Job, url: str, file: BinaryIO, size: int) -> bool:
    """Append what one connection brings; False if `stop` ended it."""
    headers = {**build_hf_headers(), "Accept-Encoding": "identity", "Range": f"bytes={_length(file)}-"}
    timeout_s = constants.HF_HUB_DOWNLOAD_TIMEOUT
    with get_session().stream("GET", url, headers=headers, timeout=timeout_s) as response:
        hf_raise_for_status(response)
        if response.status_code != 206:  # a server without ranges starts over
            file.truncate(0)
        job.progress(_length(file), size)
        for piece in response.iter_bytes():
            file.write(piece)
            job.progress(_length(file), size)
            if job.stop.is_set():
                return False
    return True


def _length(file: BinaryIO) -> int:
    return file.seek(0, 2)


def _copied(job: _Job, source: Path) -> Path | None:
    spec = job.spec
    assert spec.weights is not None
    found = next((path for path in _places(spec, source) if path.is_file()), None)
    if found is None:
        raise WeightsError(
            f"There is no {spec.file} of {spec.name} in {source}.",
            hint=f"Name the file itself, or a folder that holds {spec.name}/{spec.file}.",
        )
    size = found.stat().st_size
    partial = spec.weights.with_name(f"{spec.file}.incomplete")
    partial.parent.mkdir(parents=True, exist_ok=True)
    _check_room(spec, partial.parent, size)
    with found.open("rb") as original, partial.open("wb") as copy:
        while not job.stop.is_set() and (piece := original.read(PIECE_BYTES)):
            copy.write(piece)
            job.progress(copy.tell(), size)
    if job.stop.is_set():
        partial.unlink()
        return None
    _accept(spec, partial, spec.weights)
    return spec.weights


def _places(spec: ModelSpec, source: Path) -> Iterator[Path]:
    assert spec.repo is not None
    yield source
    for folder in ("", spec.name, spec.repo):
        yield source / folder / spec.file
    for cache in (source, source / "hub"):
        in_cache = located(spec, cache).weights
        assert in_cache is not None
        yield in_cache


def _sound(spec: ModelSpec, file: Path) -> bool:
    try:
        verify(spec, file)
    except WeightsError:
        return False
    return True


def _accept(spec: ModelSpec, partial: Path, file: Path) -> None:
    """Make `partial` the file if it is the one published; if it is not, nothing is left of it."""
    try:
        verify(spec, partial)
    except WeightsError as error:
        partial.unlink()
        raise WeightsError(
            f"What came as {spec.name} is not what was published, so it was deleted: {error.args[0]}",
            hint="Get it again; if that does not help, get it from another hub, mirror or disk.",
        ) from error
    partial.replace(file)


def _check_room(spec: ModelSpec, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise WeightsError(
            f"{spec.name} needs {needed / 1e9:.1f} GB more, and {folder} has {free / 1e9:.1f} GB of room.",
            hint="Make room, or set HF_HOME to a folder on another disk.",
        )


@contextmanager
def _alone(spec: ModelSpec, lock: Path) -> Iterator[None]:
    """Keep other programs, also those with the hub's own client, from this file."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(WeakFileLock(lock, timeout=LOCK_TIMEOUT_S))
        except TimeoutError as error:
            raise WeightsError(
                f"Another program is getting {spec.name} at this moment.", hint="Wait until it is done."
            ) from error
        yield


@contextmanager
def _in_words(spec: ModelSpec) -> Iterator[None]:
    """Turn the client's errors into ours."""
    place = f"{spec.repo} at {constants.ENDPOINT}"
    try:
        yield
    except GatedRepoError as error:
        raise WeightsError(
            f"{place} is given only to those who accepted its conditions.",
            hint="Accept them on its page, and set HF_TOKEN or sign in with: hf auth login.",
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, RemoteEntryNotFoundError) as error:
        what = f"{spec.file} of {spec.revision or 'the newest revision'}"
        raise WeightsError(
            f"There is no {what} in {place}, or it is private ({error.response.status_code}).",
            hint="Check the name, HF_ENDPOINT and HF_TOKEN.",
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        denied = status in {401, 403}
        raise WeightsError(
            f"{place} {'refuses' if denied else 'fails'} with status {status}.",
            hint="Set HF_TOKEN or sign in with: hf auth login."
            if denied
            else "Try again later; what came so far is kept.",
        ) from error
    except (TransportError, OfflineModeIsEnabled, LocalEntryNotFoundError) as error:
        raise WeightsError(
            f"{place} cannot be reached: {_reason(error)}.",
            hint="Try again, what came so far is kept; or take it from a disk with --from FOLDER.",
        ) from error


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
