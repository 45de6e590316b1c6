"""One scripted person: a profile of their own, the real window, steps with touches, seconds and pictures."""

import logging
import os
import sys
import tempfile
import time
import traceback
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication

from app import gui, paths
from app.compose import Studio
from app.settings import Settings
from app.ui.main_window import MainWindow
from app.verbs.verb import engine_choice
from benchmarks.touch.hand import Hand, shown_windows, spin, too_small
from drivers.registry import open_source

FOLDERS = ("HOME", "DEPTHMEND_DATA", "DEPTHMEND_LOGS", "DEPTHMEND_CALIBRATIONS", "XDG_CONFIG_HOME",
           "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DOCUMENTS_DIR")  # fmt: skip


@dataclass
class Step:
    """What one step took, and what is wrong with it."""

    name: str
    touches: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Complaints(logging.Handler):
    """Every warning and error that is logged meanwhile, Qt's own among them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the words and not the errors, whose tracebacks hold whole rigs and networks."""
        said = record.getMessage()
        if record.exc_info:
            said += f" | {record.exc_info[1]!r}"
        kept = (record.levelno, "", 0, said, None, None)
        self.records.append(logging.LogRecord(record.name, *kept))

    def lines(self, level: int = logging.WARNING) -> list[str]:
        """What was said, at this level or above."""
        chosen = [r for r in self.records if r.levelno >= level]
        return [f"{r.levelname} {r.name}: {r.getMessage()}" for r in chosen]


class Tour:
    """The window, a hand, and the steps so far."""

    def __init__(self, window: MainWindow, args: Namespace, complaints: Complaints) -> None:
        self.window = window
        self.hand = Hand(args.pause)
        self.steps: list[Step] = []
        self.home = paths.data_folder().parent
        self._out: Path | None = args.out
        self._complaints = complaints

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count touches and seconds; look at targets, log and screen at its end."""
        step = Step(name)
        self.steps.append(step)
        said, began, faults = len(self._complaints.records), self.hand.touches, len(self.hand.faults)
        started_s = time.perf_counter()
        try:
            yield
        except AssertionError as error:
            step.problems.append(str(error) or "\n".join(traceback.format_exception(error)[-3:]))
            raise
        finally:
            step.seconds = time.perf_counter() - started_s
            step.touches = self.hand.touches - began
            step.problems += self.hand.faults[faults:]
            for shown in shown_windows():
                step.problems += too_small(shown)
            step.problems += [
                f"{r.levelname} {r.name}: {r.getMessage()}"
                for r in self._complaints.records[said:]
                if r.levelno >= logging.ERROR or r.name == "qt"
            ]
            self.photograph(f"{len(self.steps):02d} {name}")

    def photograph(self, name: str) -> None:
        """Save the whole screen."""
        if self._out is not None:
            spin(0.1)
            self._out.mkdir(parents=True, exist_ok=True)
            picture = QGuiApplication.primaryScreen().grabWindow(0)
            picture.save(str(self._out / f"{name.lower().replace(' ', '-').replace(',', '')}.png"))


def parser(words: str) -> ArgumentParser:
    """The flags that all scripted people share."""
    made = ArgumentParser(description=words, formatter_class=RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, help="folder for a picture of the screen after each step")
    made.add_argument("--pause", type=float, default=0.15, help="seconds between two touches")
    made.add_argument("--model", default="demo", help="repair to run with")
    return made


def profile() -> Path:
    """A home of its own: nothing of the user's is read or written."""
    home = Path(tempfile.mkdtemp(prefix="depthmend-"))
    os.environ |= dict.fromkeys(FOLDERS, str(home))
    os.environ["DEPTHMEND_DATA"] = str(home / "DepthMend")
    os.environ["DEPTHMEND_CONFIG"] = str(home / "settings.toml")
    os.environ["LANGUAGE"] = os.environ["LC_ALL"] = "C.UTF-8"
    return home


def run(
    title: str, script: Callable[[Tour], None], args: Namespace, *, settings: Settings | None = None
) -> int:
    """Start DepthMend as its command does, let a person use it, and print what it took.

    Args:
        title: of the table.
        script: uses the window through `Tour.hand`.
        args: of `parser`.
        settings: to start with; those of a first start where None.
    """
    app = QApplication.instance() or QApplication(sys.argv[:1])
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    opened: list[str] = []
    QDesktopServices.openUrl = lambda url: bool(opened.append(url.toString())) or True  # type: ignore[method-assign]
    chosen = settings or Settings(model=args.model)
    tours: list[Tour] = []

    def act() -> None:
        window = next(w for w in app.topLevelWidgets() if isinstance(w, MainWindow))
        tours.append(Tour(window, args, complaints))
        try:
            script(tours[0])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told and the window is left
            if not tours[0].steps:
                tours[0].steps.append(Step("start"))
            tours[0].steps[-1].problems.append("".join(traceback.format_exception(error)))
        finally:
            window.leave()

    QTimer.singleShot(1000, act)
    gui.run(Studio(engine_choice(chosen)), chosen, open_source=open_source)
    logging.getLogger().removeHandler(complaints)
    return told(title, tours[0].steps, complaints)


def end(status: int) -> None:
    """Leave as `main.py` does: a network that is still being loaded cannot be stopped, nor waited for."""
    sys.stdout.flush()
    os._exit(status)


def told(title: str, steps: list[Step], complaints: Complaints) -> int:
    """Print the table; 1 if anything is wrong."""
    print(f"{title}\n")
    print("| step | touches | seconds |\n|---|---|---|")
    for step in steps:
        print(f"| {step.name} | {step.touches} | {step.seconds:.1f} |{'  FAILED' if step.problems else ''}")
    print(f"| in all | {sum(s.touches for s in steps)} | {sum(s.seconds for s in steps):.1f} |\n")
    problems = [f"{step.name}: {problem}" for step in steps for problem in step.problems]
    for problem in dict.fromkeys(problems):
        print("WRONG", problem)
    for line in dict.fromkeys(complaints.lines()):
        print("  said:", line)
    print("every step done" if not problems else "BROKEN")
    return 1 if problems else 0
