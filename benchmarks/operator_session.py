"""An operator's session by touch alone: first start to exported file, with touches and seconds per step.

    xvfb-run -a -s "-screen 0 1280x800x24" env QT_QPA_PLATFORM=xcb python benchmarks/operator_session.py

A minute. Ends with 1 if a step does not do what it is for, a target is smaller than 48 px (Record: 72), or
the program logs an error. The seconds hold the pauses of 0.15 s between touches (`--pause`) and what the
program takes, not what a person thinks. `--out FOLDER` keeps a picture of the screen after each step.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PySide6.QtWidgets import QAbstractButton, QLabel

from app import paths
from app.ui.session_card import SessionCard
from app.ui.titled_row import TitledRow
from app.ui.widgets import RecordButton
from benchmarks.touch.hand import named, shown, spin, wait_for
from benchmarks.touch.tour import Tour, end, parser, profile, run
from drivers.session.library import State, sessions, summary
from drivers.session.reader import Session

CAMERAS = 3
RECORD_S = 5.0
TAG, NOTE, SITE = "glass", "door 2", "lab 3"


def main() -> int:
    args = parser(__doc__ or "").parse_args()
    profile()
    return run("Operator: one labelled session, by touch alone", operate, args)


def operate(tour: Tour) -> None:
    """From the first start to a file for somebody else."""
    hand, window = tour.hand, tour.window
    with tour.step("First start, the guide"):
        for answer in ("Simulated rig", "Outdoors", "Record a session"):
            hand.tap(answer, QAbstractButton, starts=True)
        wait_for(lambda: window.page == "Record", "the page Record")
        assert paths.settings_file().exists(), "the answers were not kept"
    with tour.step("Connect, three cameras live"):
        wait_for(lambda: len(list(named("Live", QLabel))) == CAMERAS, "three cameras that are live")
    with tour.step("Preflight"):
        for what in ("Disk room: ", ("Disk speed: ", "The disk takes "), "USB", "Battery", "Heat"):
            wait_for(lambda what=what: any(named(what, QLabel, starts=True)), f"the look at {what}")
    with tour.step("Label, scene and tag and consent and note"):
        hand.tap("Workshop", QAbstractButton)
        hand.type("New tag", TAG)
        hand.tap("Nobody in view", QAbstractButton)
        hand.type("Notes", NOTE)
    with tour.step("Record and mark a moment"):
        hand.tap("Record", RecordButton)
        hand.tap("Glass here", QAbstractButton)
        spin(RECORD_S)
        hand.tap("Stop", RecordButton)
        hand.seen("Open in Sessions", QAbstractButton)
        check_recorded(recorded())
    with tour.step("Review, open and replay"):
        hand.tap("Open in Sessions", QAbstractButton)
        hand.tap("Replay", QAbstractButton)
        wait_for(lambda: window.page == "Live", "the page Live")
        bar = window._playback_bar
        wait_for(lambda: bar.isVisible() and bar.strip._share > 0.3, "the replay to go on")
        hand.tap("Pause (K)", QAbstractButton)
        strip = bar.strip
        hand.tap_widget(strip)
        wait_for(lambda: 0.4 < strip._share < 0.6, "the replay to stand where it was touched")
    with tour.step("Relabel, another scene and one more tag and a site"):
        hand.tap("Sessions", QAbstractButton)
        open_detail(tour)
        hand.pick("Scene", "Laboratory")
        wait_for(
            lambda: Session(recorded()).labels.scene == "laboratory", "the new scene in the session's file"
        )
        hand.type("New tag", "sun")
        wait_for(lambda: Session(recorded()).labels.tags == (TAG, "sun"), "the new tag in the session's file")
        hand.type("Site", SITE)
        wait_for(lambda: Session(recorded()).labels.site == SITE, "the site in the session's file")
    with tour.step("Export as TUM RGB-D"):
        open_detail(tour)
        hand.tap("Export ...", QAbstractButton)
        hand.tap("TUM RGB-D", TitledRow)
        hand.tap("Choose a folder ...", QAbstractButton)
        hand.tap("Choose this folder", QAbstractButton)
        wait_for(
            lambda: any(" are in " in w.text() for w in shown(QLabel)),
            "the word that it is there",
            patience_s=120,
        )
        check_exported(Path.home())
    with tour.step("Back to the cameras"):
        if not any(named("Back to the cameras", QAbstractButton)):
            hand.tap("Close the message", QAbstractButton)
        hand.tap("Back to the cameras", QAbstractButton)
        hand.tap("Record", QAbstractButton)
        wait_for(lambda: len(list(named("Live", QLabel))) == CAMERAS, "three cameras that are live")


def recorded() -> Path:
    """The session on the disk; there is one."""
    found = sessions(paths.sessions_folder())
    assert len(found) == 1, found
    return found[0].path


def open_detail(tour: Tour) -> None:
    """Select the session unless it is still selected."""
    card = tour.hand.seen("", SessionCard, starts=True)
    assert isinstance(card, SessionCard)
    if not card.isChecked():
        tour.hand.tap_widget(card)


def check_recorded(folder: Path) -> None:
    """The session is whole and says what was touched."""
    what = summary(folder)
    assert what.state is State.WHOLE, what
    session = Session(folder)
    labels = session.labels
    said = (labels.scene, labels.tags, labels.notes, labels.consent)
    assert said == ("workshop", (TAG,), NOTE, "nobody in view"), said
    assert any(event.value == "glass" and event.start_ns for event in labels.events.values()), labels.events
    assert len(session.camera_ids) == CAMERAS
    assert session.duration_s > RECORD_S - 1
    for camera_id in session.camera_ids:
        frame = session.frame(camera_id, session.count(camera_id) - 1)
        assert frame.depth.valid.any()


def check_exported(folder: Path) -> None:
    """The files that TUM's tools read: as many pairs as frames, and depth that another library decodes."""
    import cv2

    session = Session(recorded())
    lists = sorted(folder.rglob("depth.txt"))
    assert len(lists) == CAMERAS, lists
    rows = {at: [line.split() for line in at.read_text().splitlines() if line[0] != "#"] for at in lists}
    frames = sum(session.count(camera_id) for camera_id in session.camera_ids)
    assert sum(map(len, rows.values())) == frames, (frames, {at: len(found) for at, found in rows.items()})
    for at, found in rows.items():
        depth = cv2.imread(str(at.parent / found[-1][1]), cv2.IMREAD_UNCHANGED)
        color_rows = (at.parent / "rgb.txt").read_text().split("\n")
        color = cv2.imread(str(at.parent / [row for row in color_rows if row][-1].split()[1]))
        assert depth.dtype == np.uint16, depth.dtype
        assert 0.2 < np.median(depth[depth > 0]) / 5000 < 10, "no depth of a kitchen, in 1/5000 m"
        assert color.shape[:2] == depth.shape


if __name__ == "__main__":
    end(main())
