"""A camera that a rig wants, whether or not it is plugged in."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from drivers.camera import Camera, CameraBase, CameraInfo, Resettable, Synchronizable, SyncRole
from drivers.controls import Control, Value
from drivers.errors import CameraError, ModeUnsupported
from drivers.frame import Frame
from drivers.geometry import Calibration


class PlannedCamera(CameraBase):
    """Stands for a camera until it is there, and for good gives it the name that the rig has for it.

    The device is looked for at each opening until it is found, in the thread that opens. So a rig starts
    without the one that is missing, all cameras start at the same time, and the missing one is found as soon
    as it is plugged in.

    Attributes:
        source: what opens it, such as "realsense:123456".
        wanted: values of its controls that the rig wants, by name.
        sync_family: see `drivers.camera.Synchronizable`.
        primary_starts_first: likewise.
    """

    def __init__(
        self,
        source: str,
        make: Callable[[], Camera],
        info: CameraInfo,
        *,
        wanted: Mapping[str, Value] | None = None,
        sync_role: SyncRole = SyncRole.FREE,
        primary_starts_first: bool = True,
    ) -> None:
        """Nothing is looked for yet.

        Args:
            source: see the attribute.
            make: finds the device and makes its driver, or raises `CameraError`.
            info: id and name are those of the rig; the rest holds until the device tells.
            wanted: see the attribute.
            sync_role: on a sync cable.
            primary_starts_first: see the attribute.
        """
        self.source = source
        self.wanted = dict(wanted or {})
        self.sync_family = source.partition(":")[0]
        self.primary_starts_first = primary_starts_first
        self._make = make
        self._info = info
        self._sync_role = sync_role
        self._camera: Camera | None = None

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._found.calibration

    def open(self) -> None:
        if self._camera is None:
            camera = self._make()
            if self._sync_role is not SyncRole.FREE:
                _give_role(camera, self._sync_role)
            self._camera = camera
        self._camera.open()
        told = self._camera.info
        self._info = replace(told, id=self._info.id, name=self._info.name or told.name)

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()

    def read(self, *, timeout_s: float) -> Frame | None:
        frame = self._found.read(timeout_s=timeout_s)
        if frame is None or frame.camera_id == self._info.id:
            return frame
        return replace(frame, camera_id=self._info.id)

    def controls(self) -> tuple[Control, ...]:
        return self._found.controls()

    def set_control(self, name: str, value: Value) -> None:
        self._found.set_control(name, value)

    def vendor_settings(self) -> str | None:
        return self._found.vendor_settings()

    def load_vendor_settings(self, text: str) -> None:
        self._found.load_vendor_settings(text)

    @property
    def found(self) -> Camera:
        """The camera that it stands for.

        Raises:
            CameraError: it was not found yet.
        """
        return self._found

    def reset(self) -> None:
        """Start the device anew, where its library can do that."""
        if self._camera is not None and isinstance(self._camera, Resettable):
            self._camera.reset()

    @property
    def sync_role(self) -> SyncRole:
        """On a sync cable."""
        return self._sync_role

    def sync_roles(self) -> tuple[SyncRole, ...]:
        """Those that the device can take."""
        if self._camera is not None and isinstance(self._camera, Synchronizable):
            return self._camera.sync_roles()
        return (SyncRole.FREE,)

    def set_sync_role(self, role: SyncRole) -> None:
        """Take this role from the next opening on."""
        if self._camera is not None:
            _give_role(self._camera, role)
        self._sync_role = role

    @property
    def _found(self) -> Camera:
        if self._camera is None:
            raise CameraError(f"{self._info.name} was not found yet", hint="Plug it in.")
        return self._camera


def _give_role(camera: Camera, role: SyncRole) -> None:
    if isinstance(camera, Synchronizable):
        camera.set_sync_role(role)
    elif role is not SyncRole.FREE:
        raise ModeUnsupported(
            f"{camera.info.name} has no connector for a sync cable", hint="Leave its sync role out."
        )
