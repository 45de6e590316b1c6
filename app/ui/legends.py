"""What the colours of depth and of provenance mean."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QImage, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QStackedWidget, QWidget

from app.language import MINUS, joined, lowered, tr
from app.ui import theme
from app.ui.widgets import Button, label
from app.ui.worded import Worded
from app.viewmodels.colouring import (
    PROVENANCE_COLOURS,
    PROVENANCE_MEANINGS,
    PROVENANCE_WORDS,
    ColourMap,
    diverging,
    ramp,
)
from app.viewmodels.live import LiveOptions
from app.viewmodels.words import spelled
from model.repair import Provenance

BAR_WIDTH_PX = 132
SWATCH_PX = 26
ICON_SIZE = QSize(44, 20)
"""Of a colour map's icon, with its distance to the words."""


def metres(value_m: float) -> str:
    """A limit of the range, without needless zeros: "0.3 m", "4 m"."""
    return f"{value_m:.2f}".rstrip("0").rstrip(".") + " m"


def ramp_image(colours: NDArray[np.uint8]) -> QImage:
    """One row of pixels of (N, 3) uint8 RGB, to be stretched."""
    return QImage(colours.data, len(colours), 1, 3 * len(colours), QImage.Format.Format_RGB888).copy()


class RangeButton(Button):
    """The colour bar with its metres; a tap opens the range."""

    def __init__(self) -> None:
        super().__init__("", checkable=True)
        self._near, self._far, self._auto = "", "", False
        self._ramp = ramp_image(ramp("turbo"))
        self.setFixedSize(BAR_WIDTH_PX + 28, theme.TARGET_PX)

    def show_options(self, options: LiveOptions) -> None:
        """Show the present range."""
        self._near, self._far, self._auto = metres(options.near_m), metres(options.far_m), options.auto
        self._ramp = ramp_image(ramp(options.colour_map))
        words = tr("Depth colours from {near} to {far}").format(near=self._near, far=self._far)
        self.setAccessibleName(words)
        self.setToolTip(tr("{words}; press to change").format(words=words))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(BAR_WIDTH_PX + 28, theme.TARGET_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPushButton.paintEvent(self, event)
        painter = QPainter(self)
        bar = QRect(14, 10, self.width() - 28, 14)
        painter.drawImage(bar, self._ramp)
        colours = theme.current()
        text, muted = (colours.on_chosen,) * 2 if self.isChecked() else (colours.text, colours.muted)
        painter.setPen(QColor(text))
        painter.setFont(theme.font(theme.BODY_PX, weight=theme.BOLD, tabular=True))
        words = QRect(14, 26, self.width() - 28, 24)
        painter.drawText(words, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._near)
        painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._far)
        if self._auto:
            painter.setFont(theme.font(theme.CAPTION_PX))
            painter.setPen(QColor(muted))
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, str(lowered(spelled("auto"))))


class _Swatch(Worded, QWidget):
    def __init__(self, colour: tuple[int, int, int]) -> None:
        super().__init__()
        self._colour = QColor(*colour)
        self.setFixedSize(SWATCH_PX, SWATCH_PX)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(theme.current().edge))
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 6, 6)


class ProvenanceLegend(Worded, QWidget):
    """The four colours of provenance, in words."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("What the provenance colours mean"))
        self._meanings: list[QLabel] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(theme.GAP_PX)
        for kind in Provenance:
            row.addWidget(_Swatch(PROVENANCE_COLOURS[kind]))
            word = label(PROVENANCE_WORDS[kind], wrap=False)
            word.setFont(theme.font(theme.BODY_PX, weight=theme.BOLD))
            row.addWidget(word)
            meaning = label(PROVENANCE_MEANINGS[kind], "muted", wrap=False)
            self._meanings.append(meaning)
            row.addWidget(meaning)
            row.addSpacing(theme.GAP_PX)
        row.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def say_again(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Words alone where there is no room for what they mean: nothing is cut."""
        bold = QFontMetrics(theme.font(theme.BODY_PX, weight=theme.BOLD))
        plain = QFontMetrics(theme.font(theme.BODY_PX))
        words = sum(bold.horizontalAdvance(tr(PROVENANCE_WORDS[kind])) for kind in Provenance)
        meanings = sum(plain.horizontalAdvance(tr(PROVENANCE_MEANINGS[kind])) for kind in Provenance)
        beside = len(Provenance) * (SWATCH_PX + 5 * theme.GAP_PX)
        roomy = words + meanings + beside <= self.width()
        for meaning in self._meanings:
            meaning.setVisible(roomy)


