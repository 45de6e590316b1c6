import gc
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "drivers/cameras"))
import orbbec_bag

from app.compose import InferenceStatus, Pipeline, Studio, wait_for_frames
from app.flow.capture import CameraStatus
from drivers.camera import SyncRole
from drivers.cameras.synthetic import Faults, SyntheticCamera
from drivers.controls import find as find_control
from drivers.errors import ModeUnsupported, SessionError
from drivers.registry import open_source
from drivers.rig import Rig
from drivers.session.labels import SessionLabels
from drivers.session.manifest import SyncEntry
from drivers.session.reader import Session
from drivers.synth.sensor import SensorKind
from model import checkpoint
from model.engine import build
from model.runtime import gate
from model.runtime.fastest import Candidate
from model.spec import EngineChoice
from tests.model.small_networks import small_network

CLASSICAL = EngineChoice(model="classical")


def rig(**faults):
    kinds = (SensorKind.ACTIVE_STEREO, SensorKind.TIME_OF_FLIGHT)
    return [
        SyntheticCamera(f"camera_{n}", kind, width=64, height=48, rate_hz=30, seed=n, faults=Faults(**faults))
        for n, kind in enumerate(kinds)
    ]


def wait_until(condition, timeout_s=30.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        threading.Event().wait(0.01)


def test_every_camera_is_captured_and_repaired():
    with Pipeline(rig(), CLASSICAL) as pipeline:
        assert wait_for_frames(pipeline, timeout_s=30)
        lines = pipeline.lines.values()
        wait_until(lambda: all(line.refined.latest() is not None for line in lines))
        for line in lines:
            refined = line.refined.latest()
            assert refined.frame.camera_id == line.info.id
            assert refined.engine == "Classical filling"
            assert refined.depth.fill_rate > refined.raw.fill_rate
            assert 0 < refined.age_ms < 60_000


def test_missing_weights_are_said_and_raw_frames_go_on(tmp_path):
    with Pipeline(rig(), EngineChoice(model=str(tmp_path / "none.safetensors"))) as pipeline:
        wait_until(lambda: (s := pipeline.inference.latest()) and s.status is InferenceStatus.FAILED)
        state = pipeline.inference.latest()
        assert "none.safetensors" in state.message
        assert state.hint
        seen = {line.info.id: line.channel.meter.total for line in pipeline.lines.values()}
        wait_until(
            lambda: all(line.channel.meter.total > seen[line.info.id] for line in pipeline.lines.values())
        )
        assert all(line.refined.latest() is None for line in pipeline.lines.values())

        pipeline.choose(CLASSICAL)
        wait_until(lambda: pipeline.inference.latest().status is InferenceStatus.RUNNING)
        wait_until(lambda: all(line.refined.latest() is not None for line in pipeline.lines.values()))


def test_nobody_gets_what_was_repaired_from_depth_that_was_hidden_on_purpose():
    pipeline, got = Pipeline(rig(), CLASSICAL), []
    line = next(iter(pipeline.lines.values()))
    line.repairs.add(lambda repaired: got.append(repaired[0].hidden_share))
    pipeline.hidden_share = 0.5
    with pipeline:
        wait_until(lambda: line.refined.version >= 3)
        assert line.refined.latest().hidden_share == 0.5
        assert got == []
        pipeline.hidden_share = 0.0
        wait_until(lambda: len(got) >= 2)
    assert set(got) == {0.0}


def test_depth_is_steadied_from_the_next_frame_on_and_what_made_it_says_so():
    pipeline, got = Pipeline(rig(), CLASSICAL), []
    line = next(iter(pipeline.lines.values()))
    line.repairs.add(lambda repaired: got.append((repaired[0].stabilised, repaired[1].stabilised)))
    with pipeline:
        wait_until(lambda: len(got) >= 2)
        assert set(got) == {(False, False)}
        pipeline.stabilise = True
        wait_until(lambda: got[-1] == (True, True))
        pipeline.stabilise = False
        wait_until(lambda: got[-1] == (False, False))


def test_the_repair_rests_while_a_recording_falls_behind(monkeypatch):
    monkeypatch.setattr("app.compose.REST_S", 60.0)
    with Pipeline(rig(), CLASSICAL) as pipeline:
        lines = list(pipeline.lines.values())

        def repaired():
            return sum(line.refined_meter.total for line in lines)

        wait_until(lambda: repaired() > 0)
        pipeline.yield_to(lambda: True)
        seen, frames = repaired(), lines[0].channel.meter.total
        wait_until(lambda: lines[0].channel.meter.total > frames + 20)
        assert repaired() <= seen + 1
        pipeline.yield_to(lambda: False)
        wait_until(lambda: repaired() > seen + 3)


def test_repair_can_be_off():
    with Pipeline(rig(), EngineChoice(model="off")) as pipeline:
        wait_until(lambda: (s := pipeline.inference.latest()) and s.status is InferenceStatus.OFF)
        assert wait_for_frames(pipeline, timeout_s=30)
        assert all(line.refined.latest() is None for line in pipeline.lines.values())


def test_one_lost_camera_leaves_the_other_running():
    cameras = rig()
    with Pipeline(cameras, EngineChoice(model="off")) as pipeline:
        assert wait_for_frames(pipeline, timeout_s=30)
        cameras[0].faults = Faults(lose_from=0)
        wait_until(lambda: pipeline.lines["camera_0"].state.latest().status is CameraStatus.LOST)
        other = pipeline.lines["camera_1"]
        seen = other.channel.meter.total
        wait_until(lambda: other.channel.meter.total > seen + 3)


def test_stopping_is_quick_and_can_be_repeated():
    pipeline = Pipeline(rig(), CLASSICAL)
    pipeline.start()
    assert wait_for_frames(pipeline, timeout_s=30)
    # Frames come before the repair is loaded, and a thread that imports its libraries cannot be stopped.
    wait_until(lambda: (s := pipeline.inference.latest()) and s.status is InferenceStatus.RUNNING)
    before = time.monotonic()
    pipeline.stop()
    pipeline.stop()
    assert time.monotonic() - before < 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("camera", "inference"))]


