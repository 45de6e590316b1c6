"""The row that says what the panes show, and what it is compared with."""

from typing import Final, cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.language import tr, tr_noop
from app.ui import theme
from app.ui.widgets import Option, Segmented, label
from app.viewmodels.layers import LAYER_HINTS, LAYER_WORDS, LAYERS, Layer
from app.viewmodels.live import LiveOptions

BASES: Final[tuple[Layer, ...]] = ("colour", "raw", "refined")
TIGHTER: Final = """
QPushButton[kind="segment"] { padding: 0 8px; }
QPushButton[kind="segment"]:focus { padding: 0 7px; }
"""
"""Ten segments and three buttons stand in one row of a screen of 1280 pixels."""
BASE_WORDS: Final = {
    "wipe": tr_noop("Left"),
    "blend": tr_noop("Under"),
    "side": tr_noop("Beside"),
    "inset": tr_noop("Corner"),
}
SHOWN_WORDS: Final = {
    "wipe": tr_noop("Right"),
    "blend": tr_noop("Over"),
    "side": tr_noop("Show"),
    "inset": tr_noop("Large"),
    "one": tr_noop("Show"),
}


class LayerBar(QObject):
    """Two rows of segments that the page places: the layer to compare with, and the layer to see.

    Attributes:
        parts: the two rows, each with its word.

    Signals:
        base_chosen: layer to compare with.
        shown_chosen: layer to see.
    """

    base_chosen = Signal(str)
    shown_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.bases = Segmented([_option(layer) for layer in BASES], tr("Compare with"))
        self.layers = Segmented([_option(layer) for layer in LAYERS], tr("Show"))
        self._base_word, self._shown_word = label("", "muted", wrap=False), label("", "muted", wrap=False)
        self.parts = (_part(self._base_word, self.bases), _part(self._shown_word, self.layers))
        self.bases.changed.connect(self._base_changed)
        self.layers.changed.connect(self._shown_changed)

    def show_options(self, options: LiveOptions) -> None:
        """Show what is chosen, in the words of the layout."""
        self.bases.select(options.base)
        self.layers.select(options.shown)
        self._base_word.setText(BASE_WORDS.get(options.layout, ""))
        self._shown_word.setText(SHOWN_WORDS.get(options.layout, ""))
        self.parts[0].setVisible(options.layout in BASE_WORDS)
        self.parts[1].setVisible(options.layout != "cloud")

    def _base_changed(self, keys: list[str]) -> None:
        self.base_chosen.emit(cast("Layer", keys[0]))

    def _shown_changed(self, keys: list[str]) -> None:
        self.shown_chosen.emit(cast("Layer", keys[0]))


def _part(word: QWidget, choices: Segmented) -> QWidget:
    part = QWidget()
    part.setStyleSheet(TIGHTER)
    row = QHBoxLayout(part)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.GAP_PX)
    row.addWidget(word)
    row.addWidget(choices)
    return part


def _option(layer: Layer) -> Option:
    return Option(layer, LAYER_WORDS[layer], hint=LAYER_HINTS[layer])
