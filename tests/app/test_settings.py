"""Settings: precedence, unreadable files, and nothing lost."""

from pathlib import Path

import pytest

from app import settings
from app.settings import Settings, SettingsError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_without_a_file_there_are_the_defaults(file: Path) -> None:
    assert settings.load(file) == Settings()


def test_the_environment_stands_above_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('source = "auto"\nmodel = "classical"\n', encoding="utf-8")
    monkeypatch.setenv("DEPTHMEND_MODEL", "off")
    loaded = settings.load(file)
    assert (loaded.source, loaded.model) == ("auto", "off")


def test_what_is_saved_is_loaded(file: Path, tmp_path: Path) -> None:
    chosen = Settings(source="auto", tokens=500, anchor=False, sessions=tmp_path / "sessions")
    settings.save(chosen, file)
    assert settings.load(file) == chosen


def test_saving_makes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"
    settings.save(Settings(), path)
    assert path.exists()


@pytest.mark.parametrize(
    "content",
    [b"source = ", b"\xff\xfe\x00", b"tokens = -1", b'device = "abacus"', b'colour = "red"'],
    ids=["no TOML", "no text", "out of range", "no choice", "unknown name"],
)
def test_a_file_that_cannot_be_used_says_what_to_do(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        settings.load(file)
    assert str(file) in str(caught.value)
    assert caught.value.hint


def test_a_file_set_aside_is_kept_whole_every_time(file: Path) -> None:
    kept = []
    for content in ("first", "second"):
        file.write_text(content, encoding="utf-8")
        kept.append(settings.set_aside(file))
    assert [path.read_text(encoding="utf-8") for path in kept] == ["first", "second"]
    assert not file.exists()


def test_an_environment_variable_that_cannot_be_used_is_named_and_the_file_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("DEPTHMEND_TOKENS", "many")
    with pytest.raises(settings.EnvironmentSettingError, match="DEPTHMEND_TOKENS=many") as refused:
        settings.load(tmp_path / "settings.toml")
    assert "settings.toml" not in str(refused.value)


def test_what_the_command_line_says_holds_for_one_run_only(file):
    settings.save(Settings(model="classical"), file)
    chosen = settings.load(file).overridden(model="off", sessions="/elsewhere")
    assert (chosen.model, chosen.sessions) == ("off", Path("/elsewhere"))
    chosen.near_m = 0.5
    settings.save(chosen, file)
    kept = settings.load(file)
    assert (kept.model, kept.sessions, kept.near_m) == ("classical", None, 0.5)


def test_what_is_changed_in_the_window_is_kept_even_where_a_flag_stood(file):
    chosen = Settings().overridden(model="off")
    chosen.model = "classical"
    settings.save(chosen, file)
    assert settings.load(file).model == "classical"
