"""Recordings of Azure Kinect: Matroska files with a colour track, a 16-bit depth track and the calibration.

The format is described at https://learn.microsoft.com/azure/kinect-dk/record-file-format; how the factory's
calibration becomes that of a mode, in src/transformation/mode_specific_calibration.c of the Sensor SDK.
"""

import json
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.camera import CameraInfo
from drivers.depth import DepthMap
from drivers.errors import ModeUnsupported, SessionError
from drivers.extras import VIDEO
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from drivers.imports.recording import Imported, RecordedCamera, Recording
from drivers.session.encode import decode_color

Size = tuple[int, int]

DEPTH_MODES: dict[Size, tuple[Size, Size]] = {
    (320, 288): ((512, 512), (96, 90)),
    (640, 576): ((1024, 1024), (192, 180)),
    (512, 512): ((512, 512), (0, 0)),
    (1024, 1024): ((1024, 1024), (0, 0)),
}
"""By size of the image: pixels of the whole sensor as binned, and the corner of the image in it."""
COLOR_MODES: dict[Size, tuple[Size, Size]] = {
    (1280, 720): ((1280, 960), (0, 120)),
    (1920, 1080): ((1920, 1440), (0, 180)),
    (2560, 1440): ((2560, 1920), (0, 240)),
    (2048, 1536): ((2048, 1536), (0, 0)),
    (3840, 2160): ((3840, 2880), (0, 360)),
    (4096, 3072): ((4096, 3072), (0, 0)),
}
_CALIBRATION_NAME = "calibration.json"
_NOTE = "The infrared track (16 bit, no stereo pair) and the inertial track are not taken over."


def matches(path: Path) -> bool:
    """Whether it is a Matroska file."""
    return path.is_file() and path.suffix.lower() == ".mkv"


def open_mkv(path: Path) -> Recording:
    """The camera in a file.

    Raises:
        LibraryMissing: PyAV is not installed.
        ModeUnsupported: it is no recording of Azure Kinect with colour and depth.
    """
    av: Any = VIDEO.load()
    with _opened(av, path) as container:
        tracks = _tracks(container, path)
        tags = dict(container.metadata)
        calibration = _calibration(
            _attachment(container, tags, path),
            (tracks["COLOR"].width, tracks["COLOR"].height),
            (tracks["DEPTH"].width, tracks["DEPTH"].height),
            path,
        )
        rate_hz = float(tracks["DEPTH"].average_rate or 30)
    serial = tags.get("K4A_DEVICE_SERIAL_NUMBER", "")
    info = CameraInfo(
        f"azure_kinect_{serial}" if serial.isalnum() else "azure_kinect",
        "Azure Kinect",
        "Azure Kinect",
        serial,
        "time of flight",
        rate_hz,
        live=False,
    )

    def frames() -> Iterator[Imported]:
        yield from _frames(av, path, info, calibration)

    return Recording(f"Azure Kinect, {path.name}", (RecordedCamera(info, frames),), (_NOTE,))


def lens_of_mode(entry: dict[str, Any], size: Size, modes: dict[Size, tuple[Size, Size]]) -> Intrinsics:
    """Intrinsics of one of the modes from the factory's calibration of the whole sensor.

    Args:
        entry: of `CalibrationInformation.Cameras`: centre and focal lengths as shares of the sensor.
        size: width and height of the mode's images.
        modes: `DEPTH_MODES` or `COLOR_MODES`.

    Raises:
        KeyError: there is no such mode.
    """
    cx, cy, fx, fy, k1, k2, k3, k4, k5, k6, _, _, p2, p1 = entry["Intrinsics"]["ModelParameters"][:14]
    if entry["SensorWidth"] * 9 == entry["SensorHeight"] * 16:
        # Early cameras were calibrated for 16:9, of which 4:3 shows 384 of 2304 rows more at each end.
        cy, fy = (cy * 2304 + 384) / 3072, fy * 2304 / 3072
    (width, height), (left, top) = modes[size]
    # Theirs counts from the corner of the first pixel, ours from its centre.
    return Intrinsics(
        *size,
        fx * width,
        fy * height,
        cx * width - left - 0.5,
        cy * height - top - 0.5,
        (k1, k2, p1, p2, k3, k4, k5, k6),
    )


def _opened(av: Any, path: Path) -> Any:
    try:
        return av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise ModeUnsupported(f"{path.name} is no Matroska file: {error}", hint="Check the file.") from error


def _tracks(container: Any, path: Path) -> dict[str, Any]:
    tracks = {stream.metadata.get("title", "").upper(): stream for stream in container.streams.video}
    missing = [name for name in ("COLOR", "DEPTH") if name not in tracks]
    if missing:
        raise ModeUnsupported(
            f"{path.name} has no track {missing[0]}: it is no Azure Kinect recording with colour and depth",
            hint="Record with k4arecorder, colour and depth on.",
        )
    return tracks


