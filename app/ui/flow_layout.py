"""A layout that fills rows from left to right and breaks like text."""

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QSizePolicy, QWidget


class FlowLayout(QLayout):
    """Rows of widgets of their own size; the height depends on the width.

    Args:
        parent: that is laid out.
        gap_px: between widgets and between rows.
        fill: widgets that expand share the room that a row has left; they need their smallest width only.
    """

    def __init__(self, parent: QWidget | None = None, *, gap_px: int, fill: bool = False) -> None:
        super().__init__(parent)
        self._fill = fill
        self._items: list[QLayoutItem] = []
        self._gap_px = gap_px
        self.setContentsMargins(QMargins())

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def sizeHint(self) -> QSize:
        shown = [item.sizeHint() for item in self._items if not item.isEmpty()]
        width = sum(size.width() for size in shown) + self._gap_px * max(len(shown) - 1, 0)
        return QSize(width, max((size.height() for size in shown), default=0))

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _arrange(self, rect: QRect, *, move: bool) -> int:
        y = rect.y()
        for row in self._rows(rect.width()):
            spare = rect.width() - sum(map(self._width, row)) - self._gap_px * (len(row) - 1)
            taking = [item for item in row if self._takes_room(item)]
            x, placed = rect.x(), []
            for item in row:
                width = self._width(item)
                if item in taking:
                    width = min(width + spare // len(taking), item.maximumSize().width())
                width = min(width, rect.width())
                tall = item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
                placed.append((item, QRect(QPoint(x, y), QSize(width, tall))))
                x += width + self._gap_px
            height = max(place.height() for _, place in placed)
            for item, place in placed if move else ():
                item.setGeometry(place.translated(0, (height - place.height()) // 2))
            y += height + self._gap_px
        return max(y - self._gap_px - rect.y(), 0)

    def _rows(self, width: int) -> list[list[QLayoutItem]]:
        rows: list[list[QLayoutItem]] = []
        left = 0
        for item in self._items:
            if item.isEmpty():
                continue
            needed = self._width(item)
            if not rows or needed + self._gap_px > left:
                rows.append([item])
                left = width - needed
            else:
                rows[-1].append(item)
                left -= needed + self._gap_px
        return rows

    def _takes_room(self, item: QLayoutItem) -> bool:
        widget = item.widget()
        if not self._fill or widget is None:
            return False
        policy = widget.sizePolicy().horizontalPolicy()
        return policy in {QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored}

    def _width(self, item: QLayoutItem) -> int:
        return item.minimumSize().width() if self._takes_room(item) else item.sizeHint().width()
