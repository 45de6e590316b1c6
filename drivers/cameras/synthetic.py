"""Cameras that look into a simulated room, so that everything works without a device."""

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from drivers.camera import CameraBase, CameraInfo
from drivers.clock import Clock, ClockFit
from drivers.controls import Control, Value, find
from drivers.depth import DepthMap
from drivers.errors import CameraBusy, CameraError, CameraNotFound, CameraUnplugged
from drivers.frame import Frame, ImuSample
from drivers.geometry import Calibration, Intrinsics

FRAMES_PER_VIEW = 3
"""The viewpoint moves with every third frame; noise, holes and infrared are new in each. Ten views a second
of three cameras are what two cores can draw beside a window and a network."""

IMU_HZ = 200
GRAVITY_M_S2 = 9.80665

if TYPE_CHECKING:
    from drivers.synth.adjust import Adjustments
    from drivers.synth.render import View
    from drivers.synth.sensor import SensorKind, SensorParams
    from drivers.synth.shapes import Scene


@dataclass(frozen=True)
class Faults:
    """What shall go wrong, for tests and demonstrations.

    Attributes:
        drop_every: every so-many-th index is lost on the way; 0 for none.
        stall_from: from this index on nothing comes, without an error.
        lose_from: from this index on the device is gone.
        back_from: from this index on it neither stalls nor is gone.
        busy: another program holds the device.
        clock_ppm: how much too fast the device's clock runs, in millionths; negative for too slow.
    """

    drop_every: int = 0
    stall_from: int | None = None
    lose_from: int | None = None
    back_from: int | None = None
    busy: bool = False
    clock_ppm: float = 0.0

    def stalled(self, index: int) -> bool:
        """Whether nothing comes at `index`."""
        return self._within(self.stall_from, index)

    def lost(self, index: int) -> bool:
        """Whether the device is gone at `index`."""
        return self._within(self.lose_from, index)

    def _within(self, begin: int | None, index: int) -> bool:
        return begin is not None and begin <= index and (self.back_from is None or index < self.back_from)


DEMO_FAULTS = {
    "drop": Faults(drop_every=10),
    "stall": Faults(stall_from=150, back_from=600),
    "unplug": Faults(lose_from=150, back_from=450),
    "busy": Faults(busy=True),
    "slow-clock": Faults(clock_ppm=-300.0),
}
"""What may go wrong with the first camera of the demo rig, by the name that follows "demo:"."""
BOARD = "board"
"""Follows "demo:" for a rig that stands still while somebody holds a calibration board before it."""


