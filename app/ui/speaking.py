"""Makes the whole window speak another language at once; what runs behind it is not touched."""

from functools import cache

from PySide6.QtCore import QEvent, QLibraryInfo, QTranslator
from PySide6.QtWidgets import QApplication

from app import language
from app.language import Language

LEVELS = 8
"""Of layouts within layouts."""


def speak(app: QApplication, setting: str) -> None:
    """Speak the language of a setting: "system", or one of `app.language.LANGUAGES`.

    Every widget gets a `LanguageChange` event and says its words again (`app.ui.worded`); Qt's own words, as
    those of a line's menu, change with them.
    """
    wanted = language.chosen(setting)
    if wanted == language.current():
        return
    if (before := _translator(language.current())) is not None:
        app.removeTranslator(before)
    language.use(wanted)
    if (after := _translator(wanted)) is not None:
        app.installTranslator(after)
    for widget in app.topLevelWidgets():  # Qt hands the event on to their children
        app.sendEvent(widget, QEvent(QEvent.Type.LanguageChange))
    # Each level of nested layouts asks the one above it later; meanwhile words would be painted in the room
    # that those of the other language had.
    for _ in range(LEVELS):
        app.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)


@cache
def _translator(wanted: Language) -> QTranslator | None:
    """Of Qt's own words; None for English, and where Qt came without its translations."""
    made = QTranslator()
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    return made if wanted != "en" and made.load(f"qtbase_{wanted}", folder) else None
