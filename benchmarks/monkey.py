"""Random fingers on the real window: errors, leftovers, pages without a way back, memory over time.

    xvfb-run -a -s "-screen 0 1280x800x24" env QT_QPA_PLATFORM=xcb python benchmarks/monkey.py --touches 1500
    ... python benchmarks/monkey.py --touches 10000 --minutes 30      # the long run: whichever comes first

Taps, drags, long presses, double taps and pinches at random places of all pages, dialogs and the on-screen
keyboard, in the second half of a kiosk with its PIN pad. Every 40 touches a finger takes the way back: it
closes what is open by a button that can be seen, and goes to another page. Ends with 1 on any error or
critical line of the log, any warning of Qt, a dialog that stays, a page without a way back, or memory that
grows by 10 % or more after the first third.

It has a home of its own; writing anywhere else, starting programs and opening documents are refused.
"""

import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import psutil
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app import gui, paths
from app.compose import Studio
from app.settings import Settings, save
from app.ui.hold_button import HoldButton
from app.ui.main_window import PAGES, MainWindow
from app.ui.widgets import RecordButton
from app.verbs.verb import engine_choice
from app.viewmodels import folders
from benchmarks.touch.hand import Hand, NotThere, pressable, shown, shown_windows, spin, wait_for
from benchmarks.touch.tour import Complaints, end, parser, profile
from drivers.registry import open_source

EVERY = 40
"""Touches between two ways back."""
MOST_GROWTH = 0.10
WARM_SHARE = 1 / 3
MOST_BYTES = 2_000_000_000
"""Of recorded sessions; then they are deleted."""
PIN = "2468"
SAMPLE_S = 2.0
WAYS_BACK = ("Cancel", "Close", "Stay", "Skip the guide", "Done", "No", "Leave it")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass
class Found:
    """What went wrong, and what was seen meanwhile."""

    faults: list[str] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    dialogs: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, float, int]] = field(default_factory=list)
    """Seconds since the start, MB, and widgets."""
    starts: int = 0
    touches: int = 0


