"""The 3D view with its choices."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.language import tr, tr_noop
from app.ui import theme
from app.ui.cloud_options import CloudOptions
from app.ui.cloud_view import CloudView
from app.ui.flow_layout import FlowLayout
from app.ui.rebinding import keyed
from app.ui.widgets import Button, IconButton, Option, RoomyButton, Segmented
from app.viewmodels.cloud import (
    Cloud,
    CloudColouring,
    CloudLayout,
    RigClouds,
    missing_words,
    raw_cloud,
    refined_cloud,
    rig_clouds,
)
from app.viewmodels.cloud_look import CloudLook, box_around
from app.viewmodels.cloud_picking import Span
from app.viewmodels.live import LiveOptions, TileView

LAYOUTS = (
    Option("both", tr_noop("Both"), hint=tr_noop("Raw and refined side by side")),
    Option("overlay", tr_noop("Overlay"), hint=tr_noop("Raw and refined over each other")),
    Option("raw", tr_noop("Raw")),
    Option("refined", tr_noop("Refined")),
)
COLOURINGS = (
    Option("colour", tr_noop("Colour")),
    Option("depth", tr_noop("Depth")),
    Option("provenance", tr_noop("Provenance")),
)


class CloudPanel(QObject):
    """Owns three widgets that the page places: `bar` with the choices, `body` with the view, and `options`.

    Args:
        opener_key: the usual key of the page that opens `options`.
        place: the page, one of `rebinding.PLACES`.

    Signals:
        colouring_changed: after another colouring or arrangement was chosen.
        measuring_changed: whether taps measure.
    """

    colouring_changed = Signal()
    measuring_changed = Signal(bool)

    def __init__(self, opener_key: str, place: str) -> None:
        super().__init__()
        self.body = CloudView()
        self.bar = QWidget()
        self.active = False
        self._options = LiveOptions()
        self._layouts = Segmented(LAYOUTS, tr("Which clouds"))
        self._colourings = Segmented(COLOURINGS, tr("Colour of the points"))
        self._all = IconButton(
            "camera-burst", tr("All cameras of the calibrated rig in one space"), checkable=True
        )
        self._all.setChecked(True)
        self._all.hide()
        self._rig: tuple[list[TileView], Mapping[str, NDArray[np.float64]], Mapping[str, str]] = ([], {}, {})
        self._large = ""
        self._held = False
        self.options = CloudOptions()
        opens = tr("Side, points, mesh, clip box, saving ({key})").format(key=opener_key)
        self.opener = RoomyButton("rotate-orbit", keyed(opens, place), tr("View"), checkable=True)
        self._reset = Button(tr("Reset view"), icon_name="restore")
        row = FlowLayout(self.bar, gap_px=theme.GAP_PX)
        for widget in (self._layouts, self._colourings, self._all, self._reset, self.opener):
            row.addWidget(widget)
        flowing = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        flowing.setHeightForWidth(True)
        self.bar.setSizePolicy(flowing)
        self.bar.hide()
        self.body.hide()
        self._layouts.changed.connect(self._chosen)
        self._colourings.changed.connect(self._chosen)
        self._reset.clicked.connect(self.body.reset)
        self._all.toggled.connect(self._show_rig)
        self.options.view_chosen.connect(self.body.see_from)
        self.options.look_changed.connect(self.show_look)
        self.options.box_requested.connect(self._fit_box)
        self.options.measure_chosen.connect(self.set_measuring)
        self.body.spanned.connect(self._show_span)

    @property
    def shows_provenance(self) -> bool:
        """Whether points are coloured by provenance."""
        return self._colourings.choice == "provenance"

    @property
    def layout(self) -> CloudLayout:
        """Which clouds are chosen, whatever is held."""
        return cast("CloudLayout", self._layouts.choice)

    @property
    def measuring(self) -> bool:
        """Whether taps measure."""
        return self.options.measure.isChecked()

    def set_measuring(self, measuring: bool) -> None:
        """Let two taps measure a distance, or no more."""
        if measuring == self.body.measuring:
            return
        self.body.set_measuring(measuring)
        self.options.show_measuring(measuring)
        self.measuring_changed.emit(measuring)

    def show_look(self, look: CloudLook) -> None:
        """Draw in another way."""
        self.body.show_look(look)
        self.options.show_look(look)

    def clouds(self) -> dict[str, list[Cloud]]:
        """What is drawn, by "raw" and "refined"; empty lists are left out."""
        names = ("raw", "refined") if self._layouts.choice in {"both", "overlay"} else (self._layouts.choice,)
        found = {name: self.body.shown_clouds(name) for name in names}
        return {name: clouds for name, clouds in found.items() if clouds}

    def _fit_box(self) -> None:
        points = self.body.visible_points()
        self.show_look(replace(self.body.look, box=box_around(points) if len(points) else None))

    def _show_span(self, span: Span | None) -> None:
        if span is not None:
            self.options.show_measured(span.words)

    def hold_raw(self, held: bool) -> None:
        """Show raw depth alone for as long as it is held, whatever is chosen."""
        if held != self._held:
            self._held = held
            self._show()

    def set_active(self, active: bool) -> None:
        """Show and draw, or hide and free."""
        self.active = active
        self.bar.setVisible(active)
        self.body.setVisible(active)
        self.body.set_active(active)
        self._show()

    def free(self) -> None:
        """Give back what OpenGL holds."""
        self.active = False
        self.body.free()

    def reset(self) -> None:
        """Go back to the first view."""
        self.body.reset()

    def show_options(self, options: LiveOptions) -> None:
        """Use the same colours, in the same range, as the pictures."""
        before, self._options = self._options, options
        if (options.near_m, options.far_m, options.colour_map) != (
            before.near_m,
            before.far_m,
            before.colour_map,
        ):
            self._show()

    def show_tile(self, tile: TileView) -> None:
        """Draw this camera."""
        if not self.active:
            return
        self.body.show_clouds(raw_cloud(tile), refined_cloud(tile), missing_words(tile))
        self._large = tile.camera_id

    def show_rig(
        self,
        tiles: list[TileView],
        rig_from_color: Mapping[str, NDArray[np.float64]],
        names: Mapping[str, str],
    ) -> None:
        """Draw the other cameras as well, as far as it is known where they stand.

        Args:
            tiles: of all cameras.
            rig_from_color: (4, 4) metres by camera id.
            names: of the cameras for people, by camera id.
        """
        self._rig = (tiles, rig_from_color, names)
        self._all.setVisible(len(rig_from_color) > 1)
        if self.active:
            self._show_rig()

    def _show_rig(self, _checked: bool = False) -> None:
        tiles, places, names = self._rig
        together = self._all.isChecked() and len(places) > 1
        self.body.show_rig(rig_clouds(self._large, tiles, places, names) if together else RigClouds())

    def _chosen(self, _keys: list[str]) -> None:
        self._show()
        self.colouring_changed.emit()

    def _show(self) -> None:
        self.body.show_as(
            "raw" if self._held else self.layout,
            cast("CloudColouring", self._colourings.choice),
            (self._options.near_m, self._options.far_m),
            self._options.colour_map,
        )
