import base64
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from app.quality.planes import Region
from app.quality.sensor import KINDS, STREAMS, Figure, SensorQuality, StreamQuality, nothing
from app.reporting import PICTURE_WIDTH_PX, Report, ReportSensor, data_uri, html

GREEN = np.full((60, 80, 3), (20, 200, 40), np.uint8)


class Page(HTMLParser):
    """Cells, pictures and links of a page; every element has to be closed."""

    VOID = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.cells, self.images, self.outside, self.bold = [], [], [], []
        self._open = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in self.VOID:
            self._open.append(tag)
        if tag in {"td", "th"}:
            self.cells.append("")
        if tag == "img":
            self.images.append(values["src"])
        self.outside += [v for k, v in attributes if k in {"href", "src"} and not v.startswith("data:")]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self._open):
            self.cells[-1] += data
        if self._open and self._open[-1] == "b":
            self.bold.append(data)


def quality(raw_rms=8.0, refined_rms=2.0):
    streams = {}
    for name, value in zip(STREAMS, (raw_rms, refined_rms), strict=True):
        figures = dict(nothing("no frames").figures)
        figures["plane_rms"] = Figure(value, f"{value:.1f} mm")
        streams[name] = StreamQuality(figures)
    return SensorQuality(
        "a", streams, Region(0.1, 0.2, 0.3, 0.4), against="1.500 m", frames=12, plane_share=0.97
    )


def report(count=2):
    sensors = [
        ReportSensor(f"Camera <{n}>", "active stereo", quality(), {"Colour": GREEN, "Raw": GREEN})
        for n in range(count)
    ]
    return Report(
        datetime(2026, 11, 23, 14, 5, 6, tzinfo=UTC), sensors, "MDM small", 0.3, 4.0, "Hall & yard", "Kim"
    )


def test_the_page_parses_and_needs_nothing_from_outside():
    page = Page(html(report()))
    assert not page.outside
    assert len(page.images) == 4
    for image in page.images:
        kind, data = image.split(",")
        assert kind == "data:image/jpeg;base64"
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (60, 80, 3)


def test_every_figure_of_every_sensor_is_in_the_table():
    page = Page(html(report(3)))
    for kind in KINDS:
        assert kind.title in page.cells
    assert page.cells.count("8.0 mm") == page.cells.count("2.0 mm") == 3
    assert page.cells.count("no frames") == 3 * 2 * (len(KINDS) - 1)
    assert (
        "plane found at 20% across, 30% down, 97% of its depths on it; Z against 1.500 m; 12 frames over time"
        in page.cells
    )


def test_why_a_stream_has_no_figure_is_said_once():
    silent = replace(quality(), streams=quality().streams | {"refined": nothing("no repair")})
    page = Page(html(replace(report(1), sensors=[replace(report(1).sensors[0], quality=silent)])))
    assert page.cells.count("no repair") == 1
    assert page.cells.count("no frames") == len(KINDS) - 1


def test_the_better_of_raw_and_refined_is_bold():
    assert [word for word in Page(html(report(1))).bold if "mm" in word and len(word) < 9] == ["2.0 mm"]
    worse = replace(report(1), sensors=[replace(report(1).sensors[0], quality=quality(2.0, 8.0))])
    assert [word for word in Page(html(worse)).bold if "mm" in word and len(word) < 9] == ["2.0 mm"]


def test_names_are_text_and_never_markup():
    text = html(report())
    assert "Camera &lt;0&gt;" in text
    assert "<0>" not in text
    assert "Hall &amp; yard" in text
    assert report().name == "compare-20261123T140506"


def test_pictures_are_no_wider_than_they_are_printed():
    wide = np.zeros((720, 1280, 3), np.uint8)
    data = base64.b64decode(data_uri(wide).partition(",")[2])
    shape = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape
    assert shape == (round(720 * PICTURE_WIDTH_PX / 1280), PICTURE_WIDTH_PX, 3)


def test_the_region_of_the_plane_is_framed():
    [image, *_] = Page(html(report(1))).images
    data = np.frombuffer(base64.b64decode(image.partition(",")[2]), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    assert abs(picture[50, 70] - GREEN[0, 0]).max() < 30  # outside
    assert picture[12:24, 8:24].max() > 220  # the white line


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_pdf_is_one_page_with_all_pictures(qapp, tmp_path, count):
    from app.ui.report_pdf import write_pdf

    path = tmp_path / "report.pdf"
    write_pdf(report(count), path)
    data = path.read_bytes()
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    assert data.count(b"/Type /Page\n") == 1
    assert b"/Count 1" in data
    assert data.count(b"/Subtype /Image") >= 1
    assert [file.name for file in tmp_path.iterdir()] == ["report.pdf"]


def test_a_pdf_that_cannot_be_written_is_an_error(qapp, tmp_path):
    from app.ui.report_pdf import write_pdf

    with pytest.raises(FileNotFoundError):
        write_pdf(report(1), tmp_path / "nowhere" / "report.pdf")
