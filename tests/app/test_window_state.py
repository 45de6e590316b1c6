from app.window_state import WindowState, load, save


def test_what_was_shown_comes_back(tmp_path):
    file = tmp_path / "deep" / "window.json"
    state = WindowState(page="Compare", layout="cloud", base="colour", shown="provenance", auto=True)
    save(state, file)
    assert load(file) == state
    assert [path.name for path in file.parent.iterdir()] == ["window.json"]


def test_the_first_time_and_after_damage_the_window_starts_as_new(tmp_path, caplog):
    file = tmp_path / "window.json"
    assert load(file) is None
    assert not caplog.records
    for damage in (b"", b"{", b'{"layout": "round"}', b"\xff"):
        file.write_bytes(damage)
        assert load(file) is None
        assert "starts as new" in caplog.records[-1].message
