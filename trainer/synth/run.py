"""Makes a set on all cores of this machine, or on many machines through submitit (Slurm)."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Literal

from trainer.data.shard_index import index_path
from trainer.data.shard_writer import shard_path
from trainer.errors import TrainingError
from trainer.synth.make import make_shard
from trainer.synth.plan import SynthPlan, kept, read

ROOT = Path(__file__).resolve().parents[2]
POLL_S = 1.0
Told = Callable[[int, float], None]
"""Hears how many samples there are, and how many were made in a second."""


def missing(folder: Path, plan: SynthPlan) -> list[int]:
    """Shards that are not there yet."""
    return [n for n in range(plan.shards) if not index_path(shard_path(folder, n)).is_file()]


def made(folder: Path, plan: SynthPlan) -> int:
    """Samples that are there."""
    absent = {number for shard in missing(folder, plan) for number in plan.numbers(shard)}
    return plan.samples - len(absent)


def on_this_machine(folder: Path, plan: SynthPlan, *, processes: int, told: Told) -> None:
    """Make all shards that are missing.

    Args:
        folder: of the set.
        plan: of the set.
        processes: how many; 0 for one per core.
        told: hears of every shard.

    Raises:
        DataError: the folder holds another set.
        TrainingError: a process died, or the disk is full.
    """
    kept(folder, plan)
    _make(folder, plan, missing(folder, plan), processes=processes, told=told)


def share(folder: Path, index: int, count: int, processes: int) -> list[int]:
    """One machine's part of a set: every `count`-th of the missing shards; returns which it made."""
    plan = read(folder)
    mine = [shard for shard in missing(folder, plan) if shard % count == index]
    _make(folder, plan, mine, processes=processes, told=lambda _made, _rate: None)
    return mine


def on_machines(
    folder: Path,
    plan: SynthPlan,
    *,
    machines: int,
    cluster: Literal["slurm", "local"],
    options: dict[str, Any],
    processes: int,
    told: Told,
) -> list[list[int]]:
    """Make all shards that are missing, as `machines` jobs; returns the shards that each one made.

    A job that died leaves its shards missing: the same command makes them.

    Args:
        folder: of the set, where all machines see it.
        plan: of the set.
        machines: number of jobs.
        cluster: "slurm", or "local" for processes on this machine.
        options: for submitit, such as `slurm_partition`, `timeout_min`, `cpus_per_task`.
        processes: in each job; 0 for one per core.
        told: hears how far they are.

    Raises:
        DataError: the folder holds another set.
        TrainingError: submitit is missing, or a job failed.
    """
    try:
        import submitit
    except ImportError as error:
        raise TrainingError(
            "Many machines need submitit, which is not installed.", hint='pip install "depthmend[cluster]"'
        ) from error
    kept(folder, plan)
    # Jobs import this program; they inherit the environment.
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    executor = submitit.AutoExecutor(folder=str(folder / "jobs"), cluster=cluster)
    executor.update_parameters(name="depthmend-synth", **{"timeout_min": 24 * 60, **options})
    jobs = [executor.submit(share, folder, index, machines, processes) for index in range(machines)]
    began, before = time.perf_counter(), made(folder, plan)
    while not all(job.done() for job in jobs):
        time.sleep(POLL_S)
        now = made(folder, plan)
        told(now, (now - before) / (time.perf_counter() - began))
    try:
        return [job.result() for job in jobs]
    except Exception as error:
        raise TrainingError(
            f"A job failed: {str(error).splitlines()[-1]}.",
            hint=f"Its log is in {folder / 'jobs'}; the same command makes what is missing.",
        ) from error


def _make(folder: Path, plan: SynthPlan, shards: list[int], *, processes: int, told: Told) -> None:
    workers = max(1, min(processes or os.cpu_count() or 1, len(shards)))
    began, done = time.perf_counter(), 0
    there = made(folder, plan)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        coming = {pool.submit(make_shard, folder, plan, shard) for shard in shards}
        try:
            for future in _as_they_come(coming):
                done += future.result()
                told(there + done, done / (time.perf_counter() - began))
        except BrokenProcessPool as error:
            raise TrainingError(
                "A process that made samples died.",
                hint="There may be too little memory: use fewer --processes. The same command goes on.",
            ) from error
        except OSError as error:
            raise TrainingError(
                f"A shard cannot be written: {error}.",
                hint="Make room on the disk; the same command goes on.",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _as_they_come(coming: "set[Future[int]]") -> "Iterator[Future[int]]":
    while coming:
        ready, coming = wait(coming, return_when=FIRST_COMPLETED)
        yield from ready
