"""The comparison report: one self-contained page with pictures and a table."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.language import current, tr, tr_noop
from app.quality.sensor import ALIKE, KINDS, STREAMS, SensorQuality

FOLDER_NAME: Final = "reports"
PICTURE_WIDTH_PX: Final = 520
JPEG_QUALITY: Final = 88
PADDING_PX: Final = 4
STREAM_WORDS: Final = {"raw": tr_noop("Raw"), "refined": tr_noop("Refined")}


@dataclass(frozen=True, eq=False)
class ReportSensor:
    """One sensor of a report.

    Attributes:
        name: for people.
        sensor: how it measures depth.
        quality: its figures.
        pictures: by caption, in order, (H, W, 3) uint8 RGB.
    """

    name: str
    sensor: str
    quality: SensorQuality
    pictures: Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Report:
    """What a report says.

    Attributes:
        made: local time.
        sensors: side by side.
        engine: what made the refined depth.
        near_m: depth of the first colour.
        far_m: depth of the last colour.
        site: or empty.
        operator: or empty.
        conditions: further words, such as how difficult a simulated scene is, or empty.
    """

    made: datetime
    sensors: Sequence[ReportSensor]
    engine: str
    near_m: float
    far_m: float
    site: str = ""
    operator: str = ""
    conditions: str = ""

    @property
    def name(self) -> str:
        """Of its files, without ending."""
        return f"compare-{self.made:%Y%m%dT%H%M%S}"


def html(report: Report, *, width_px: int = 0) -> str:
    """The report as one HTML file, pictures included.

    Tables and attributes rather than modern CSS: Qt's rich text, which makes the PDF, knows only these.

    Args:
        report: what to say.
        width_px: of the whole, for a reader that does not scale pictures by itself; 0 for a browser.
    """
    count = max(len(report.sensors), 1)
    facts = [
        f"{report.made:%Y-%m-%d, %H:%M:%S}",
        tr("Refined by {engine}").format(engine=report.engine) if report.engine else "",
        tr("Depth colours {near_m:g} to {far_m:g} m").format(near_m=report.near_m, far_m=report.far_m),
        tr("Site {site}").format(site=report.site) if report.site else "",
        tr("Operator {operator}").format(operator=report.operator) if report.operator else "",
        report.conditions,
    ]
    each_px = width_px // count - 2 * PADDING_PX
    pictures = "".join(
        f'<td valign="top" width="{100 // count}%">{_pictures(sensor, each_px)}</td>'
        for sensor in report.sensors
    )
    meanings = " ".join(f"<b>{escape(str(kind.title))}</b>: {escape(str(kind.meaning))}" for kind in KINDS)
    notes = tr(
        "The better of raw and refined is bold where they, or the holes of fill rates, differ by over "
        "{alike:.0%}. Words and formulas follow the Depth Quality Tool of librealsense; depth is compared in "
        "the pixels of the colour picture."
    ).format(alike=ALIKE)
    title = tr("Depth comparison")
    return f"""<!DOCTYPE html>
