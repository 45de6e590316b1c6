import io

from app.console import Console


def test_a_minus_of_the_window_is_a_hyphen_on_a_terminal_whose_code_page_has_none(monkeypatch):
    told = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(told, encoding="cp1252", newline="\n"))

    Console(json_lines=False).say("placed", "Left: at x \u22122.0 mm")

    assert told.getvalue() == b"Left: at x -2.0 mm\n"
