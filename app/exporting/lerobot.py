"""A data set in version 3 of LeRobot's format: one episode, a video for each camera and for its depth.

LeRobot has one clock for all cameras: the frames of the camera with most of them, at its nominal rate. The
others show what they saw at the nearest moment. When a frame was really exposed stands in the column
`observation.utc_ns`. Depth is 12 bits on a logarithmic scale from 10 mm to 10 m, in a lossless video.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.exporting.pieces import Piece, Read, make_whole, write_whole
from app.exporting.source import Shot, Source, Spot
from app.exporting.video import VideoFile, even
from drivers.depth import DepthMap
from drivers.extras import PARQUET, VIDEO
from drivers.session.manifest import CameraEntry

VERSION = "v3.0"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
FILE = "chunk-000/file-000"
CODE_MAX = 4095
NEAREST_M, FARTHEST_M, SHIFT_M = 0.01, 10.0, 3.5
"""As LeRobot's own depth encoder has them."""
STATISTICS_FRAMES = 32
TIME_KEY = "observation.utc_ns"
QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)


def lerobot_dataset(source: Source, folder: Path) -> list[Piece]:
    """`videos/<key>/chunk-000/file-000.mp4` of each camera's colour and depth."""
    VIDEO.load()
    PARQUET.load()
    episode = Episode(source)
    return [
        Piece(
            folder / "videos" / key / f"{FILE}.mp4",
            episode.shown[camera.id],
            _Track(episode, camera, depth=depth),
        )
        for camera in episode.cameras
        for key, depth in ((color_key(camera), False), (depth_key(camera), True))
    ]


def write_tables(source: Source, folder: Path) -> None:
    """`meta` and `data` of the finished videos."""
    episode = Episode(source)
    features = {**_features(episode), **_DEFAULT_FEATURES}
    statistics = _statistics(episode)
    length = len(episode.lead)
    _write_parquet(folder / "data" / f"{FILE}.parquet", _frame_columns(episode))
    task = source.session.labels.scene or source.session.path.name
    _write_parquet(
        folder / "meta" / "tasks.parquet", {"task_index": [0], "task": [task]}, index_column="task"
    )
    episodes: dict[str, list[Any]] = {
        "episode_index": [0],
        "tasks": [[task]],
        "length": [length],
        "data/chunk_index": [0],
        "data/file_index": [0],
        "dataset_from_index": [0],
        "dataset_to_index": [length],
        "meta/episodes/chunk_index": [0],
        "meta/episodes/file_index": [0],
    }
    for key in (name for name, feature in features.items() if feature["dtype"] == "video"):
        episodes |= {
            f"videos/{key}/chunk_index": [0],
            f"videos/{key}/file_index": [0],
            f"videos/{key}/from_timestamp": [0.0],
            f"videos/{key}/to_timestamp": [length / episode.rate_hz],
        }
    for key, values in statistics.items():
        episodes |= {f"stats/{key}/{name}": [value] for name, value in values.items()}
    _write_parquet(folder / "meta" / "episodes" / f"{FILE}.parquet", episodes)
    _write_json(folder / "meta" / "stats.json", statistics)
    info = {
        "codebase_version": VERSION,
        "robot_type": "depthmend rig",
        "total_episodes": 1,
        "total_frames": length,
        "total_tasks": 1,
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 500,
        "fps": episode.rate_hz,
        "splits": {"train": "0:1"},
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH,
        "features": features,
    }
    _write_json(folder / "meta" / "info.json", info)  # last: without it there is no data set


class Episode:
    """The frames of all cameras on the clock of one.

    Attributes:
        source: of the frames.
        cameras: that have frames.
        rate_hz: whole frames per second of the lead.
        lead: frames of the camera with most of them.
        shown: by camera id, the frame that it shows at each frame of the lead.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.cameras = tuple(camera for camera in source.cameras if source.of(camera.id))
        lead = max(self.cameras, key=lambda camera: len(source.of(camera.id)))
        self.lead = source.of(lead.id)
        self.rate_hz = max(round(lead.rate_hz / source.options.every), 1)
        times = np.array([spot.at_ns for spot in self.lead], np.int64)
        self.shown = {camera.id: _nearest(source.of(camera.id), times) for camera in self.cameras}


def color_key(camera: CameraEntry) -> str:
    """Feature of a camera's colour."""
    return f"observation.images.{camera.id}"


