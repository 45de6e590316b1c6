import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainer import files

MAIN = Path(__file__).resolve().parents[2] / "main.py"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to another process")
@pytest.mark.timeout(180)
def test_ctrl_c_leaves_a_run_that_can_be_resumed(tmp_path):
    run = tmp_path / "run"
    command = [
        sys.executable,
        str(MAIN),
        "train",
        "--synthetic",
        "--batch",
        "1",
        "--steps",
        "100000",
        "--run",
        str(run),
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            event = json.loads(line)
            if event["event"] == "step":
                child.send_signal(signal.SIGINT)
                break
        rest = [json.loads(line) for line in child.stdout]
        errors = child.stderr.read()

    assert child.returncode == 0, errors
    assert errors == ""
    assert rest[-1]["event"] == "stopped"
    assert rest[-1]["step"] >= event["step"]
    assert list((run / files.CHECKPOINT).glob(f"step-*/{files.CHECKPOINT_FACTS}"))
    assert (run / files.WEIGHTS).is_file()
