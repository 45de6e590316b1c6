"""Two files beside every export: what was exported how, and the time and settings of each frame."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from app import app_version
from app.exporting.source import Shot, Source, Spot
from app.messages import UsageError
from drivers.session.durable import write_atomically

COLUMNS = (
    "camera",
    "number",
    "position",
    "frame_number",
    "utc_ns",
    "device_ns",
    "exposure_us",
    "gain",
    "laser_power_mw",
    "temperature_c",
    "refined_by",
    "refined_sha256",
)
RECORD_SUFFIX = ".export.json"
FRAMES_SUFFIX = ".frames.csv"

Row = dict[str, str]
"""What is to be known of one frame, by `COLUMNS`; empty where the camera does not say."""


def row(shot: Shot) -> Row:
    """What is to be known of a frame."""
    meta, spot = shot.meta, shot.spot
    settings = {
        "exposure_us": meta.exposure_us,
        "gain": meta.gain,
        "laser_power_mw": meta.laser_power_mw,
        "temperature_c": meta.temperature_c,
    }
    made_by = None if shot.refined is None else shot.refined.meta.made_by
    return {
        "camera": spot.camera_id,
        "number": str(spot.number),
        "position": str(spot.position),
        "frame_number": str(meta.frame_number),
        "utc_ns": str(spot.at_ns),
        "device_ns": str(meta.device_ts_ns),
        **{name: "" if value != value else f"{value:g}" for name, value in settings.items()},
        "refined_by": "" if made_by is None else made_by.title,
        "refined_sha256": "" if made_by is None else made_by.weights_sha256,
    }


class ExportRecord:
    """Says what an export holds; grows with it.

    Args:
        folder: of the export.
        source: what is exported.
        format_name: of the exporter.
        notes: what whoever reads the files must know.
        shared: whether the folder may hold other sessions as well.
    """

    def __init__(
        self, folder: Path, source: Source, format_name: str, notes: Sequence[str], *, shared: bool
    ) -> None:
        self._source = source
        self._path = folder / f"{source.name}{RECORD_SUFFIX}"
        self._frames_path = folder / f"{source.name}{FRAMES_SUFFIX}"
        self._values = self._describe(format_name, notes)
        self._rows: dict[tuple[str, str], Row] = {}
        self._shared = shared

    def begin(self) -> None:
        """Write the record, and take up what an earlier run of the same export left.

        Raises:
            UsageError: the folder holds another export.
            OSError: it cannot be written.
        """
        folder = self._path.parent
        folder.mkdir(parents=True, exist_ok=True)
        others = [path for path in sorted(folder.glob(f"*{RECORD_SUFFIX}")) if path != self._path]
        stored = {path: _stored(path) for path in (self._path, *others) if path.exists()}
        before = stored.get(self._path)
        same = {name: self._values[name] for name in ("session", "format", "options")}
        if before is not None and any(before.get(name) != value for name, value in same.items()):
            raise UsageError(
                f"{folder} holds another export of this session.",
                hint="Give an empty folder, or ask for the same again to go on with it.",
            )
        formats = {str(values.get("format")) for path, values in stored.items() if path != self._path}
        if others and (not self._shared or formats != {self._values["format"]}):
            raise UsageError(
                f"{folder} holds the export of another session: {others[0].name}.",
                hint="Give each session a folder of its own.",
            )
        if self._frames_path.exists():
            with self._frames_path.open(newline="", encoding="utf-8") as file:
                rows = [each for each in csv.DictReader(file) if None not in each.values()]
            self._rows = {(each["camera"], each["number"]): each for each in rows}
        self._write(complete=False)

    def add(self, rows: Iterable[Row]) -> None:
        """Note frames that are whole now."""
        fresh = [each for each in rows if (each["camera"], each["number"]) not in self._rows]
        created = not self._frames_path.exists()
        with self._frames_path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if created:
                writer.writeheader()
            writer.writerows(fresh)
        self._rows |= {(each["camera"], each["number"]): each for each in fresh}

    def end(self) -> None:
        """Write the list of frames once more, in order and complete, and say that the export is whole."""
        rows = [self._row(spot) for spot in self._source.spots]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self._frames_path, text.getvalue().encode())
        self._write(complete=True)

    def _row(self, spot: Spot) -> Row:
        known = self._rows.get((spot.camera_id, str(spot.number)))
        # A run that was killed between a file and its line left the file alone.
        return row(self._source.read(spot)) if known is None else known

    def _write(self, *, complete: bool) -> None:
        values = {**self._values, "complete": complete}
        write_atomically(self._path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())

    def _describe(self, format_name: str, notes: Sequence[str]) -> dict[str, Any]:
        source, session = self._source, self._source.session
        labels = session.labels
        calibrations = session.calibration_file.cameras
        left_out = (
            [f"{source.left_out} frames have no refined depth and are left out."] if source.left_out else []
        )
        return {
            "format": format_name,
            "made_by": f"DepthMend {app_version()}",
            "session": session.info.id,
            "name": session.path.name,
            "started_utc": session.info.started_utc,
            "options": {
                "depth": source.options.depth,
                "every": source.options.every,
                "cameras": list(source.options.cameras),
                "from_s": source.options.from_s,
                "to_s": source.options.to_s,
                "repaired_now": source.repairs_now,
            },
            "notes": [*notes, *left_out],
            "labels": {
                "scene": labels.scene,
                "tags": list(labels.tags),
                "notes": labels.notes,
                "operator": labels.operator,
                "site": labels.site,
                "consent": labels.consent,
            },
            "marks": [
                {"utc_ns": event.start_ns, "text": event.value}
                for event in labels.events.values()
                if event.kind == "mark"
            ],
            "cameras": {
                camera.id: {
                    **camera.model_dump(),
                    "frames": len(source.of(camera.id)),
                    "calibration": calibrations[camera.id].model_dump(mode="json"),
                }
                for camera in source.cameras
                if camera.id in calibrations
            },
        }


def _stored(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
