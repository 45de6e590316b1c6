"""In which order cameras that expose together are started."""

import threading
import time
from collections.abc import Iterable, Mapping

from app.flow.capture import CameraState, CameraStatus
from app.flow.slot import Slot
from drivers.camera import Camera, Synchronizable, SyncRole

PATIENCE_S = 5.0
"""A camera that does not start is no reason for the others to stay dark."""
POLL_S = 0.02


def starts_after(cameras: Iterable[Camera]) -> dict[str, tuple[str, ...]]:
    """The ids of the cameras that have to be open before a camera is opened, by its id; absent for none."""
    bound = [camera for camera in cameras if isinstance(camera, Synchronizable)]
    before: dict[str, tuple[str, ...]] = {}
    for camera in bound:
        waits_for = SyncRole.SECONDARY if camera.sync_role is SyncRole.PRIMARY else SyncRole.PRIMARY
        first = camera.primary_starts_first is (camera.sync_role is SyncRole.PRIMARY)
        if camera.sync_role is SyncRole.FREE or first:
            continue
        family = [other for other in bound if other.sync_family == camera.sync_family]
        ids = tuple(other.info.id for other in family if other.sync_role is waits_for)
        if ids:
            before[camera.info.id] = ids
    return before


def wait_for(others: Iterable[Slot[CameraState]], stop: threading.Event) -> None:
    """Wait until all of `others` are open or have failed, for five seconds at most."""
    deadline_s = time.monotonic() + PATIENCE_S
    waiting = list(others)
    while waiting and not stop.is_set() and time.monotonic() < deadline_s:
        waiting = [slot for slot in waiting if _starting(slot.latest())]
        if waiting:
            stop.wait(POLL_S)


def _starting(state: CameraState | None) -> bool:
    return state is None or state.status is CameraStatus.STARTING


def role_of(camera: Camera) -> SyncRole:
    """What the camera does on a sync cable."""
    return camera.sync_role if isinstance(camera, Synchronizable) else SyncRole.FREE


def reference_of(cameras: Mapping[str, Camera]) -> str:
    """Id of the camera that gives the beat: the primary one, else the first; empty without any."""
    primary = (name for name, camera in cameras.items() if role_of(camera) is SyncRole.PRIMARY)
    return next(primary, next(iter(cameras), ""))
