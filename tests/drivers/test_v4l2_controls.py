import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fake_v4l2 import FakeControls

from drivers import v4l2_controls
from drivers.controls import QUALITY, ControlKind, Role, find, in_order
from drivers.errors import CameraError, CameraLost, CameraNotFound, ModeUnsupported
from drivers.v4l2 import linux
from drivers.v4l2_controls import COLOR, ControlQuery, ControlValue, MenuQuery, controls, set_control

NODE = "/dev/video0"
HEADER = Path("/usr/include/linux/videodev2.h")
PROGRAM = r"""
#include <stdio.h>
#include <stddef.h>
#include <linux/videodev2.h>
#define SAY(x) printf("%lu\n", (unsigned long)(x));
int main(void) {
    SAY(sizeof(struct v4l2_queryctrl)) SAY(sizeof(struct v4l2_querymenu)) SAY(sizeof(struct v4l2_control))
    SAY(offsetof(struct v4l2_queryctrl, minimum)) SAY(offsetof(struct v4l2_queryctrl, flags))
    SAY(offsetof(struct v4l2_querymenu, name)) SAY(offsetof(struct v4l2_querymenu, reserved))
    SAY(VIDIOC_QUERYCTRL) SAY(VIDIOC_QUERYMENU) SAY(VIDIOC_G_CTRL) SAY(VIDIOC_S_CTRL)
    SAY(V4L2_CTRL_TYPE_INTEGER) SAY(V4L2_CTRL_TYPE_BOOLEAN) SAY(V4L2_CTRL_TYPE_MENU)
    SAY(V4L2_CTRL_TYPE_INTEGER_MENU) SAY(V4L2_CTRL_FLAG_DISABLED) SAY(V4L2_CTRL_FLAG_GRABBED)
    SAY(V4L2_CTRL_FLAG_READ_ONLY) SAY(V4L2_CTRL_FLAG_WRITE_ONLY) SAY(V4L2_CTRL_FLAG_NEXT_CTRL)
    SAY(V4L2_CID_AUTO_WHITE_BALANCE) SAY(V4L2_CID_AUTOGAIN) SAY(V4L2_CID_GAIN)
    SAY(V4L2_CID_POWER_LINE_FREQUENCY) SAY(V4L2_CID_WHITE_BALANCE_TEMPERATURE) SAY(V4L2_CID_EXPOSURE)
    SAY(V4L2_CID_EXPOSURE_AUTO) SAY(V4L2_CID_EXPOSURE_ABSOLUTE) SAY(V4L2_CID_EXPOSURE_AUTO_PRIORITY)
    SAY(V4L2_EXPOSURE_APERTURE_PRIORITY) SAY(V4L2_EXPOSURE_AUTO)
    SAY(V4L2_EXPOSURE_MANUAL) SAY(V4L2_EXPOSURE_SHUTTER_PRIORITY)
    return 0;
}
"""


def ours():
    here = v4l2_controls
    return [
        ctypes.sizeof(ControlQuery), ctypes.sizeof(MenuQuery), ctypes.sizeof(ControlValue),
        ControlQuery.minimum.offset, ControlQuery.flags.offset,
        MenuQuery.word.offset, MenuQuery.reserved.offset,
        here.QUERY, here.QUERY_MENU, here.GET, here.SET,
        here.NUMBER, here.SWITCH, here.MENU, here.NUMBER_MENU,
        here.DISABLED, here.GRABBED, here.READ_ONLY, here.WRITE_ONLY, here.NEXT,
        here.AUTO_WHITE_BALANCE, here.AUTO_GAIN, here.GAIN, here.POWER_LINE, here.WHITE_BALANCE,
        here.OLD_EXPOSURE, here.AUTO_EXPOSURE, here.EXPOSURE, here.RATE_MAY_FALL,
        *here.BY_ITSELF, *here.BY_HAND,
    ]  # fmt: skip


def test_structures_and_numbers_are_those_of_the_kernels_header():
    assert ours()[:11] == [68, 44, 8, 40, 56, 8, 40, 0xC0445624, 0xC02C5625, 0xC008561B, 0xC008561C]


def test_a_c_program_over_the_header_says_the_same(tmp_path):
    if shutil.which("gcc") is None or not HEADER.exists():
        pytest.skip("no C compiler, or no header of the kernel's")
    (tmp_path / "say.c").write_text(PROGRAM)
    subprocess.run(["gcc", "say.c", "-o", "say"], cwd=tmp_path, check=True, timeout=60)

    said = subprocess.run([tmp_path / "say"], capture_output=True, text=True, check=True, timeout=10).stdout

    assert ours() == [int(line) for line in said.split()]


@pytest.fixture
def camera():
    made = FakeControls()
    yield made
    assert made.opened == 0


