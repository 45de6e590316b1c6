from drivers.calibration.coverage import is_new, moved_px, progress
from drivers.calibration.solve import View
from tests.drivers.calibration.rigs import BOARD, CAMERAS, views

NAMES = {"left": "Left camera", "right": "Right camera"}


def test_the_first_advice_names_the_camera_and_a_part_of_its_picture():
    begun = progress([], CAMERAS, BOARD, NAMES)
    assert not begun.ready
    assert "Left camera" in begun.advice
    assert begun.cell in {(1, 1), (2, 1)}


def test_boards_that_one_camera_saw_alone_do_not_count():
    alone = [View({"left": view.sightings["left"]}) for view in views() if "left" in view.sightings]
    assert progress(alone, CAMERAS, BOARD, NAMES).cameras["left"].shared == 0


def test_the_aim_is_never_a_part_that_is_covered():
    for count in range(len(views())):
        here = progress(views()[:count], CAMERAS, BOARD, NAMES)
        if here.cell is not None:
            assert here.cell not in here.cameras[here.camera].cells


def test_enough_boards_in_enough_places_are_ready():
    done = progress(views(), CAMERAS, BOARD, NAMES)
    assert done.ready
    assert done.cameras["left"].tilt_deg > 20


def test_flat_boards_are_answered_with_tilt():
    first = next(view for view in views() if len(view.sightings) == 2)
    flat = progress([first] * 8, CAMERAS, BOARD, NAMES)
    assert not flat.ready
    assert "another part" in flat.advice or "Tilt" in flat.advice


def test_a_board_that_stands_where_it_stood_is_not_new():
    both = [view for view in views() if len(view.sightings) == 2]
    assert not is_new(both[0].sightings, both, CAMERAS, BOARD)
    assert is_new(both[0].sightings, both[1:], CAMERAS, BOARD)
    assert moved_px(both[0].sightings["left"], both[0].sightings["left"]) == 0
