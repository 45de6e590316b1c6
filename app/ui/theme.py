"""Colours, spacing and type of the window, in themes that can be switched at run time."""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from app.recording.collecting import uncollected

FONT_FAMILIES: Final = (
    "Inter",
    "Noto Sans SC Subset",
    "Noto Sans CJK SC",
    "Noto Sans",
    "Segoe UI",
    "DejaVu Sans",
)
"""The first two are bundled, so that a layout that fits here fits everywhere; the others have the rest."""
FONTS: Final = Path(__file__).resolve().parents[2] / "resources" / "fonts"

TIGHT_PX: Final = 4
GAP_PX: Final = 8
SPACE_PX: Final = 16
WIDE_PX: Final = 24
RADIUS_PX: Final = 10
NO_LIMIT_PX: Final = 16_777_215
"""Qt's QWIDGETSIZE_MAX: the largest size of a widget that has no limit."""

SMALLEST_TARGET_PX: Final = 48
"""Nothing that can be pressed is smaller: 9 mm on a 10 inch panel, a gloved finger."""
TARGET_PX: Final = 56
BIG_TARGET_PX: Final = 76

CAPTION_PX: Final = 14
BODY_PX: Final = 16
CONTROL_PX: Final = 17
TITLE_PX: Final = 20
HEADING_PX: Final = 28
FIGURE_PX: Final = 40
BOLD: Final = QFont.Weight.DemiBold


@dataclass(frozen=True)
class Colours:
    """One theme. Text on its ground has a contrast of 7:1 or more; `muted` on every ground at least 5:1.

    Outdoors everything that is written or framed has 7:1, frames are thick, and what is chosen is as dark as
    ink: a tint is not seen in the sun.
    """

    name: str
    window: str
    surface: str
    raised: str
    hover: str
    pressed: str
    line: str
    edge: str
    text: str
    muted: str
    placeholder: str
    disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_soft: str
    accent_text: str
    chosen: str
    on_chosen: str
    record: str
    record_hover: str
    on_record: str
    ok: str
    info: str
    info_soft: str
    warning: str
    warning_soft: str
    error: str
    error_soft: str
    picture: str
    on_picture: str
    border_px: int = 1

    @property
    def tinted(self) -> bool:
        """Whether a tint says something; outdoors what is raised is as white as what is not."""
        return self.raised != self.surface


DARK: Final = Colours(
    name="dark",
    window="#0d1014",
    surface="#151a20",
    raised="#20272f",
    hover="#2a333d",
    pressed="#36414d",
    line="#262e37",
    edge="#414d5a",
    text="#f3f6f9",
    muted="#aeb9c4",
    placeholder="#8a95a1",
    disabled="#68737f",
    accent="#4fe0bb",
    accent_hover="#7cecd0",
    on_accent="#03211a",
    accent_soft="#12362f",
    accent_text="#7cecd0",
    chosen="#12362f",
    on_chosen="#7cecd0",
    record="#d8281d",
    record_hover="#ee4237",
    on_record="#ffffff",
    ok="#4fe0bb",
    info="#82c7ff",
    info_soft="#10293d",
    warning="#ffc95c",
    warning_soft="#35290c",
    error="#ff9088",
    error_soft="#401816",
    picture="#07090c",
    on_picture="#f3f6f9",
)

LIGHT: Final = Colours(
    name="light",
    window="#e9edf1",
    surface="#ffffff",
    raised="#eef2f5",
    hover="#dfe6ec",
    pressed="#cdd7e0",
    line="#d3dbe3",
    edge="#8b98a5",
    text="#0a121c",
    muted="#3f4c59",
    placeholder="#5f6b77",
    disabled="#8a959f",
    accent="#005f54",
    accent_hover="#00776a",
    on_accent="#ffffff",
    accent_soft="#cdeee7",
    accent_text="#00463e",
    chosen="#cdeee7",
    on_chosen="#00463e",
    record="#b7150b",
    record_hover="#d2241a",
    on_record="#ffffff",
    ok="#005f54",
    info="#0b4a80",
    info_soft="#dceefc",
    warning="#6b4100",
    warning_soft="#fff0cc",
    error="#98110a",
    error_soft="#fde2df",
    picture="#07090c",
    on_picture="#f3f6f9",
)

