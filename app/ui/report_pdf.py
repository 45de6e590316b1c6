"""Writes the comparison report as a PDF of one page."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QMarginsF, QRectF, QSizeF
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from app.reporting import Report, html

WIDTH_PX: Final = 1240
MARGIN_MM: Final = 10.0
RESOLUTION_DPI: Final = 300


def write_pdf(report: Report, path: Path) -> None:
    """One page of A4, upright or not, whichever the report fills better.

    Raises:
        OSError: the file cannot be written.
    """
    document = QTextDocument()
    document.setDocumentMargin(0)
    document.setHtml(html(report, width_px=WIDTH_PX))
    document.setTextWidth(WIDTH_PX)
    partial = path.with_suffix(".partial")
    partial.touch()  # so that a folder that cannot be written is an error with a reason
    writer = QPdfWriter(str(partial))
    writer.setResolution(RESOLUTION_DPI)
    writer.setTitle(report.name)
    writer.setCreator("DepthMend")
    tall = document.size().height() > document.size().width()
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    layout = QPageLayout(
        QPageSize(QPageSize.PageSizeId.A4),
        QPageLayout.Orientation.Portrait if tall else QPageLayout.Orientation.Landscape,
        margins,
        QPageLayout.Unit.Millimeter,
    )
    writer.setPageLayout(layout)
    painter = QPainter()
    if not painter.begin(writer):
        raise OSError(f"{path} cannot be written as a PDF")
    try:
        room, size = QSizeF(writer.width(), writer.height()), document.size()
        scale = min(room.width() / size.width(), room.height() / size.height())
        painter.translate((room.width() - size.width() * scale) / 2, 0)
        painter.scale(scale, scale)
        document.drawContents(painter, QRectF(0, 0, size.width(), size.height()))
    finally:
        painter.end()
    partial.replace(path)