class Monkey:
    """One window under random fingers, until it is closed or the touches are used up."""

    def __init__(
        self, window: MainWindow, rng: random.Random, hand: Hand, found: Found, *, kiosk: bool
    ) -> None:
        self._window, self._rng, self._hand, self._found, self._kiosk = window, rng, hand, found, kiosk
        self._process = psutil.Process()
        self._sampled_s = 0.0

    def play(self, touches: int, until_s: float, began_s: float) -> None:
        """Touch, and take the way back now and then."""
        for number in range(touches):
            if not self._window.isVisible() or time.monotonic() > until_s:
                return
            try:
                self._touch()
            except (NotThere, RuntimeError) as error:  # a window that went below the finger
                if isinstance(error, RuntimeError) and "already deleted" not in str(error):
                    raise
                self._found.did["in vain"] += 1
            self._found.touches += 1
            spin(0.02)
            if time.monotonic() - self._sampled_s > SAMPLE_S:
                self._sampled_s = time.monotonic()
                size = self._process.memory_info().rss / 1e6
                widgets = len(QApplication.allWidgets())
                self._found.memory.append((self._sampled_s - began_s, size, widgets))
            if number % EVERY == EVERY - 1 and self._window.isVisible():
                self._go_back()

    def _front(self) -> QWidget:
        popup = QApplication.activePopupWidget()
        modal = QApplication.activeModalWidget()
        dialogs = [w for w in shown_windows() if isinstance(w, QDialog)]
        front = (
            popup
            or modal
            or (self._rng.choice(dialogs) if dialogs and self._rng.random() < 0.7 else self._window)
        )
        if isinstance(front, QDialog):
            self._found.dialogs[type(front).__name__] += 1
        return front

    def _touch(self) -> None:
        rng, hand, front = self._rng, self._hand, self._front()
        place = self._place(front)
        what = rng.choices(("tap", "drag", "pinch", "long", "double"), (60, 20, 8, 6, 6))[0]
        self._found.did[what] += 1
        self._found.pages[self._window.page] += 1
        if what == "tap":
            hand.tap_at(place, down_s=0.02)
        elif what == "drag":
            hand.drag(place, self._near(front, place, 300), steps=6, step_s=0.01)
        elif what == "pinch":
            size = rng.uniform(40, 160), rng.uniform(40, 160)
            hand.pinch(place, *size, turn_deg=rng.uniform(-60, 60), steps=6)
        elif what == "long":
            hand.tap_at(place, down_s=0.6)
        else:
            hand.double_tap_at(place)

    def _place(self, front: QWidget) -> QPoint:
        """Mostly on something that can be pressed, else anywhere."""
        targets = [w for w in pressable(front) if not w.visibleRegion().isEmpty()]
        if targets and self._rng.random() < 0.7:
            target = self._rng.choice(targets)
            rect = target.visibleRegion().boundingRect()
            inside = QPoint(self._rng.randrange(rect.width()), self._rng.randrange(rect.height()))
            return target.mapToGlobal(rect.topLeft() + inside)
        inside = QPoint(self._rng.randrange(front.width()), self._rng.randrange(front.height()))
        return front.mapToGlobal(inside)

    def _near(self, front: QWidget, place: QPoint, reach: int) -> QPoint:
        local = front.mapFromGlobal(place) + QPoint(
            self._rng.randint(-reach, reach), self._rng.randint(-reach, reach)
        )
        return front.mapToGlobal(
            QPoint(min(max(local.x(), 1), front.width() - 2), min(max(local.y(), 1), front.height() - 2))
        )

    def _go_back(self) -> None:
        """Close what is open and go to another page, by touch; say so where there is no way."""
        try:
            self._close_all()
            if self._window.context.studio.recorder is not None:
                self._stop_recording()
            name = self._rng.choice([page for page, _, _ in PAGES])
            self._hand.tap_widget(self._window._rail_buttons[name])
            wait_for(lambda: self._window.page == name, f"the page {name}", patience_s=10)
            assert self._window.page_widget(name).isVisible()
        except AssertionError as error:
            if self._window.isVisible():
                self._found.faults.append(f"no way back: {error}")
                for dialog in self._window.findChildren(QDialog):
                    dialog.close()
        if self._kiosk and self._window.isVisible() and self._rng.random() < 0.3:
            self._try_to_leave()
        dialogs = self._window.findChildren(QDialog)
        if len(dialogs) > 12:
            kinds = Counter(type(dialog).__name__ for dialog in dialogs)
            self._found.faults.append(f"closed dialogs are kept: {dict(kinds)}")
        self._tidy()

    def _close_all(self) -> None:
        for _ in range(6):
            popup = QApplication.activePopupWidget()
            dialogs = [w for w in shown_windows() if isinstance(w, QDialog)]
            if popup is None and not dialogs:
                return
            if popup is not None:
                self._hand.tap_at(self._window.mapToGlobal(QPoint(3, self._window.height() - 60)))
                spin(0.2)
                continue
            dialog = dialogs[0]
            ways = [w for w in pressable(dialog) if any(str(word) in _said(w) for word in _ways_back())]
            assert ways, f"{type(dialog).__name__} cannot be closed by touch"
            self._hand.tap_widget(ways[0])
            spin(0.2)
        left = [type(w).__name__ for w in shown_windows() if isinstance(w, QDialog)]
        assert not left, f"{left} stay open"

    def _stop_recording(self) -> None:
        self._hand.tap_widget(self._window._rail_buttons["Record"])
        stop = shown(RecordButton)
        assert stop, "no Stop while it is recorded"
        wait_for(stop[0].isEnabled, "Stop to be enabled")
        if self._window.context.studio.recorder is not None:
            self._hand.tap_widget(stop[0])
            wait_for(lambda: self._window.context.studio.recorder is None, "the recording to end")

    def _try_to_leave(self) -> None:
        """Bring the PIN pad and press some figures; it opens with the right ones only."""
        place = self._hand.place_of(shown(HoldButton)[0])
        self._hand.hold(place, 2.3, lambda: None)
        self._found.did["held the way out"] += 1

    def _tidy(self) -> None:
        """A disk is not endless: what was recorded goes when it is much."""
        folder = paths.sessions_folder()
        studio = self._window.context.studio
        if studio.recorder is not None or not folder.is_dir() or studio.pipeline is None:
            return
        used = 0
        for file in folder.rglob("*"):
            with suppress(FileNotFoundError):  # an index that is just being put in place
                used += file.stat().st_size
        if used > MOST_BYTES and all(line.info.live for line in studio.pipeline.lines.values()):
            shutil.rmtree(folder)
            folder.mkdir()


def _said(widget: QWidget) -> str:
    text = getattr(widget, "text", None)
    return f"{text() if callable(text) else ''} {widget.accessibleName()}"


def _ways_back() -> list[str]:
    from app.language import tr

    return [str(tr(word)) for word in WAYS_BACK]


