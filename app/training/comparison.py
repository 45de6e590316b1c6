"""A run's weights against those in use, on what the run has not seen, in a process of its own."""

import json
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.language import capitalised, from_below, joined, tr, tr_noop
from app.language import sentence as sentence_of
from app.training import job
from app.training.estimate import answer, where_it_was_said

FOLDER = "compare"
REPORT = "report.html"
WITHOUT_WEIGHTS = frozenset({"off", "classical"})
FILLING = "membrane"
MOST_WITH_TENTHS_MM = 99.95
KEPT = 40
"""Answers that can be looked at afterwards."""
PARTS = {"hidden": tr_noop("hidden depth"), "truth": tr_noop("exact depth")}


def compared(weights: Path, in_use: str, places: Sequence[str], out: Path, stop: threading.Event) -> str:
    """One sentence with both errors; why they cannot be told, if they cannot.

    Args:
        weights: of the run.
        in_use: name of the model that repairs live; where that has no weights, classical filling stands for
            it.
        places: to compare on, as the verb `evaluate` takes them.
        out: folder for the report.
        stop: ends the measuring process.
    """
    rival = ["--methods", "membrane,anchored"] if in_use in WITHOUT_WEIGHTS else ["--methods", "anchored"]
    models = [str(weights)] if in_use in WITHOUT_WEIGHTS else [in_use, str(weights)]
    command = [sys.executable, str(job.MAIN), "evaluate", *places, "--out", str(out), "--json"]
    command += ["--parts", ",".join(PARTS), "--levels", "medium", "--per-source", "4", *rival]
    command += ["--keep", str(KEPT)]
    for model in models:
        command += ["--model", model]
    status, said = answer(command, stop)
    return _failure(said) if status else told(out)


def told(out: Path) -> str:
    """What the comparison in this folder found, in one sentence; empty where there is none."""
    try:
        return sentence(json.loads((out / "report.json").read_bytes())["table"])
    except FileNotFoundError:
        return ""


def sentence(table: Sequence[dict[str, Any]]) -> str:
    """Both errors of each part, the weights in use first and the run's last, as the report lists them."""
    words = []
    for part, name in PARTS.items():
        rows = [
            row for row in table if row["part"] == part and row["kind"] == "all" and row["method"] != "raw"
        ]
        rows.sort(key=lambda row: row["method"] != FILLING)  # a stable sort: in use, then new
        if len(rows) == 2:
            before, after = (row["rmse_m"] for row in rows)
            change = (tr("{share:.0%} less") if after <= before else tr("{share:.0%} more")).format(
                share=abs(after / before - 1)
            )
            rival = tr("by classical filling") if rows[0]["method"] == FILLING else tr("in use")
            words.append(
                tr("{name}: RMSE {before} {rival}, {after} new ({change})").format(
                    name=name,
                    before=error_words(before),
                    rival=rival,
                    after=error_words(after),
                    change=change,
                )
            )
    return (
        joined(" ", [sentence_of(capitalised(text)) for text in words])
        if words
        else tr("Nothing could be compared.")
    )


def error_words(error_m: float) -> str:
    """An error of depth as the whole page writes it: "29.1 mm", "300 mm"."""
    error_mm = 1000 * error_m
    return f"{error_mm:.1f} mm" if error_mm < MOST_WITH_TENTHS_MM else f"{error_mm:,.0f} mm"


def _failure(lines: Sequence[str]) -> str:
    try:
        event = json.loads(lines[-1])
        return joined(" ", (from_below(event["message"]), from_below(event["hint"])))
    except (IndexError, ValueError, KeyError, TypeError):
        return joined(" ", (tr("The comparison ended without a word."), where_it_was_said()))
