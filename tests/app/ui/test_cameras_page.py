import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel

from app.ui.cameras_page import CamerasPage
from app.ui.folder_dialog import FolderDialog
from app.viewmodels.cameras import CamerasModel
from app.viewmodels.controls import ControlsModel
from drivers.devices import Device
from drivers.registry import open_source
from drivers.sdk import Sdk
from drivers.usb import UsbCamera
from tests.app.ui import pages

GOOD = Device("acme:7", "Acme", "A1", "7", "1.2", "USB 3.2", "2-1")
SLOW = Device("acme:8", "Acme", "A1", "8", link="USB 2.1", problem="It is slow", hint="Use USB 3.")
BAD = Device("", "Acme", "A2", problem="This user may not open it.", hint="Install the udev rules.")
MISSING = Sdk("acme", "Acme", "no_such_module_acme", ("no-such-acme",), (1,), "pip install acme")


@pytest.fixture
def make(qtbot, themed, tmp_path):
    made = []

    def build(*devices, size=pages.SIZES[0], bus=()):
        context, asked = pages.context_for(tmp_path)
        model = CamerasModel(
            context.studio, lambda: list(devices), (MISSING,), lambda: list(bus), rigs=tmp_path / "rigs"
        )
        page = CamerasPage(model, ControlsModel(context.studio), context)
        qtbot.addWidget(page)
        page.resize(*size)
        page.show()
        page.shown()
        made.append(page)
        qtbot.waitUntil(lambda: model.view.searched and not model.view.searching)
        return page, asked

    yield build
    for page in made:
        pages.discard(page)


def words(widget):
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def button(page, name):
    return next(b for b in page.findChildren(QAbstractButton) if name in (b.accessibleName() or b.text()))


def test_without_a_camera_it_says_what_to_do(make):
    page, _ = make()

    assert "No depth camera is plugged in" in words(page.found)
    assert not page.open_all.isEnabled()
    assert page.rigs.empty.text() == "Open cameras first; then a rig can be saved."


def test_a_camera_can_be_opened_and_stays_the_source(make):
    page, asked = make(GOOD)

    button(page, "Open Acme A1").click()

    assert asked.sources == ["acme:7"]
    assert asked.pages == ["Live"]
    assert page._context.settings.source == "acme:7"
    assert asked.saved == 1


def test_all_cameras_can_be_opened_at_once(make):
    page, asked = make(GOOD, SLOW)

    page.open_all.click()

    assert asked.sources == ["auto"]


def test_a_camera_that_cannot_be_opened_says_why_and_has_no_button(make):
    page, _ = make(BAD)

    assert "This user may not open it. Install the udev rules." in words(page.found)
    assert not page.found.findChildren(QAbstractButton)


def test_a_slow_link_is_said_and_the_camera_opens_all_the_same(make):
    page, _ = make(SLOW)

    assert "It is slow. Use USB 3." in words(page.found)
    assert button(page, "Open Acme A1").isEnabled()


def test_a_missing_library_gives_its_command_to_the_clipboard(make):
    page, asked = make()
    assert "Run: pip install acme" in words(page.libraries)

    button(page, "Copy the command for Acme").click()

    assert QGuiApplication.clipboard().text() == "pip install acme"
    assert asked.notices[0].level == "info"


def test_a_recording_is_opened_without_becoming_the_source(qtbot, make, tmp_path):
    page, asked = make()
    (tmp_path / "drive.db3").touch()
    (tmp_path / "notes.txt").touch()
    page.open_recording.click()
    (dialog,) = page.findChildren(FolderDialog)
    dialog._go_to(tmp_path)
    assert [dialog.rows.item(i).text() for i in range(dialog.rows.count())] == ["drive.db3"]
    assert not dialog.choose.isVisible()
    dialog.rows.itemClicked.emit(dialog.rows.item(0))

    qtbot.waitUntil(lambda: bool(asked.sources))
    assert asked.sources == [str(tmp_path / "drive.db3")]
    assert page._context.settings.source == "demo"


