"""How long a run will take and how much memory, as the trainer measures it in a process of its own."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence

from app.language import from_below, joined, tr
from app.training import job

ASK_EVERY_S = 0.2


def estimated(arguments: Sequence[str], stop: threading.Event) -> str:
    """One sentence on what a run with these flags would take; why it cannot be told, if it cannot.

    Args:
        arguments: of the `train` verb, without `--run` and `--json`.
        stop: ends the measuring process.
    """
    command = [sys.executable, str(job.MAIN), "train", "--estimate", "--json", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as child:
        out = last_words(child, stop)
    return sentence(out.decode(errors="replace").splitlines())


def last_words(child: subprocess.Popen[bytes], stop: threading.Event) -> bytes:
    """What a child printed, when it has ended; it is ended when `stop` is set."""
    while True:
        try:
            return child.communicate(timeout=ASK_EVERY_S)[0]
        except subprocess.TimeoutExpired:
            if stop.is_set():
                child.kill()


def sentence(lines: Sequence[str]) -> str:
    """What the trainer's last line says, in words."""
    try:
        event = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        event = {}
    match event:
        case {
            "event": "estimate",
            "total_s": float(total_s),
            "step_s": float(step_s),
            "memory_mb": float(memory_mb),
        }:
            device = event.get("device", "")
            memory = tr("{memory_gb:.1f} GB of memory on {device}").format(
                memory_gb=memory_mb / 1024, device=device
            )
            each = tr("{step_s:.1f} s for each step").format(step_s=step_s)
            return tr("About {time} ({each}) and {memory}, measured with two steps.").format(
                time=_long(total_s), each=each, memory=memory
            )
        case {"event": "failed", "message": str(message), "hint": str(hint)}:
            return joined(" ", (from_below(message), from_below(hint)))
    return tr("The trainer ended without telling how long it would take.")


def _long(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