class SyntheticCamera(CameraBase):
    """One simulated depth camera on a slow path through a room.

    What it sees depends only on `seed`, `viewpoint`, the scene, `difficulty`, `still`, its controls and the
    frame's index, not on when it is read. Time of flight tells its confidence, which is the light that came
    back.

    Attributes:
        difficulty: 0 to 1, how badly the sensor does; may be changed while running.
        still: stand at the start of the path instead of moving along it; may be changed while running.
        faults: what goes wrong; may be changed while running.
    """

    def __init__(
        self,
        camera_id: str,
        kind: "SensorKind",
        *,
        name: str = "",
        width: int = 640,
        height: int = 480,
        rate_hz: float = 30.0,
        seed: int = 0,
        viewpoint: int = 0,
        difficulty: float = 0.5,
        faults: Faults | None = None,
        scene: "Scene | None" = None,
        epoch_ns: int | None = None,
        imu: bool = False,
    ) -> None:
        """Nothing is computed before `open`.

        Args:
            camera_id: unique within the rig.
            kind: how depth is measured.
            name: for people.
            width: of the colour image, as `height`.
            height: any even number of pixels.
            rate_hz: frames per second.
            seed: of all noise.
            viewpoint: number in the rig; neighbours stand beside each other.
            difficulty: see the attribute.
            faults: see the attribute.
            scene: to look at; the demo scene if None.
            epoch_ns: when index 0 is exposed, on `time.monotonic_ns`; the moment of opening if None. Cameras
                with the same epoch see moving things at the same place.
            imu: whether it has an inertial sensor.
        """
        self.difficulty = difficulty
        self.still = False
        self.faults = faults or Faults()
        self._kind = kind
        self._seed = seed
        self._viewpoint = viewpoint
        self._scene = scene
        self._epoch_ns = epoch_ns
        self._imu = imu
        self._adjusted: Adjustments | None = None
        self._start_ns: int | None = None
        self._fit = ClockFit()
        self._next = 0
        self._opened = False
        self._seen: tuple[int, tuple[View, View, DepthMap]] | None = None
        self._period_ns = round(1e9 / rate_hz)
        self._info = CameraInfo(
            camera_id,
            name or f"Simulated {kind.value}",
            "Simulated",
            f"SIM{seed:05d}",
            kind.value,
            rate_hz,
            live=True,
        )
        self._calibration = _calibration(kind, width, height)

    @property
    def info(self) -> CameraInfo:
        return self._info

    @property
    def calibration(self) -> Calibration:
        return self._calibration

    def standing_place(self) -> NDArray[np.float64] | None:
        """(4, 4) `rig_from_color` metres, exact while the whole rig stands still; None before `open`."""
        from drivers.synth.scene import camera_path

        if self._scene is None:
            return None
        first, own = (camera_path(self._scene, 0.0, number) for number in (0, self._viewpoint))
        return np.asarray(np.linalg.inv(first) @ own, np.float64)

    def open(self) -> None:
        if self.faults.busy:
            raise CameraBusy(f"{self._info.name} is in use by another program")
        if self.faults.lost(self._now()):
            raise CameraUnplugged(f"{self._info.name} is not there")
        if self._scene is None:
            self._scene = _demo_scene()
        self.expose(0)  # Fills the noise tables, so that the first frame is not late.
        if self._start_ns is None:  # the device counts on while nobody listens
            self._start_ns = time.monotonic_ns() if self._epoch_ns is None else self._epoch_ns
        self._next = self._now()
        self._fit = ClockFit()
        self._opened = True

    def close(self) -> None:
        self._opened = False
        self._seen = None

    def controls(self) -> tuple[Control, ...]:
        return self._adjustments.controls(self._kind)

    def set_control(self, name: str, value: Value) -> None:
        value = find(self.controls(), name).checked(value)
        self._adjusted = self._adjustments.having(name, value)

    @property
    def _adjustments(self) -> "Adjustments":
        from drivers.synth.adjust import Adjustments

        return self._adjusted or Adjustments()

    def read(self, *, timeout_s: float) -> Frame | None:
        if not self._opened or self._start_ns is None:
            raise CameraError(f"{self._info.name} is not open", hint="Open the camera first.")
        give_up_ns = time.monotonic_ns() + int(timeout_s * 1e9)
        while True:
            # A reader that is late loses whole periods, as with a device that counts on its own.
            behind = (time.monotonic_ns() - self._start_ns) // self._period_ns
            self._next = max(self._next, behind)
            faults = self.faults
            due_ns = self._start_ns + self._next * self._period_ns
            if faults.lost(self._next):
                self._opened = False
                raise CameraUnplugged(f"{self._info.name} was unplugged at frame {self._next}")
            if faults.stalled(self._next) or due_ns > give_up_ns:
                _sleep_until(give_up_ns)
                return None
            # The scene is drawn before the exposure, not after it: a lens does not have to draw either.
            self._view(self._next - self._next % FRAMES_PER_VIEW)
            _sleep_until(due_ns)
            index = self._next
            self._next += 1
            if faults.drop_every and index % faults.drop_every == faults.drop_every - 1:
                continue
            return self._stamped(self.expose(index), due_ns)

    def _stamped(self, frame: Frame, due_ns: int) -> Frame:
        passed_ns = due_ns - frame.captured_ns
        imu = tuple(replace(sample, captured_ns=sample.captured_ns + passed_ns) for sample in frame.imu)
        frame = replace(frame, imu=imu)
        if not self.faults.clock_ppm:
            return replace(frame, captured_ns=due_ns)
        # As a driver does with a device whose clock is all it has: the time of arrival tells the drift.
        device_ns = round(frame.device_ns * (1 + self.faults.clock_ppm * 1e-6))
        captured_ns = self._fit.host_ns(device_ns, time.monotonic_ns())
        return replace(frame, captured_ns=captured_ns, device_ns=device_ns, clock=Clock.DEVICE)

    def _now(self) -> int:
        """Index of the next exposure."""
        start_ns = self._start_ns if self._start_ns is not None else self._epoch_ns
        if start_ns is None:
            return 0
        return max(0, -(-(time.monotonic_ns() - start_ns) // self._period_ns))

    def expose(self, index: int) -> Frame:
        """Frame number `index`, whatever the time; its `captured_ns` counts from 0."""
        from drivers.synth.infrared import infrared
        from drivers.synth.photo import photograph
        from drivers.synth.sensor import measure

        rng = np.random.default_rng([self._seed, index])
        view, own_grid, truth = self._view(index - index % FRAMES_PER_VIEW)
        adjusted = self._adjustments
        kind = adjusted.sensed_as(self._kind)
        params = adjusted.params(self._params(index), self.difficulty)
        counts = measure(own_grid, kind, rng, params)
        ir_left, ir_right = infrared(own_grid, kind, rng, params)
        return Frame(
            camera_id=self._info.id,
            index=index,
            captured_ns=index * self._period_ns,
            device_ns=index * self._period_ns,
            color=adjusted.developed(photograph(view, rng)),
            depth=adjusted.counted(counts),
            calibration=self._calibration,
            ir_left=ir_left,
            ir_right=ir_right,
            truth=truth,
            confidence=None if ir_right is not None else np.where(counts > 0, ir_left, np.uint8(0)),
            imu=self._felt(index) if self._imu else (),
            settings=adjusted.settings(self._kind),
        )

    def _felt(self, index: int) -> tuple[ImuSample, ...]:
        """What an inertial sensor reads between the frame before and this one."""
        from drivers.synth.scene import camera_path

        scene = self._scene = self._scene or _demo_scene()
        rate_hz = self._info.rate_hz
        first, end = (int(n * IMU_HZ / rate_hz) + 1 for n in (index - 1, index))
        poses = [
            camera_path(scene, 0.0 if self.still else n / IMU_HZ, self._viewpoint)
            for n in range(first - 1, end + 1)
        ]
        samples = []
        for n, (before, at, after) in enumerate(zip(poses, poses[1:], poses[2:], strict=False), first):
            camera_from_world = at[:3, :3].T
            spin = camera_from_world @ (after[:3, :3] - before[:3, :3]) * (IMU_HZ / 2)  # the rate as a matrix
            pushed = (after[:3, 3] - 2 * at[:3, 3] + before[:3, 3]) * IMU_HZ**2
            pushed[2] += GRAVITY_M_S2
            felt = camera_from_world @ pushed
            samples.append(
                ImuSample(
                    captured_ns=round(n * 1e9 / IMU_HZ),
                    angular_velocity_rad_s=(float(spin[2, 1]), float(spin[0, 2]), float(spin[1, 0])),
                    linear_acceleration_m_s2=(float(felt[0]), float(felt[1]), float(felt[2])),
                )
            )
        return tuple(samples)

    def _view(self, index: int) -> "tuple[View, View, DepthMap]":
        """What is to be seen at `index`: in the grids of colour and sensor, and its exact depth."""
        from drivers.synth.render import render
        from drivers.synth.scene import camera_path

        if self._seen is None or self._seen[0] != index:
            scene = self._scene = self._scene or _demo_scene()
            t_s = index / self._info.rate_hz
            color, own = self._calibration.color, self._calibration.depth
            pose = camera_path(scene, 0.0 if self.still else t_s, self._viewpoint)
            view = render(scene, pose, color, t_s=t_s)
            own_grid = view if self._calibration.aligned else view.scaled(own)
            self._seen = (index, (view, own_grid, DepthMap(view.millimetres(), 0.001)))
        return self._seen[1]

    def _params(self, index: int) -> "SensorParams":
        from drivers.synth.sensor import DEFAULTS

        # Holes crawl rather than boil: their lumps drift by a fraction of a pixel from frame to frame.
        drift = (self._seed * 97.0 + 0.35 * index, self._seed * 53.0 + 0.2 * index)
        return replace(DEFAULTS[self._kind], drift_px=drift)


DEMO_CAMERAS = ("stereo_active", "time_of_flight", "stereo_passive")
"""Ids of the cameras of the demo rig."""


def demo_rig(
    *, rate_hz: float = 30.0, width: int = 640, height: int = 480, fault: str = ""
) -> list[SyntheticCamera]:
    """Three cameras of different kinds that look at the demo scene side by side.

    Args:
        rate_hz: frames per second.
        width: pixels of the colour images, as `height`.
        height: see `width`.
        fault: one of `DEMO_FAULTS` that the first camera has, `BOARD`, or empty.

    Raises:
        CameraNotFound: there is no such fault.
    """
    if fault and fault not in {BOARD, *DEMO_FAULTS}:
        raise CameraNotFound(
            f"The demo rig has no fault called {fault}.",
            hint=f"Choose one of: {', '.join((*DEMO_FAULTS, BOARD))}.",
        )
    from drivers.synth.sensor import SensorKind

    epoch_ns = time.monotonic_ns()
    table = (
        ("stereo_active", SensorKind.ACTIVE_STEREO, "Demo active stereo"),
        ("time_of_flight", SensorKind.TIME_OF_FLIGHT, "Demo time of flight"),
        ("stereo_passive", SensorKind.PASSIVE_STEREO, "Demo passive stereo"),
    )
    rig = [
        SyntheticCamera(
            camera_id,
            kind,
            name=name,
            width=width,
            height=height,
            rate_hz=rate_hz,
            seed=1 + number,
            viewpoint=number,
            epoch_ns=epoch_ns,
            faults=DEMO_FAULTS[fault] if fault in DEMO_FAULTS and number == 0 else None,
            scene=_demo_scene_with_board() if fault == BOARD else None,
            imu=number == 0,
        )
        for number, (camera_id, kind, name) in enumerate(table)
    ]
    for camera in rig:
        camera.still = fault == BOARD
    return rig


def demo_places() -> list[NDArray[np.float64]]:
    """(4, 4) `rig_from_color` metres of the demo rig's cameras where it stands still: the exact truth."""
    from drivers.synth.scene import camera_path

    poses = [camera_path(_demo_scene(), 0.0, number) for number in range(3)]
    return [np.asarray(np.linalg.inv(poses[0]) @ pose, np.float64) for pose in poses]


_shared_demo_scene: "list[Scene]" = []
_lighting = threading.Lock()


def _demo_scene() -> "Scene":
    """The one demo scene of this process: it is immutable and takes a second to light."""
    from drivers.synth.scene import demo_scene

    with _lighting:
        if not _shared_demo_scene:
            _shared_demo_scene.append(demo_scene())
    return _shared_demo_scene[0]


def _demo_scene_with_board() -> "Scene":
    from drivers.synth.board_scene import board_scene

    return board_scene(_demo_scene())


def _calibration(kind: "SensorKind", width: int, height: int) -> Calibration:
    from drivers.synth.sensor import DEFAULTS, SensorKind

    focal_px = 460.0 * width / 640
    color = Intrinsics(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)
    if kind is SensorKind.TIME_OF_FLIGHT and width >= 16:
        own = color.scaled(width // 2, height // 2)
        return Calibration(color, own, ir=own, color_from_ir_left=np.eye(4))
    baseline_m = None if kind is SensorKind.TIME_OF_FLIGHT else DEFAULTS[kind].baseline_m
    return Calibration(color, color, ir=color, color_from_ir_left=np.eye(4), baseline_m=baseline_m)


def _sleep_until(moment_ns: int) -> None:
    remaining_s = (moment_ns - time.monotonic_ns()) / 1e9
    if remaining_s > 0:
        time.sleep(remaining_s)
