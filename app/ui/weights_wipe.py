"""A run's weights beside those in use in one picture, with a line between them to drag."""

from typing import cast

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.language import tr, tr_noop
from app.ui import theme
from app.ui.depth_view import DepthView
from app.ui.legends import DepthScale
from app.ui.widgets import Button, IconButton, Option, Segmented, Sheet, body, caption, title
from app.viewmodels.weights_wipe import IN_USE, Left, WeightsWipeViewModel, WipeFrame

LEFTS = (
    Option("in use", IN_USE),
    Option("asked", tr_noop("Input")),
    Option("right", tr_noop("Exact depth")),
)
LARGEST_PX = (1500, 1000)
SCALE_PX = 340


class WeightsWipeDialog(Sheet):
    """Goes through the frames of a comparison.

    Args:
        model: its state; there is at least one frame.
        parent: the window.
    """

    def __init__(self, model: WeightsWipeViewModel, *, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("New weights beside those in use"))
        model.setParent(self)
        self.view = DepthView(ground="window")
        self.scale = DepthScale()
        self.scale.setFixedWidth(SCALE_PX)
        self.back = IconButton("chevron-left", tr("Frame before"))
        self.further = IconButton("chevron-right", tr("Next frame"))
        self.left = Segmented(LEFTS, tr("On the left"))
        self.frame = body()
        self.figures = caption()
        self.frame.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        close = Button(tr("Close"), icon_name="close")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.frame)
        words.addWidget(self.figures)
        head = QHBoxLayout()
        head.addWidget(title(tr("New weights beside those in use")), 1)
        head.addWidget(self.scale)
        head.addSpacing(theme.SPACE_PX)
        head.addWidget(close)
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP_PX)
        foot.addWidget(self.back)
        foot.addWidget(self.further)
        foot.addLayout(words, 1)
        foot.addWidget(self.left)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, theme.WIDE_PX, theme.SPACE_PX)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        column.addLayout(foot)
        window = parent.window().size()
        self.resize(min(LARGEST_PX[0], window.width() - 40), min(LARGEST_PX[1], window.height() - 40))
        self._model = model
        close.clicked.connect(self.accept)
        self.back.clicked.connect(self._back)
        self.further.clicked.connect(self._further)
        self.left.changed.connect(self._compare_with)
        model.changed.connect(self.show_frame)
        model.gone.connect(self.figures.setText)

    def show_frame(self, frame: WipeFrame) -> None:
        """Show a frame."""
        self.view.show_options(frame.options)
        self.scale.show_range(frame.options.near_m, frame.options.far_m)
        self.view.show_tile(frame.tile)
        self.frame.setText(
            tr("{number} of {count}: {title}").format(
                number=frame.number, count=frame.count, title=frame.title
            )
        )
        self.figures.setText(frame.figures)
        self.left.button("in use").setText(frame.before)
        several = frame.count > 1
        self.back.setEnabled(several)
        self.further.setEnabled(several)

    def _back(self) -> None:
        self._model.go(-1)

    def _further(self) -> None:
        self._model.go(1)

    def _compare_with(self, keys: list[str]) -> None:
        self._model.compare_with(cast(Left, keys[0]))