<html lang="{current().replace("_", "-")}"><head><meta charset="utf-8">
<title>{title} {escape(report.name)}</title>
<style>{_CSS}{"" if width_px else _SCREEN_CSS}</style></head><body>
<h1>{title}</h1>
<p class="facts">{escape("  ·  ".join(fact for fact in facts if fact))}</p>
<table class="pictures" width="100%" cellspacing="0" cellpadding="{PADDING_PX}"><tr>{pictures}</tr></table>
{_table(report)}
<p class="meanings">{meanings} {notes}</p>
</body></html>
"""


def _pictures(sensor: ReportSensor, width_px: int) -> str:
    size = f' width="{width_px}"' if width_px > 0 else ""
    shown = "".join(
        f'<p class="caption">{escape(caption)}</p>'
        f'<p><img src="{data_uri(_marked(picture, sensor.quality))}"'
        f' alt="{escape(f"{sensor.name}, {caption}")}"{size}></p>'
        for caption, picture in sensor.pictures.items()
    )
    # No heading: Qt's rich text would enlarge it beside what the style says.
    return f'<p class="name">{escape(sensor.name)}</p><p class="caption">{escape(sensor.sensor)}</p>{shown}'


def _marked(picture: NDArray[np.uint8], quality: SensorQuality) -> NDArray[np.uint8]:
    """The picture with a frame around the region of its plane."""
    import cv2

    if quality.region is None:
        return picture
    rows, columns = quality.region.slices(picture.shape)
    marked = picture.copy()
    for color, width in (((7, 9, 12), 5), ((255, 255, 255), 2)):
        cv2.rectangle(marked, (columns.start, rows.start), (columns.stop - 1, rows.stop - 1), color, width)
    return marked


def _table(report: Report) -> str:
    names = "".join(f'<th align="right" colspan="2">{escape(sensor.name)}</th>' for sensor in report.sensors)
    streams = "".join(
        f'<th align="right">{STREAM_WORDS[name]}</th>' for _ in report.sensors for name in STREAMS
    )
    rows = []
    for number, kind in enumerate(KINDS):
        cells = []
        for sensor in report.sensors:
            better = sensor.quality.better(kind.key)
            for name in STREAMS:
                stream = sensor.quality.streams[name]
                words = escape(stream.figures[kind.key].words)
                if not stream.silence:
                    cells.append(f'<td align="right">{f"<b>{words}</b>" if name == better else words}</td>')
                elif number == 0:  # why there is nothing is said once, not in each row
                    whole = f'bgcolor="#ffffff" valign="top" rowspan="{len(KINDS)}"'
                    cells.append(f'<td align="right" {whole}>{words}</td>')
        ground = ' bgcolor="#eef2f5"' if number % 2 == 0 else ""
        title = f'<th align="left" style="white-space: nowrap">{escape(str(kind.title))}</th>'
        rows.append(f"<tr{ground}>{title}{''.join(cells)}</tr>")
    notes = "".join(f'<td colspan="2">{escape(_basis(sensor.quality))}</td>' for sensor in report.sensors)
    return (
        '<table class="figures" width="100%" cellspacing="0" cellpadding="4">'
        f"<tr><th></th>{names}</tr><tr><th></th>{streams}</tr>{''.join(rows)}"
        f'<tr class="basis"><th align="left">{tr("Basis")}</th>{notes}</tr></table>'
    )


def _basis(quality: SensorQuality) -> str:
    """What the figures of one sensor rest on."""
    if quality.region is None:
        plane = tr("no plane found")
    else:
        region = quality.region
        x, y = (region.left + region.right) / 2, (region.top + region.bottom) / 2
        plane = (
            tr("plane chosen at {x:.0%} across, {y:.0%} down")
            if quality.chosen
            else tr("plane found at {x:.0%} across, {y:.0%} down")
        ).format(x=x, y=y)
        if quality.plane_share is not None:
            plane += tr(", {plane_share:.0%} of its depths on it").format(plane_share=quality.plane_share)
    against = tr("; Z against {against}").format(against=quality.against) if quality.against else ""
    return tr("{plane}{against}; {frames} frames over time").format(
        plane=plane, against=against, frames=quality.frames
    )


def data_uri(picture: NDArray[np.uint8]) -> str:
    """(H, W, 3) uint8 RGB as a JPEG within a link, no wider than it is printed."""
    import cv2
    import simplejpeg

    height, width = picture.shape[:2]
    if width > PICTURE_WIDTH_PX:
        size = (PICTURE_WIDTH_PX, round(height * PICTURE_WIDTH_PX / width))
        # Depth keeps its pixels: colours between two distances would be distances that nobody measured.
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    data = simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=JPEG_QUALITY, colorsubsampling="444")
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode('ascii')}"


_CSS: Final = """
body { font-family: Inter, "Noto Sans SC Subset", "Noto Sans SC", "Noto Sans", sans-serif; color: #0a121c;
  background: #ffffff; }
h1 { font-size: 24px; margin: 0; }
.name { font-size: 16px; font-weight: 600; margin-top: 4px; line-height: 24px; -qt-line-height-type: fixed; }
p { margin: 2px 0 0 0; }
.facts { font-size: 13px; color: #3f4c59; margin-bottom: 8px; }
.caption { font-size: 12px; color: #3f4c59; line-height: 16px; -qt-line-height-type: fixed; }
.meanings { font-size: 10px; color: #3f4c59; margin-top: 8px; }
.figures { font-size: 13px; margin-top: 8px; }
.figures th { font-weight: 600; }
.basis td, .basis th { font-size: 10px; color: #3f4c59; }
"""
_SCREEN_CSS: Final = """
body { margin: 24px auto; max-width: 1500px; padding: 0 24px; }
img { width: 100%; }
.figures { table-layout: fixed; }
.figures tr:first-child th:first-child { width: 9em; }
.meanings, .basis td, .basis th { font-size: 12px; }
@media (max-width: 700px) {
  .pictures td { display: block; width: 100%; }
  .figures { display: block; overflow-x: auto; }
}
"""
"""For a browser: what is printed has its width already, and no margins but the page's."""
