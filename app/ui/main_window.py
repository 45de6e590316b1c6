"""The window: navigation rail, pages, banner, status strip.

| a page module   | gives                                   | and may give its widget            |
|-----------------|-----------------------------------------|------------------------------------|
| `app/ui/*_page` | `make_page(context: WindowContext)`,    | `shown()`, `hidden()`, `closing()` |
|                 | called when the page is first gone to   | (see `app.ui.context.Page`)        |
"""

import importlib
import logging
from functools import partial
from pathlib import Path
from typing import Final, cast

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QBoxLayout,
    QButtonGroup,
    QDialog,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import language, window_state
from app import settings as settings_file
from app.compose import Studio
from app.language import from_below, tr
from app.messages import Message
from app.recording.library import read_entry
from app.settings import Settings
from app.ui import rebinding, speaking, theme
from app.ui.cameras_page import CamerasPage
from app.ui.commands import Bound, Command, as_changed, bind_keys, change_keys
from app.ui.context import PAGE_TITLES, MakePage, Notice, PageName, WindowContext
from app.ui.hold_button import HoldButton
from app.ui.icons import icon
from app.ui.keyboard import OnScreenKeyboard
from app.ui.keys_dialog import KeysDialog
from app.ui.live_page import LivePage
from app.ui.palette import Palette
from app.ui.pin_pad import Guard, PinPad
from app.ui.playback_bar import PlaybackBar
from app.ui.rebinding import EVERYWHERE, Changed, keyed
from app.ui.scrim import Scrim
from app.ui.sessions_page import SessionsPage
from app.ui.status_strip import StatusStrip
from app.ui.welcome import Answers, Welcome
from app.ui.widgets import Banner, IconButton
from app.ui.worded import ToolButton, Worded
from app.viewmodels.bundle import BundleModel
from app.viewmodels.colouring import COLOUR_MAP_WORDS
from app.viewmodels.playback import PlaybackModel
from app.viewmodels.source import OpenSource, SourceModel
from app.viewmodels.status import StatusLine, StatusModel
from app.viewmodels.words import clock, session_name
from app.window_state import WindowState
from drivers.session.library import is_session

log = logging.getLogger(__name__)

PAGES: Final[tuple[tuple[PageName, str, str], ...]] = (
    ("Live", "eye-outline", "app.ui.live_page"),
    ("Compare", "compare-horizontal", "app.ui.compare_page"),
    ("Cameras", "camera-outline", "app.ui.cameras_page"),
    ("Record", "record-circle-outline", "app.ui.record_page"),
    ("Sessions", "folder-play-outline", "app.ui.sessions_page"),
    ("Train", "school-outline", "app.ui.train_page"),
    ("Settings", "cog-outline", "app.ui.settings_page"),
)
RAIL_PX: Final = 104
STATE_MS: Final = 1000
SMALLEST: Final = QSize(800, 640)
AROUND_DIALOG: Final = QSize(80, 60)
RAIL_HEIGHT_PX: Final = 90
RAIL_BUTTON_PX: Final = 80
PAGES_WITH_KEYS: Final[tuple[PageName, ...]] = ("Live", "Compare", "Record")
PALETTE_KEYS: Final = ("Ctrl+K", "Ctrl+P", "Ctrl+Alt+/", "H", "F1")


