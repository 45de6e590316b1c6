"""A video of each camera: colour, measured and repaired depth, and provenance side by side."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.exporting.pieces import Piece, Read
from app.exporting.source import Shot, Source, Spot
from app.pictures import DepthRange, comparison, depth_range
from drivers.extras import VIDEO
from model.repair import Provenance

TICKS_HZ = 90_000
QUALITY_CRF = "20"
SAMPLES = 8
"""Frames that the colour scale is taken from; it stays the same for the whole video."""


def comparison_videos(source: Source, folder: Path) -> list[Piece]:
    """`<session>-<camera>.mp4`: H.264, each frame at its own time."""
    VIDEO.load()
    return [
        Piece(folder / f"{source.name}-{camera.id}.mp4", source.of(camera.id), _Video(source, camera.id))
        for camera in source.cameras
        if source.of(camera.id)
    ]


class VideoFile:
    """An H.264 or H.265 file with a time for every frame.

    Args:
        path: ends in .mp4.
        size: width and height in pixels; both even for H.264 of 4:2:0.
        codec: of FFmpeg, such as "libx264".
        pixels: FFmpeg's name of the pixel format.
        options: of the codec.
        rate_hz: about how many frames there are in a second.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        *,
        codec: str,
        pixels: str,
        options: dict[str, str],
        rate_hz: Fraction,
    ) -> None:
        av: Any = VIDEO.load()
        self._av = av
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        self._stream = self._container.add_stream(codec, rate=rate_hz, options=options)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = pixels
        self._stream.codec_context.time_base = Fraction(1, TICKS_HZ)
        self._last_ticks = -1

    def add(self, image: NDArray[Any], pixels: str, at_s: float) -> None:
        """Append an image, `pixels` being its format, `at_s` seconds after the first one."""
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=pixels)
        self._last_ticks = max(round(at_s * TICKS_HZ), self._last_ticks + 1)
        frame.pts, frame.time_base = self._last_ticks, Fraction(1, TICKS_HZ)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is left and the file's index."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def discard(self) -> None:
        """Let go of a file that nobody wants any more."""
        self._container.close()


class _Video:
    def __init__(self, source: Source, camera_id: str) -> None:
        self._source = source
        self._spots = source.of(camera_id)
        # All pictures of a video have one size, so frames that were not repaired show an empty pane.
        self._repaired = source.repairs_now != "" or bool(source.session.refined_positions(camera_id).size)
        self._rate_hz = Fraction(source.entry(camera_id).rate_hz).limit_denominator(1001)

    def __call__(self, path: Path, read: Read) -> None:
        scale = self._scale()
        video: VideoFile | None = None
        try:
            for spot in self._spots:
                image = even(_picture(read(spot), scale, repaired=self._repaired))
                if video is None:
                    size = (image.shape[1], image.shape[0])
                    options = {"crf": QUALITY_CRF, "preset": "veryfast"}
                    video = VideoFile(
                        path, size, codec="libx264", pixels="yuv420p", options=options, rate_hz=self._rate_hz
                    )
                video.add(image, "rgb24", (spot.at_ns - self._spots[0].at_ns) / 1e9)
        except BaseException:
            if video is not None:
                video.discard()
            raise
        assert video is not None, "a camera without frames has no piece"
        video.close()

    def _scale(self) -> DepthRange:
        chosen: list[Spot] = [self._spots[i * len(self._spots) // SAMPLES] for i in range(SAMPLES)]
        return depth_range(*(self._source.read(spot).depth.metres for spot in dict.fromkeys(chosen)))


def even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image with an even number of rows and columns, as codecs want it; the last ones are repeated."""
    rows, columns = image.shape[0] % 2, image.shape[1] % 2
    return np.pad(image, ((0, rows), (0, columns), (0, 0)), mode="edge") if rows or columns else image


def _picture(shot: Shot, scale: DepthRange, *, repaired: bool) -> NDArray[np.uint8]:
    color, raw_m, refined = shot.frame.color, shot.raw.metres, shot.refined
    when = datetime.fromtimestamp(shot.spot.at_ns / 1e9, UTC).isoformat(sep=" ", timespec="milliseconds")[:-6]
    if not repaired:
        return comparison(color, raw_m, None, None, title=f"{when} UTC", scale=scale)
    if refined is None:
        nothing = np.zeros_like(raw_m), np.full(raw_m.shape, Provenance.REJECTED, np.uint8)
        return comparison(color, raw_m, *nothing, title="this frame was not repaired", scale=scale)
    title, metres = refined.meta.made_by.title, refined.depth.metres
    return comparison(color, raw_m, metres, refined.provenance, title=title, scale=scale)
