import threading
import time
from pathlib import Path

import pytest

from app.compose import Studio
from app.recording.counts import CameraCount
from app.recording.guards import low_battery
from app.recording.library import entries, read_entry
from app.recording.room import Limits
from app.recording.tags import recent_tags, remember_tags
from app.settings import Settings
from app.viewmodels.record import RecordViewModel
from app.viewmodels.record_view import RecordPhase, Tone, headline, loss_words
from app.viewmodels.status import StatusModel
from drivers.camera import CameraBase, CameraInfo
from drivers.errors import CameraLost
from drivers.frame import Frame
from drivers.session.labels import apply, read_events
from model.spec import EngineChoice
from tests.app.recording.small_sessions import small_frame


class TickingCamera(CameraBase):
    """Sixty small frames a second until it is unplugged."""

    def __init__(self, name):
        self.info = CameraInfo(name, f"{name} camera", "T1", "1", "simulated", 60.0, live=True)
        self.unplugged = threading.Event()
        self._index = 0

    @property
    def calibration(self):
        return small_frame(self.info.id, 0).calibration

    def open(self):
        if self.unplugged.is_set():
            raise CameraLost("gone")

    def close(self):
        pass

    def read(self, *, timeout_s):
        if self.unplugged.wait(1 / 60):
            raise CameraLost("gone")
        self._index += 1
        small = small_frame(self.info.id, 0)
        now_ns = time.monotonic_ns()
        return Frame(self.info.id, self._index, now_ns, now_ns, small.color, small.depth, small.calibration)


@pytest.fixture
def studio():
    made = Studio(EngineChoice(model="off"))
    yield made
    made.close()


@pytest.fixture
def settings(tmp_path):
    return Settings(sessions=tmp_path / "sessions", site="Hall 3", operator="Kim")


@pytest.fixture
def model(qtbot, studio, settings, tmp_path):
    made = RecordViewModel(studio, settings, lambda: None, tags=tmp_path / "tags.txt")
    yield made
    made.watch(False)
    made.close()


@pytest.fixture
def cameras(studio):
    made = [TickingCamera("left"), TickingCamera("right")]
    studio.open(made)
    return made


def until_phase(qtbot, model, phase):
    qtbot.waitUntil(lambda: model.view.phase is phase, timeout=5000)


def record(qtbot, model):
    model.watch(True)
    until_phase(qtbot, model, RecordPhase.READY)
    qtbot.waitUntil(lambda: all(panel.frame is not None for panel in model.view.cameras))
    model.toggle()
    until_phase(qtbot, model, RecordPhase.RECORDING)
    qtbot.waitUntil(lambda: all(p.count.written > 2 for p in model.view.cameras), timeout=5000)


def test_without_a_camera_it_says_so(qtbot, model):
    view = model.view

    assert view.phase is RecordPhase.NO_CAMERA
    assert "No camera" in view.words
    with qtbot.waitSignal(model.refused):
        model.toggle()


def test_a_recording_is_made_with_labels_and_every_frame_counted(qtbot, model, cameras):
    model.choose_scene("office")
    model.toggle_tag("glass")
    record(qtbot, model)

    with qtbot.waitSignal(model.saved, timeout=10_000) as signal:
        model.toggle()

    saved = signal.args[0]
    entry = read_entry(saved.folder)
    assert (entry.labels.scene, entry.labels.tags) == ("office", ("glass",))
    assert (entry.labels.site, entry.labels.operator) == ("Hall 3", "Kim")
    assert [camera.camera_id for camera in entry.cameras] == ["left", "right"]
    assert f"2 cameras, {entry.frames:,} frames, none lost" in saved.words
    assert saved.reason == ""
    assert model.view.phase is RecordPhase.READY


def test_labels_given_while_recording_hold_for_it(qtbot, model, cameras):
    record(qtbot, model)
    model.choose_scene("home")
    model.toggle_tag("late")

    with qtbot.waitSignal(model.saved, timeout=10_000) as signal:
        model.stop()

    labels = read_entry(signal.args[0].folder).labels
    assert (labels.scene, labels.tags) == ("home", ("late",))


def test_what_is_said_while_recording_is_on_the_disk_at_once(qtbot, model, cameras, settings):
    record(qtbot, model)
    model.write_notes("  a glass door ")
    model.choose_consent("all agreed")
    model.name_operator("Noor")
    model.name_site("Hall 4")
    (folder,) = settings.sessions.iterdir()
    said = apply(read_events(folder))
    assert (said.notes, said.consent, said.operator, said.site) == (
        "a glass door", "all agreed", "Noor", "Hall 4",
    )  # fmt: skip
    assert (settings.operator, settings.site) == ("Noor", "Hall 4")
    model.choose_consent("")
    assert apply(read_events(folder)).consent == ""


def test_what_happened_is_part_of_a_mark(qtbot, model, cameras):
    record(qtbot, model)
    model.mark("glass")
    with qtbot.waitSignal(model.saved, timeout=10_000) as signal:
        model.stop()
    (event,) = [e for e in read_entry(signal.args[0].folder).labels.events.values() if e.kind == "mark"]
    assert event.value == "glass"
    assert event.start_ns == event.end_ns > 0


