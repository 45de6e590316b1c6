"""The layers of one camera as pictures, coloured again only when what they show is another."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.flow.hiding import hidden_pixels
from app.flow.refine import Refined
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
    fit_color,
)
from app.viewmodels.layers import LAYERS, REPAIRED, Layer
from app.viewmodels.live import LiveOptions, TileView
from app.viewmodels.sampling import Size, nearest, no_larger, smooth
from drivers.depth import DepthMap


class _Made(NamedTuple):
    """What a picture shows: `source` and `look` tell whether it has to be made again."""

    source: object
    look: tuple[object, ...]
    tile: TileView
    raw: DepthMap | None
    options: LiveOptions


class TilePictures:
    """One picture for each layer, coloured when it is painted, in as many pixels as it has on the screen."""

    def __init__(self) -> None:
        self._pictures: dict[Layer, Picture] = {layer: Picture() for layer in LAYERS}
        self._made: dict[Layer, _Made] = {}
        self._sizes: dict[Layer, Size] = {}

    def show(
        self, tile: TileView, options: LiveOptions, layers: Iterable[Layer], *, registered: bool
    ) -> list[Layer]:
        """Show these from now on; returns the layers whose pictures have become others.

        Args:
            tile: what there is.
            options: how it looks.
            layers: what is on the screen.
            registered: raw depth has to lie in the pixels of colour.
        """
        raw = raw_depth(tile, registered=registered)
        changed = []
        for layer in layers:
            source, look = _source(tile, raw, layer), _look(tile, options, layer)
            before = self._made.get(layer)
            if before is None or before.source is not source or before.look != look:
                self._made[layer] = _Made(source, look, tile, raw, options)
                self._sizes.pop(layer, None)
                changed.append(layer)
        return changed

    def picture(self, layer: Layer, size: Size) -> Picture:
        """The picture of a layer; empty where there is nothing to show.

        Depth has no more pixels than there are values, so it may be smaller than `size`.
        """
        picture, made = self._pictures[layer], self._made.get(layer)
        if made is not None and self._sizes.get(layer) != size:
            self._sizes[layer] = size
            if not _fill(picture, layer, made, size):
                picture.clear()
        return picture


def _fill(picture: Picture, layer: Layer, made: _Made, size: Size) -> bool:
    """Whether there was anything to fill the picture with."""
    frame, refined = made.tile.frame, made.tile.refined
    if layer in REPAIRED:
        return refined is not None and _fill_repaired(picture, layer, refined, made.options, size)
    if layer == "colour" and frame is not None:
        fill_color(picture, frame.color, size)
        return True
    if layer == "ir" and frame is not None and frame.ir_left is not None:
        colour_infrared(smooth(frame.ir_left, size), picture.buffer(size))
        return True
    if layer == "raw" and made.raw is not None:
        shape = made.raw.values.shape
        fill_depth(picture, made.raw, made.options, size)
        if refined is not None and refined.hidden_share:
            seen = no_larger(size, shape)
            hidden = hidden_pixels(*shape, refined.hidden_share, refined.patches)
            colour_hidden(nearest(hidden, seen), picture.buffer(seen))
        return True
    return False


def _fill_repaired(
    picture: Picture, layer: Layer, refined: Refined, options: LiveOptions, size: Size
) -> bool:
    size = no_larger(size, refined.depth.values.shape)
    if layer == "refined":
        fill_depth(picture, refined.depth, options, size)
    elif layer == "difference":
        table = difference_table(options.difference_m, refined.raw.unit_m)
        raw, repaired = nearest(refined.raw.values, size), nearest(refined.depth.values, size)
        colour_difference(raw, repaired, table, picture.buffer(size))
    elif layer == "provenance":
        color = smooth(refined.frame.color, size)
        colour_provenance(nearest(refined.provenance, size), color, picture.buffer(size))
    elif refined.confidence is None:
        return False
    else:
        colour_confidence(nearest(refined.confidence, size), picture.buffer(size))
    return True


def fill_depth(picture: Picture, depth: DepthMap, options: LiveOptions, size: Size) -> None:
    """Colour as many values as there is room for in `size`: a depth between two others is none."""
    size = no_larger(size, depth.values.shape)
    table = depth_table(options.near_m, options.far_m, depth.unit_m, options.colour_map)
    colour_depth(nearest(depth.values, size), table, picture.buffer(size))


def fill_color(picture: Picture, color: NDArray[np.uint8], size: Size) -> None:
    """Fill in (H, W, 3) RGB, smoothly brought to `size`."""
    shape = color.shape[:2]
    if shape == size:
        copy_color(color, picture.buffer(size))
    else:
        picture.buffer(size)
        fit_color(color, picture.whole(shape), picture.channels)


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