def refuse(home: Path, found: Found) -> None:
    """Nothing outside of a home of its own is written, and no program is started."""
    own = (str(home), "/dev/", "/proc/")
    tempfile.tempdir = str(home)

    def note(what: str, detail: object) -> None:
        found.refused[f"{what} {detail}"] += 1
        raise PermissionError(13, f"the monkey may not {what}", str(detail))

    def hook(event: str, given: tuple[object, ...]) -> None:
        if event == "open" and isinstance(given[0], str | bytes) and isinstance(given[2], int):
            path = str(Path(os.fsdecode(given[0])).absolute())
            if given[2] & WRITES and not path.startswith(own):
                note("write", path)
        elif event in {"os.mkdir", "os.remove", "os.rmdir", "os.rename"} and given[-1] in {-1, None}:
            for path in given[: 2 if event == "os.rename" else 1]:
                if isinstance(path, str | bytes) and not str(Path(os.fsdecode(path)).absolute()).startswith(
                    own
                ):
                    note(event, os.fsdecode(path))
        elif event in {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"}:
            note("start", given[0])

    sys.addaudithook(hook)
    go_to = folders.FolderWalk.go_to

    def kept_in(self: folders.FolderWalk, path: Path) -> None:
        go_to(self, path if path.absolute().is_relative_to(home) else home)

    folders.FolderWalk.go_to = kept_in  # type: ignore[method-assign]
    QDesktopServices.openUrl = lambda url: bool(found.refused.update([f"open {url.toString()}"])) or True  # type: ignore[method-assign]


def main() -> int:
    made = parser(__doc__ or "")
    made.add_argument("--seed", type=int, default=4)
    made.add_argument("--touches", type=int, default=1500)
    made.add_argument("--minutes", type=float, default=0.0, help="end then at the latest; 0 for no such end")
    args = made.parse_args()
    sys.dont_write_bytecode = True
    home, found, complaints = profile(), Found(), Complaints()
    app = QApplication(sys.argv[:1])
    logging.getLogger().addHandler(complaints)
    hand, rng = Hand(0.0), random.Random(args.seed)
    began_s = time.monotonic()
    until_s = began_s + args.minutes * 60 if args.minutes else float("inf")
    refuse(home, found)
    print(f"seed {args.seed}, {args.touches} touches, home {home}", flush=True)
    while found.touches < args.touches and time.monotonic() < until_s:
        kiosk = found.touches >= args.touches // 2
        goal = args.touches if kiosk else args.touches // 2
        settings = Settings(source="demo", model=args.model, kiosk_pin=PIN if kiosk else "")
        save(settings)
        found.starts += 1
        if found.starts > 30:
            found.faults.append("the window was left thirty times")
            break

        def act(goal: int = goal, kiosk: bool = kiosk) -> None:
            window = next(w for w in app.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
            try:
                Monkey(window, rng, hand, found, kiosk=kiosk).play(goal - found.touches, until_s, began_s)
            except Exception as error:
                found.faults.append(f"{type(error).__name__}: {error}")
                logging.getLogger(__name__).exception("the monkey fell")
                found.touches = args.touches
            finally:
                window.leave()

        QTimer.singleShot(1500, act)
        gui.run(Studio(engine_choice(settings)), settings, kiosk=kiosk, open_source=open_source)
        for window in [w for w in app.topLevelWidgets() if isinstance(w, MainWindow)]:
            window.deleteLater()
        spin(0.2)
    return told(found, complaints, time.monotonic() - began_s)


def growth_of(memory: list[tuple[float, float, int]]) -> tuple[float, float, float]:
    """MB per minute after the warm-up (least squares), its share of the memory, and the last MB."""
    kept = np.array(memory[round(len(memory) * WARM_SHARE) :])
    if len(kept) < 5:
        return 0.0, 0.0, memory[-1][1] if memory else 0.0
    slope, _ = np.polyfit(kept[:, 0], kept[:, 1], 1)
    share = slope * (kept[-1, 0] - kept[0, 0]) / np.median(kept[:, 1])
    return float(slope * 60), float(share), float(kept[-1, 1])


def told(found: Found, complaints: Complaints, seconds: float) -> int:
    """Print what was seen; 1 if anything is wrong."""
    slope, share, last = growth_of(found.memory)
    kept = found.memory[:: max(len(found.memory) // 12, 1)]
    print(f"{found.touches} touches in {seconds / 60:.1f} minutes, {found.starts} starts")
    for what in ("did", "pages", "dialogs", "refused"):
        print(f"{what}: {dict(getattr(found, what).most_common(14))}")
    print("memory, MB by minute: " + ", ".join(f"{at / 60:.1f}: {size:.0f}" for at, size, _ in kept))
    print("widgets: " + ", ".join(str(widgets) for _, _, widgets in kept))
    print(f"memory after the first third: {slope:+.1f} MB a minute, {share:+.1%} in all, {last:.0f} MB now")
    lines = [
        f"{r.levelname} {r.name}: {r.getMessage()}"
        for r in complaints.records
        if r.levelno >= logging.ERROR or r.name == "qt"
    ]
    warned = Counter(
        f"{r.name}: {r.getMessage()}"[:160] for r in complaints.records if r.levelno < logging.ERROR
    )
    for line, count in warned.most_common(12):
        print(f"  said {count} x: {line}")
    faults = [*found.faults, *lines]
    if share >= MOST_GROWTH:
        faults.append(f"memory grows by {share:.0%}")
    for line, count in Counter(faults).most_common(40):
        print(f"WRONG {count} x: {line}")
    print("no fault" if not faults else f"BROKEN: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    end(main())