class MainWindow(Worded, QMainWindow):
    """Everything on the screen.

    Args:
        studio: what runs behind it.
        settings: the operator's choices.
        open_source: finds the cameras of a source.
        kiosk: full screen, with a button to be held, and perhaps a PIN, as the only way out.

    Signals:
        closed: after the last thread has ended.
    """

    closed = Signal()

    def __init__(
        self, studio: Studio, settings: Settings, *, open_source: OpenSource, kiosk: bool = False
    ) -> None:
        super().__init__()
        self._studio = studio
        self._settings = settings
        self._kiosk = kiosk
        rebinding.use(settings.keys)
        self._open = True
        self._leaving = False
        self._banner = Banner()
        self.context = WindowContext(
            studio=studio,
            settings=settings,
            save_settings=self.save_settings,
            open_source=self.open_source,
            show_banner=self.show_banner,
            solve_banner=self._banner.solve,
            go_to=self.go_to,
            apply_theme=self.apply_theme,
            apply_language=self.apply_language,
            toggle_full_screen=self.toggle_full_screen,
            save_bundle=self.save_bundle,
            open_dialog=self.open_dialog,
            open_keys=self.open_keys,
            kiosk=kiosk,
        )
        self._guard = Guard(settings.kiosk_pin)
        self._source = SourceModel(studio, open_source, self)
        self._status = StatusModel(studio, self._sessions_folder, self)
        self._playback = PlaybackModel(studio, self)
        self._playback_bar = PlaybackBar(self._playback)
        self._bundle = BundleModel(studio, settings, self)
        self._kept: WindowState | None = None
        self._state_timer = QTimer(self)
        self._state_timer.setInterval(STATE_MS)
        self._pages: dict[PageName, QWidget] = {}
        self._stack = QStackedWidget()
        self._rail_buttons: dict[PageName, QToolButton] = {}
        self._theme_button = IconButton(
            "theme-light-dark", keyed(tr("Dark, light or outdoor (Ctrl+Shift+T)"), EVERYWHERE), kind="quiet"
        )
        self._full_button = IconButton("fullscreen", keyed(tr("Full screen (F11)"), EVERYWHERE), kind="quiet")
        self._way_out = HoldButton("exit-to-app", tr("Hold two seconds to leave"))
        self.strip = StatusStrip()
        self.setWindowTitle("DepthMend")
        self.setMinimumSize(SMALLEST)
        self.setCentralWidget(self._make_body())
        self._scrim = Scrim(self)
        self._connect()
        self._status.start()
        self._playback.start()
        self.go_to("Live")

    @property
    def _live(self) -> LivePage:
        page = self.page_widget("Live")
        assert isinstance(page, LivePage)
        return page

    @property
    def page(self) -> PageName:
        """Name of the page in front."""
        return next(name for name, button in self._rail_buttons.items() if button.isChecked())

    def page_widget(self, name: PageName) -> QWidget:
        """The page of this name; it is made when it is first asked for."""
        if name not in self._pages:
            module = importlib.import_module(next(where for page, _, where in PAGES if page == name))
            made = cast("MakePage", module.make_page)(self.context)
            made.setProperty("role", "page")
            if isinstance(made, LivePage):
                made.palette_requested.connect(self.open_palette)
                made.end_requested.connect(self._playback_bar.end.click)
            if name == "Record":
                made.second_begun.connect(self._status.poll)  # type: ignore[attr-defined]
            self._pages[name] = made
            self._stack.addWidget(made)
        return self._pages[name]

    def go_to(self, name: PageName) -> None:
        """Show another page."""
        page = self.page_widget(name)
        before = self._stack.currentWidget()
        self._rail_buttons[name].setChecked(True)
        self._playback_bar.set_in_front(name == "Live")
        if before is page and page.property("in front"):
            return
        if before is not None and before is not page:
            _tell(before, "hidden")
            before.setProperty("in front", False)
        self._stack.setCurrentWidget(page)
        page.setProperty("in front", True)
        _tell(page, "shown")

    def open_source(self, source: str) -> None:
        """Switch the rig; errors become a banner."""
        self._source.open(source)

    def show_banner(self, notice: Notice) -> None:
        """Show a notice above the page."""
        self._banner.show_notice(notice)

    def hide_banner(self) -> None:
        """Take the notice in front away."""
        self._banner.dismiss()

    def show_error(self, sentence: str) -> None:
        """Say that something went wrong that nobody expected."""
        hint = tr("DepthMend goes on. A bundle holds logs, settings, versions and the last pictures.")
        self.show_banner(Notice("error", from_below(sentence), hint, tr("Save a bundle"), self.save_bundle))

    def save_bundle(self) -> None:
        """Write everything that is needed to understand a failure into one file, in the background."""
        self._bundle.save()

    def _bundle_saved(self, file: Path) -> None:
        self.show_banner(Notice.saved(file, lasts_s=8, about="bundle"))

    def _bundle_failed(self, message: Message) -> None:
        self.show_banner(Notice("error", message.sentence, message.hint, about="bundle"))

    @property
    def state(self) -> WindowState:
        """What is shown now, as far as it is kept."""
        options = self._live.model.options
        return WindowState.model_validate(
            {
                "page": self.page,
                "layout": options.layout,
                "base": options.base,
                "shown": options.shown,
                "colour_map": options.colour_map,
                "auto": options.auto,
                "full_screen": self.isFullScreen(),
            }
        )

    def keep_state(self, state: WindowState | None) -> None:
        """Show what was shown last, and write down what is shown from now on."""
        if state is not None:
            model = self._live.model
            model.set_layout(state.layout)
            model.set_base(state.base)
            model.set_shown(state.shown)
            if state.colour_map in COLOUR_MAP_WORDS:
                model.set_colour_map(state.colour_map)
            if state.auto:
                model.set_preset("auto")
            if state.full_screen and not self._kiosk:
                self.showFullScreen()
            self.go_to(state.page)
        self._kept = self.state
        self._state_timer.start()

    def _keep(self) -> None:
        if self.state == self._kept:
            return
        self._kept = self.state
        try:
            window_state.save(self._kept)
        except (
            OSError
        ) as error:  # what is lost is an arrangement; the settings' banner says the same of the disk
            log.warning("the window's state is not kept: %s", error)

    def welcome(self) -> None:
        """Guide through the first start."""
        guide = Welcome(self)
        guide.answered.connect(self._welcomed)
        guide.language_chosen.connect(self.change_language)
        self.open_dialog(guide)

    def _welcomed(self, answers: Answers) -> None:
        if answers.theme:
            self._settings.theme = answers.theme  # type: ignore[assignment]  # a key of THEMES
            self.apply_theme(answers.theme)
        if answers.source:
            self._settings.source = answers.source
            if answers.source != self._source.source:  # it was opened behind the guide
                self.open_source(answers.source)
        if answers.page:
            self.go_to(cast("PageName", answers.page))
        self.save_settings()

    def recover_sessions(self) -> None:
        """Finish what a crash left unfinished, in the background; the Sessions page says what was done."""
        page = self.page_widget("Sessions")
        assert isinstance(page, SessionsPage)
        page.shown()

    def save_settings(self) -> None:
        """Write the settings; a failure becomes a banner."""
        try:
            settings_file.save(self._settings)
        except OSError as error:
            log.exception("settings not written")
            self.show_banner(
                Notice(
                    "error",
                    tr("The settings could not be written: {strerror}.").format(
                        strerror=from_below(str(error.strerror))
                    ),
                    tr("They hold until DepthMend ends."),
                    about="settings",
                )
            )
        else:
            self._banner.solve("settings")

    def apply_theme(self, name: str) -> None:
        """Dress the application in another theme."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, name)

    def apply_language(self, setting: str) -> None:
        """Speak another language."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        speaking.speak(app, setting)

    def change_language(self, setting: str) -> None:
        """Speak another language from now on, for good."""
        self._settings.language = setting  # type: ignore[assignment]  # "system" or a key of NAMES
        self.apply_language(setting)
        self.save_settings()

    def toggle_theme(self) -> None:
        """Dark, light, outdoor, and dark again, for good."""
        self._settings.theme = theme.after(self._settings.theme)  # type: ignore[assignment]  # a key of THEMES
        self.apply_theme(self._settings.theme)
        self.save_settings()

    def toggle_full_screen(self) -> None:
        """In and out; a kiosk stays in."""
        if self._kiosk:
            return
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def open_dialog(self, dialog: QDialog) -> None:
        """Show a dialog; while a recording runs, Stop and the marks stay within reach beside it."""
        for other in self.findChildren(QDialog):
            if other is not dialog and other.isVisible():
                other.reject()
        recording = self._studio.recorder is not None
        blocks = Qt.WindowModality.NonModal if recording else Qt.WindowModality.WindowModal
        dialog.setWindowModality(blocks)
        if not dialog.testAttribute(Qt.WidgetAttribute.WA_Resized):
            dialog.adjustSize()
        dialog.setProperty("wanted", dialog.size())
        self._centre(dialog)
        if not recording:
            self._scrim.cover()
            dialog.finished.connect(self._uncover)
        if isinstance(_first_by_tab(dialog), QAbstractButton):
            dialog.setFocus()  # no button looks chosen before a key or a finger came to it
        dialog.show()
        dialog.activateWindow()

    def _uncover(self) -> None:
        """Lift the veil, unless the dialog that has closed opened the next one."""
        if not any(dialog.isVisible() for dialog in self.findChildren(QDialog)):
            self._scrim.hide()

    def _centre(self, dialog: QDialog) -> None:
        """In the middle of the window; a kiosk has no window manager that would do it."""
        dialog.move(self.mapToGlobal(self.rect().center()) - dialog.rect().center())

    def ask_to_leave(self) -> None:
        """Leave a kiosk whose button was held; with a PIN, only who knows it."""
        if not self._settings.kiosk_pin:
            self.leave()
            return
        pad = PinPad(self._guard, self)
        pad.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        pad.opened.connect(self.leave)
        self.open_dialog(pad)

    def leave(self) -> None:
        """Close, from a kiosk as well."""
        self._leaving = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._kiosk and not self._leaving and event.spontaneous():
            event.ignore()
            return
        if self._open:
            self._open = False
            for dialog in self.findChildren(QDialog):  # while one is open, the program does not end
                dialog.blockSignals(True)
                dialog.close()
            self.hide()  # at once; a device may take a moment to let go
            if self._state_timer.isActive():
                self._keep()
                self._state_timer.stop()
            self._bundle.close()
            self._status.stop()
            self._playback.stop()
            for page in self._pages.values():
                _tell(page, "hidden")
                _tell(page, "closing")
            self._source.stop()
            self._studio.close()
        event.accept()
        self.closed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._dress_rail()
        elif event.type() == QEvent.Type.WindowStateChange:
            self._full_button.set_icon("fullscreen-exit" if self.isFullScreen() else "fullscreen")
            if self._kiosk and self._open and self.isVisible() and not self.isFullScreen():
                self.showFullScreen()  # a desktop's own keys and gestures make windows small

    def _make_body(self) -> QWidget:
        body = QWidget()
        body.setProperty("role", "page")
        right = QVBoxLayout()
        right.setSpacing(0)
        banner_room = QHBoxLayout()
        banner_room.setContentsMargins(12, 0, 12, 0)
        banner_room.addWidget(self._banner)
        right.addLayout(banner_room)
        right.addWidget(self._stack, 1)
        right.addWidget(self._playback_bar)
        right.addWidget(self.strip)
        self.keyboard = OnScreenKeyboard(self, right, self._keyboard_mode)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight, body)
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.setSpacing(0)
        self._body.addWidget(self._make_rail())
        self._body.addLayout(right, 1)
        return body

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._scrim.isVisible():
            self._scrim.cover()
        for dialog in self.findChildren(QDialog):  # a tablet was turned below one
            if dialog.isVisible():
                whole = dialog.property("fills")
                room = self.size() - AROUND_DIALOG
                dialog.resize(self.size() if whole else dialog.property("wanted").boundedTo(room))
                self._centre(dialog)
        upright = self.height() > self.width()
        direction = QBoxLayout.Direction.BottomToTop if upright else QBoxLayout.Direction.LeftToRight
        if direction != self._body.direction():  # where it is narrow, the pages get the whole width
            self._body.setDirection(direction)
            self._turn_rail(lying=upright)

    def _turn_rail(self, *, lying: bool) -> None:
        """The rail along the lower edge, or along the left one."""
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._rail_column.setDirection(across if lying else down)
        self._rail.setProperty("lying", lying)
        self._rail.style().unpolish(self._rail)
        self._rail.style().polish(self._rail)
        self._rail.setMinimumWidth(0 if lying else RAIL_PX)
        self._rail.setMaximumWidth(theme.NO_LIMIT_PX if lying else RAIL_PX)
        self._rail.setMinimumHeight(RAIL_HEIGHT_PX if lying else 0)
        self._rail.setMaximumHeight(RAIL_HEIGHT_PX if lying else theme.NO_LIMIT_PX)

    def _make_rail(self) -> QFrame:
        rail = self._rail = QFrame()
        rail.setProperty("role", "rail")
        rail.setFixedWidth(RAIL_PX)
        column = self._rail_column = QBoxLayout(QBoxLayout.Direction.TopToBottom, rail)
        column.setContentsMargins(8, 10, 8, 10)
        column.setSpacing(theme.GAP_PX)
        group = QButtonGroup(self)
        for name, _, _ in PAGES:
            button = ToolButton()
            button.setText(tr(PAGE_TITLES[name]))
            button.setAccessibleName(tr(PAGE_TITLES[name]))
            button.setProperty("kind", "rail")
            button.setCheckable(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(30, 30))
            button.setFixedHeight(70)
            button.setMinimumWidth(RAIL_BUTTON_PX)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(partial(self._rail_pressed, name))
            group.addButton(button)
            column.addWidget(button)
            self._rail_buttons[name] = button
        column.addStretch(1)
        for corner in (self._theme_button, self._full_button, self._way_out):
            column.addWidget(corner, 0, Qt.AlignmentFlag.AlignCenter)
        self._full_button.setVisible(not self._kiosk)
        self._way_out.setVisible(self._kiosk)
        self._dress_rail()
        return rail

    def _connect(self) -> None:
        self._theme_button.clicked.connect(self.toggle_theme)
        self._full_button.clicked.connect(self.toggle_full_screen)
        self._way_out.held.connect(self.ask_to_leave)
        self._status.changed.connect(self._show_status)
        self._source.opening.connect(self._source_opening)
        self._source.opened.connect(self._source_opened)
        self._source.failed.connect(self._source_failed)
        self._bundle.saved.connect(self._bundle_saved)
        self._bundle.failed.connect(self._bundle_failed)
        self._state_timer.timeout.connect(self._keep)
        listing = Command(tr("List everything that can be done"), self.open_palette, PALETTE_KEYS)
        bind_keys([*self._commands(), listing], self, EVERYWHERE)

    def _commands(self) -> list[Command]:
        """What can be done on every page."""
        found = [
            Command(
                tr("Go to {name}").format(name=PAGE_TITLES[name]), partial(self.go_to, name), (f"Ctrl+{i}",)
            )
            for i, (name, _, _) in enumerate(PAGES, 1)
        ]
        found += [
            Command(
                tr("Save a bundle for support: logs, settings, versions, last pictures"), self.save_bundle
            ),
            Command(tr("Guide through the first start again"), self.welcome),
            Command(tr("Change settings"), partial(self.go_to, "Settings"), ("Ctrl+,",)),
            Command(tr("Open a recording or a rig file"), self._open_file, ("Ctrl+O",)),
            Command(tr("Dark, light or outdoor"), self.toggle_theme, ("Ctrl+Shift+T",)),
        ]
        found += [
            Command(tr("Language: {name}").format(name=name), partial(self.change_language, key))
            for key, name in language.NAMES.items()
        ]
        if not self._kiosk:
            found += [
                Command(tr("Full screen, or back"), self.toggle_full_screen, ("F11",)),
                Command(tr("Change the keys"), self.open_keys),
                Command(tr("Leave DepthMend"), self.leave, ("Ctrl+Q",)),
            ]
        return found

    def open_palette(self) -> None:
        """List everything that can be done on this page."""
        page = self._stack.currentWidget()
        commands = getattr(page, "commands", None)
        found = commands() if callable(commands) else []
        palette = Palette([*found, *as_changed(self._commands(), EVERYWHERE)], self)
        palette.chosen.connect(_act)
        self.open_dialog(palette)

    def open_keys(self) -> None:
        """List every command with its key, to be changed; pages that nobody went to yet are made for it."""
        for name in PAGES_WITH_KEYS:
            self.page_widget(name)
        entries = [entry for bound in self.findChildren(Bound) for entry in bound.entries]
        entries.sort(key=lambda entry: list(rebinding.PLACES).index(entry.place))
        dialog = KeysDialog(entries, rebinding.in_use(), self)
        dialog.rebound.connect(self._rebind)
        self.open_dialog(dialog)

    def _rebind(self, changed: Changed) -> None:
        self._settings.keys = changed
        change_keys(changed)
        self.save_settings()

    def _open_file(self) -> None:
        self.go_to("Cameras")
        page = self.page_widget("Cameras")
        assert isinstance(page, CamerasPage)
        page.open_recording.click()

    def _rail_pressed(self, name: PageName, _checked: bool = False) -> None:
        self.go_to(name)

    def _dress_rail(self) -> None:
        colours = theme.current()
        for name, icon_name, _ in PAGES:
            if button := self._rail_buttons.get(name):
                button.setIcon(icon(icon_name, colour=colours.muted, checked=colours.on_chosen))
                if button.property("recording"):
                    button.setIcon(icon("record-circle", colour=colours.on_record))

    def _keyboard_mode(self) -> str:
        return self._settings.keyboard

    def _sessions_folder(self) -> Path:
        return self._settings.sessions_folder

    def _show_status(self, line: StatusLine) -> None:
        self.strip.show_line(line)
        self._show_recording()

    def _show_recording(self) -> None:
        """A recording is seen from every page: the way to its Stop is red, and says how long it is."""
        recorder = self._studio.recorder
        button = self._rail_buttons["Record"]
        if recorder is not None:
            button.setText(clock(recorder.status().seconds))
        else:
            button.setText(tr("Saving ...") if self._studio.saving else tr(PAGE_TITLES["Record"]))
        if button.property("recording") is not (recorder is not None):
            button.setProperty("recording", recorder is not None)
            button.style().unpolish(button)
            button.style().polish(button)
            self._dress_rail()

    def _source_opening(self, source: str) -> None:
        self._say_on_live(tr("Opening the cameras"), tr("Source: {source}").format(source=source))

    def _source_opened(self, source: str) -> None:
        self._banner.solve("source")
        if source != self._settings.source and is_session(Path(source)):
            back = partial(self.open_source, self._settings.source)
            text = tr("Replay of {name}.").format(name=session_name(read_entry(Path(source))))
            folder = Path(source).name
            self.show_banner(Notice("info", text, folder, tr("Back to the cameras"), back, about="source"))

    def _source_failed(self, message: Message) -> None:
        self._say_on_live(
            tr("No camera is open"), tr("Open the simulated rig, or other cameras on the Cameras page.")
        )
        to_cameras = partial(self.go_to, "Cameras")
        self.show_banner(
            Notice("error", message.sentence, message.hint, tr("Cameras"), to_cameras, about="source")
        )

    def _say_on_live(self, title_text: str, text: str) -> None:
        if isinstance(page := self._pages.get("Live"), LivePage):
            page.show_source_state(title_text, text)


def _tell(page: QWidget, what: str) -> None:
    method = getattr(page, what, None)
    if callable(method):
        method()


def _first_by_tab(dialog: QDialog) -> QWidget | None:
    """Where the focus goes when the dialog comes up, unless something else takes it."""
    found: QWidget | None = dialog.nextInFocusChain()
    while found is not None and found is not dialog and not found.focusPolicy() & Qt.FocusPolicy.TabFocus:
        found = found.nextInFocusChain()
    return found


def _act(command: Command) -> None:
    command.act()