def depth_key(camera: CameraEntry) -> str:
    """Feature of a camera's depth."""
    return f"observation.images.{camera.id}_depth"


def depth_codes(depth: DepthMap) -> NDArray[np.uint16]:
    """(H, W) uint16 of 12 bits, as LeRobot's `quantize_depth` makes them; 0 is also "no measurement"."""
    shifted = np.log(np.maximum(depth.metres, NEAREST_M) + np.float32(SHIFT_M))
    low, high = np.log(NEAREST_M + SHIFT_M), np.log(FARTHEST_M + SHIFT_M)
    codes = np.rint((shifted - low) / (high - low) * CODE_MAX)
    return np.asarray(codes.clip(0, CODE_MAX), np.uint16)


class _Track:
    def __init__(self, episode: Episode, camera: CameraEntry, *, depth: bool) -> None:
        self._spots = episode.shown[camera.id]
        self._rate_hz = episode.rate_hz
        self._depth = depth

    def __call__(self, path: Path, read: Read) -> None:
        video: VideoFile | None = None
        try:
            for number, spot in enumerate(self._spots):
                shot = read(spot)
                image = depth_codes(shot.depth) if self._depth else even(shot.frame.color)
                if video is None:
                    video = self._open(path, (image.shape[1], image.shape[0]))
                video.add(image, "gray12le" if self._depth else "rgb24", number / self._rate_hz)
        except BaseException:
            if video is not None:
                video.discard()
            raise
        assert video is not None, "a camera without frames has no piece"
        video.close()

    def _open(self, path: Path, size: tuple[int, int]) -> VideoFile:
        rate_hz = Fraction(self._rate_hz)
        if self._depth:
            options = {"x265-params": "lossless=1:log-level=none", "preset": "ultrafast", "g": "2"}
            return VideoFile(path, size, codec="libx265", pixels="gray12le", options=options, rate_hz=rate_hz)
        options = {"crf": "18", "preset": "veryfast", "g": "2"}
        return VideoFile(path, size, codec="libx264", pixels="yuv420p", options=options, rate_hz=rate_hz)


_DEFAULT_FEATURES: dict[str, dict[str, Any]] = {
    "timestamp": {"dtype": "float32", "shape": [1], "names": None},
    "frame_index": {"dtype": "int64", "shape": [1], "names": None},
    "episode_index": {"dtype": "int64", "shape": [1], "names": None},
    "index": {"dtype": "int64", "shape": [1], "names": None},
    "task_index": {"dtype": "int64", "shape": [1], "names": None},
}


def _features(episode: Episode) -> dict[str, dict[str, Any]]:
    features: dict[str, dict[str, Any]] = {}
    for camera in episode.cameras:
        lens = episode.source.session.calibration(camera.id).color
        size = {"video.fps": episode.rate_hz, "has_audio": False}
        height, width = lens.height + lens.height % 2, lens.width + lens.width % 2
        features[color_key(camera)] = {
            "dtype": "video",
            "shape": [height, width, 3],
            "names": ["height", "width", "channels"],
            "info": {
                **size,
                "video.height": height,
                "video.width": width,
                "video.channels": 3,
                "video.codec": "h264",
                "video.pix_fmt": "yuv420p",
                "is_depth_map": False,
            },
        }
        features[depth_key(camera)] = {
            "dtype": "video",
            "shape": [lens.height, lens.width, 1],
            "names": ["height", "width", "channels"],
            "info": {
                **size,
                "video.height": lens.height,
                "video.width": lens.width,
                "video.channels": 1,
                "video.codec": "hevc",
                "video.pix_fmt": "gray12le",
                "video.depth_min": NEAREST_M,
                "video.depth_max": FARTHEST_M,
                "video.shift": SHIFT_M,
                "video.use_log": True,
                "is_depth_map": True,
                "depth_unit": "mm",
            },
        }
    features[TIME_KEY] = {"dtype": "int64", "shape": [1], "names": None}
    return features


