import time
from dataclasses import replace

import pytest

from app.compose import InferenceState, InferenceStatus
from app.flow.capture import CameraState, CameraStatus
from app.settings import Settings
from app.viewmodels.live import (
    OLD_S,
    LiveModel,
    LiveOptions,
    camera_note,
    old_after_s,
    refined_note,
    scene_range,
)
from drivers.errors import CameraLost, CameraUnplugged

FAILED = InferenceState(InferenceStatus.FAILED, "MDM", "The weights are missing.", "Choose another model.")
RUNNING = InferenceState(InferenceStatus.RUNNING, "Tiny engine")


@pytest.fixture
def saved():
    return []


@pytest.fixture
def live(qapp, studio, saved):
    settings = Settings()
    model = LiveModel(studio, settings, lambda: saved.append(settings.model_copy()))
    yield model
    model.stop()


def wait_for_frame(qtbot, live, camera_id="tiny"):
    qtbot.waitUntil(lambda: live.tile(camera_id).frame is not None, timeout=5000)
    return live.tile(camera_id).frame


def test_a_streaming_camera_needs_no_words():
    assert camera_note(CameraState(CameraStatus.STREAMING), 0.01) is None


def test_a_silent_camera_says_for_how_long():
    note = camera_note(CameraState(CameraStatus.SILENT), 7.2)
    assert note.text == "No frames for 7 s"
    assert "cable" in note.hint


def test_an_old_picture_does_not_pass_as_live_whatever_is_reported():
    """A library that hangs keeps the thread that would report it."""
    streaming = CameraState(CameraStatus.STREAMING)

    assert camera_note(streaming, 0.3, old_s=0.8) is None
    assert camera_note(streaming, 1.4, old_s=0.8).text == "No frames for 1.4 s"


def test_a_slow_camera_has_more_time_and_a_file_has_all(make_camera):
    info = make_camera().info

    assert old_after_s(replace(info, rate_hz=30.0)) == OLD_S
    assert old_after_s(replace(info, rate_hz=2.0)) == 2.5
    assert old_after_s(replace(info, live=False)) == float("inf")


def test_a_camera_that_comes_later_gets_a_tile(qtbot, studio, live, make_camera):
    studio.open([make_camera()])
    live.start()
    wait_for_frame(qtbot, live)

    with qtbot.waitSignal(live.rig_changed) as told:
        studio.pipeline.add(make_camera("late"))

    assert [title.camera_id for title in told.args[0]] == ["tiny", "late"]
    wait_for_frame(qtbot, live, "late")


def test_a_lost_camera_says_why_and_what_to_do():
    note = camera_note(CameraState(CameraStatus.LOST, CameraLost("Unplugged.", hint="Plug it in.")), None)
    assert note.text == "Camera lost: Unplugged."
    assert note.hint == "Plug it in."


def test_a_camera_that_stopped_for_another_reason_than_its_plug_says_which():
    note = camera_note(CameraState(CameraStatus.LOST, CameraLost("Tiny stopped: no bandwidth")), None)
    assert note.text == "Camera lost: Tiny stopped: no bandwidth"


def test_a_camera_that_is_unplugged_is_not_named_again_below_its_name():
    note = camera_note(CameraState(CameraStatus.LOST, CameraUnplugged("Tiny was unplugged")), None)
    assert (note.text, note.hint) == ("Camera lost", "Plug it in again; the others go on.")


@pytest.mark.parametrize("status", [s for s in CameraStatus if s is not CameraStatus.STREAMING])
def test_every_other_camera_status_has_words(status):
    assert camera_note(CameraState(status), None).text


def test_an_engine_that_failed_shows_its_message_and_offers_another():
    note = refined_note(FAILED, None, 0)
    assert (note.text, note.hint, note.choose_model) == (FAILED.message, FAILED.hint, True)


