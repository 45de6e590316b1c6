"""What the window offers to its pages."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from PySide6.QtWidgets import QDialog, QWidget

from app.compose import Studio
from app.language import tr, tr_noop
from app.settings import Settings

PageName = Literal["Live", "Compare", "Cameras", "Record", "Sessions", "Train", "Settings"]
PAGE_TITLES: Final[dict[PageName, str]] = {
    "Live": tr_noop("Live"),
    "Compare": tr_noop("Compare"),
    "Cameras": tr_noop("Cameras"),
    "Record": tr_noop("Record"),
    "Sessions": tr_noop("Sessions"),
    "Train": tr_noop("Train"),
    "Settings": tr_noop("Settings"),
}
Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Notice:
    """What a banner says.

    Attributes:
        level: how bad it is.
        text: what is the case, in one sentence.
        hint: what to do about it.
        action_text: of the button, or empty for none.
        action: what the button does; the banner closes.
        lasts_s: seconds until it goes by itself; 0 stays until it is closed or solved.
        danger: what the button does cannot be undone: it is red, and another one beside it does nothing.
        about: what it is about, such as "settings": the next notice about the same replaces it.
    """

    level: Level
    text: str
    hint: str = ""
    action_text: str = ""
    action: Callable[[], None] | None = None
    lasts_s: float = 0.0
    danger: bool = False
    about: str = ""

    @classmethod
    def saved(cls, file: Path, *, lasts_s: float, about: str) -> "Notice":
        """That this file was written, and where."""
        words = tr("Saved {name}.").format(name=file.name)
        return cls("info", words, str(file.parent), lasts_s=lasts_s, about=about)


@dataclass(frozen=True)
class WindowContext:
    """Everything a page may use, and everything it may ask of the window.

    Attributes:
        studio: cameras, repair and recorder.
        settings: the operator's choices; change attributes, then call `save_settings`.
        save_settings: writes the file; failures become a banner.
        open_source: switches the rig to this source in the background; errors become a banner.
        show_banner: shows a notice in the window, once, beside those that are not solved yet.
        solve_banner: takes the notice about this away, as it is solved.
        go_to: shows another page.
        apply_theme: name of one of `app.ui.theme.THEMES`, at once; does not save.
        apply_language: "system", or one of `app.language.LANGUAGES`, at once; does not save.
        toggle_full_screen: in and out.
        save_bundle: writes logs, settings and versions into one file in the background.
        open_dialog: shows a dialog; it blocks the window only while nothing is recorded.
        open_keys: lists every command with its key, to be changed.
        kiosk: whether nobody shall leave: no other program is opened then.
    """

    studio: Studio
    settings: Settings
    save_settings: Callable[[], None]
    open_source: Callable[[str], None]
    show_banner: Callable[[Notice], None]
    solve_banner: Callable[[str], None]
    go_to: Callable[[PageName], None]
    apply_theme: Callable[[str], None]
    apply_language: Callable[[str], None]
    toggle_full_screen: Callable[[], None]
    save_bundle: Callable[[], None]
    open_dialog: Callable[[QDialog], None]
    open_keys: Callable[[], None]
    kiosk: bool = False


class Page(Protocol):
    """What a page module's `make_page(context)` returns: a QWidget with these optional methods.

    `shown()` is called when the page comes to the front and `hidden()` when it leaves it: start and stop the
    page's timer there. `closing()` is called once, before the studio closes: stop children and threads.
    `commands()`, where there is one, gives what the palette lists besides what can be done everywhere.
    """

    def shown(self) -> None: ...

    def hidden(self) -> None: ...

    def closing(self) -> None: ...


MakePage = Callable[[WindowContext], QWidget]
