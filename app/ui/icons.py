"""Icons of one set (Material Design Icons 6), in the colours of the theme."""

import qtawesome
from PySide6.QtGui import QIcon

from app.ui import theme


def icon(name: str, *, colour: str | None = None, checked: str | None = None) -> QIcon:
    """The icon called `name`, such as "record-circle".

    Args:
        name: from pictogrammers.com/library/mdi, without prefix.
        colour: of the normal state; the theme's text colour by default.
        checked: colour while its button is checked.
    """
    colours = theme.current()
    normal = colour or colours.text
    on = checked or normal
    made: QIcon = qtawesome.icon(
        f"mdi6.{name}",
        color=normal,
        color_active=normal,
        color_selected=normal,
        color_on=on,
        color_on_active=on,
        color_on_selected=on,
        color_disabled=colours.disabled,
        color_on_disabled=colours.disabled,
    )
    return made
