"""Saves what the 3D view shows: a picture of any size, and clouds for other programs."""

from functools import partial
from typing import Final

from PySide6.QtCore import QObject

from app.images import write_image
from app.language import tr, tr_noop
from app.ui.cloud_panel import CloudPanel
from app.ui.context import Notice, WindowContext
from app.ui.saving import save_as
from app.viewmodels.cloud_export import write_cloud

NO_CLOUD: Final = tr_noop("Choose the arrangement 3D, and wait for the first frame.")


class CloudSaver(QObject):
    """Does what the two buttons that save ask for.

    Args:
        context: of the window, which says where files are.
        panel: whose view is saved; the saver ends with it.
    """

    def __init__(self, context: WindowContext, panel: CloudPanel) -> None:
        super().__init__(panel)
        self._context = context
        self._panel = panel
        panel.options.ply_requested.connect(self.save_clouds)
        panel.options.picture_requested.connect(self.save_picture)

    def save_picture(self, size: tuple[int, int]) -> None:
        """Save the 3D view as a PNG of this width and height."""
        try:
            picture = self._panel.body.photograph(*size)
        except ValueError as error:
            self._context.show_banner(
                Notice("error", str(error), tr("Choose a smaller picture."), about="picture")
            )
            return
        if picture is None:
            self._context.show_banner(
                Notice("error", tr("There is no 3D view to save."), NO_CLOUD, about="picture")
            )
            return
        save_as(self._context, "3d", "png", partial(write_image, image=picture))

    def save_clouds(self) -> None:
        """Save what the 3D view draws as PLY, one file for raw and one for refined depth."""
        shown = self._panel.clouds()
        if not shown:
            self._context.show_banner(
                Notice("error", tr("There is no cloud to save."), NO_CLOUD, about="picture")
            )
            return
        look = self._panel.body.look
        for name, clouds in shown.items():
            words = f"DepthMend, {name} depth"
            save_as(
                self._context,
                f"cloud-{name}",
                "ply",
                partial(write_cloud, clouds=clouds, box=look.box, mesh=look.mesh, words=words),
            )
