"""Cards of equal width in as many columns as fit."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui import theme
from app.ui.worded import Worded


class CardGrid(Worded, QWidget):
    """Puts each card into the column that is shortest so far, so that cards of unequal height leave no holes.

    Args:
        narrowest_px: a column is never narrower, unless the grid itself is.
        widest_px: a column is never wider; 0 for as wide as there is room.
        most_columns: there are never more; 0 for as many as fit.
        level: cards beside each other are equally high.
    """

    def __init__(
        self,
        *,
        narrowest_px: int,
        widest_px: int = 0,
        most_columns: int = 0,
        gap_px: int = theme.SPACE_PX,
        level: bool = False,
    ) -> None:
        super().__init__()
        self._widest_px = widest_px
        self._narrowest_px = narrowest_px
        self._most_columns = most_columns
        self._gap_px = gap_px
        self._level = level
        self._cards: list[QWidget] = []
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def cards(self) -> Sequence[QWidget]:
        """In their order."""
        return self._cards

    def set_cards(self, cards: Sequence[QWidget]) -> None:
        """Show these cards and drop the ones before that are not among them."""
        for card in self._cards:
            if card not in cards:
                card.hide()
                card.setParent(None)
                card.deleteLater()
        self._cards = list(cards)
        for card in self._cards:
            if card.parentWidget() is not self:
                card.setParent(self)
            card.show()
        self._arrange_now()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max((place.bottom() + 1 for place in self._places(width)), default=0)

    def sizeHint(self) -> QSize:
        width = max(self.width(), self._narrowest_px)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._narrowest_px, 200), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange_now()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange_now()
        return super().event(event)

    def _arrange_now(self) -> None:
        places = self._places(self.width())
        for card, place in zip(self._cards, places, strict=True):
            card.setGeometry(place)
        height = max((place.bottom() + 1 for place in places), default=0)
        if height != self.minimumHeight():
            self.setMinimumHeight(height)
        self.updateGeometry()

    def _places(self, width: int) -> list[QRect]:
        fitting = max((width + self._gap_px) // (self._narrowest_px + self._gap_px), 1)
        columns = min(fitting, max(len(self._cards), 1), self._most_columns or fitting)
        column_px, spare_px = divmod(width - (columns - 1) * self._gap_px, columns)
        if self._widest_px and column_px >= self._widest_px:
            column_px, spare_px = self._widest_px, 0
        heights = [_height(card, column_px) for card in self._cards]
        if self._level:
            rows = [heights[first : first + columns] for first in range(0, len(heights), columns)]
            heights = [max(row) for row in rows for _ in row]
        bottoms = [0] * columns
        places = []
        for height in heights:
            column = bottoms.index(min(bottoms))
            # The first columns take the pixels that are over, so that the last ends where its neighbours end.
            x = column * (column_px + self._gap_px) + min(column, spare_px)
            wide = column_px + (column < spare_px)
            places.append(QRect(x, bottoms[column], wide, height))
            bottoms[column] += height + self._gap_px
        return places


def _height(card: QWidget, width_px: int) -> int:
    layout = card.layout()
    if layout is not None and layout.hasHeightForWidth():
        return max(layout.totalHeightForWidth(width_px), layout.totalMinimumSize().height())
    if card.hasHeightForWidth():
        return card.heightForWidth(width_px)
    return card.sizeHint().height()