def test_repair_that_is_off_says_so_even_when_an_old_result_is_there(make_camera, make_refined):
    refined = make_refined(make_camera().frame())
    note = refined_note(InferenceState(InferenceStatus.OFF, "Off"), refined, 0.1)
    assert note.text == "Repair is off"


def test_a_loading_model_is_named():
    assert "MDM" in refined_note(InferenceState(InferenceStatus.LOADING, "MDM"), None, 0).text


def test_a_running_engine_without_a_result_says_so():
    assert refined_note(RUNNING, None, 0).text == "Waiting for the first refined frame"


def test_a_result_older_than_five_seconds_is_called_old(make_camera, make_refined):
    refined = make_refined(make_camera().frame())
    assert refined_note(RUNNING, refined, 4.9) is None
    assert refined_note(RUNNING, refined, 7.0).text == "Refined depth is 7 s old"


def test_frames_reach_the_tile(qtbot, live, studio, make_camera):
    studio.open([make_camera()])
    live.start()
    assert wait_for_frame(qtbot, live).color.shape == (6, 8, 3)


def test_a_new_rig_is_announced_with_numbers(qtbot, live, studio, make_camera):
    studio.open([make_camera("a"), make_camera("b")])
    with qtbot.waitSignal(live.rig_changed) as told:
        live.tick()
    assert [(title.number, title.camera_id) for title in told.args[0]] == [(1, "a"), (2, "b")]


def test_only_the_running_engines_result_is_shown(
    qtbot, live, studio, make_camera, make_refined, running_engine
):
    camera = make_camera()
    line = studio.open([camera]).lines["tiny"]
    running_engine(studio)
    live.start()
    wait_for_frame(qtbot, live)
    line.refined.put(make_refined(camera.frame(), engine="The one before"))
    qtbot.wait(60)
    assert live.tile("tiny").refined is None
    line.refined.put(make_refined(camera.frame()))
    qtbot.waitUntil(lambda: live.tile("tiny").refined is not None)
    assert live.tile("tiny").refined_note is None


def test_an_old_result_is_marked_as_old(qtbot, live, studio, make_camera, make_refined, running_engine):
    camera = make_camera()
    line = studio.open([camera]).lines["tiny"]
    running_engine(studio)
    live.start()
    wait_for_frame(qtbot, live)
    line.refined.put(make_refined(camera.frame(), captured_ns=time.monotonic_ns() - 6_000_000_000))
    qtbot.waitUntil(lambda: live.tile("tiny").refined is not None)
    assert "s old" in live.tile("tiny").refined_note.text


def test_freezing_shows_one_moment_in_all_panes(
    qtbot, live, studio, make_camera, make_refined, running_engine
):
    camera = make_camera()
    line = studio.open([camera]).lines["tiny"]
    running_engine(studio)
    live.start()
    wait_for_frame(qtbot, live)
    line.refined.put(make_refined(camera.frame()))
    qtbot.waitUntil(lambda: live.tile("tiny").refined is not None)
    live.set_frozen(True)
    frozen = live.tile("tiny")
    assert frozen.frame is frozen.refined.frame
    seen = line.channel.newest.version
    qtbot.waitUntil(lambda: line.channel.newest.version > seen + 3)
    assert live.tile("tiny").frame is frozen.frame
    live.set_frozen(False)
    qtbot.waitUntil(lambda: live.tile("tiny").frame is not frozen.frame)


def test_a_lost_camera_is_said_in_its_tile(qtbot, live, studio, make_camera):
    camera = make_camera()
    studio.open([camera])
    live.start()
    wait_for_frame(qtbot, live)
    camera.lost = True
    qtbot.waitUntil(lambda: live.tile("tiny").camera_note is not None, timeout=5000)
    assert live.tile("tiny").camera_note.text.startswith("Camera lost")
    assert live.tile("tiny").refined_note is live.tile("tiny").camera_note  # whatever the repair does


def test_a_preset_is_locked_and_written(qtbot, live, saved):
    live.set_preset("0-6")
    assert (live.options.near_m, live.options.far_m, live.options.preset) == (0.0, 6.0, "0-6")
    qtbot.waitUntil(lambda: bool(saved), timeout=3000)
    assert (saved[-1].near_m, saved[-1].far_m) == (0.0, 6.0)