OUTDOOR: Final = Colours(
    name="outdoor",
    window="#ffffff",
    surface="#ffffff",
    raised="#ffffff",
    hover="#e8e8e8",
    pressed="#d0d0d0",
    line="#3a3a3a",
    edge="#000000",
    text="#000000",
    muted="#1f1f1f",
    placeholder="#595959",
    disabled="#595959",
    accent="#00332d",
    accent_hover="#00483f",
    on_accent="#ffffff",
    accent_soft="#d5f5ee",
    accent_text="#00332d",
    chosen="#00332d",
    on_chosen="#ffffff",
    record="#8c0000",
    record_hover="#a50a0a",
    on_record="#ffffff",
    ok="#004030",
    info="#003463",
    info_soft="#e2f0ff",
    warning="#4f2d00",
    warning_soft="#fff3d6",
    error="#7a0000",
    error_soft="#ffe6e3",
    picture="#07090c",
    on_picture="#ffffff",
    border_px=2,
)
"""For sunlight on the screen: black on white, and nothing said by a tint alone."""

THEMES: Final = {theme.name: theme for theme in (DARK, LIGHT, OUTDOOR)}

_current = DARK


def current() -> Colours:
    """The theme that was applied last."""
    return _current


def after(name: str) -> str:
    """The theme that follows another one, in a circle."""
    names = list(THEMES)
    return names[(names.index(name) + 1) % len(names)]


def apply(app: QApplication, theme_name: str) -> None:
    """Dress the whole application; widgets get a `StyleChange` event and recolour their icons."""
    global _current
    _current = THEMES[theme_name]
    _load_fonts()
    _use_fusion(app)
    # QScroller swallows double clicks, so that of two quick taps in a list or a form, even on two buttons,
    # the second would be lost; nothing here needs Qt's own double clicks.
    app.setDoubleClickInterval(0)
    sheet = Template(_QSS).substitute(asdict(_current), border=_current.border_px, **_SIZES)
    # Qt goes through a list of all widgets here and calls their event handlers, ours in Python among them:
    # were Python to collect a closed window meanwhile, Qt would go on to a widget that is gone and crash.
    with uncollected():
        app.setFont(font(BODY_PX))
        app.setPalette(_palette(_current))
        app.setStyleSheet(sheet)


@cache
def _use_fusion(app: QApplication) -> None:
    # Once: widgets that are about to be deleted may still paint with the style that would be replaced.
    app.setStyle("Fusion")


@cache
def _load_fonts() -> None:
    for file in sorted(FONTS.glob("*.otf")):
        QFontDatabase.addApplicationFont(str(file))


def font(size_px: int, *, weight: QFont.Weight = QFont.Weight.Normal, tabular: bool = False) -> QFont:
    """The window's font; `tabular` gives every figure the same width, for numbers that change."""
    made = QFont()
    made.setFamilies(list(FONT_FAMILIES))
    made.setPixelSize(size_px)
    made.setWeight(weight)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def _palette(colours: Colours) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, value in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.surface),
        (role.AlternateBase, colours.raised),
        (role.Text, colours.text),
        (role.PlaceholderText, colours.placeholder),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.error),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.Link, colours.accent_text),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text),
        (role.Light, colours.hover),
        (role.Midlight, colours.hover),
        (role.Mid, colours.line),
        (role.Dark, colours.edge),
        (role.Shadow, colours.window),
        (role.Accent, colours.accent),
    ):
        palette.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.disabled))
    return palette


_SIZES: Final = {
    "radius": RADIUS_PX,
    "caption": CAPTION_PX,
    "body": BODY_PX,
    "control": CONTROL_PX,
    "title": TITLE_PX,
    "heading": HEADING_PX,
    "figure": FIGURE_PX,
}

