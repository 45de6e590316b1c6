"""What the Train page says of time and memory before a run, whatever becomes of the process that measures."""

import json
import sys
import threading
import time

import pytest

from app.training import estimate


def test_a_measurement_becomes_a_sentence_with_its_units():
    line = json.dumps(
        {"event": "estimate", "total_s": 7200.0, "step_s": 0.5, "memory_mb": 3072.0, "device": "cpu"}
    )
    assert estimate.sentence(["noise", line]) == (
        "About 2.0 h (0.5 s for each step) and 3.0 GB of memory on cpu, measured with two steps."
    )


def test_what_the_trainer_says_of_a_failure_is_passed_on():
    line = json.dumps({"event": "failed", "message": "No data.", "hint": "Choose a session."})
    assert estimate.sentence([line]) == "No data. Choose a session."


@pytest.mark.parametrize("lines", [[], ["Killed"], ['{"event": "step"}']])
def test_an_end_without_an_answer_says_where_the_last_words_are(lines):
    said = estimate.sentence(lines)
    assert said.startswith("The trainer ended without telling how long it would take.")
    assert ".log" in said


def test_a_program_that_cannot_be_started_gives_no_lines_and_a_warning(tmp_path, caplog):
    assert estimate.answer([str(tmp_path / "missing")], threading.Event()) == (1, [])
    assert "could not be started" in caplog.text


def test_the_lines_and_the_status_of_a_program_come_back():
    code = "import sys; print('one'); print('two'); print('why', file=sys.stderr); sys.exit(3)"
    assert estimate.answer([sys.executable, "-c", code], threading.Event()) == (3, ["one", "two"])


def test_stopping_ends_the_program_at_once():
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began_s = time.monotonic()
    status, lines = estimate.answer([sys.executable, "-c", "import time; time.sleep(60)"], stop)
    assert time.monotonic() - began_s < 20
    assert status != 0
    assert lines == []