def test_the_far_end_stays_beyond_the_near_end(live):
    live.set_range(3.0, 1.0)
    assert live.options.far_m == pytest.approx(3.1)


def test_a_scene_without_measurements_leaves_the_range_alone(make_camera):
    assert scene_range([]) is None
    assert scene_range([make_camera().frame()]) is None  # only column 0 is sampled, which is a hole


def test_the_auto_range_comes_from_percentiles(make_camera):
    import numpy as np

    from drivers.depth import DepthMap

    frame = make_camera().frame()
    ramp = np.linspace(1000, 3000, 64 * 64).astype(np.uint16).reshape(64, 64)
    near_m, far_m = scene_range([replace(frame, depth=DepthMap(ramp, 0.001))])
    assert near_m == pytest.approx(1.03, abs=0.05)
    assert far_m == pytest.approx(2.85, abs=0.15)


def test_the_focus_toggles(live, studio, make_camera):
    studio.open([make_camera("a"), make_camera("b")])
    live.tick()
    live.focus_number(2)
    assert live.options.focus == "b"
    live.focus_number(2)
    assert live.options.focus is None
    live.focus_number(7)
    assert live.options == LiveOptions()


def test_choosing_a_model_reaches_studio_and_settings(qtbot, live, studio, saved):
    live.choose_model("classical")
    assert studio.choice.model == "classical"
    qtbot.waitUntil(lambda: bool(saved), timeout=3000)
    assert saved[-1].model == "classical"


def test_demo_weights_are_marked_in_the_menu(live):
    assert "demo weights" in next(spec.title for spec in live.models() if spec.name == "demo")


def test_weights_that_are_not_in_the_catalogue_are_offered_while_chosen(live, studio, tmp_path):
    live.choose_model(str(tmp_path / "mine.safetensors"))
    assert str(tmp_path / "mine.safetensors") in [spec.name for spec in live.models()]


def test_painting_is_metered_from_exposure(live, studio, make_camera):
    studio.open([make_camera()])
    live.tick()
    frame = replace(make_camera().frame(), captured_ns=time.monotonic_ns() - 20_000_000)
    live.note_painted(frame)
    reading = live.screen_meters["tiny"].read(time.monotonic_ns())
    assert live.screen_meters["tiny"].total == 1
    assert 20 <= reading.median_ms < 200


def test_choosing_the_layer_of_the_other_side_swaps_them(live):
    assert (live.options.base, live.options.shown) == ("raw", "refined")
    live.set_shown("raw")
    assert (live.options.base, live.options.shown) == ("refined", "raw")
    live.set_base("colour")
    live.set_base("raw")
    assert (live.options.base, live.options.shown) == ("raw", "colour")
    live.swap_layers()
    assert (live.options.base, live.options.shown) == ("colour", "raw")


def test_stepping_through_the_layers_shows_each_once_and_never_the_base(live):
    seen = []
    for _ in range(6):
        live.step_layer(1)
        seen.append(live.options.shown)
    assert sorted(seen) == ["colour", "confidence", "difference", "ir", "provenance", "refined"]
    live.step_layer(-1)
    assert live.options.shown == seen[-2]


def test_frozen_cameras_count_from_one_press(qtbot, live, studio, make_camera):
    studio.open([make_camera(), make_camera("late")])
    live.start()
    wait_for_frame(qtbot, live)
    wait_for_frame(qtbot, live, "late")
    live.set_frozen(True)
    qtbot.waitUntil(lambda: live.tile("late").frozen_s > 0.3, timeout=3000)
    assert live.tile("tiny").frozen_s == live.tile("late").frozen_s
    live.set_frozen(False)
    qtbot.waitUntil(lambda: live.tile("tiny").frozen_s == 0, timeout=3000)