def _frame_columns(episode: Episode) -> dict[str, Any]:
    count = len(episode.lead)
    index = np.arange(count, dtype=np.int64)
    zeros = np.zeros(count, np.int64)
    return {
        TIME_KEY: np.array([spot.at_ns for spot in episode.lead], np.int64),
        "timestamp": (index / episode.rate_hz).astype(np.float32),
        "frame_index": index,
        "episode_index": zeros,
        "index": index,
        "task_index": zeros,
    }


def _statistics(episode: Episode) -> dict[str, dict[str, Any]]:
    """Of every feature; of videos from a few frames, as LeRobot does it too."""
    statistics: dict[str, dict[str, Any]] = {}
    for camera in episode.cameras:
        spots = episode.shown[camera.id]
        chosen = dict.fromkeys(spots[i * len(spots) // STATISTICS_FRAMES] for i in range(STATISTICS_FRAMES))
        shots: list[Shot] = [episode.source.read(spot) for spot in chosen]
        colors = np.stack([shot.frame.color[::8, ::8] for shot in shots]).reshape(-1, 3) / 255
        depths = np.stack([shot.depth.metres[::8, ::8] for shot in shots]).reshape(-1, 1) * 1000
        statistics[color_key(camera)] = _of(colors, len(shots), image=True)
        statistics[depth_key(camera)] = _of(depths, len(shots), image=True)
    columns = _frame_columns(episode)
    return statistics | {name: _of(values[:, None], len(values)) for name, values in columns.items()}


def _of(values: NDArray[Any], count: int, *, image: bool = False) -> dict[str, Any]:
    """Of (N, channels) values; LeRobot wants those of an image as (channels, 1, 1)."""
    values = values.astype(np.float64)

    def listed(numbers: NDArray[np.float64]) -> list[Any]:
        return [[[float(number)]] for number in numbers] if image else [float(number) for number in numbers]

    found = {
        "min": listed(values.min(axis=0)),
        "max": listed(values.max(axis=0)),
        "mean": listed(values.mean(axis=0)),
        "std": listed(values.std(axis=0)),
        "count": [count],
    }
    quantiles = np.quantile(values, QUANTILES, axis=0)
    found |= {f"q{100 * q:02.0f}": listed(row) for q, row in zip(QUANTILES, quantiles, strict=True)}
    return found


def _nearest(spots: tuple[Spot, ...], times: NDArray[np.int64]) -> tuple[Spot, ...]:
    own = np.array([spot.at_ns for spot in spots], np.int64)
    after = np.searchsorted(own, times).clip(0, own.size - 1)
    before = (after - 1).clip(0)
    closer = np.where(np.abs(own[before] - times) <= np.abs(own[after] - times), before, after)
    return tuple(spots[int(n)] for n in closer)


def _write_parquet(path: Path, columns: dict[str, Any], *, index_column: str = "") -> None:
    pq: Any = PARQUET.load()
    import pyarrow as pa

    table = pa.table(columns)
    if index_column:
        # So that pandas, which LeRobot reads this with, takes the column as the table's index.
        described = [
            {
                "name": name,
                "field_name": name,
                "pandas_type": "unicode" if name == index_column else "int64",
                "numpy_type": "object" if name == index_column else "int64",
                "metadata": None,
            }
            for name in columns
        ]
        pandas = {
            "index_columns": [index_column],
            "column_indexes": [],
            "columns": described,
            "pandas_version": "2.0.0",
        }
        table = table.replace_schema_metadata({"pandas": json.dumps(pandas)})

    def write(part: Path) -> None:
        pq.write_table(table, part, compression="snappy")

    make_whole(path, write)


def _write_json(path: Path, values: object) -> None:
    write_whole(path, (json.dumps(values, indent=4) + "\n").encode())
