"""The calibration wizard: print a board, hold it before the cameras, look at the figures, save."""

from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.language import from_below, joined, tr, tr_many
from app.messages import Message
from app.ui import theme
from app.ui.board_tile import BoardSheet, BoardTile
from app.ui.number_pad import NumberPad
from app.ui.widgets import (
    Button,
    Card,
    ChipGroup,
    Option,
    PrimaryButton,
    Segmented,
    Switch,
    body,
    caption,
    heading,
    label,
    set_tone,
    title,
    touch_scroll,
)
from app.ui.worded import Worded
from app.viewmodels.calibrate import Block, CalibrateModel, CalibrateView
from app.viewmodels.words import unbroken
from drivers.calibration.board import BOARDS

SIDE_PX: Final = 380
CHOICES_PX: Final = 720
"""Wider, its buttons would be bars; a large screen gives the rest to the board."""
SMALLEST_SQUARE_MM: Final = 5.0
LARGEST_SQUARE_MM: Final = 200.0
BOARD_WORDS: Final = {"a4": "A4", "a3": "A3", "a1": "A1"}


class CalibrateDialog(Worded, QDialog):
    """Fills the window; one step after the other.

    Args:
        model: what is shown.
        parent: the window.

    Signals:
        calibrated: the file that was saved.
    """

    calibrated = Signal(Path)

    def __init__(self, model: CalibrateModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Calibrate the rig"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._model = model
        model.setParent(self)
        self._board = BOARDS["a4"]
        self._problem = label("", "body")
        set_tone(self._problem, "error")
        self._problem.hide()
        self._steps = QStackedWidget()
        self._steps.addWidget(self._board_step())
        self._steps.addWidget(self._picture_step())
        self._steps.addWidget(self._result_step())
        self.cancel = Button(tr("Close"), icon_name="close")
        head = QHBoxLayout()
        head.addWidget(heading(tr("Calibrate the rig")))
        head.addStretch(1)
        head.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, theme.WIDE_PX, theme.SPACE_PX)
        column.setSpacing(theme.SPACE_PX)
        column.addLayout(head)
        column.addWidget(self._problem)
        column.addWidget(self._steps, 1)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)  # it turns with the window
        self.setProperty("fills", True)
        self.resize(parent.window().size())
        self.cancel.clicked.connect(self.reject)
        model.changed.connect(self.show_view)
        model.failed.connect(self.show_problem)
        model.saved.connect(self._saved)
        self.finished.connect(self._ended)
        self._show_board()
        self._cameras_chosen(self.cameras.selected)

    @property
    def taken(self) -> int:
        """Boards that were taken."""
        return self._model.view.progress.views

    def _board_step(self) -> QWidget:
        self.sheet = BoardSheet()
        self.boards = Segmented(
            [Option(name, BOARD_WORDS[name], hint=from_below(board.words)) for name, board in BOARDS.items()],
            tr("Board"),
        )
        self._measures = caption()
        self.print = Button(tr("Save the board as PDF"), icon_name="printer-outline")
        self._printed = caption()
        self._printed.hide()
        self._printed.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.square = Button("", icon_name="ruler")
        self.square.setIconSize(self.print.iconSize())
        self.pad = NumberPad(
            tr("Side of a square"),
            unit="mm",
            least=SMALLEST_SQUARE_MM,
            most=LARGEST_SQUARE_MM,
            cancellable=True,
        )
        self.pad.setMinimumWidth(SIDE_PX)
        self.pad.hide()
        infos = self._model.infos
        self.cameras = ChipGroup(
            [Option(info.id, from_below(info.name)) for info in infos], tr("Cameras"), exclusive=False
        )
        self.cameras.select([info.id for info in infos])
        self._first = caption()
        self.begin = PrimaryButton(tr("Start"), icon_name="camera-outline")
        side = QWidget()
        side.setMinimumWidth(SIDE_PX)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(title(tr("1. Print a board, and glue it on a flat plate")))
        column.addWidget(self.boards)
        column.addWidget(self._measures)
        column.addWidget(self.print)
        column.addWidget(self._printed)
        column.addSpacing(theme.GAP_PX)
        column.addWidget(title(tr("2. Measure a square with a ruler")))
        column.addWidget(self.square)
        column.addSpacing(theme.GAP_PX)
        column.addWidget(title(tr("3. Which cameras take part")))
        column.addWidget(self.cameras)
        column.addWidget(self._first)
        column.addStretch(1)
        page = QWidget()
        row = self._halves = QBoxLayout(QBoxLayout.Direction.LeftToRight, page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.WIDE_PX)
        left = QVBoxLayout()
        left.setSpacing(theme.SPACE_PX)
        left.addWidget(self.sheet, 1)
        left.addWidget(self.pad, 0, Qt.AlignmentFlag.AlignCenter)
        row.addLayout(left, 1)
        self._choices = QWidget()
        right = QVBoxLayout(self._choices)
        right.setContentsMargins(0, 0, 0, 0)
        right.addWidget(touch_scroll(side), 1)
        foot = QHBoxLayout()
        foot.addWidget(self.begin)
        right.addLayout(foot)
        row.addWidget(self._choices, 1)
        self.boards.changed.connect(self._board_chosen)
        self.print.clicked.connect(self._print)
        self.square.clicked.connect(self._type_square)
        self.pad.entered.connect(self._square_entered)
        self.pad.finished.connect(partial(self._show_pad, False))
        self.cameras.changed.connect(self._cameras_chosen)
        self.begin.clicked.connect(self._begin)
        return page

    def _picture_step(self) -> QWidget:
        self.tiles: dict[str, BoardTile] = {}
        self._tiles_grid = QGridLayout()
        self._tiles_grid.setSpacing(theme.GAP_PX)
        self._advice = label("", "title")
        self._count = label("", "body", wrap=False)
        self._residuals = body()
        self.automatic = Switch(tr("Take pictures by itself"))
        self.automatic.setChecked(True)
        self.take = Button(tr("Take a picture"), icon_name="camera-outline")
        self.back = Button(tr("Forget the newest"), icon_name="undo")
        self.solve = PrimaryButton(tr("Solve"), icon_name="check")
        self._back_to_board = Button(tr("Back"), icon_name="arrow-left")
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP_PX)
        words = QHBoxLayout()
        words.setSpacing(theme.SPACE_PX)
        words.addWidget(self._advice, 1)
        words.addWidget(self._count, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(words)
        column.addLayout(self._tiles_grid, 1)
        column.addWidget(self._residuals)
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP_PX)
        foot.addWidget(self._back_to_board)
        foot.addWidget(self.automatic)
        foot.addStretch(1)
        for button in (self.take, self.back, self.solve):
            foot.addWidget(button)
        column.addLayout(foot)
        self.automatic.clicked.connect(self._automatic_changed)
        self.take.clicked.connect(partial(self._model.order, "take"))
        self.back.clicked.connect(partial(self._model.order, "back"))
        self.solve.clicked.connect(partial(self._model.order, "solve"))
        self._back_to_board.clicked.connect(self._to_board)
        return page

    def _result_step(self) -> QWidget:
        self._verdict = label("", "title")
        card = Card(tr("Where the cameras stand"))
        card.column.addWidget(self._verdict)
        self.blocks: list[_BlockWords] = []
        self._blocks = QVBoxLayout()
        self._blocks.setSpacing(theme.SPACE_PX)
        card.column.addLayout(self._blocks)
        self.more = Button(tr("Take more pictures"), icon_name="camera-outline")
        self.save = PrimaryButton(tr("Save"), icon_name="content-save-outline")
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        scrolled = QWidget()
        inner = QVBoxLayout(scrolled)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(card)
        inner.addStretch(1)
        column.addWidget(touch_scroll(scrolled), 1)
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP_PX)
        foot.addStretch(1)
        foot.addWidget(self.more)
        foot.addWidget(self.save)
        column.addLayout(foot)
        self.more.clicked.connect(partial(self._model.order, "automatic on"))
        self.save.clicked.connect(self._model.save)
        return page

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        upright = self.height() > self.width()
        self._halves.setDirection(down if upright else across)
        self._choices.setMaximumWidth(theme.NO_LIMIT_PX if upright else CHOICES_PX)

    def show_view(self, view: CalibrateView) -> None:
        """Show what the cameras see, or the result."""
        for look in view.looks:
            tile = self.tiles.get(look.camera_id)
            if tile is not None:
                aim = view.progress.cell if view.progress.camera == look.camera_id else None
                coverage = view.progress.cameras.get(look.camera_id)
                tile.show_look(look, coverage, aim, view.taken_at_s)
        self._count.setText(tr_many("{count} picture", "{count} pictures", view.progress.views))
        self._count.setVisible(view.progress.views > 0)
        self._advice.setText(tr("Solving ...") if view.solving else from_below(view.progress.advice))
        set_tone(self._advice, "ok" if view.progress.ready else "")
        self._residuals.setText(
            joined("\n", view.residuals)
            if view.residuals
            else tr("How well the pictures fit together is shown here as you go.")
        )
        self.automatic.setChecked(view.automatic)
        self.back.setEnabled(view.progress.views > 0)
        self.solve.setEnabled(view.progress.ready and not view.solving)
        if view.problem is not None:
            self.show_problem(view.problem)
        elif self._steps.currentIndex() == 1:
            self._problem.hide()
        if view.placed is not None:
            self._verdict.setText(view.verdict)
            set_tone(self._verdict, "warning" if any(block.doubts for block in view.result) else "ok")
            self._show_blocks(view.result)
            self._steps.setCurrentIndex(2)
        elif self._steps.currentIndex() == 2:
            self._steps.setCurrentIndex(1)

    def _show_blocks(self, blocks: tuple[Block, ...]) -> None:
        if [shown.block for shown in self.blocks] == list(blocks):
            return
        for shown in self.blocks:
            self._blocks.removeWidget(shown)
            shown.hide()
            shown.deleteLater()
        self.blocks = [_BlockWords(block) for block in blocks]
        for made in self.blocks:
            self._blocks.addWidget(made)

    def show_problem(self, problem: Message) -> None:
        """Say why something cannot be done."""
        self._problem.setText(problem.line)
        self._problem.show()

    def _board_chosen(self, keys: list[str]) -> None:
        self._board = BOARDS[keys[0]]
        self._show_board()

    def _show_board(self) -> None:
        board = self._board
        width, height = board.size_m
        self.sheet.show_board(board)
        measures = tr(
            "{columns} x {rows} squares, {width:.0f} x {height:.0f} mm in all. Print at 100%; "
            "the line at the bottom of the print must measure 100 mm."
        ).format(columns=board.columns, rows=board.rows, width=width * 1000.0, height=height * 1000.0)
        self._measures.setText(unbroken(measures))
        self.square.setText(
            tr("A square measures {length}").format(length=f"{round(board.square_m * 1000.0, 2):g} mm")
        )

    def _print(self) -> None:
        nominal = BOARDS[self._board.name]  # the paper is not stretched by what was measured on it
        path = self._model.print_board(nominal)
        if path is not None:
            self._problem.hide()
            self._printed.setText(tr("Saved: {path}").format(path=path))
            self._printed.show()

    def _type_square(self) -> None:
        self.pad.show_value(self._board.square_m * 1e3)
        self._show_pad(not self.pad.isVisible())

    def _show_pad(self, shown: bool) -> None:
        self.pad.setVisible(shown)
        if shown:
            self.pad.setFocus()

    def _square_entered(self, square_mm: float | None) -> None:
        nominal = BOARDS[self._board.name]
        self._board = nominal if square_mm is None else nominal.measured(square_mm)
        self._show_board()

    def _cameras_chosen(self, camera_ids: list[str]) -> None:
        problem = self._model.problem_with(camera_ids)
        self.begin.setEnabled(problem is None)
        names = {info.id: from_below(info.name) for info in self._model.infos}
        if problem is None:
            self._first.setText(
                tr("{names} becomes the origin of the rig.").format(names=names[camera_ids[0]])
            )
        else:
            self._first.setText(problem.line)
        set_tone(self._first, "" if problem is None else "warning")

    def _begin(self) -> None:
        chosen = self.cameras.selected
        if not self._model.start(chosen, self._board):
            return
        self._problem.hide()
        for tile in self.tiles.values():
            self._tiles_grid.removeWidget(tile)
            tile.deleteLater()
        names = {info.id: from_below(info.name) for info in self._model.infos}
        self.tiles = {camera_id: BoardTile(names[camera_id]) for camera_id in chosen}
        columns = 2 if len(chosen) == 4 else min(len(chosen), 1 if self.height() > self.width() else 3)
        for i, tile in enumerate(self.tiles.values()):
            self._tiles_grid.addWidget(tile, *divmod(i, columns))
        self._steps.setCurrentIndex(1)
        self.show_view(self._model.view)

    def _automatic_changed(self, automatic: bool) -> None:
        self._model.order("automatic on" if automatic else "automatic off")

    def _to_board(self) -> None:
        self._model.stop()
        self._problem.hide()
        self._steps.setCurrentIndex(0)

    def _saved(self, path: Path) -> None:
        self.calibrated.emit(path)
        self.accept()

    def _ended(self, _result: int) -> None:
        self._model.stop()


class _BlockWords(Worded, QWidget):
    """One camera's name, and below it what is said of the camera."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block
        self.doubts = body(unbroken(joined("\n", block.doubts)))
        set_tone(self.doubts, "warning")
        self.lines = body(unbroken(joined("\n", block.lines)))
        name = body(block.title)
        name.setFont(theme.font(theme.BODY_PX, weight=theme.BOLD))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(name)
        for words, said in ((self.doubts, block.doubts), (self.lines, block.lines)):
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.setVisible(bool(said))
            column.addWidget(words)
