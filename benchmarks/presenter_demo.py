"""A presenter's demonstration by touch alone: Live, 3D, Compare, theme, language; touches and seconds.

    xvfb-run -a -s "-screen 0 1280x800x24" env QT_QPA_PLATFORM=xcb python benchmarks/presenter_demo.py

Two minutes without the talk. Ends with 1 if a step does not do what it is for, a target is smaller than
48 px, or the program logs an error. The seconds hold the pauses of 0.15 s between touches (`--pause`) and
what the program takes, not what a person says meanwhile. `--out FOLDER` keeps a picture after each step.
"""

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QAbstractButton, QLabel, QSlider, QStyle, QStyleOptionSlider, QWidget

from app import language, paths
from app.language import tr
from app.settings import Settings, save
from app.ui import theme
from app.ui.compare_column import ComparePicture
from app.ui.compare_page import ComparePage
from app.ui.depth_view import DepthView
from app.ui.live_page import LivePage
from app.viewmodels.orbit import Orbit
from benchmarks.touch.hand import Hand, named, shown, spin, wait_for
from benchmarks.touch.tour import Tour, end, parser, profile, run

SENSORS = 3


def main() -> int:
    args = parser(__doc__ or "").parse_args()
    profile()
    settings = Settings(source="demo", model=args.model)
    save(settings)  # the guide belongs to the operator's session
    return run("Presenter: Live, 3D and Compare, by touch alone", present, args, settings=settings)


def present(tour: Tour) -> None:
    """What is shown to an audience in five minutes."""
    live = tour.window.page_widget("Live")
    assert isinstance(live, LivePage)
    with tour.step("Ready, three sensors refined"):
        wait_for(lambda: len(live.model.titles) == SENSORS, "three sensors")
        wait_for(lambda: all(tile.refined for tile in live.model.tiles), "refined depth", patience_s=120)
    present_live(tour, live)
    present_space(tour, live)
    tour.hand.tap("Compare", QAbstractButton)
    compare = tour.window.page_widget("Compare")
    assert isinstance(compare, ComparePage)
    present_compare(tour, compare)
    present_window(tour)