def test_controls_are_what_the_driver_lists(camera):
    here = {control.name: control for control in controls(camera.kernel, NODE, COLOR)}

    assert set(here) == {
        "color.brightness", "color.auto_white_balance", "color.gain", "color.power_line_frequency",
        "color.white_balance", "color.sharpness", "color.auto_exposure", "color.exposure", "color.keep_rate",
        "color.link_rate",
    }  # fmt: skip
    exposure = here["color.exposure"]
    assert (exposure.minimum, exposure.maximum, exposure.step, exposure.value) == (3, 2047, 1, 250)
    assert (exposure.unit, exposure.default, exposure.role) == ("x 100 μs", 250, Role.EXPOSURE)
    power = here["color.power_line_frequency"]
    assert (power.choices, power.value, power.role) == (
        ("Disabled", "50 Hz", "60 Hz"),
        "60 Hz",
        Role.POWER_LINE,
    )
    assert here["color.auto_exposure"].kind is ControlKind.SWITCH
    assert here["color.auto_exposure"].value is True
    assert here["color.keep_rate"].value is True  # the driver may not let the rate fall
    assert here["color.sharpness"].read_only
    assert here["color.link_rate"].value == "200"


def test_the_power_line_is_chosen_by_its_word(camera):
    set_control(camera.kernel, NODE, COLOR, "color.power_line_frequency", "50 Hz")

    assert camera.values[v4l2_controls.POWER_LINE] == 1


@pytest.mark.parametrize(
    ("name", "value", "number", "automatic"),
    [
        ("color.exposure", 100.0, 0x9A0902, ("color.auto_exposure", 0x9A0901, 1)),
        (
            "color.white_balance",
            5004.0,
            v4l2_controls.WHITE_BALANCE,
            ("color.auto_white_balance", 0x98090C, 0),
        ),
    ],
)
def test_setting_a_value_ends_its_automatic_and_takes_the_nearest_step(
    camera, name, value, number, automatic
):
    set_control(camera.kernel, NODE, COLOR, name, value)

    assert camera.values[number] == value // 10 * 10
    switch, its_number, off = automatic
    assert camera.values[its_number] == off
    set_control(camera.kernel, NODE, COLOR, switch, True)
    assert find(controls(camera.kernel, NODE, COLOR), switch).value is True


def test_the_rate_may_fall_when_it_shall_not_be_kept(camera):
    set_control(camera.kernel, NODE, COLOR, "color.keep_rate", False)

    assert camera.values[v4l2_controls.RATE_MAY_FALL] == 1


def test_everything_is_restored_as_it_was(camera):
    set_control(camera.kernel, NODE, COLOR, "color.exposure", 77.0)
    wanted = {c.name: c.value for c in controls(camera.kernel, NODE, COLOR) if not c.read_only}
    before = dict(camera.values)
    other = FakeControls()
    for name, value in in_order(wanted, controls(other.kernel, NODE, COLOR)):
        set_control(other.kernel, NODE, COLOR, name, value)

    assert other.values == before


def test_our_presets_switch_the_automatics_on(camera):
    wanted = QUALITY.values(controls(camera.kernel, NODE, COLOR))

    assert wanted == {
        "color.auto_exposure": True,
        "color.auto_white_balance": True,
        "color.keep_rate": True,
    }


def test_what_the_driver_does_not_tell_is_left_out(camera):
    camera.silent = {v4l2_controls.GAIN}

    assert "color.gain" not in {control.name for control in controls(camera.kernel, NODE, COLOR)}


def test_what_cannot_be_is_said(camera):
    with pytest.raises(ModeUnsupported, match="no control"):
        set_control(camera.kernel, NODE, COLOR, "color.zoom", 1.0)
    with pytest.raises(ModeUnsupported, match="only be read"):
        set_control(camera.kernel, NODE, COLOR, "color.sharpness", 1.0)
    with pytest.raises(ModeUnsupported, match="55 Hz"):
        set_control(camera.kernel, NODE, COLOR, "color.power_line_frequency", "55 Hz")


def test_a_refusal_and_an_unplugged_camera_are_told_apart(camera):
    camera.chosen_by = {v4l2_controls.GAIN: (0x980918, 2)}
    with pytest.raises(CameraError, match="Permission denied"):
        set_control(camera.kernel, NODE, COLOR, "color.gain", 9.0)
    camera.gone = True
    with pytest.raises(CameraLost, match="unplugged"):
        controls(camera.kernel, NODE, COLOR)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="video nodes are Linux's")
def test_the_real_kernel_is_asked_and_a_file_has_no_controls(tmp_path):
    with pytest.raises(CameraNotFound):
        controls(linux(), str(tmp_path / "video9"), COLOR)
    (tmp_path / "file").touch()

    assert controls(linux(), str(tmp_path / "file"), COLOR) == ()
