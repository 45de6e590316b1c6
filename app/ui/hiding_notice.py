"""Says, as long as it is so, that depth is being hidden from the repair on purpose."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from app.language import tr
from app.ui import theme
from app.ui.widgets import Button, label
from app.ui.worded import Worded


class HidingNotice(Worded, QFrame):
    """A strip with a way back; hidden while the repair sees all depth.

    Signals:
        end_requested: show the repair everything again.
    """

    end_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self.setProperty("level", "warning")
        self.setProperty("within", "page")  # whose rows have their distance
        self._words = label("", "body")
        self._end = Button(tr("Show all depth"), icon_name="eye-outline")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 6, 6)
        row.setSpacing(theme.SPACE_PX)
        row.addWidget(self._words, 1)
        row.addWidget(self._end)
        self.hide()
        self._end.clicked.connect(self.end_requested)

    def show_share(self, share: float) -> None:
        """Say how much is hidden; nothing is hidden at 0."""
        words = tr("{share:.0%} of the depth is hidden from the repair on purpose.").format(share=share)
        self._words.setText(
            tr("{words} What comes of it is not recorded as refined depth.").format(words=words)
        )
        self.setAccessibleName(words)
        self.setVisible(share > 0)