def present_live(tour: Tour, live: LivePage) -> None:
    """Pictures: wipe, large, depth under a finger, blend, hidden depth."""
    hand = tour.hand
    with tour.step("Live, wipe"):
        view = first(DepthView)
        hand.tap("Wipe", QAbstractButton)
        pane = view._two_layer_pane()
        assert pane is not None
        y = pane.rect.center().y()
        knob = QPoint(round(pane.rect.left() + pane.rect.width() * view.wipe), y)
        hand.drag(to_screen(view, knob), to_screen(view, QPoint(view.width() // 5, y)))
        wait_for(lambda: view.wipe < 0.35, "the line to follow the finger")
    with tour.step("Live, one sensor large and its depth under a finger"):
        hand.tap_widget(live._tiles.tiles[0].header)
        wait_for(lambda: live.model.options.focus is not None, "one sensor large")
        large = live._tiles.large
        assert large is not None
        spin(0.3)
        hand.tap_at(to_screen(large.view, middle(large.view) + QPoint(large.view.width() // 5, 0)))
        wait_for(lambda: large.view.readout is not None, "the depth where it was tapped")
    with tour.step("Live, blend"):
        hand.tap("Blend", QAbstractButton)
        wait_for(lambda: live.model.options.layout == "blend", "the blend")
    with tour.step("Live, mask-ratio slider"):
        hand.tap("Wipe", QAbstractButton)
        hand.tap("How the repair runs (T)", QAbstractButton)
        slide(hand, "Share of the depth that is hidden from the repair", 0.7)
        wait_for(lambda: live.model.options.hidden_share > 0.4, "depth to be hidden")
        spin(2)
    with tour.step("Live, show all depth again"):
        hand.tap("Show all depth", QAbstractButton)
        wait_for(lambda: live.model.options.hidden_share == 0, "all depth to be shown")
        hand.tap("Close the panel", QAbstractButton)


def present_space(tour: Tour, live: LivePage) -> None:
    """Clouds: orbit, pinch, twist, double tap, a view, a mesh."""
    hand = tour.hand
    with tour.step("3D, orbit"):
        hand.tap("3D", QAbstractButton)
        wait_for(
            lambda: live._cloud.body.canvas is not None and live._cloud.body.canvas.drawn > 3, "the clouds"
        )
        canvas = live._cloud.body.canvas
        assert canvas is not None
        view: QWidget = canvas.native
        heart = to_screen(view, QPoint(view.width() // 4, view.height() // 2))

        def moved(act: Callable[[], None], what: Callable[[Orbit, Orbit], bool], words: str) -> None:
            before = canvas.orbit
            act()
            wait_for(lambda: what(before, canvas.orbit), words)

        moved(
            lambda: hand.drag(heart, heart + QPoint(160, 40)),
            lambda old, new: abs(new.yaw_rad - old.yaw_rad) > 0.5,
            "the view to turn",
        )
    with tour.step("3D, pinch"):
        moved(
            lambda: hand.pinch(heart, 120, 260),
            lambda old, new: new.distance_m < old.distance_m * 0.7,
            "the view to come nearer",
        )
    with tour.step("3D, twist"):
        moved(
            lambda: hand.pinch(heart, 220, 220, turn_deg=35),
            lambda old, new: abs(new.roll_rad - old.roll_rad) > 0.4,
            "the view to twist",
        )
    with tour.step("3D, double tap for a new middle"):
        old = canvas.orbit
        for number in range(5):  # as a person does where a busy machine made one tap too slow for two
            hand.double_tap_at(heart + QPoint(-20, 30 + 20 * number))
            spin(0.5)
            if canvas.orbit.target != old.target:
                break
        assert canvas.orbit.target != old.target, "no new middle"
    with tour.step("3D, from above, and back"):
        hand.tap("Side, points, mesh, clip box, saving (V)", QAbstractButton)
        moved(
            lambda: hand.tap("Top", QAbstractButton),
            lambda _old, new: new.pitch_rad > 1.5,
            "the view from above",
        )
        hand.tap("Reset view", QAbstractButton)
        hand.tap("Close the panel", QAbstractButton)


def present_compare(tour: Tour, compare: ComparePage) -> None:
    """Sensors beside each other, with figures and a report."""
    hand, model = tour.hand, compare.model
    with tour.step("Compare, three sensors with figures"):
        wait_for(lambda: len(model.sensors) == SENSORS, "three sensors")
        wait_for(lambda: all(model.quality(s.camera_id) for s in model.sensors), "figures", patience_s=60)
    with tour.step("Compare, tap the plane to measure on"):
        picture = first(ComparePicture)
        spot = to_screen(picture, QPoint(picture.width() // 2, picture.height() * 3 // 4))
        hand.tap_at(spot)
        wait_for(lambda: any(model.wish(s.camera_id).region for s in model.sensors), "the chosen plane")
    with tour.step("Compare, hold to see raw"):
        place = hand.place_of(hand.seen("Hold to see raw", QAbstractButton))
        seen: list[tuple[str, ...]] = []
        hand.hold(place, 1.0, lambda: seen.append(compare.area.columns[0].picture.shown))
        assert seen == [("raw",)], seen
        assert compare.area.columns[0].picture.shown == ("refined",)
    with tour.step("Compare, raw and refined at once"):
        hand.tap("Raw and refined", QAbstractButton)
        wait_for(lambda: compare.area.columns[0].picture.shown == ("raw", "refined"), "both")
    with tour.step("Compare, a harder scene"):
        slide(hand, "Scene difficulty", 0.9)
        wait_for(lambda: model.simulation is not None and model.simulation.difficulty > 0.7, "a harder scene")
        spin(3)
    with tour.step("Compare, 3D in one space, two sensors"):
        assert model.simulation is not None
        assert model.simulation.still, "simulated cameras move while they are measured"
        assert len(model.places) == SENSORS, "it is not known where the sensors stand"
        hand.tap("3D", QAbstractButton)
        wait_for(lambda: compare.space.panel.active, "the space")
        hand.tap(model.sensors[2].name, QAbstractButton)
        wait_for(lambda: len(compare.space.chosen) == 2, "two sensors in the space")
        body = compare.space.panel.body
        wait_for(lambda: body.canvas is not None and body.canvas.drawn > 3, "their clouds")
        assert body.canvas is not None
        before = body.canvas.orbit
        centre = to_screen(body, QPoint(body.width() // 4, body.height() // 2))
        hand.drag(centre, centre + QPoint(140, 20))
        assert body.canvas.orbit != before, "a drag does not turn the space"
        spin(1)
    with tour.step("Compare, report by one touch"):
        hand.tap("Refined", QAbstractButton)
        hand.tap("Report", QAbstractButton)
        wait_for(lambda: any(named("Report saved: ", QLabel, starts=True)), "the report", patience_s=90)
        pages, prints = (sorted(paths.data_folder().rglob(f"*.{kind}")) for kind in ("html", "pdf"))
        assert len(pages) == len(prints) == 1, (pages, prints)
        text = pages[0].read_text()
        assert all(sensor.name in text for sensor in model.sensors), "a sensor is missing in the report"
        assert "Fill" in text
        assert prints[0].read_bytes().startswith(b"%PDF")


def present_window(tour: Tour) -> None:
    """Another theme for the hall, another language for the audience."""
    hand, window = tour.hand, tour.window
    with tour.step("Another theme"):
        before = theme.current().name
        hand.tap("Dark, light or outdoor (Ctrl+Shift+T)", QAbstractButton)
        wait_for(lambda: theme.current().name != before, "another theme")
    with tour.step("Another language, Chinese"):
        hand.tap("Settings", QAbstractButton)
        hand.tap("中文", QAbstractButton)
        wait_for(lambda: language.current() == "zh_CN", "Chinese")
        hand.tap(str(tr("Compare")), QAbstractButton)
        wait_for(lambda: window.page == "Compare", "the page by its Chinese name")
        spin(1)
    with tour.step("English again"):
        hand.tap(str(tr("Settings")), QAbstractButton)
        hand.tap("English", QAbstractButton)
        wait_for(lambda: language.current() == "en", "English")
        hand.tap("Live", QAbstractButton)


def slide(hand: Hand, name: str, share: float) -> None:
    """Take a slider's handle and lead it."""
    slider = hand.seen(name, QSlider)
    assert isinstance(slider, QSlider)
    hand.place_of(slider)
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    handle = slider.style().subControlRect(
        QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, slider
    )
    goal = QPoint(round(handle.width() / 2 + share * (slider.width() - handle.width())), handle.center().y())
    hand.drag(slider.mapToGlobal(handle.center()), slider.mapToGlobal(goal), steps=20)


def first(kind: type[QWidget]) -> QWidget:
    """The leftmost of its kind on the screen."""
    found = shown(kind)
    assert found, kind.__name__
    return min(found, key=lambda widget: widget.mapToGlobal(QPoint(0, 0)).x())


def middle(view: QWidget) -> QPoint:
    """The middle of a picture."""
    return view.rect().center()


def to_screen(widget: QWidget, place: QPoint) -> QPoint:
    return widget.mapToGlobal(place)


if __name__ == "__main__":
    end(main())
