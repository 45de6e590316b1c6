"""A session in Rerun, a viewer that is not ours: colour and depth are seen as what they are.

The official MCAP reader and rosbags read every message in test_session_format.py.
"""

import os
import re
import subprocess
import sys

import pytest
from session_recordings import make_frame, record

pytest.importorskip("rerun", reason="rerun-sdk is not installed")

FRAMES = 8


@pytest.fixture(scope="module")
def rerun(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")  # it keeps a file there that says whether it may send statistics
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "NO_COLOR": "1"}

    def run(*argv):
        command = [sys.executable, "-m", "rerun", *map(str, argv)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def segment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rerun") / "s"
    frames = [make_frame(n, camera, ir=True) for n in range(FRAMES) for camera in ("left", "right")]
    record(folder, frames).close()
    return folder / "seg_00000.mcap"


def test_rerun_finds_no_fault_in_a_file(rerun, segment):
    lines = rerun("mcap", "check", segment).splitlines()
    states = {words[3]: words[0] for words in map(str.split, lines) if len(words) > 3 and words[3][0] == "/"}
    assert "/left/depth/preview" in states
    assert set(states.values()) == {"ok"}, states


def test_rerun_shows_colour_depth_lenses_and_positions(rerun, segment, tmp_path):
    rerun("mcap", "convert", segment, "-o", tmp_path / "session.rrd")
    printed = rerun("rrd", "print", tmp_path / "session.rrd")
    pattern = re.compile(r"with (\d+) rows .*? - (/\S+) - data columns: \[(.*)\]")
    seen = {
        (topic, column): int(rows)
        for rows, topic, columns in pattern.findall(printed)
        for column in columns.split()
    }

    for camera in ("left", "right"):
        assert seen[f"/{camera}/color/image_raw/compressed", "EncodedImage:blob"] == FRAMES
        assert seen[f"/{camera}/infra1/image_raw/compressed", "EncodedImage:blob"] == FRAMES
        # Full depth is as ROS has it, which Rerun 0.41 does not take for depth; the preview is for viewers.
        assert seen[f"/{camera}/depth/preview", "DepthImage:buffer"] == 2
        assert seen[f"/{camera}/depth/camera_info", "Pinhole:image_from_camera"] >= 1
    assert seen["/tf_static", "Transform3D:translation"] >= 4
