"""The settings: a form made from the schema, applied and saved with every press."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app import paths
from app.language import tr
from app.ui import theme
from app.ui.card_grid import CardGrid
from app.ui.context import WindowContext
from app.ui.folder_dialog import FolderDialog
from app.ui.settings_editors import (
    EDITORS,
    FieldEditor,
    FolderEditor,
    KeysEditor,
    ModelEditor,
    SourceEditor,
    TextEditor,
)
from app.ui.widgets import (
    Button,
    Card,
    body,
    caption,
    heading,
    touch_scroll,
)
from app.ui.worded import Worded
from app.viewmodels.settings import (
    ENGINE_FIELDS,
    KIOSK_FIELDS,
    About,
    FieldProblem,
    SettingsViewModel,
    Value,
    about,
    has_desktop,
)
from app.viewmodels.words import breaking
from model.spec import AUTO, catalogue, resolved

CARD_PX = 560
NAME_PX = 140


def make_page(context: WindowContext) -> QWidget:
    """The page and its view-model, connected to the window."""
    return SettingsPage(SettingsViewModel(context.settings), context)


class SettingsPage(Worded, QWidget):
    """Cards of settings, and the foot with versions and folders."""

    def __init__(self, model: SettingsViewModel, context: WindowContext) -> None:
        super().__init__()
        self.setProperty("role", "page")
        self._model = model
        self._context = context
        self.editors: dict[str, FieldEditor] = {}
        cards: list[QWidget] = []
        for section in model.sections:
            card = Card(section.title)
            for field in section.fields:
                if context.kiosk and field.name in KIOSK_FIELDS:
                    continue
                editor = EDITORS[field.kind](field)
                self.editors[field.name] = editor
                card.column.addWidget(editor)
            cards.append(card)
        foot = AboutCard(about(model.settings), openable=has_desktop() and not context.kiosk)
        foot.bundle.clicked.connect(context.save_bundle)
        cards.append(foot)
        self.grid = CardGrid(narrowest_px=CARD_PX, most_columns=2)
        self.grid.set_cards(cards)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, theme.SPACE_PX, theme.SPACE_PX)
        column.addWidget(self.grid)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(theme.WIDE_PX, theme.SPACE_PX, theme.GAP_PX, theme.SPACE_PX)
        outer.setSpacing(theme.SPACE_PX)
        outer.addWidget(heading(tr("Settings")))
        outer.addWidget(touch_scroll(content), 1)
        for name, editor in self.editors.items():
            editor.edited.connect(partial(self._change, name))
            if isinstance(editor, SourceEditor):
                editor.browse_requested.connect(self._browse_source)
            if isinstance(editor, KeysEditor):
                editor.asked.connect(context.open_keys)
            if isinstance(editor, FolderEditor):
                editor.browse_requested.connect(partial(self._browse_folder, name))
        model.changed.connect(self._apply)
        model.problem_changed.connect(self.show_problem)
        self.show_values()

    def shown(self) -> None:
        """The page came to the front; other pages may have changed a setting."""
        self.show_values()
        for editor in self.editors.values():
            editor.show_problem("")  # it was said of what is not in the field any more

    def hidden(self) -> None:
        """The page left the front."""

    def closing(self) -> None:
        """The window closes; everything is saved already."""

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and "theme" in getattr(self, "editors", {}):
            self.editors["theme"].show_value(self._model.settings.theme)

    def say_again(self) -> None:
        if "language" in getattr(self, "editors", {}):  # chosen in the guide or the palette perhaps
            self.editors["language"].show_value(self._model.settings.language)

    def show_values(self) -> None:
        """Show every setting as it is."""
        settings = self._model.settings
        for name, editor in self.editors.items():
            if isinstance(editor, ModelEditor):
                models = [AUTO, *catalogue(paths.weights_folder(), paths.runs_folder())]
                editor.show_models(models, getattr(settings, name))
            else:
                editor.show_value(getattr(settings, name))

    def show_problem(self, problem: FieldProblem) -> None:
        """Say what is wrong with a setting, beside it."""
        editor = self.editors[problem.name]
        editor.show_problem(problem.message)
        if problem.message and not isinstance(editor, TextEditor | FolderEditor):
            editor.show_value(getattr(self._model.settings, problem.name))

    def _change(self, name: str, value: Value) -> None:
        self._model.change(name, value)

    def _apply(self, name: str) -> None:
        settings = self._model.settings
        self.editors[name].show_value(getattr(settings, name))
        if name == "theme":
            self._context.apply_theme(settings.theme)
        elif name == "language":
            self._context.apply_language(settings.language)
        elif name == "source":
            self._context.open_source(settings.source)
        elif name == "stabilise":
            self._context.studio.stabilise = settings.stabilise
        elif name in ENGINE_FIELDS:
            self._context.studio.choose(
                replace(
                    self._context.studio.choice,
                    model=resolved(settings.model),
                    device=settings.device,
                    precision=settings.precision,
                    tokens=settings.tokens,
                    anchor=settings.anchor,
                )
            )

    def _browse_source(self, kind: str) -> None:
        self.editors["source"].show_value(self._model.settings.source)
        sessions = self._model.settings.sessions_folder
        wanted = kind == "session"
        start = sessions if wanted else Path.home()
        dialog = FolderDialog(
            tr("Choose a session") if wanted else tr("Choose a folder of frames"),
            start,
            sessions,
            sessions_only=wanted,
            parent=self,
        )
        dialog.chosen.connect(self._source_chosen)
        self._context.open_dialog(dialog)

    def _source_chosen(self, folder: Path) -> None:
        self._model.change("source", str(folder))

    def _browse_folder(self, name: str) -> None:
        sessions = self._model.settings.sessions_folder
        dialog = FolderDialog(
            tr("Choose: {title}").format(title=self.editors[name].field.title),
            sessions,
            sessions,
            sessions_only=False,
            parent=self,
        )
        dialog.chosen.connect(partial(self._folder_chosen, name))
        self._context.open_dialog(dialog)

    def _folder_chosen(self, name: str, folder: Path) -> None:
        self._model.change(name, folder)


class AboutCard(Card):
    """Version, licence, and where everything is kept."""

    def __init__(self, foot: About, *, openable: bool) -> None:
        super().__init__(tr("About"))
        self.column.addWidget(
            body(
                tr("DepthMend {version}, licence {licence}").format(
                    version=foot.version, licence=foot.licence
                )
            )
        )
        for name, path in foot.folders:
            called = body(name)
            called.setFixedWidth(NAME_PX)
            where = caption(breaking(path))
            row = QHBoxLayout()
            row.addWidget(called)
            row.addWidget(where, 1)
            if openable:
                button = Button(tr("Open folder"), icon_name="folder-open-outline")
                button.setAccessibleName(tr("Open folder: {name}").format(name=name))
                button.clicked.connect(partial(_open, path))
                row.addWidget(button)
            self.column.addLayout(row)
        self.bundle = Button(tr("Save a bundle for support"), icon_name="package-variant-closed")
        self.column.addWidget(self.bundle)
        self.column.addWidget(caption(tr("Logs, settings, versions and the last pictures, in one file.")))


def _open(path: Path) -> None:
    folder = path.parent if path == paths.settings_file() else path
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