class _Ramp(Worded, QWidget):
    """A colour bar with words at its ends and in its middle."""

    def __init__(self, colours: NDArray[np.uint8], accessible_name: str) -> None:
        super().__init__()
        self._image = ramp_image(colours)
        self._words = ("", "", "")
        self._name = accessible_name
        self.setFixedHeight(28)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_words(self, left: str, middle: str, right: str) -> None:
        """Say what the colours mean."""
        self._words = (left, middle, right)
        self.setAccessibleName(joined(": ", (self._name, joined(", ", filter(None, (left, middle, right))))))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(theme.BODY_PX, weight=theme.BOLD, tabular=True))
        painter.setPen(QColor(theme.current().text))
        metrics = painter.fontMetrics()
        left, middle, right = map(str, self._words)
        room = self.rect().adjusted(4, 0, -4, 0)
        start, end = metrics.horizontalAdvance(left) + 10, metrics.horizontalAdvance(right) + 10
        bar = QRect(room.x() + start, 7, min(room.width() - start - end, 420), 14)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, left)
        painter.drawImage(bar, self._image)
        after = QRect(bar.right() + 10, 0, end, self.height())
        painter.drawText(after, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, right)
        painter.setPen(QColor(theme.current().muted))
        painter.setFont(theme.font(theme.BODY_PX))
        beyond = QRect(after.right() + 12, 0, max(room.right() - after.right() - 12, 0), self.height())
        painter.drawText(beyond, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, middle)


class DepthScale(_Ramp):
    """The colours of depth with the metres at their ends."""

    def __init__(self) -> None:
        super().__init__(ramp("turbo"), tr("Colours of depth"))

    def show_range(self, near_m: float, far_m: float) -> None:
        """Say how far away the first and the last colour are."""
        self.show_words(metres(near_m), "", metres(far_m))


class Legend(Worded, QStackedWidget):
    """Says what the colours mean of layers whose colours are not distances; hidden for the others."""

    def __init__(self) -> None:
        super().__init__()
        self._provenance = ProvenanceLegend()
        self._difference = _Ramp(diverging(), tr("Colours of the difference"))
        self._confidence = _Ramp(ramp("viridis"), tr("Colours of the confidence"))
        self._confidence.show_words("0", tr("how probable it is that the depth is less than 5% off"), "1")
        for page in (self._provenance, self._difference, self._confidence):
            self.addWidget(page)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_options(self, options: LiveOptions) -> None:
        """Explain the layer that is shown, or the one that it is compared with."""
        pages = {
            "provenance": self._provenance,
            "difference": self._difference,
            "confidence": self._confidence,
        }
        page = pages.get(options.shown) or pages.get(options.base)
        limit = millimetres(options.difference_m)
        self._difference.show_words(
            f"{MINUS}{limit}",
            tr("refined minus raw: blue is nearer, red farther, black has no raw depth"),
            f"+{limit}",
        )
        self.setVisible(page is not None)
        if page is not None:
            self.setCurrentWidget(page)

    def show_provenance(self) -> None:
        """Explain provenance, whatever the pictures show."""
        self.setCurrentWidget(self._provenance)
        self.show()


def millimetres(value_m: float) -> str:
    """A length below a metre: "100 mm"."""
    return f"{value_m * 1000:.0f} mm"


def ramp_icon(colour_map: ColourMap) -> QIcon:
    """A small bar of a colour map's colours."""
    drawn = QPixmap(ICON_SIZE)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.drawImage(
        QRect(0, 2, ICON_SIZE.width() - 8, ICON_SIZE.height() - 4), ramp_image(ramp(colour_map))
    )
    painter.end()
    return QIcon(drawn)
