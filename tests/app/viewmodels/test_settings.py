from pathlib import Path

import pytest

from app import settings as stored
from app.settings import Settings
from app.viewmodels.settings import FieldKind, SettingsViewModel, about, form


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("DEPTHMEND_DATA", str(tmp_path / "data"))
    return tmp_path / "settings.toml"


def test_every_setting_of_the_schema_is_on_the_form_once():
    names = [field.name for section in form(Settings()) for field in section.fields]

    assert sorted(names) == sorted(Settings.model_fields)


def test_the_kind_of_each_control_follows_from_the_schema():
    kinds = {field.name: field.kind for section in form(Settings()) for field in section.fields}

    assert kinds["theme"] is FieldKind.CHOICE
    assert kinds["anchor"] is FieldKind.SWITCH
    assert kinds["tokens"] is FieldKind.INTEGER
    assert kinds["near_m"] is FieldKind.NUMBER
    assert kinds["site"] is FieldKind.TEXT
    assert kinds["sessions"] is FieldKind.FOLDER


def test_limits_and_choices_are_those_of_the_schema():
    fields = {field.name: field for section in form(Settings()) for field in section.fields}

    assert (fields["tokens"].minimum, fields["tokens"].maximum) == (0, 10_000)
    assert fields["theme"].choices == ("dark", "light", "outdoor")


def test_a_change_is_in_the_file_at_once(qtbot, file):
    model = SettingsViewModel(Settings(), file)

    with qtbot.waitSignal(model.changed) as signal:
        assert model.change("site", "Hall 3")

    assert signal.args == ["site"]
    assert stored.load(file).site == "Hall 3"


def test_a_value_that_the_schema_refuses_changes_nothing(qtbot, file):
    model = SettingsViewModel(Settings(), file)

    with qtbot.waitSignal(model.problem_changed) as signal:
        assert not model.change("tokens", 20_000)

    assert signal.args[0].name == "tokens"
    assert "10000" in signal.args[0].message
    assert model.settings.tokens == 0
    assert not file.exists()


def test_the_colour_range_cannot_be_turned_round(qtbot, file):
    model = SettingsViewModel(Settings(near_m=0.3, far_m=4.0), file)

    with qtbot.waitSignal(model.problem_changed) as signal:
        assert not model.change("near_m", 4.0)

    assert "4 m" in signal.args[0].message


def test_a_disk_that_refuses_leaves_the_setting_as_it_was(qtbot, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    model = SettingsViewModel(Settings(), tmp_path / "file" / "settings.toml")

    with qtbot.waitSignal(model.problem_changed) as signal:
        assert not model.change("site", "Hall 3")

    assert "cannot be saved" in signal.args[0].message
    assert model.settings.site == ""


def test_a_folder_that_cannot_be_made_is_refused(qtbot, file, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    model = SettingsViewModel(Settings(), file)

    with qtbot.waitSignal(model.problem_changed) as signal:
        assert not model.change("sessions", tmp_path / "file" / "below")
    assert f"{tmp_path / 'file' / 'below'} cannot be made" in signal.args[0].message

    with qtbot.waitSignal(model.problem_changed) as signal:
        assert not model.change("sessions", Path("here"))
    assert "whole path" in signal.args[0].message


def test_the_usual_folder_is_had_back_by_clearing_the_field(file, tmp_path):
    model = SettingsViewModel(Settings(), file)

    assert model.change("sessions", tmp_path / "elsewhere")
    assert model.change("sessions", None)

    assert stored.load(file).sessions is None


def test_the_foot_names_the_folders_in_use(file, tmp_path):
    foot = about(Settings(sessions=tmp_path / "s"))

    assert dict(foot.folders)["Sessions"] == tmp_path / "s"
    assert foot.licence == "Apache-2.0"
