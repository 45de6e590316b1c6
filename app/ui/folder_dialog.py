"""Chooses a folder or a file with fingers: large rows, places to start from, keys for a new file's name."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.language import tr
from app.ui import theme
from app.ui.icons import icon
from app.ui.touch_entry import TouchEntry
from app.ui.widgets import Button, PrimaryButton, Sheet, caption, fling, label, set_tone, title
from app.viewmodels.folders import FolderView, FolderWalk, shortcuts

ROW_PX = 60
FILE_ROLE = Qt.ItemDataRole.UserRole + 1


class FolderDialog(Sheet):
    """Shows one folder at a time; a press goes into it.

    Args:
        title_text: what is chosen.
        start: where to begin; its nearest existing parent where it is gone.
        sessions: the library, offered as a place.
        sessions_only: only a recorded session can be chosen.
        parent: the window.
        suffixes: of files that can be chosen too; a press chooses one.
        files_only: no folder can be chosen.
        save_as: name of the file to be written, which can be changed; empty where nothing is written.

    Signals:
        chosen: the folder or file.
    """

    chosen = Signal(Path)

    def __init__(
        self,
        title_text: str,
        start: Path,
        sessions: Path,
        *,
        sessions_only: bool,
        parent: QWidget,
        suffixes: tuple[str, ...] = (),
        files_only: bool = False,
        save_as: str = "",
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title_text)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._sessions_only, self._files_only = sessions_only, files_only
        self._suffix = Path(save_as).suffix
        self._replaces: Path | None = None
        self._trimmed = False
        self._walk = FolderWalk(start, self, suffixes=suffixes)
        self._path = label("", "body")
        self._note = caption()
        self.rows = QListWidget()
        self.rows.setAccessibleName(tr("Folders"))
        self.rows.setIconSize(QSize(28, 28))
        self.rows.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        fling(self.rows.viewport())
        self.up = Button(tr("Up"), icon_name="arrow-up")
        words = tr("Save here") if save_as else tr("Choose this folder")
        self.choose = PrimaryButton(words, icon_name="check")
        self.choose.setVisible(not files_only)
        self.name = TouchEntry(tr("Name of the file"))
        self.name.edit.setText(save_as)
        self.name.setVisible(bool(save_as))
        cancel = Button(tr("Cancel"))
        places = QHBoxLayout()
        places.setSpacing(theme.GAP_PX)
        places.addWidget(self.up)
        for text, path in shortcuts(sessions):
            place = Button(text)
            place.clicked.connect(partial(self._go_to, path))
            places.addWidget(place)
        places.addStretch(1)
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP_PX)
        foot.addWidget(self._note, 1)
        foot.addWidget(cancel)
        foot.addWidget(self.choose)
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.WIDE_PX, theme.WIDE_PX, theme.WIDE_PX, theme.WIDE_PX)
        column.setSpacing(12)
        column.addWidget(title(title_text))
        column.addLayout(places)
        column.addWidget(self._path)
        column.addWidget(self.rows, 1)
        column.addWidget(self.name)
        column.addLayout(foot)
        window = parent.window().size()
        self.resize(min(900, window.width() - 80), min(720, window.height() - 80))
        self.up.clicked.connect(self._walk.go_up)
        cancel.clicked.connect(self.reject)
        self.choose.clicked.connect(self._choose)
        self.name.submitted.connect(self._choose)
        self.rows.itemClicked.connect(self._pressed)
        self._walk.view_changed.connect(self.show_view)
        self.show_view(self._walk.view)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._trimmed:
            self._trimmed = True
            spare_px = self.rows.viewport().height() % ROW_PX  # of a row that would be cut
            self.resize(self.width(), self.height() - spare_px)
            self.setProperty("wanted", self.size())  # when the window is turned, too
            self.move(self.x(), self.y() + spare_px // 2)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.rows.count():
            self.show_view(self._walk.view)  # the icons are of the other theme

    def show_view(self, view: FolderView) -> None:
        """Show a folder."""
        self._path.setText(str(view.path))
        self.rows.clear()
        for row in view.rows:
            name = "file-video-outline" if row.file else "filmstrip-box" if row.session else "folder-outline"
            item = QListWidgetItem(icon(name), row.path.name)
            item.setData(Qt.ItemDataRole.UserRole, str(row.path))
            item.setData(FILE_ROLE, row.file)
            item.setSizeHint(QSize(0, ROW_PX))
            self.rows.addItem(item)
        self.up.setEnabled(view.path != view.path.parent)
        possible = not view.problem and (view.session or not self._sessions_only)
        self.choose.setEnabled(possible)
        note = "" if possible else tr("Go into a session; its icon is a film.")
        if not view.problem and possible and not view.rows:
            note = tr("This is a recorded session.") if view.session else tr("There is no folder in here.")
        if self._files_only and not view.problem:
            there = any(row.file for row in view.rows)
            note = tr("Press the file.") if there else tr("There is no such file in here.")
        self._replaces = None
        self._note.setText(view.problem or note)
        set_tone(self._note, "error" if view.problem else "")

    def _go_to(self, path: Path) -> None:
        self._walk.go_to(path)

    def _pressed(self, item: QListWidgetItem) -> None:
        # After the release, in which Qt goes on with this list: another folder empties it, a file ends it.
        path = Path(item.data(Qt.ItemDataRole.UserRole))
        QTimer.singleShot(0, self, partial(self._enter, path, file=bool(item.data(FILE_ROLE))))

    def _enter(self, path: Path, *, file: bool) -> None:
        if file and self._suffix:
            self.name.edit.setText(path.name)
        elif file:
            self.chosen.emit(path)
            self.accept()
        else:
            self._walk.go_to(path)

    def _choose(self) -> None:
        path = self._walk.view.path
        if self._suffix:
            path = self._named(path)
            if path.name == self._suffix:
                self._tell(tr("Give the file a name."))
                return
            if path.exists() and path != self._replaces:
                self._replaces = path
                self._tell(tr("This file is there already: press again to replace it."))
                return
        self.chosen.emit(path)
        self.accept()

    def _named(self, folder: Path) -> Path:
        typed = Path(self.name.text.strip()).name
        return folder / (
            typed if typed.lower().endswith(self._suffix) and typed else f"{typed}{self._suffix}"
        )

    def _tell(self, words: str) -> None:
        self._note.setText(words)
        set_tone(self._note, "warning")
