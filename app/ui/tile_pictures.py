"""The layers of one camera as pictures, filled again only when what they show is another."""

from collections.abc import Iterable

from PySide6.QtGui import QImage

from app.flow.hiding import hidden_pixels
from app.ui.picture import Picture
from app.viewmodels.colouring import (
    colour_confidence,
    colour_depth,
    colour_difference,
    colour_hidden,
    colour_infrared,
    colour_provenance,
    copy_color,
    depth_table,
    difference_table,
)
from app.viewmodels.layers import LAYERS, REPAIRED, Layer
from app.viewmodels.live import LiveOptions, TileView
from drivers.depth import DepthMap


class TilePictures:
    """One picture for each layer."""

    def __init__(self) -> None:
        self._pictures: dict[Layer, Picture] = {layer: Picture() for layer in LAYERS}
        self._made_from: dict[Layer, tuple[object, ...]] = {}

    def image(self, layer: Layer) -> QImage | None:
        """What was filled in last; None where there is nothing to show."""
        return self._pictures[layer].image

    def fill(
        self, tile: TileView, options: LiveOptions, layers: Iterable[Layer], *, registered: bool
    ) -> list[Layer]:
        """Fill the pictures whose source or look is another; returns their layers.

        Args:
            tile: what there is.
            options: how it looks.
            layers: what is on the screen.
            registered: raw depth has to lie in the pixels of colour.
        """
        raw = raw_depth(tile, registered=registered)
        changed = []
        for layer in layers:
            made_from = _source(tile, raw, layer), *_look(tile, options, layer)
            before = self._made_from.get(layer)
            if before is None or before[0] is not made_from[0] or before[1:] != made_from[1:]:
                self._made_from[layer] = made_from
                if not self._fill(layer, tile, raw, options):
                    self._pictures[layer].clear()
                changed.append(layer)
        return changed

    def _fill(self, layer: Layer, tile: TileView, raw: DepthMap | None, options: LiveOptions) -> bool:
        """Whether there was anything to fill the picture with."""
        picture, frame, refined = self._pictures[layer], tile.frame, tile.refined
        if layer in REPAIRED and refined is not None:
            buffer = picture.buffer(refined.depth.values.shape)
            if layer == "refined":
                _colour(refined.depth, options, picture)
            elif layer == "difference":
                table = difference_table(options.difference_m, refined.raw.unit_m)
                colour_difference(refined.raw.values, refined.depth.values, table, buffer)
            elif layer == "provenance":
                colour_provenance(refined.provenance, refined.frame.color, buffer)
            elif refined.confidence is None:
                return False
            else:
                colour_confidence(refined.confidence, buffer)
            return True
        if layer == "colour" and frame is not None:
            copy_color(frame.color, picture.buffer(frame.color.shape[:2]))
            return True
        if layer == "ir" and frame is not None and frame.ir_left is not None:
            colour_infrared(frame.ir_left, picture.buffer(frame.ir_left.shape))
            return True
        if layer == "raw" and raw is not None:
            _colour(raw, options, picture)
            if refined is not None and refined.hidden_share:
                shape = raw.values.shape
                hidden = hidden_pixels(*shape, refined.hidden_share, refined.patches)
                colour_hidden(hidden, picture.buffer(shape))
            return True
        return False


def raw_depth(tile: TileView, *, registered: bool) -> DepthMap | None:
    """Where raw depth comes from.

    Over refined depth both have to lie in the same pixels. Where the sensor's own grid is another one, only
    the frame that was registered for the repair does. After the vendor's filters it lies there as well.
    """
    if tile.frame is None:
        return None
    if tile.filtered is not None:
        return tile.filtered.depth
    if registered and tile.refined is not None and not tile.frame.calibration.aligned:
        return tile.refined.raw
    return tile.frame.depth


def _colour(depth: DepthMap, options: LiveOptions, picture: Picture) -> None:
    table = depth_table(options.near_m, options.far_m, depth.unit_m, options.colour_map)
    colour_depth(depth.values, table, picture.buffer(depth.values.shape))


def _source(tile: TileView, raw: DepthMap | None, layer: Layer) -> object:
    if layer in REPAIRED:
        return tile.refined
    return raw if layer == "raw" else tile.frame


def _look(tile: TileView, options: LiveOptions, layer: Layer) -> tuple[object, ...]:
    if layer == "raw" and tile.refined is not None:
        hidden = tile.refined.hidden_share, tile.refined.patches
        return options.near_m, options.far_m, options.colour_map, *hidden
    if layer in {"raw", "refined"}:
        return options.near_m, options.far_m, options.colour_map
    return (options.difference_m,) if layer == "difference" else ()
