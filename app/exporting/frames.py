"""A folder for each frame, in the layout that `refine` reads."""

from collections.abc import Mapping
from pathlib import Path

from app.exporting.pieces import Piece, Read
from app.exporting.source import Source, Spot, matrix_text
from app.images import write_image
from drivers.frames_folder import INTRINSICS_NAME, META_NAME
from drivers.session.refined import RefinedFrame


def frame_folders(source: Source, folder: Path) -> list[Piece]:
    """`<camera>/<number>/` with colour, registered depth, intrinsics.txt and meta.txt.

    A frame with refined depth has it beside the raw one, in the same unit, with an image of where each pixel
    comes from (0 measured, 1 refined, 2 invented, 3 rejected).
    """
    return [
        Piece(folder / spot.camera_id / f"{spot.number:06d}", (spot,), _Folder(source, spot))
        for camera in source.cameras
        for spot in source.of(camera.id)
    ]


class _Folder:
    def __init__(self, source: Source, spot: Spot) -> None:
        self._source = source
        self._spot = spot

    def __call__(self, folder: Path, read: Read) -> None:
        shot = read(self._spot)
        camera, frame = shot.camera, shot.frame
        entry = self._source.entry(self._spot.camera_id)
        folder.mkdir()
        (folder / f"rgb{shot.color_suffix}").write_bytes(shot.color_file)
        write_image(folder / "raw_depth.png", shot.raw.values)
        (folder / INTRINSICS_NAME).write_text(matrix_text(camera), encoding="utf-8")
        facts = {
            "depth_scale": f"{1 / shot.raw.unit_m:.10g}",
            "index": str(frame.index),
            "captured_ns": str(frame.captured_ns),
            "utc_ns": str(self._spot.at_ns),
            "session": self._source.session.info.id,
            "camera": entry.id,
            "sensor": entry.sensor,
        }
        # Lens distortion has no place in a camera matrix.
        if camera.distortion:
            facts["distortion"] = " ".join(f"{value:.9g}" for value in camera.distortion)
        if shot.refined is not None:
            facts |= _made_by(shot.refined)
            write_image(folder / "depth_refined.png", shot.refined.depth.values)
            write_image(folder / "depth_refined_provenance.png", shot.refined.provenance)
        (folder / META_NAME).write_text(_lines(facts), encoding="utf-8")


def _made_by(refined: RefinedFrame) -> dict[str, str]:
    made_by = refined.meta.made_by
    return {f"refined_{key}": str(value) for key, value in made_by.model_dump().items() if value != ""}


def _lines(facts: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in facts.items())
