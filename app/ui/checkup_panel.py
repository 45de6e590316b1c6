"""Why is it bad? What is wrong with a camera, in plain words, with a button where the driver can mend it."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.language import joined, tr, tr_noop
from app.quality.diagnosis import Finding, Fix
from app.ui import theme
from app.ui.widgets import Button, Card, ChipGroup, Option, PrimaryButton, label, set_tone
from app.ui.worded import ProgressBar, Worded
from app.viewmodels.checkup import CheckupView
from app.viewmodels.live import CameraTitle
from app.viewmodels.words import unbroken

LOOKING = tr_noop("Looking at it for three seconds. Move the camera a little: that shows dirt on the lens.")
ALL_WELL = tr_noop("Nothing is wrong with this camera.")
BEFORE = tr_noop(
    "Looks at a camera's last seconds: light, lenses, infrared, units, alignment, cable, frames, model."
)


class CheckupPanel(Worded, QWidget):
    """Cameras to choose from, a button, and what was found.

    Signals:
        check_requested: id of the camera.
        fix_requested: `Fix` that the operator wants.
    """

    check_requested = Signal(str)
    fix_requested = Signal(Fix)

    def __init__(self) -> None:
        super().__init__()
        self.cameras = ChipGroup([], tr("Camera to look at"))
        self.check = PrimaryButton(tr("Check this camera"), icon_name="stethoscope")
        self._words = label(BEFORE, "body")
        self._busy = ProgressBar()
        self._busy.setRange(0, 0)
        self._busy.setTextVisible(False)
        self._busy.setAccessibleName(tr("The camera is being looked at"))
        self.cards: list[FindingCard] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(theme.GAP_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.cameras)
        column.addWidget(self.check)
        column.addWidget(self._words)
        column.addWidget(self._busy)
        column.addLayout(self._column)
        self._busy.hide()
        self.check.clicked.connect(self._check_clicked)
        self.cameras.changed.connect(self._camera_chosen)

    @property
    def chosen(self) -> str:
        """Id of the camera that is looked at next; empty without any."""
        return self.cameras.choice

    def show_rig(self, cameras: list[CameraTitle]) -> None:
        """Offer these cameras."""
        self.cameras.set_options([Option(camera.camera_id, camera.name) for camera in cameras])
        self.cameras.setVisible(len(cameras) > 1)
        self.check.setEnabled(bool(cameras))
        if cameras and not self.cameras.choice:
            self.cameras.select(cameras[0].camera_id)

    def show_view(self, view: CheckupView) -> None:
        """Show how far it is, and what was found."""
        if view.camera_id:
            self.cameras.select(view.camera_id)
        self.check.setEnabled(bool(self.cameras.choice) and not view.busy)
        self.check.setText(tr("Check again") if view.done else tr("Check this camera"))
        self._busy.setVisible(view.busy)
        words = LOOKING if view.busy else BEFORE
        if view.done:
            count = len(view.findings)
            words = (
                ALL_WELL
                if not count
                else tr("1 thing is wrong:")
                if count == 1
                else tr("{count} things are wrong:").format(count=count)
            )
        self._words.setText(view.problem or words)
        set_tone(self._words, "error" if view.problem else "ok" if view.done and not view.findings else "")
        for card in self.cards:
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = [FindingCard(finding) for finding in view.findings]
        for card in self.cards:
            self._column.addWidget(card)
            if card.finding.fix is not None:
                card.button.clicked.connect(partial(self._fix_clicked, card.finding.fix))

    def _check_clicked(self) -> None:
        self.check_requested.emit(self.cameras.choice)

    def _camera_chosen(self, keys: list[str]) -> None:
        self.check_requested.emit(keys[0])

    def _fix_clicked(self, fix: Fix, _checked: bool = False) -> None:
        self.fix_requested.emit(fix)


class FindingCard(Card):
    """One thing that is wrong."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(margin_px=12)
        self.finding = finding
        self.button = Button("" if finding.fix is None else finding.fix.words, icon_name="wrench-outline")
        self.column.setSpacing(6)
        title = label(finding.title, "title")
        set_tone(title, finding.severity)
        self.column.addWidget(title)
        self.column.addWidget(label(unbroken(finding.text), "body"))
        self.column.addWidget(label(unbroken(finding.advice), "muted"))
        self.column.addWidget(self.button)
        self.button.setVisible(finding.fix is not None)
        self.setAccessibleName(joined(". ", (finding.title, joined(" ", (finding.text, finding.advice)))))
