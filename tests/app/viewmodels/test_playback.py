import pytest

from app.ui.tiles import figures
from app.viewmodels.live import TileView
from app.viewmodels.playback import PICTURES, PlaybackModel, is_paused
from app.viewmodels.status import StatusModel
from drivers.cameras.replay import replay_cameras
from drivers.session.labels import add_label, append_event
from drivers.session.reader import Session
from tests.app.recording import small_sessions as small


@pytest.fixture
def model(qtbot, studio):
    made = PlaybackModel(studio)
    yield made
    made.stop()


@pytest.fixture
def folder(tmp_path):
    return small.make_session(tmp_path / "s", frames=12)


def shown(studio, camera_id="left"):
    frame = studio.pipeline.lines[camera_id].channel.newest.latest()
    return None if frame is None else frame.index


def test_a_live_rig_has_no_playback(qtbot, model, studio, make_camera):
    studio.open([make_camera()])
    with qtbot.waitSignal(model.offered) as signal:
        model.poll()
    assert signal.args == [False]
    assert model.playback is None
    model.toggle()
    model.step(1)


def test_a_paused_replay_is_called_so_and_nothing_is_wrong_with_its_cameras(qtbot, studio, folder, tmp_path):
    studio.open(replay_cameras(folder))
    line = studio.pipeline.lines["left"]
    assert not is_paused(line.camera)

    line.camera.playback.pause()

    assert is_paused(line.camera)
    assert figures(TileView("left", paused=True, rate_hz=1.0))[0] == "Paused"
    status = StatusModel(studio, lambda: tmp_path)
    with qtbot.waitSignal(status.changed) as signal:
        status.poll()
    assert (signal.args[0].moments.text, signal.args[0].moments.tone) == ("Replay paused", "")


def test_a_replay_is_paused_stepped_and_moved(qtbot, model, studio, folder):
    studio.open(replay_cameras(folder))
    views = []
    model.view_changed.connect(views.append)
    model.start()
    assert model.playback.playing
    model.toggle()
    assert not views[-1].playing
    model.seek(0.0)
    qtbot.waitUntil(lambda: shown(studio) is not None)
    assert views[-1].frame == "frame 1 of 12"
    model.step(5)
    assert views[-1].frame == "frame 6 of 12"
    model.seek(1.0)
    assert views[-1].frame == "frame 12 of 12"
    model.step(-1)
    assert views[-1].frame == "frame 11 of 12"
    assert views[-1].time == "00:00 of 00:00"
    assert 0.8 < views[-1].share < 1
    before = shown(studio)
    model.step(1)
    qtbot.waitUntil(lambda: shown(studio) > before)
    model.set_speed(4.0)
    model.toggle()
    assert (views[-1].playing, views[-1].speed) == (True, 4.0)


def test_the_strip_has_pictures_and_the_marks_in_their_places(qtbot, model, studio, folder):
    session = Session(folder)
    at_ns = int(session.times("left")[6])
    append_event(folder, add_label("mark", "glass here", start_ns=at_ns, end_ns=at_ns))
    append_event(folder, add_label("tag", "sun"))
    films = []
    model.strip_changed.connect(films.append)
    studio.open(replay_cameras(folder))
    model.start()
    qtbot.waitUntil(lambda: bool(films) and all(picture is not None for picture in films[-1].pictures))
    assert len(films[-1].pictures) == PICTURES
    assert films[-1].pictures[0].shape[1:] == (120, 3)
    (mark,) = films[-1].marks
    assert mark.text == "glass here"
    assert mark.share == pytest.approx(0.5, abs=0.01)


def test_another_source_takes_the_playback_away(qtbot, model, studio, folder, make_camera):
    studio.open(replay_cameras(folder))
    model.start()
    assert model.playback is not None
    offers = []
    model.offered.connect(offers.append)
    studio.open([make_camera()])
    qtbot.waitUntil(lambda: offers == [False])
