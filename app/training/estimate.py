"""How long a run will take and how much memory, as the trainer measures it in a process of its own."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence

from app import logs
from app.language import from_below, joined, tr
from app.training import job

log = logging.getLogger(__name__)

ASK_EVERY_S = 0.2


def estimated(arguments: Sequence[str], stop: threading.Event) -> str:
    """One sentence on what a run with these flags would take; why it cannot be told, if it cannot.

    Args:
        arguments: of the `train` verb, without `--run` and `--json`.
        stop: ends the measuring process.
    """
    command = [sys.executable, str(job.MAIN), "train", "--estimate", "--json", *arguments]
    _, lines = answer(command, stop)
    return sentence(lines)


def answer(command: Sequence[str], stop: threading.Event) -> tuple[int, list[str]]:
    """Exit status and printed lines of a program, when it has ended; what it said of errors is in our log.

    Args:
        command: of the program.
        stop: ends it.
    """
    try:
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
    except OSError as error:  # no memory for one more process, or no program
        log.warning("%s could not be started: %s", command[0], error)
        return 1, []
    with child:
        out, errors = _last_words(child, stop)
    if errors and not stop.is_set():
        log.info("%s ended with %d: %s", command, child.returncode, errors.decode(errors="replace"))
    return child.returncode, out.decode(errors="replace").splitlines()


def _last_words(child: subprocess.Popen[bytes], stop: threading.Event) -> tuple[bytes, bytes]:
    while True:
        try:
            return child.communicate(timeout=ASK_EVERY_S)
        except subprocess.TimeoutExpired:
            if stop.is_set():
                child.kill()


def where_it_was_said() -> str:
    """Where to read what a program said that told nothing else."""
    return tr("Its last words are in {log}.").format(log=logs.log_file())


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
    return joined(" ", (tr("The trainer ended without telling how long it would take."), where_it_was_said()))


def _long(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