def test_head_and_veil_follow_one_reading_of_the_age(live, studio, make_camera, make_refined, monkeypatch):
    line = studio.open([make_camera()]).lines["tiny"]
    monkeypatch.setattr("app.viewmodels.live.FIGURES_S", 1e6)  # no figures come in between
    live.tick()
    seen, start_ns = live._lines["tiny"], time.monotonic_ns()
    frame = replace(make_camera().frame(), captured_ns=start_ns)
    line.refined.put(make_refined(frame))
    monkeypatch.setattr(live, "_current", lambda refined: refined)
    live._inference = RUNNING
    told = []
    for age_s in (0.5, 0.6, 4.9, 5.1, 6.6):
        live._look(seen, start_ns + round(age_s * 1e9), figures=False)
        line.refined.put(make_refined(frame))
        told.append((seen.view.age_ms / 1e3, seen.view.refined_note is not None))
    assert told == [(0.5, False), (0.5, False), (4.9, False), (5.1, True), (6.6, True)]
    line.refined.put(make_refined(replace(frame, captured_ns=start_ns + round(6.5e9))))
    live._look(seen, start_ns + round(6.7e9), figures=False)
    assert (seen.view.age_ms, seen.view.refined_note) == (pytest.approx(200), None)


def test_the_stages_of_a_repair_are_parts_of_its_age_however_long_ago(
    live, studio, make_camera, make_refined
):
    studio.open([make_camera()])
    live.tick()
    seen, start_ns = live._lines["tiny"], time.monotonic_ns() - round(9e9)
    frame = replace(make_camera().frame(), captured_ns=start_ns)
    refined = replace(make_refined(frame), took_ms=300.0, ready_ns=start_ns + round(1e9))
    seen.view = replace(seen.view, frame=frame, refined=refined)
    live.note_painted(frame)
    stages = live._stages(seen, refined, start_ns + round(10e9))
    assert (stages.repair_ms, stages.camera_ms + stages.wait_ms) == (300, pytest.approx(700))
    assert 8000 <= stages.screen_ms < 8900, "from the result to painted, not from exposure"
    assert live._stages(seen, refined, start_ns + round(1.2e9)).screen_ms == pytest.approx(200)


def test_stages_are_measured_while_they_are_shown(qtbot, live, studio, make_camera):
    studio.open([make_camera()]).lines["tiny"]
    live.start()
    wait_for_frame(qtbot, live)
    assert live.tile("tiny").stages is None
    live.set_stages(True)
    qtbot.waitUntil(lambda: live.tile("tiny").stages is not None, timeout=3000)
    assert live.tile("tiny").stages.repair_ms is None
    live.set_stages(False)
    qtbot.waitUntil(lambda: live.tile("tiny").stages is None, timeout=3000)


def test_colours_and_the_ends_of_a_difference_are_chosen(live):
    live.set_colour_map("viridis")
    live.set_difference(0.02)
    assert (live.options.colour_map, live.options.difference_m) == ("viridis", 0.02)


def test_the_repair_runs_another_way_and_settings_keep_what_they_know(qtbot, live, studio, saved):
    with qtbot.waitSignal(live.choice_changed):
        live.change_repair({"tokens": 432})
    live.change_repair({"monocular": True})
    assert (studio.choice.tokens, studio.choice.monocular) == (432, True)
    qtbot.waitUntil(lambda: bool(saved), timeout=3000)
    assert saved[-1].tokens == 432


def test_asking_for_what_is_there_loads_nothing_again(live, studio):
    before = studio.choice
    live.change_repair({"tokens": before.tokens})
    assert studio.choice is before


def test_a_new_rig_hides_nothing(live, studio, make_camera):
    first = studio.open([make_camera()])
    live.tick()
    live.set_hidden(0.6)
    assert (first.hidden_share, live.options.hidden_share) == (0.6, 0.6)
    second = studio.open([make_camera()])
    live.tick()
    assert (second.hidden_share, live.options.hidden_share) == (0.0, 0.0)
