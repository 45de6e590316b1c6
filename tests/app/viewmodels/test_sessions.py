import threading
from datetime import UTC, datetime

import pytest

from app.recording import library
from app.recording.library import LabelEdit
from app.viewmodels.handover import Handover
from app.viewmodels.record_view import saved_words
from app.viewmodels.sessions import (
    Kept,
    Order,
    SessionsViewModel,
    disk_use_words,
    drop_words,
    loss_words,
    marks,
)
from drivers.session.labels import add_label
from drivers.session.manifest import CameraTotals
from drivers.session.verify import Cancelled
from tests.app.recording import small_sessions as small
from tests.app.recording.test_library import crashed_session


@pytest.fixture
def make(qtbot, tmp_path):
    made = []

    def build(handover=None):
        model = SessionsViewModel(lambda: tmp_path, handover or Handover())
        made.append(model)
        return model

    yield build
    for model in made:
        model.close()


@pytest.fixture
def loaded(qtbot, make):
    def build(handover=None):
        model = make(handover)
        load(qtbot, model)
        return model

    return build


def load(qtbot, model):
    model.load()
    qtbot.waitUntil(lambda: model.view.loaded and not model.list.loading)


def names(model):
    return [entry.name for entry in model.view.entries]


def test_an_empty_folder_is_loaded_and_empty(loaded):
    view = loaded().view

    assert view.loaded
    assert (view.entries, view.total) == ((), 0)


def test_the_list_comes_from_a_thread_and_thumbnails_for_what_is_shown(qtbot, make, tmp_path):
    small.make_session(tmp_path / "a")
    small.make_session(tmp_path / "b")
    model = make()
    came = []
    model.list.thumbnail_came.connect(came.append)

    load(qtbot, model)
    assert names(model) == ["b", "a"]
    model.list.want_pictures(model.view.entries[1:])
    qtbot.waitUntil(lambda: len(came) == 1)

    assert (came[0].folder.name, came[0].jpeg[:2]) == ("a", b"\xff\xd8")
    assert model.list.picture(tmp_path / "b") is None
    assert model.list.picture(tmp_path / "a") == (tmp_path / "a" / "thumbnail.jpg").read_bytes()


def test_search_and_scene_narrow_the_list(loaded, tmp_path):
    small.make_session(tmp_path / "a", scene="office", tags=["glass"])
    small.make_session(tmp_path / "b", scene="home", tags=["glass"])
    model = loaded()

    model.search("glass")
    assert names(model) == ["b", "a"]
    model.choose_scene("office")
    assert names(model) == ["a"]
    model.search("nothing like it")

    assert names(model) == []
    assert model.view.total == 2
    assert model.view.scenes == ("home", "office")


def test_a_session_that_is_not_shown_is_not_selected(loaded, tmp_path):
    folder = small.make_session(tmp_path / "a", scene="office")
    model = loaded()

    model.select(folder)
    assert model.view.entry.folder == folder
    model.search("home")

    assert model.view.entry is None


def test_a_deleted_session_comes_back_selected_by_undo(qtbot, loaded, tmp_path):
    folder = small.make_session(tmp_path / "a")
    model = loaded()
    with qtbot.waitSignal(model.deleted) as signal:
        model.delete(model.view.entries[0])
    qtbot.waitUntil(lambda: model.view.trashed == 1)
    assert names(model) == []

    model.restore(signal.args[0])
    qtbot.waitUntil(lambda: names(model) == ["a"])

    assert model.view.selected == folder
    assert model.view.trashed == 0


def test_the_trash_is_emptied_when_asked_and_not_before(qtbot, loaded, tmp_path):
    small.make_session(tmp_path / "a")
    model = loaded()
    model.delete(model.view.entries[0])
    qtbot.waitUntil(lambda: model.view.trashed == 1)
    assert (tmp_path / ".trash" / "a").is_dir()

    model.purge()
    qtbot.waitUntil(lambda: model.view.trashed == 0)

    assert not (tmp_path / ".trash").exists()


def test_what_is_being_recorded_is_not_deleted_and_the_reason_is_told(qtbot, loaded, tmp_path):
    writer = small.begin_session(tmp_path / "a")
    model = loaded()

    with qtbot.waitSignal(model.refused) as signal:
        model.delete(model.view.entries[0])
    writer.close()

    assert "recorded" in signal.args[0].message
    assert signal.args[0].hint


def test_labels_are_changed_in_place(loaded, tmp_path):
    small.make_session(tmp_path / "a", scene="office", tags=["glass"])
    model = loaded()

    model.relabel(model.view.entries[0], LabelEdit(scene="home", tags=("sun",)))

    labels = model.view.entries[0].labels
    assert (labels.scene, labels.tags) == ("home", ("sun",))
    assert model.view.scenes == ("home",)


