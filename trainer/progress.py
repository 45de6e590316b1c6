"""One JSON line for each thing that happens, so that any program can follow a run."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, eq=False)
class Progress:
    """Writes events to a log file, and to standard output as JSON or as words.

    Args:
        log: JSON lines are appended here.
        as_json: print the same lines; else a sentence for people.
        out: where to print; standard output unless a test wants it elsewhere.
        silent: say nothing; for all processes of a run but the first.
    """

    log: Path
    as_json: bool
    out: IO[str] | None = None
    silent: bool = False

    def estimate(
        self, *, step_s: float, total_s: float, memory_mb: float, parameters: int, device: str
    ) -> None:
        """What a run would take."""
        event: dict[str, object] = {
            "event": "estimate",
            "step_s": step_s,
            "total_s": total_s,
            "memory_mb": memory_mb,
            "parameters": parameters,
            "device": device,
        }
        words = f"{total_s / 60:.0f} min, {step_s:.2f} s for each step, {memory_mb:.0f} MB on {device}"
        self._say(event, f"{words}, {parameters / 1e6:.1f} million parameters")

    def started(self, *, step: int, steps: int) -> None:
        """The loop begins after `step`."""
        self._say(
            {"event": "started", "step": step, "steps": steps}, f"step {step} of {steps}: training starts"
        )

    def doing(self, message: str) -> None:
        """Something that takes long begins."""
        self._say({"event": "doing", "message": message}, message)

    def warning(self, message: str) -> None:
        """Something went wrong, and the run goes on."""
        self._say({"event": "warning", "message": message}, message)

    def step(self, *, step: int, loss: float, rate_hz: float, lr: float, wait_share: float) -> None:
        """A step is done; `loss` and `wait_share`, spent waiting for samples, are means since the last."""
        event = {
            "event": "step",
            "step": step,
            "loss": loss,
            "rate_hz": rate_hz,
            "lr": lr,
            "wait_share": wait_share,
        }
        words = (
            f"step {step}: loss {loss:.4f}, {rate_hz:.2f} steps/s, {wait_share:.0%} of it waiting for samples"
        )
        self._say(event, f"{words}, rate of learning {lr:.1e}")

    def score(self, *, step: int, mae_m: float, rmse_m: float, rel: float, of: str) -> None:
        """An evaluation is done; `of` says on which pixels."""
        event = {"event": "score", "step": step, "mae_m": mae_m, "rmse_m": rmse_m, "rel": rel, "of": of}
        self._say(event, f"step {step}: {of}: mean error {mae_m:.3f} m, RMSE {rmse_m:.3f} m, REL {rel:.4f}")

    def weights(self, *, step: int, path: Path) -> None:
        """Weights that can be used were written."""
        self._say({"event": "weights", "step": step, "path": str(path)}, f"step {step}: weights in {path}")

    def done(self, *, step: int, early: bool = False) -> None:
        """All steps are done, or nothing gets better any more."""
        words = "nothing gets better any more; finished with the best weights" if early else "finished"
        self._say({"event": "done", "step": step, "early": early}, f"step {step}: {words}")

    def stopped(self, *, step: int) -> None:
        """Somebody asked to stop; the checkpoint is written."""
        self._say({"event": "stopped", "step": step}, f"step {step}: stopped; resume with --resume")

    def failed(self, *, message: str, hint: str) -> None:
        """The run cannot go on. A disk that is full does not keep this from being said."""
        event: dict[str, object] = {"event": "failed", "message": message, "hint": hint}
        try:
            self._say(event, f"{message} {hint}")
        except OSError:
            self._print(json.dumps(event) if self.as_json else f"{message} {hint}")

    def _say(self, event: dict[str, object], words: str) -> None:
        if self.silent:
            return
        line = json.dumps(event)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        self._print(line if self.as_json else words)

    def _print(self, text: str) -> None:
        out = self.out or sys.stdout
        try:
            out.write(f"{text}\n")
            out.flush()
        except BrokenPipeError:  # the window that listened was closed; the log has the line
            pass