def test_disk_and_usb_are_looked_at_before_a_recording_and_not_during_one(qtbot, model, cameras):
    model.watch(True)
    until_phase(qtbot, model, RecordPhase.READY)
    qtbot.waitUntil(lambda: any(check.name == "Disk speed" for check in model.view.checks), timeout=5000)
    names = [check.name for check in model.view.checks]
    assert names[:4] == ["Cameras", "Calibration", "Disk room", "Disk speed"]
    assert any(name.startswith(("USB", "Bus")) for name in names)
    record(qtbot, model)
    assert model.view.checks == ()
    assert model.view.synced_s >= 0


def test_a_flat_battery_is_said_once_with_the_charge_of_now(qtbot, model, cameras, monkeypatch):
    for module in ("app.recording.preflight", "app.viewmodels.record"):
        monkeypatch.setattr(f"{module}.battery", lambda: low_battery(17, None))
    model.watch(True)
    qtbot.waitUntil(lambda: len(model.view.checks) > 4, timeout=5000)
    monkeypatch.setattr("app.viewmodels.record.battery", lambda: low_battery(9, None))
    model._look_around()
    said = [check.caution.text for check in model.view.checks if check.caution is not None]
    assert "The battery is at 9%." in said
    assert not model.view.cautions


def test_a_marked_moment_is_in_the_session(qtbot, model, cameras):
    record(qtbot, model)
    model.mark()
    model.mark()
    assert model.view.marks == 2

    with qtbot.waitSignal(model.saved, timeout=10_000) as signal:
        model.stop()

    events = read_entry(signal.args[0].folder).labels.events.values()
    assert [event.value for event in events if event.kind == "mark"] == ["mark 1", "mark 2"]


def test_a_mark_without_a_recording_is_refused(qtbot, model, cameras):
    with qtbot.waitSignal(model.refused):
        model.mark()


def test_a_camera_lost_while_recording_is_told_and_the_others_go_on(qtbot, model, cameras):
    record(qtbot, model)

    cameras[0].unplugged.set()
    qtbot.waitUntil(lambda: model.view.tone is Tone.BAD, timeout=5000)

    view = model.view
    assert view.words == "left camera is lost; the others go on."
    before = view.cameras[1].count.written
    qtbot.waitUntil(lambda: model.view.cameras[1].count.written > before)
    assert view.cameras[0].words.startswith("Lost.")


def test_another_source_ends_the_recording_and_says_where_it_is(qtbot, model, cameras, studio):
    record(qtbot, model)

    with qtbot.waitSignal(model.saved, timeout=10_000) as signal:
        studio.open([TickingCamera("third")])

    assert "Another source" in signal.args[0].reason
    assert read_entry(signal.args[0].folder).usable


def test_a_full_disk_ends_the_recording_with_the_reason(qtbot, model, cameras, monkeypatch):
    record(qtbot, model)
    monkeypatch.setattr(model._recorder, "_limits", Limits(start_s=0.0, close_s=0.0, close_bytes=10**15))

    with qtbot.waitSignal(model.saved, timeout=10_000) as signal:
        pass

    assert "disk" in signal.args[0].reason
    assert signal.args[0].hint
    assert read_entry(signal.args[0].folder).usable


