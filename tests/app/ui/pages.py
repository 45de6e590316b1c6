"""A window's services for pages under test: what was asked of it is noted, nothing is done."""

from dataclasses import dataclass, field

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QAbstractButton, QLineEdit

from app.compose import Studio
from app.settings import Settings
from app.ui.context import WindowContext
from model.spec import EngineChoice

SIZES = ((1280 - 104, 800 - 42), (1920 - 104, 1080 - 42))
"""What the window leaves to a page at its two sizes."""


@dataclass
class Asked:
    """What the page asked of the window."""

    pages: list = field(default_factory=list)
    sources: list = field(default_factory=list)
    notices: list = field(default_factory=list)
    themes: list = field(default_factory=list)
    languages: list = field(default_factory=list)
    solved: list = field(default_factory=list)
    saved: int = 0

    def save(self):
        self.saved += 1


def context_for(sessions, **settings):
    """The context of a window, and the list of what was asked of it."""
    asked = Asked()
    context = WindowContext(
        studio=Studio(EngineChoice(model="off")),
        settings=Settings(sessions=sessions, model="off", **settings),
        save_settings=asked.save,
        open_source=asked.sources.append,
        show_banner=asked.notices.append,
        solve_banner=asked.solved.append,
        go_to=asked.pages.append,
        apply_theme=asked.themes.append,
        apply_language=asked.languages.append,
        toggle_full_screen=lambda: None,
        save_bundle=lambda: asked.pages.append("bundle"),
        open_keys=lambda: asked.pages.append("keys"),
        open_dialog=lambda dialog: dialog.open(),
    )
    return context, asked


def discard(page):
    """End a page as the window does, and free its widgets now: dressing hundreds of them again is slow."""
    page.hidden()
    page.closing()
    page.close()
    page.deleteLater()
    QCoreApplication.sendPostedEvents(page, QEvent.Type.DeferredDelete.value)


def assert_fit_for_fingers(page):
    """Everything that is on screen and can be pressed is large enough and has a name."""
    controls = [w for kind in (QAbstractButton, QLineEdit) for w in page.findChildren(kind) if w.isVisible()]
    assert controls
    for control in controls:
        name = control.accessibleName() or control.text()
        assert name, control
        assert min(control.width(), control.height()) >= 48, (name, control.size())
