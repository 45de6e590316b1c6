"""Writes the comparison report as a PDF of one page."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QMarginsF, QRectF, QSizeF
from PySide6.QtGui import QPageLayout, QPageSize, QPainter, QPdfWriter, QTextDocument

from app.reporting import Report, html

WIDTHS_PX: Final = (760, 840, 920, 1040, 1160, 1280, 1400)
"""In which the report is laid out; the one that gives the largest print is taken."""
MARGIN_MM: Final = 10.0
RESOLUTION_DPI: Final = 300


def write_pdf(report: Report, path: Path) -> None:
    """One page of A4, upright or not, whichever has the larger print.

    In the window's thread only: a document's layout takes locks of Qt while it keeps other threads out of
    Python, and the window's thread does both the other way round when a widget ends.

    Raises:
        OSError: the file cannot be written.
    """
    partial = path.with_suffix(".partial")
    partial.touch()  # so that a folder that cannot be written is an error with a reason
    writer = QPdfWriter(str(partial))
    writer.setResolution(RESOLUTION_DPI)
    writer.setTitle(report.name)
    writer.setCreator("DepthMend")
    laid_out = [_laid_out(report, width_px) for width_px in WIDTHS_PX]
    fits = [
        (_scale(document, _page(orientation)), number, orientation)
        for orientation in (QPageLayout.Orientation.Portrait, QPageLayout.Orientation.Landscape)
        for number, document in enumerate(laid_out)
    ]
    _, number, orientation = max(fits, key=lambda fit: fit[0])
    document = laid_out[number]
    writer.setPageLayout(_page(orientation))
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


def _laid_out(report: Report, width_px: int) -> QTextDocument:
    document = QTextDocument()
    document.setDocumentMargin(0)
    document.setHtml(html(report, width_px=width_px))
    document.setTextWidth(width_px)
    return document


def _page(orientation: QPageLayout.Orientation) -> QPageLayout:
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    return QPageLayout(QPageSize(QPageSize.PageSizeId.A4), orientation, margins, QPageLayout.Unit.Millimeter)


def _scale(document: QTextDocument, page: QPageLayout) -> float:
    """Millimetres of paper for each pixel of the layout."""
    room, size = page.paintRect(), document.size()
    return min(room.width() / size.width(), room.height() / size.height())
