"""Writes a session's frames as ordinary files, one folder each, in the layout that `refine` reads."""

from collections.abc import Callable, Mapping
from pathlib import Path

from app.images import write_image
from drivers.errors import SessionError
from drivers.frame import Frame
from drivers.frames_folder import INTRINSICS_NAME, META_NAME
from drivers.geometry import Intrinsics, register_depth
from drivers.session.reader import Session
from drivers.session.refined import RefinedFrame

JPEG_QUALITY = 95


def export_frames(session: Session, folder: Path, *, wrote: Callable[[int, int, Path], None]) -> int:
    """Write every frame of a session below `folder` as `<camera>/<number>` and return how many there were.

    A frame with refined depth has it beside the raw one, in the same unit, with an image of where each pixel
    comes from (0 measured, 1 refined, 2 invented, 3 rejected); meta.txt then says what made it.

    Args:
        session: whole.
        folder: made where it is missing.
        wrote: called after each frame with how many are done, how many there are, and the frame's folder.

    Raises:
        SessionError: the session is damaged, or holds no frame.
        OSError: the folder cannot be written.
    """
    total = sum(session.count(camera_id) for camera_id in session.camera_ids)
    if total == 0:
        raise SessionError(f"{session.path} holds no frame.", hint="Record again, or choose another session.")
    done = 0
    for camera in session.cameras:
        for n in range(session.count(camera.id)):
            target = folder / camera.id / f"{n:06d}"
            facts = {"session": session.info.id, "camera": camera.id, "sensor": camera.sensor}
            refined = session.refined(camera.id, n)
            if refined is not None:
                facts |= _made_by(refined)
            write_frame_folder(target, session.frame(camera.id, n), facts)
            if refined is not None:
                write_image(target / "depth_refined.png", refined.depth.values)
                write_image(target / "depth_refined_provenance.png", refined.provenance)
            done += 1
            wrote(done, total, target)
    return done


def write_frame_folder(folder: Path, frame: Frame, facts: Mapping[str, str]) -> None:
    """Write rgb.jpg, raw_depth.png registered to colour, intrinsics.txt and meta.txt.

    Lens distortion has no place in a camera matrix; where the camera has some, meta.txt keeps it.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    depth = register_depth(frame.depth, frame.calibration)
    camera = frame.calibration.color
    write_image(folder / "rgb.jpg", frame.color, quality=JPEG_QUALITY)
    write_image(folder / "raw_depth.png", depth.values)
    (folder / INTRINSICS_NAME).write_text(_matrix_text(camera), encoding="utf-8")
    lines = {
        "depth_scale": f"{1 / depth.unit_m:.10g}",
        "index": str(frame.index),
        "captured_ns": str(frame.captured_ns),
        **facts,
    }
    if camera.distortion:
        lines["distortion"] = " ".join(f"{value:.9g}" for value in camera.distortion)
    text = "".join(f"{key}={value}\n" for key, value in lines.items())
    (folder / META_NAME).write_text(text, encoding="utf-8")


def _made_by(refined: RefinedFrame) -> dict[str, str]:
    made_by = refined.meta.made_by
    return {f"refined_{key}": str(value) for key, value in made_by.model_dump().items() if value != ""}


def _matrix_text(camera: Intrinsics) -> str:
    return "".join(" ".join(f"{value:.6f}" for value in row) + "\n" for row in camera.matrix)