def test_an_unfinished_session_is_recovered_at_the_first_reading(qtbot, make, tmp_path):
    crashed_session(tmp_path / "a")
    model = make()

    with qtbot.waitSignal(model.notice_came) as signal:
        load(qtbot, model)
    qtbot.waitUntil(lambda: names(model) == ["a"])

    assert signal.args[0].startswith("Recovered 1 session")
    assert model.view.entries[0].usable
    assert loss_words(model.view.entries[0]).startswith("Recovered; about")


def test_what_another_page_wants_shown_is_selected(loaded, tmp_path):
    folder = small.make_session(tmp_path / "a")
    handover = Handover(show=folder)

    model = loaded(handover)

    assert model.view.selected == folder
    assert handover.show is None


def test_a_session_is_left_for_training(loaded, tmp_path):
    folder = small.make_session(tmp_path / "a")
    handover = Handover()
    model = loaded(handover)

    model.train_on(model.view.entries[0])

    assert handover.take_train_on() == (folder,)
    assert handover.take_train_on() == ()


def test_no_loss_and_losses_by_cause_are_said_in_words(loaded, tmp_path):
    from drivers.session.manifest import CameraTotals

    lossy = CameraTotals(device_frames=9, written=4, host_drop=3, device_gap=2)
    small.make_session(tmp_path / "a", cameras=("left",), totals={"left": lossy})
    small.make_session(tmp_path / "b")
    gone = CameraTotals(device_frames=4, written=4, away_s=18.2)
    small.make_session(tmp_path / "c", cameras=("left",), totals={"left": gone})

    entries = loaded().view.entries

    assert [loss_words(entry) for entry in entries] == [
        "left camera away for 18 s",
        "No frame lost",
        "5 frames lost",
    ]
    assert [Kept.LOSSLESS.keeps(entry) for entry in entries] == [False, True, False]
    assert saved_words(entries[0]).endswith(", 1 camera, 4 frames, left camera away for 18 s)")
    assert drop_words(lossy) == "5 frames lost: 2 by the device, 3 dropped"
    assert drop_words(gone) == "Away for 18 s"


def test_a_session_is_verified_in_a_thread_and_the_result_is_told(qtbot, loaded, tmp_path):
    folder = small.make_session(tmp_path / "a")
    model = loaded()
    with qtbot.waitSignal(model.notice_came) as signal:
        model.work.verify(model.view.entries[0])
    assert "as it was recorded" in signal.args[0]

    data = bytearray((folder / "seg_00000.mcap").read_bytes())
    data[3000] ^= 1
    (folder / "seg_00000.mcap").write_bytes(data)
    with qtbot.waitSignal(model.refused) as signal:
        model.work.verify(model.view.entries[0])
    assert "seg_00000.mcap: it has changed since it was recorded" in signal.args[0].message
    assert signal.args[0].session == folder
    assert not model.work.busy


def test_a_session_that_a_check_found_damaged_says_so_until_its_files_are_back(qtbot, loaded, tmp_path):
    segment = small.make_session(tmp_path / "a") / "seg_00000.mcap"
    whole = segment.read_bytes()
    segment.write_bytes(whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:])
    model = loaded()
    with qtbot.waitSignal(model.refused):
        model.work.verify(model.view.entries[0])
    load(qtbot, model)
    assert loss_words(model.view.entries[0]) == "1 damaged file"
    model.keep(Kept.TROUBLE)
    assert names(model) == ["a"]

    segment.write_bytes(whole)
    with qtbot.waitSignal(model.notice_came):
        model.work.verify(model.view.entries[0])

    assert names(model) == []


def test_the_newest_session_is_the_one_that_began_last_whatever_its_folder_is_called(loaded, tmp_path):
    for second, name in enumerate("cab"):
        moment = datetime(2026, 5, 3, 14, 5, second, tzinfo=UTC)
        small.begin_at(small.make_session(tmp_path / name), moment)

    assert names(loaded()) == ["b", "a", "c"]


def test_a_session_is_copied_with_progress(qtbot, loaded, tmp_path):
    folder = small.make_session(tmp_path / "a")
    model = loaded()
    shares = []
    model.work.changed.connect(lambda work: shares.append(work.share))
    with qtbot.waitSignal(model.notice_came) as signal:
        model.work.copy(model.view.entries[0], tmp_path / "disk")
    copied = tmp_path / "disk" / "a"
    assert str(copied) in signal.args[0]
    assert (copied / "seg_00000.mcap").read_bytes() == (folder / "seg_00000.mcap").read_bytes()
    assert shares[-1] == 0.0

    with qtbot.waitSignal(model.refused) as signal:
        model.work.copy(model.view.entries[0], tmp_path / "disk")
    assert "there already" in signal.args[0].message


