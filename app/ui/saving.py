"""Writes what a page shows into the folder of pictures, and says where it is."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app import paths
from app.language import from_below, tr
from app.ui.context import Notice, WindowContext


def save_as(context: WindowContext, name: str, ending: str, write: Callable[[Path], object]) -> None:
    """Write a file with the present time in its name, and say where it is or what went wrong."""
    now = datetime.now().astimezone()
    stamp = f"{now:%Y%m%d-%H%M%S}-{now.microsecond // 1000:03d}"
    file = paths.pictures_folder() / f"{name}-{stamp}.{ending}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file)
    except OSError as error:
        hint = tr("Look whether the disk is full or write-protected.")
        text = tr("{file} could not be written: {strerror}.").format(
            file=file, strerror=from_below(str(error.strerror))
        )
        context.show_banner(Notice("error", text, hint, about="picture"))
        return
    context.show_banner(Notice.saved(file, lasts_s=4, about="picture"))