_QSS: Final = """
QWidget { font-size: ${body}px; }
QMainWindow, QWidget[role="page"] { background: $window; }

QLabel { background: transparent; color: $text; }
QLabel[role="heading"] { font-size: ${heading}px; font-weight: 600; }
QLabel[role="title"] { font-size: ${title}px; font-weight: 600; }
QLabel[role="figure"] { font-size: ${figure}px; font-weight: 600; }
QLabel[role="caption"] { font-size: ${caption}px; color: $muted; }
QLabel[role="muted"] { color: $muted; }
QLabel[tone="ok"] { color: $ok; }
QLabel[tone="info"] { color: $info; }
QLabel[tone="warning"] { color: $warning; }
QLabel[tone="error"] { color: $error; }
QLabel:disabled { color: $disabled; }

QFrame[role="card"] { background: $surface; border: ${border}px solid $line; border-radius: 14px; }
QFrame[role="bar"] { background: $surface; border: none; }
QFrame[role="line"] { background: $line; border: none; }
QFrame[role="group"] { background: $raised; border: ${border}px solid $line; border-radius: ${radius}px; }

QPushButton, QToolButton {
    background: $raised; color: $text; border: ${border}px solid $edge; border-radius: ${radius}px;
    padding: 4px 18px; font-size: ${control}px; font-weight: 500;
}
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $pressed; }
QPushButton:checked, QToolButton:checked {
    background: $chosen; color: $on_chosen; border: 2px solid $accent; padding: 3px 17px;
}
QPushButton:focus, QToolButton:focus { border: 2px solid $accent; padding: 3px 17px; }
QPushButton:disabled, QToolButton:disabled {
    background: transparent; color: $disabled; border: ${border}px solid $line;
}

QPushButton[kind="primary"] {
    background: $accent; color: $on_accent; border: 2px solid $accent; font-weight: 600;
}
QPushButton[kind="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[kind="primary"]:pressed { background: $accent_text; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; }
QPushButton[kind="primary"]:disabled { background: transparent; color: $disabled; border: 2px solid $line; }

QPushButton[kind="record"] {
    background: $record; color: $on_record; border: 2px solid $record; font-weight: 600;
}
QPushButton[kind="record"]:hover { background: $record_hover; border-color: $record_hover; }
QPushButton[kind="record"]:focus { border: 2px solid $text; }
QPushButton[kind="record"]:disabled { background: $raised; color: $muted; border: 2px solid $line; }

QPushButton[kind="danger"] { color: $error; border: ${border}px solid $error; background: transparent; }
QPushButton[kind="danger"]:focus { border: 2px solid $error; }
QPushButton[kind="danger"]:hover { background: $error_soft; }

QPushButton[kind="icon"], QPushButton[kind="icon"]:checked, QPushButton[kind="icon"]:focus { padding: 0; }
QPushButton[kind="quiet"] { background: transparent; border: 1px solid transparent; padding: 0 10px; }
QPushButton[kind="quiet"]:hover { background: $hover; }
QPushButton[kind="quiet"]:pressed { background: $pressed; }
QPushButton[kind="quiet"]:focus { border: 2px solid $accent; padding: 0 9px; }
QPushButton[kind="quiet"]:disabled { color: $disabled; }

QPushButton[kind="chip"] { border-radius: 24px; padding: 0 18px; }
QPushButton[kind="chip"]:checked, QPushButton[kind="chip"]:focus { padding: 0 17px; }

QPushButton[kind="segment"] {
    background: transparent; border: 1px solid transparent;
    border-radius: 8px; color: $muted;
    padding: 0 14px; font-weight: 600;
}
QPushButton[kind="segment"]:hover { background: $hover; }
QPushButton[kind="segment"]:checked { background: $accent; color: $on_accent;
    border: ${border}px solid $accent; }
QPushButton[kind="segment"]:focus { border: 2px solid $text; padding: 0 13px; }
QPushButton[kind="segment"]:disabled { color: $disabled; }

QFrame[role="banner"] {
    border-radius: 12px; border: 2px solid $info; background: $info_soft; margin-top: 8px;
}
QFrame[role="banner"][within="page"] { margin-top: 0; }
QFrame[role="banner"][level="warning"] { border-color: $warning; background: $warning_soft; }
QFrame[role="banner"][level="error"] { border-color: $error; background: $error_soft; }

QLineEdit, QPlainTextEdit, QTextEdit {
    background: $surface; color: $text; border: ${border}px solid $edge; border-radius: ${radius}px;
    padding: 6px 14px; font-size: ${control}px;
    selection-background-color: $accent; selection-color: $on_accent;
    placeholder-text-color: $placeholder; lineedit-password-mask-delay: 900;
}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus { border: 2px solid $accent; }
QLineEdit:disabled, QPlainTextEdit:disabled { color: $disabled; background: $raised; border-color: $line; }

QComboBox {
    background: $raised; color: $text; border: ${border}px solid $edge; border-radius: ${radius}px;
    padding: 4px 44px 4px 16px; font-size: ${control}px; font-weight: 500; combobox-popup: 0;
}
QComboBox:hover { background: $hover; }
QComboBox:focus { border: 2px solid $accent; }
QComboBox:disabled { color: $disabled; background: transparent; border-color: $line; }
QComboBox::drop-down { border: none; width: 40px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView {
    background: $surface; color: $text; border: ${border}px solid $edge; outline: none; padding: 4px;
    font-size: ${control}px; selection-background-color: $chosen; selection-color: $on_chosen;
}
QComboBox QAbstractItemView::item { min-height: 52px; padding: 0 12px; border-radius: 8px; }
QComboBox QAbstractItemView::item:hover { background: $hover; }
QComboBox QAbstractItemView::item:selected { background: $chosen; color: $on_chosen; }

QAbstractItemView {
    background: $surface; color: $text;
    border: ${border}px solid $line; border-radius: ${radius}px; outline: none;
    alternate-background-color: $raised; selection-background-color: $chosen;
    selection-color: $on_chosen; gridline-color: $line;
}
QListView, QTableView { padding: 4px; }
QListView::item { min-height: 52px; padding: 4px 12px; border-radius: 8px; }
QTableView::item { padding: 4px 10px; }
QListView::item:hover { background: $hover; }
QListView::item:selected, QTableView::item:selected { background: $chosen; color: $on_chosen; }
QHeaderView::section {
    background: $raised; color: $muted; border: none; border-bottom: ${border}px solid $line; padding: 10px;
    font-size: ${caption}px; font-weight: 600;
}

QProgressBar {
    background: $raised; border: 1px solid $edge; border-radius: 7px;
    min-height: 12px; max-height: 12px; color: transparent;
}
QProgressBar::chunk { background: $accent; border-radius: 6px; }

QSlider { min-height: 48px; }
QSlider::groove:horizontal { height: 8px; border-radius: 4px; background: $pressed; }
QSlider::sub-page:horizontal { height: 8px; border-radius: 4px; background: $accent; }
QSlider::handle:horizontal {
    width: 32px; height: 32px; margin: -12px 0;
    border-radius: 16px; background: $text; border: 2px solid $window;
}
QSlider::handle:horizontal:disabled { background: $disabled; }

QScrollArea, QScrollArea > QWidget > QWidget[role="scrolled"] { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar::handle:vertical { background: $edge; border-radius: 4px; min-height: 48px; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle:horizontal { background: $edge; border-radius: 4px; min-width: 48px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QToolTip {
    background: $raised; color: $text;
    border: ${border}px solid $edge; padding: 6px 8px; font-size: ${caption}px;
}

QFrame[role="rail"] { background: $surface; border: none; border-right: ${border}px solid $line; }
QFrame[role="rail"][lying="true"] { border: none; }
QToolButton[kind="rail"] {
    background: transparent; border: none; border-radius: 12px; color: $muted; padding: 6px 2px;
    font-size: 15px; font-weight: 600;
}
QToolButton[kind="rail"]:hover { background: $hover; }
QToolButton[kind="rail"]:checked { background: $chosen; color: $on_chosen; border: none; }
QToolButton[kind="rail"][recording="true"] { background: $record; color: $on_record; }
QToolButton[kind="rail"][recording="true"]:checked { background: $record; color: $on_record; }
QToolButton[kind="rail"]:focus { border: 2px solid $accent; }

QFrame[role="strip"] { background: $surface; border: none; border-top: ${border}px solid $line; }
"""