@pytest.fixture
def studio():
    studio = Studio(EngineChoice(model="off"))
    yield studio
    studio.close()


def test_a_recording_holds_every_frame_of_the_device_counter(studio, tmp_path):
    pipeline = studio.open(rig(drop_every=7))
    assert wait_for_frames(pipeline, timeout_s=30)
    recorder = studio.record(tmp_path, SessionLabels(scene="office", tags=("glass",)))
    recorder.mark("glass here")
    wait_until(lambda: all(count.written >= 20 for count in recorder.status().cameras.values()))
    folder = studio.stop_recording()
    assert studio.recorder is None
    session = Session(folder)
    assert session.labels.scene == "office"
    (mark,) = [event for event in session.labels.events.values() if event.kind == "mark"]
    assert mark.value == "glass here"
    times = session.times("camera_0")
    assert times[0] - 1e9 < mark.start_ns < times[-1]
    for camera_id in session.camera_ids:
        totals = session.manifest.totals[camera_id]
        assert totals.honest
        assert totals.written == session.count(camera_id)
        assert totals.device_gap > 0
        indices = [session.frame(camera_id, n).index for n in range(session.count(camera_id))]
        assert indices[-1] - indices[0] + 1 == totals.written + totals.device_gap + totals.host_drop
        assert np.array_equal(np.sort(indices), indices)


def test_a_recording_says_what_its_cameras_were_set_to(studio, tmp_path):
    pipeline = studio.open(rig())
    assert wait_for_frames(pipeline, timeout_s=30)
    pipeline.lines["camera_0"].desk.ask({"color.exposure": 4200.0, "depth.emitter": False})
    folder = studio.record(tmp_path, SessionLabels()).session
    with pytest.raises(ModeUnsupported, match="recording"):
        pipeline.lines["camera_0"].desk.ask({"color.exposure": 100.0})
    studio.stop_recording()
    pipeline.lines["camera_0"].desk.ask({"color.exposure": 100.0})

    first, second = Session(folder).cameras[:2]

    assert first.controls["color.exposure"] == 4200.0
    assert first.controls["color.auto_exposure"] is False
    assert first.controls["depth.emitter"] is False
    assert second.controls["color.auto_exposure"] is True


def test_vendors_filters_are_for_the_screen_and_never_recorded(studio, tmp_path):
    from drivers.registry import SDKS

    if not SDKS[0].state().ready:
        pytest.skip("pyrealsense2 is not here")
    pipeline = studio.open(rig())
    line = pipeline.lines["camera_0"]
    pipeline.filters.steps = ("hole filling",)
    wait_until(lambda: line.filtered.latest() is not None or pipeline.filters.problem)
    assert pipeline.filters.problem == ""
    recorder = studio.record(tmp_path, SessionLabels())
    wait_until(lambda: recorder.status().cameras["camera_0"].written >= 3)
    frame = Session(studio.stop_recording()).frame("camera_0", 1)

    filtered = line.filtered.latest()
    assert filtered.depth.fill_rate > filtered.frame.depth.fill_rate
    seen = line.camera.expose(frame.index)
    assert np.array_equal(frame.depth.values, seen.depth.values)
    assert not frame.depth.valid.all()


