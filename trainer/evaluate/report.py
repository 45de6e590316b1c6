"""An evaluation as one page with pictures, and as JSON."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.pictures import embedded
from trainer.evaluate.protocol import LEVELS
from trainer.evaluate.score import PARTS, RAW, Scores
from trainer.metrics import Errors

COLUMNS = (
    ("rmse_m", "RMSE m", "{:.4f}"),
    ("mae_m", "MAE m", "{:.4f}"),
    ("rel", "REL", "{:.4f}"),
    ("delta105", "δ 1.05", "{:.3f}"),
    ("delta1", "δ 1.25", "{:.3f}"),
)
WORDS = {
    "hidden": "Hidden pixels: measured depth was taken away and asked for again",
    "truth": "Raw sensor depth in, true depth asked for",
    "protocol1": "Protocol 1: the truth with blocks removed and a Kinect's noise on the rest",
}
NOTE = (
    "Sources weigh the same: frames are averaged within a source, then sources. Nothing is aligned; a pixel "
    "without an answer counts as 0 m. “raw” is scored where it answers only. The report that protocol 1 "
    "comes from (arXiv 2601.17895) publishes no parameters: compare within this table only."
)
PAGE = Template("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 92rem; padding: 0 1rem;
  color: #1c2430; background: #fff; }
table { border-collapse: collapse; margin: 0.5rem 0 2rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.7rem; text-align: right; border-bottom: 1px solid #d9dee6; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
td.best { font-weight: 700; color: #00695c; }
.strip { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-bottom: 2rem; }
figure { margin: 0; width: 320px; } figure img { width: 100%; display: block; border-radius: 4px; }
figcaption, .note { color: #536072; font-size: 0.9rem; }
.scroll { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #12161c; color: #e6eaf0; }
  th, td { border-color: #303947; } td.best { color: #4dd0b5; } figcaption, .note { color: #9aa7b8; } }
</style></head><body><h1>$title</h1><p class="note">$facts</p>
$tables$pictures<p class="note">$note</p></body></html>
""")

Picture = tuple[str, Mapping[str, NDArray[np.uint8]]]
"""A heading, and pictures by caption."""


def page(scores: Scores, pictures: Sequence[Picture], *, title: str, facts: str) -> str:
    """The report as one HTML file, pictures included."""
    table = scores.table()
    tables = "".join(_part(part, table) for part in PARTS if any(key[0] == part for key in table))
    shown = "".join(_strip(heading, strip) for heading, strip in pictures)
    times = ", ".join(f"{name} {1000 * statistics.median(found):.0f} ms" for name, found in _timed(scores))
    return PAGE.substitute(
        title=escape(title),
        facts=escape(f"{facts} Median time of a repair: {times}."),
        tables=tables,
        pictures=shown,
        note=escape(NOTE),
    )


def as_json(scores: Scores, facts: dict[str, Any]) -> str:
    """The report for programs: what was done, the table, and every single score."""
    table = [
        {"part": part, "level": level, "kind": kind, "method": method, **asdict(found)}
        for (part, level, kind), methods in scores.table().items()
        for method, found in methods.items()
    ]
    rows = [
        {
            "method": row.method,
            "part": row.part,
            "level": row.level,
            "kind": row.kind,
            "frame": row.key,
            **asdict(row.errors),
        }
        for row in scores.rows
    ]
    seconds = {name: statistics.median(found) for name, found in _timed(scores)}
    return json.dumps({**facts, "table": table, "rows": rows, "seconds": seconds}, indent=1)


def _timed(scores: Scores) -> list[tuple[str, list[float]]]:
    return [(name, found) for name, found in scores.seconds.items() if found]


def _part(part: str, table: Mapping[tuple[str, str, str], Mapping[str, Errors]]) -> str:
    groups = sorted((key for key in table if key[0] == part), key=_order)
    out = [f"<h2>{escape(WORDS[part])}</h2>"]
    for key in groups:
        methods = table[key]
        head = "".join(f"<th>{escape(words)}</th>" for _, words, _ in COLUMNS)
        body = "".join(_line(name, found, methods) for name, found in methods.items())
        caption = " ".join(word for word in key[1:] if word)
        out.append(
            f'<h3>{escape(caption)}</h3><div class="scroll"><table>'
            f"<tr><th>method</th>{head}<th>pixels</th></tr>{body}</table></div>"
        )
    return "".join(out)


def _line(name: str, found: Errors, methods: Mapping[str, Errors]) -> str:
    cells = []
    rivals = [errors for rival, errors in methods.items() if rival != RAW]
    for field, _, form in COLUMNS:
        value = getattr(found, field)
        values = [getattr(errors, field) for errors in rivals]
        best = name != RAW and value == (max(values) if field.startswith("delta") else min(values))
        cells.append(f"<td{' class=best' if best else ''}>{form.format(value)}</td>")
    return f"<tr><td>{escape(name)}</td>{''.join(cells)}<td>{found.pixels:,}</td></tr>"


def _strip(heading: str, pictures: Mapping[str, NDArray[np.uint8]]) -> str:
    figures = "".join(
        f'<figure><img alt="{escape(caption)}" src="{embedded(image)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, image in pictures.items()
    )
    return f'<h2>{escape(heading)}</h2><div class="strip">{figures}</div>'


def _order(key: tuple[str, str, str]) -> tuple[int, str]:
    _, level, kind = key
    return (list(LEVELS).index(level) if level in LEVELS else 0, "" if kind == "all" else kind)