def test_a_file_to_save_is_named_by_touch_and_nothing_is_replaced_unasked(make, tmp_path, monkeypatch):
    page, _ = make()
    saved = []
    monkeypatch.setattr(page._controls, "save_to", saved.append)
    (tmp_path / "camera.json").touch()
    page.adjusting.save.click()
    (dialog,) = page.findChildren(FolderDialog)
    dialog._go_to(tmp_path)
    dialog.choose.click()
    assert not saved
    assert "press again to replace" in dialog._note.text()
    dialog.name.edit.setText("stage")
    dialog.choose.click()
    assert saved == [tmp_path / "stage.json"]


@pytest.mark.parametrize("size", pages.SIZES)
def test_everything_is_fit_for_fingers(make, size):
    page, _ = make(GOOD, SLOW, BAD, size=size)

    pages.assert_fit_for_fingers(page)


def test_a_running_camera_can_be_adjusted_beside_the_list(qtbot, make, make_camera):
    page, _ = make(GOOD)
    page._context.studio.open([make_camera("left")])
    qtbot.waitUntil(lambda: bool(page._rows))
    adjust = button(page, "Adjust")
    adjust.click()
    assert page.panel.isVisible()
    assert page.adjusting._shown.camera_id == "left"
    assert adjust.isChecked()
    qtbot.wait(600)
    assert button(page, "Adjust") is adjust  # it may be under a finger while the figures change

    for put_away in (page.panel.closed.emit, adjust.click):
        put_away()
        assert not page.panel.isVisible()
        assert not adjust.isChecked()
        adjust.click()
        assert page.panel.isVisible()
        assert adjust.isChecked()
    page._context.studio.close()


HUB = (("2-1", 5000.0),)
BUS = [UsbCamera("acme", "A1", "7", 5000, f"2-1.{n}", True, "0000:00:14.0", 10_000, HUB) for n in range(8)]


def test_what_the_cameras_ask_of_usb_is_shown(make):
    page, _ = make(GOOD, bus=BUS)

    text = words(page.links)
    assert "Bus usb2, 0000:00:14.0" in text
    assert "10 Gbit/s, 442 MB/s asked for, 700 MB/s possible, 8 cameras" in text
    assert "USB port 2-1" in text
    assert "more than it carries. Plug one of the cameras into another controller" in text


def test_the_rig_in_use_is_saved_and_opened_by_touch(make, make_camera, qtbot, tmp_path):
    page, asked = make()
    assert not page.save_rig.isEnabled()
    page._context.studio.open(open_source("demo:stereo_passive"))
    qtbot.waitUntil(page.save_rig.isEnabled)

    page.save_rig.click()

    (path,) = (tmp_path / "rigs").glob("*.toml")
    assert asked.notices[0].level == "info"
    assert "1 camera" in words(page.rigs)
    button(page.rigs, "Open 1 camera").click()
    assert asked.sources == [str(path)]
    assert page._context.settings.source == str(path)
    page._context.studio.close()


def test_a_rig_file_with_a_mistake_says_where(make, tmp_path):
    (tmp_path / "rigs").mkdir()
    (tmp_path / "rigs" / "bad.toml").write_text("[[camera]]\nsource = 3\n", encoding="utf-8")
    page, _ = make()

    assert "line 2, camera.1.source" in words(page.rigs)
    assert not page.rigs.findChildren(QAbstractButton)


def test_a_folder_that_cannot_be_written_is_said(make, tmp_path, make_camera, qtbot):
    (tmp_path / "rigs").write_text("a file")
    page, asked = make()
    page._context.studio.open([make_camera()])
    qtbot.waitUntil(page.save_rig.isEnabled)

    page.save_rig.click()

    assert asked.notices[0].level == "error"
    page._context.studio.close()