def test_orbbecs_filters_run_beside_the_repair_and_the_recording_stays_as_measured(studio, tmp_path):
    from drivers.registry import SDKS

    if not SDKS[1].state().ready:
        pytest.skip("pyorbbecsdk2 is not here")
    path = tmp_path / "gemini.bag"
    orbbec_bag.write(path, frames=60)
    pipeline = studio.open(open_source(str(path)))
    (line,) = pipeline.lines.values()
    pipeline.filters.steps = ("orbbec noise removal",)
    wait_until(lambda: line.filtered.latest() is not None or pipeline.filters.problem)
    assert pipeline.filters.problem == ""
    recorder = studio.record(tmp_path, SessionLabels())
    wait_until(lambda: recorder.status().cameras[line.info.id].written >= 3)
    frame = Session(studio.stop_recording()).frame(line.info.id, 1)

    filtered = line.filtered.latest()
    assert (filtered.frame.depth.values == 4000).any()
    assert not (filtered.depth.values == 4000).any()
    assert frame.depth.values[20, 30] == 4000  # what noise removal takes away


def test_nothing_is_recorded_without_a_rig_or_twice(studio, tmp_path):
    with pytest.raises(SessionError, match="no camera"):
        studio.record(tmp_path, SessionLabels())
    pipeline = studio.open(rig())
    assert wait_for_frames(pipeline, timeout_s=30)
    studio.record(tmp_path, SessionLabels())
    with pytest.raises(SessionError, match="under way"):
        studio.record(tmp_path, SessionLabels())


def test_closing_the_studio_closes_the_recording(studio, tmp_path):
    pipeline = studio.open(rig())
    assert wait_for_frames(pipeline, timeout_s=30)
    recorder = studio.record(tmp_path, SessionLabels())
    wait_until(lambda: all(count.written for count in recorder.status().cameras.values()))
    studio.close()
    assert Session(recorder.session).manifest.honest


def test_a_camera_that_comes_later_joins_the_running_rig():
    waiting = rig()
    studio = Studio(CLASSICAL)
    try:
        more = Rig(waiting[:1], find_more=lambda known: [c for c in waiting if c.info.id not in known])
        pipeline = studio.open(more)
        wait_until(lambda: "camera_1" in pipeline.lines)
        wait_until(lambda: pipeline.lines["camera_1"].refined.latest() is not None)
        wait_until(lambda: len(pipeline.moments.newest.latest().frames) == 2)
    finally:
        studio.close()


def test_nobody_joins_a_recording(tmp_path, monkeypatch):
    monkeypatch.setattr("app.compose.ARRIVALS_EVERY_S", 0.02)
    waiting = rig()
    plugged = threading.Event()
    studio = Studio(EngineChoice(model="off"))
    try:
        later = Rig(waiting[:1], find_more=lambda _known: waiting if plugged.is_set() else [])
        pipeline = studio.open(later)
        assert wait_for_frames(pipeline, timeout_s=30)
        studio.record(tmp_path, SessionLabels())
        plugged.set()
        threading.Event().wait(0.3)
        assert list(pipeline.lines) == ["camera_0"]
        studio.stop_recording()
        wait_until(lambda: "camera_1" in pipeline.lines)
    finally:
        studio.close()