def _attachment(container: Any, tags: dict[str, str], path: Path) -> dict[str, Any]:
    name = tags.get("K4A_CALIBRATION_FILE", _CALIBRATION_NAME)
    for stream in container.streams.attachments:
        if stream.name in {name, _CALIBRATION_NAME}:
            try:
                return dict(json.loads(bytes(stream.data).rstrip(b"\0")))
            except ValueError as error:
                raise ModeUnsupported(f"the calibration in {path.name} is damaged: {error}") from error
    raise ModeUnsupported(
        f"{path.name} holds no calibration", hint="Only files as k4arecorder writes them can be imported."
    )


def _calibration(stored: dict[str, Any], color: Size, depth: Size, path: Path) -> Calibration:
    try:
        entries = {entry["Purpose"]: entry for entry in stored["CalibrationInformation"]["Cameras"]}
        color_entry = entries["CALIBRATION_CameraPurposePhotoVideo"]
        depth_entry = entries["CALIBRATION_CameraPurposeDepth"]
        color_lens = lens_of_mode(color_entry, color, COLOR_MODES)
        depth_lens = lens_of_mode(depth_entry, depth, DEPTH_MODES)
        moved = _pose(color_entry["Rt"]) @ np.linalg.inv(_pose(depth_entry["Rt"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModeUnsupported(
            f"the calibration in {path.name} does not fit its images of {color} and {depth}: {error!r}",
            hint="Only files as k4arecorder writes them can be imported.",
        ) from error
    return Calibration(color_lens, depth_lens, moved)


def _pose(stored: dict[str, Any]) -> NDArray[np.float64]:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(stored["Rotation"], (3, 3))
    matrix[:3, 3] = stored["Translation"]
    return matrix


def _frames(av: Any, path: Path, info: CameraInfo, calibration: Calibration) -> Iterator[Imported]:
    """Depth images with the colour image of their moment."""
    with _opened(av, path) as container:
        tracks = _tracks(container, path)
        began_ns = _began_ns(container)
        colors: deque[tuple[int, Any]] = deque()
        depths: deque[tuple[int, Any]] = deque()
        number = 0
        try:
            for packet in container.demux(tracks["COLOR"], tracks["DEPTH"]):
                if packet.pts is None:
                    continue  # what a decoder still holds; these codecs hold nothing
                at_ns = round(packet.pts * packet.time_base * 1_000_000_000)
                queue = colors if packet.stream is tracks["COLOR"] else depths
                queue.append((at_ns, packet))
                for pair in _pairs(colors, depths, 0.5e9 / info.rate_hz):
                    yield _frame(info, calibration, began_ns, pair)
                    number += 1
        except (av.error.FFmpegError, ValueError, SessionError) as error:
            raise ModeUnsupported(
                f"{path.name} is damaged after {number} frames: {error}", hint="Take it from a copy."
            ) from error


def _pairs(
    colors: deque[tuple[int, Any]], depths: deque[tuple[int, Any]], most_ns: float
) -> Iterator[tuple[int, Any, Any]]:
    """Take images of one moment out of the queues; what has no partner is dropped."""
    while colors and depths:
        apart_ns = colors[0][0] - depths[0][0]
        if abs(apart_ns) <= most_ns:
            at_ns, depth = depths.popleft()
            yield at_ns, depth, colors.popleft()[1]
        else:
            (depths if apart_ns > 0 else colors).popleft()


def _frame(info: CameraInfo, calibration: Calibration, began_ns: int, pair: tuple[int, Any, Any]) -> Imported:
    depth_ns, depth, color = pair
    lens = calibration.depth
    # The track is 16-bit gray, big end first, and uncompressed, for which FFmpeg knows no sure name.
    counts = np.frombuffer(bytes(depth), ">u2").astype(np.uint16).reshape(lens.height, lens.width)
    color_file = bytes(color) if color.stream.codec_context.name == "mjpeg" else None
    if color_file is None:
        pixels = np.asarray(color.decode()[0].to_ndarray(format="rgb24"), np.uint8)
    else:
        pixels = decode_color(color_file)
    # A lost frame is a gap of the index.
    index = round(depth_ns * info.rate_hz / 1e9)
    depth_map = DepthMap(counts, 0.001)
    return Imported(
        Frame(info.id, index, began_ns + depth_ns, depth_ns, pixels, depth_map, calibration), color_file
    )


def _began_ns(container: Any) -> int:
    text = container.metadata.get("creation_time", "")
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1e6) * 1000
    except ValueError:
        return int(container.metadata.get("K4A_START_OFFSET_NS", "0"))