def test_one_piece_of_work_at_a_time_and_it_can_be_stopped(qtbot, loaded, tmp_path, monkeypatch):
    small.make_session(tmp_path / "a")
    model = loaded()
    entry = model.view.entries[0]

    def endless(path, progress):
        while progress(1, 2):
            pass
        raise Cancelled

    monkeypatch.setattr("app.viewmodels.session_work.verify", endless)
    model.work.verify(entry)
    with qtbot.waitSignal(model.refused) as signal:
        model.work.copy(entry, tmp_path / "disk")
    assert "under way" in signal.args[0].message
    with qtbot.waitSignal(model.notice_came) as signal:
        model.work.cancel()
    assert "Stopped" in signal.args[0]


@pytest.fixture
def mixed(tmp_path):
    """a is lossless and long, b lost frames, c has refined depth, d is damaged."""
    small.make_session(tmp_path / "a", frames=30)
    lost = {name: CameraTotals(device_frames=6, written=4, host_drop=2) for name in ("left", "right")}
    small.make_session(tmp_path / "b", totals=lost)
    writer = small.begin_session(tmp_path / "c", cameras=("left",))
    writer.write_refined(small.small_refined(small.small_frame("left", 2)))
    writer.close()
    (small.make_session(tmp_path / "d") / "session.json").write_text("{", encoding="utf-8")


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        (Kept.ALL, ["c", "b", "a", "d"]),
        (Kept.LOSSLESS, ["c", "a"]),
        (Kept.LOSSES, ["b"]),
        (Kept.REFINED, ["c"]),
        (Kept.TROUBLE, ["d"]),
    ],
)
def test_sessions_are_kept_by_what_happened_to_them(mixed, loaded, kept, left):
    model = loaded()
    model.keep(kept)
    assert names(model) == left
    assert model.view.total == 4


def test_sessions_are_put_in_order(mixed, loaded):
    model = loaded()
    model.keep(Kept.LOSSLESS)
    assert names(model) == ["c", "a"]
    model.arrange(Order.LARGEST)
    assert names(model) == ["a", "c"]
    model.arrange(Order.LONGEST)
    seconds = [entry.seconds for entry in model.view.entries]
    assert seconds == sorted(seconds, reverse=True)
    assert len(set(seconds)) == 2


def test_disk_use_counts_sessions_and_trash(qtbot, mixed, loaded, tmp_path):
    model = loaded()
    every = sum(file.stat().st_size for file in tmp_path.rglob("*/*") if file.is_file())
    thumbnails = sum(file.stat().st_size for file in tmp_path.rglob("thumbnail.jpg"))
    assert every - thumbnails <= model.view.bytes <= every
    model.delete(model.view.entries[0])
    qtbot.waitUntil(lambda: model.view.trash_bytes > 0)
    assert "in the trash" in disk_use_words(model.view)


def test_marks_are_named_by_their_moment_and_can_be_taken_away(loaded, tmp_path):
    writer = small.begin_session(tmp_path / "a")
    at_ns = writer.info.anchor.utc_from_monotonic(small.START_NS)
    writer.add_label(add_label("mark", "glass here", start_ns=at_ns + 2_000_000_000))
    writer.close()
    model = loaded()
    entry = model.view.entries[0]
    ((mark, words),) = marks(entry)
    seconds = (at_ns + 2_000_000_000 - entry.start_ns) // 1_000_000_000
    assert words == f"{seconds // 60:02}:{seconds % 60:02} glass here"
    model.relabel(entry, LabelEdit(without=(mark,)))
    assert marks(model.view.entries[0]) == []


def test_the_first_sessions_are_shown_while_others_are_read(qtbot, make, tmp_path, monkeypatch):
    monkeypatch.setattr("app.viewmodels.session_list.FIRST_LOOK", 2)
    for name in "abcd":
        small.make_session(tmp_path / name)
    model = make()
    listed = []
    model.list.listed.connect(lambda listing: listed.append([entry.name for entry in listing.entries]))
    gate = threading.Event()
    read = library.read_entry

    def slow(folder):
        assert folder.name > "b" or gate.wait(20)
        return read(folder)

    monkeypatch.setattr(library, "read_entry", slow)
    model.load()
    qtbot.waitUntil(lambda: listed == [["d", "c"]])
    gate.set()
    qtbot.waitUntil(lambda: listed[-1] == ["d", "c", "b", "a"])


def test_reading_again_takes_no_session_and_no_filter_away_meanwhile(qtbot, loaded, tmp_path, monkeypatch):
    monkeypatch.setattr("app.viewmodels.session_list.FIRST_LOOK", 1)
    small.make_session(tmp_path / "a", scene="office")
    small.make_session(tmp_path / "b", scene="home")
    model = loaded()
    model.choose_scene("office")
    seen = []
    model.view_changed.connect(lambda view: seen.append([entry.name for entry in view.entries]))
    model.load()
    qtbot.waitUntil(lambda: bool(seen) and not model.list.loading)
    assert all(names == ["a"] for names in seen)