def test_a_rig_file_sets_controls_and_names_its_calibration(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text(
        '[[camera]]\nsource = "demo:stereo_active"\nname = "front"\nwidth = 64\nheight = 48\n'
        'controls = { "color.gain" = 2.5, nonsense = 3 }\n',
        encoding="utf-8",
    )
    studio = Studio(EngineChoice(model="off"))
    try:
        pipeline = studio.open(open_source(str(path)))
        assert wait_for_frames(pipeline, timeout_s=30)
        state = pipeline.lines["front"].desk.state.latest()
    finally:
        studio.close()

    assert find_control(state.controls, "color.gain").value == pytest.approx(2.5)
    assert "nonsense" in str(state.problem)
    assert studio.rig.sources == {"front": "demo:stereo_active"}


class Slow(SyntheticCamera):
    """Takes a second to open, as a real device does."""

    def open(self):
        time.sleep(1.0)
        super().open()


def test_cameras_start_at_the_same_time():
    cameras = [Slow(f"slow_{n}", SensorKind.ACTIVE_STEREO, width=16, height=12, seed=n) for n in range(3)]
    cameras[0].expose(0)  # lights the scene, which all share
    began_s = time.monotonic()
    with Pipeline(cameras, EngineChoice(model="off")) as pipeline:
        assert wait_for_frames(pipeline, timeout_s=30)
        took_s = time.monotonic() - began_s

    assert took_s < 2.9, "one after the other they take three seconds"


class Cabled(SyntheticCamera):
    """A camera with a sync connector, whose opening is noted."""

    sync_family, primary_starts_first = "acme", True

    def __init__(self, name, role, opened):
        super().__init__(name, SensorKind.ACTIVE_STEREO, width=16, height=12)
        self.sync_role = role
        self._opened = opened

    def sync_roles(self):
        return tuple(SyncRole)

    def set_sync_role(self, role):
        self.sync_role = role

    def open(self):
        time.sleep(0.2 if self.sync_role is SyncRole.PRIMARY else 0.0)
        self._opened.append(self.info.id)
        super().open()


def test_a_cabled_rig_starts_in_order_and_its_session_says_who_was_what(tmp_path):
    opened = []
    cameras = [Cabled("b", SyncRole.SECONDARY, opened), Cabled("a", SyncRole.PRIMARY, opened)]
    studio = Studio(EngineChoice(model="off"))
    try:
        pipeline = studio.open(cameras)
        assert wait_for_frames(pipeline, timeout_s=30)
        recorder = studio.record(tmp_path, SessionLabels())
        wait_until(lambda: all(count.written for count in recorder.status().cameras.values()))
        wait_until(lambda: "b" in pipeline.moments.phases())
        session = Session(studio.stop_recording())
    finally:
        studio.close()

    assert opened == ["a", "b"]
    assert {camera.id: camera.sync for camera in session.cameras} == {
        "a": "primary on a sync cable",
        "b": "secondary on a sync cable",
    }
    achieved = session.manifest.sync
    assert achieved["a"] == SyncEntry(role="primary on a sync cable")
    assert achieved["b"].role == "secondary on a sync cable"
    assert achieved["b"].reference == "a"
    assert achieved["b"].offset_ms is not None


def test_a_rig_that_has_ended_holds_no_frame():
    studio = Studio(CLASSICAL)
    studio.open(rig())
    try:
        ended = studio.pipeline
        lines = ended.lines.values()
        assert wait_for_frames(ended, timeout_s=10)
        assert all(line.refined.newer_than(0, timeout_s=10) for line in lines)
        assert ended.moments.newest.newer_than(0, timeout_s=10)
        slots = [slot for line in lines for slot in (line.channel.newest, line.refined)]
        frames = [weakref.ref(slot.latest()) for slot in [*slots, ended.moments.newest]]
        studio.open(rig())
        gc.collect()
        assert [frame() for frame in frames] == [None] * 5
    finally:
        studio.close()


def test_the_inference_thread_ends_while_it_chooses_how_to_run_a_network(tmp_path, monkeypatch, caplog):
    """A network whose ways take many seconds to be tried is left between two runs."""
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, small_network(), {})
    tried = threading.Event()

    class Slow:
        where = "slow"

        def run(self, shots, grid):
            tried.set()
            time.sleep(0.2)
            return gate.plain(small_network(), shots, grid)

    ways = [Candidate(f"way {n}", "fp32", Slow) for n in range(25)]
    monkeypatch.setattr("model.engine.candidates", lambda *_args, **_options: ways)
    pipeline = Pipeline(rig(), EngineChoice(model=str(path), device="cpu"))
    with pipeline:
        assert tried.wait(60)
    assert not [thread for thread in threading.enumerate() if thread.name == "inference"]
    assert "did not stop" not in caplog.text


def test_the_next_rig_is_repaired_by_the_engine_of_the_last(tmp_path, monkeypatch):
    path = tmp_path / "small.safetensors"
    checkpoint.save(path, small_network(), {})
    built = []
    monkeypatch.setattr(
        "model.engine.build", lambda *args, **options: built.append(args) or build(*args, **options)
    )
    studio = Studio(EngineChoice(model=str(path), device="cpu", precision="fp32", tokens=48))

    def refined(pipeline):
        return lambda: all(line.refined.latest() is not None for line in pipeline.lines.values())

    try:
        wait_until(refined(studio.open(rig())))
        wait_until(refined(studio.open(rig())))
        assert len(built) == 1
        studio.choose(EngineChoice(model=str(path), device="cpu", precision="fp32", tokens=35))
        wait_until(lambda: len(built) == 2)
        wait_until(lambda: "35 tokens" in studio.pipeline.inference.latest().message)
    finally:
        studio.close()