def test_a_sessions_folder_that_cannot_be_written_refuses_to_start(qtbot, model, cameras, settings, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    settings.sessions = tmp_path / "file" / "below"
    model.watch(True)
    until_phase(qtbot, model, RecordPhase.READY)

    with qtbot.waitSignal(model.refused, timeout=5000) as signal:
        model.start()

    problem = signal.args[0]
    assert problem.in_settings
    assert (model.view.phase, model.view.words) == (RecordPhase.READY, problem.message)
    qtbot.waitUntil(lambda: any("cannot be used" in check.words for check in model.view.checks))

    settings.sessions = tmp_path / "sessions"
    assert model.view.words == "Ready."


def test_a_refusal_is_forgotten_when_the_operator_comes_back_from_mending_it(
    qtbot, model, cameras, settings, tmp_path
):
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    settings.sessions = blocked / "below"
    model.watch(True)
    until_phase(qtbot, model, RecordPhase.READY)
    with qtbot.waitSignal(model.refused, timeout=5000):
        model.start()
    model.watch(False)
    blocked.unlink()

    model.watch(True)

    assert model.view.words == "Ready."
    qtbot.waitUntil(lambda: model.view.checks and not any("cannot" in c.words for c in model.view.checks))


def test_leaving_the_page_does_not_stop_a_recording(qtbot, model, cameras):
    record(qtbot, model)

    model.watch(False)
    before = sum(panel.count.written for panel in model.view.cameras)
    qtbot.waitUntil(lambda: sum(panel.count.written for panel in model.view.cameras) > before)

    assert model.recording


def test_closing_the_window_saves_what_is_recorded(qtbot, model, cameras, settings):
    record(qtbot, model)

    model.close()

    [folder] = [path for path in settings.sessions.iterdir() if path.is_dir()]
    assert read_entry(folder).usable


def test_room_on_the_disk_is_said_as_time(qtbot, model, cameras):
    model.watch(True)
    until_phase(qtbot, model, RecordPhase.READY)

    assert model.view.disk.endswith("left")


@pytest.mark.parametrize(
    ("left_s", "said"),
    [
        (600.0, "Ready."),
        (330.0, "The disk has room for about 5 min at this rig's rate."),
        (0.0, "The disk is nearly full. Make room, or choose another sessions folder."),
    ],
)
def test_only_a_disk_on_which_a_recording_ends_by_itself_is_called_nearly_full(left_s, said):
    assert headline(RecordPhase.READY, (), left_s=left_s)[0] == said


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only Linux has a folder that is on no disk")
def test_room_that_nobody_knows_is_not_called_none(qtbot, model, cameras, settings):
    settings.sessions = Path("/proc/sessions")
    model.watch(True)
    until_phase(qtbot, model, RecordPhase.READY)

    assert (model.view.disk, model.view.disk_low) == ("room unknown", False)
    status = StatusModel(model._studio, lambda: settings.sessions)
    with qtbot.waitSignal(status.changed) as told:
        status.poll()
    assert told.args[0].disk.text == "Disk: room unknown"


def test_tags_used_are_offered_first_the_next_time(qtbot, studio, settings, tmp_path):
    file = tmp_path / "recent.txt"
    remember_tags(["old"], file)
    remember_tags(["new"], file)

    assert recent_tags(file) == ("new", "old")
    assert RecordViewModel(studio, settings, lambda: None, tags=file).labels.recent == ("new", "old")


def test_a_tag_is_taken_back_by_a_second_press(model):
    model.toggle_tag(" morning   sun ")
    assert model.labels.tags == ("morning sun",)

    model.toggle_tag("morning sun")

    assert model.labels.tags == ()
    assert model.labels.recent == ("morning sun",)


def test_losses_are_said_by_cause_and_none_is_calm():
    assert loss_words(CameraCount(written=9)) == ("No frame lost", Tone.CALM)

    words, tone = loss_words(CameraCount(written=9, device_gap=2, unwritten=1))

    assert words == "3 frames lost: 2 by the device, 1 not taken by the disk"
    assert tone is Tone.WARNING
    assert loss_words(CameraCount(written=9, away_s=18.2)) == ("Away for 18 s", Tone.WARNING)
    back = CameraCount(written=9, away_s=18.2, device_gap=546)
    assert loss_words(back)[0] == "Away for 18 s; 546 frames lost (by the device)"


def test_the_file_of_tags_may_be_missing():
    assert recent_tags(Path("/nowhere/tags.txt")) == ()


def test_refined_depth_is_recorded_when_asked_for(qtbot, settings, tmp_path):
    studio = Studio(EngineChoice(model="classical"))
    model = RecordViewModel(studio, settings, lambda: None, tags=tmp_path / "tags.txt")
    try:
        studio.open([TickingCamera("left"), TickingCamera("right")])
        assert model.view.refined == ""
        model.set_refined(True)
        lines = studio.pipeline.lines.values()
        qtbot.waitUntil(lambda: all(line.refined.latest() is not None for line in lines), timeout=20_000)
        assert "0.0 per second" not in model.view.refined  # one repair has no rate
        qtbot.waitUntil(lambda: " per second;" in model.view.refined, timeout=10_000)
        record(qtbot, model)
        refined = model._recorder
        qtbot.waitUntil(
            lambda: all(count.written > 1 for count in refined.status().refined.values()), timeout=10_000
        )
        assert model.view.refined.startswith("Refined:")
        with qtbot.waitSignal(model.saved, timeout=10_000) as signal:
            model.toggle()
        assert "refined" in signal.args[0].words
        assert all(camera.refined > 1 for camera in read_entry(signal.args[0].folder).cameras)
    finally:
        model.close()
        studio.close()


def test_refined_depth_without_a_repair_is_a_warning(model, cameras, qtbot):
    model.set_refined(True)
    qtbot.waitUntil(lambda: "off" in model.view.refined, timeout=5000)
    assert model.view.refined_tone is Tone.WARNING


def test_the_next_take_begins_by_itself_and_one_to_be_redone_lies_in_the_trash(qtbot, model, cameras):
    record(qtbot, model)
    with qtbot.waitSignal(model.saved, timeout=10_000) as first:
        model.next_take()
    until_phase(qtbot, model, RecordPhase.RECORDING)
    with qtbot.waitSignal(model.discarded, timeout=10_000) as second:
        model.redo_take()
    until_phase(qtbot, model, RecordPhase.RECORDING)
    assert first.args[0].folder.is_dir()
    assert second.args[0].is_dir()
    model.bring_back(second.args[0])
    assert len([entry for entry in entries(first.args[0].folder.parent) if entry.usable]) == 2
    with qtbot.waitSignal(model.saved, timeout=10_000):
        model.stop()
