from dataclasses import replace

import pytest

from drivers.controls import (
    QUALITY,
    RATE,
    Control,
    ControlKind,
    Role,
    decided_now,
    find,
    in_order,
    values_of,
)
from drivers.errors import ModeUnsupported

EXPOSURE = Control(
    "depth.exposure", "Exposure", "Depth", ControlKind.NUMBER, 8500.0, default=8500.0,
    minimum=1.0, maximum=165000.0, step=10.0, unit="μs", role=Role.EXPOSURE,
)  # fmt: skip
AUTO = Control(
    "depth.auto_exposure", "Auto exposure", "Depth", ControlKind.SWITCH, True, role=Role.AUTO_EXPOSURE
)
LASER = Control(
    "depth.laser_power", "Laser power", "Depth", ControlKind.NUMBER, 150.0, default=150.0,
    maximum=360.0, step=30.0, unit="mW", role=Role.LASER_POWER,
)  # fmt: skip
MODE = Control(
    "depth.preset", "Preset", "Depth", ControlKind.CHOICE, "Default", role=Role.PRESET,
    choices=("Custom", "Default", "High Accuracy"),
)  # fmt: skip
FREQUENCY = Control(
    "stream.rate", "Rate", "Stream", ControlKind.CHOICE, "30 Hz", role=Role.RATE,
    choices=("6 Hz", "15 Hz", "30 Hz", "60 Hz"),
)  # fmt: skip
SIZE = Control(
    "stream.size", "Size", "Stream", ControlKind.CHOICE, "640 x 480", role=Role.SIZE,
    choices=("640 x 480", "848 x 480", "1280 x 720"),
)  # fmt: skip
HEAT = Control("depth.heat", "Temperature", "Depth", ControlKind.NUMBER, 33.5, unit="°C", read_only=True)
ALL = (EXPOSURE, AUTO, LASER, MODE, FREQUENCY, SIZE, HEAT)


def test_a_number_is_brought_to_the_step_that_the_device_has():
    assert EXPOSURE.checked(104.0) == 101.0
    assert EXPOSURE.checked(165000.0) == 165000.0
    assert LASER.checked(44) == 30.0


def test_a_number_never_leaves_the_range():
    for value in (-1.0, 165001.0, float("nan"), float("inf"), True, "much"):
        with pytest.raises(ModeUnsupported) as caught:
            EXPOSURE.checked(value)
        assert "1 to 165000 μs" in caught.value.hint


def test_a_choice_takes_its_own_words_only():
    assert MODE.checked("High Accuracy") == "High Accuracy"
    with pytest.raises(ModeUnsupported) as caught:
        MODE.checked("Best")
    assert "High Accuracy" in caught.value.hint


def test_a_switch_takes_no_number():
    assert AUTO.checked(False) is False
    with pytest.raises(ModeUnsupported):
        AUTO.checked(1.0)


def test_what_can_only_be_read_is_not_set():
    with pytest.raises(ModeUnsupported, match="only be read"):
        HEAT.checked(20.0)


def test_an_unknown_name_is_refused():
    with pytest.raises(ModeUnsupported, match=r"depth\.nonsense"):
        find(ALL, "depth.nonsense")


def test_what_moves_or_forbids_others_is_set_first():
    values = {"unknown": 1.0, "depth.exposure": 1.0, "depth.auto_exposure": False, "depth.preset": "Default"}

    order = [name for name, _ in in_order(values, ALL)]

    assert order == ["depth.preset", "depth.auto_exposure", "depth.exposure", "unknown"]


def test_the_best_quality_is_large_and_sure_at_thirty_hertz():
    assert QUALITY.values(ALL) == {
        "depth.auto_exposure": True,
        "depth.laser_power": 360.0,
        "depth.preset": "High Accuracy",
        "stream.rate": "30 Hz",
        "stream.size": "1280 x 720",
    }


def test_the_highest_rate_is_the_highest_that_the_device_has():
    assert RATE.values(ALL) == {
        "depth.auto_exposure": True,
        "depth.laser_power": 150.0,
        "depth.preset": "Default",
        "stream.rate": "60 Hz",
    }


def test_a_recording_keeps_every_value():
    assert values_of(ALL)["depth.heat"] == 33.5
    assert len(values_of(ALL)) == len(ALL)


def test_what_an_automatic_decides_is_known_while_it_is_on():
    assert decided_now(ALL) == {"depth.exposure"}
    assert decided_now((EXPOSURE, replace(AUTO, value=False))) == set()


def test_what_an_automatic_decides_is_left_to_it():
    assert in_order({"depth.exposure": 5.0, "depth.auto_exposure": True}, ALL) == [
        ("depth.auto_exposure", True)
    ]
    assert len(in_order({"depth.exposure": 5.0, "depth.auto_exposure": False}, ALL)) == 2
