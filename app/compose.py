"""Builds and owns every thread: cameras, inference, recorder; and stops them in reverse."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.flow.attention import AttentionLoop, load_look
from app.flow.capture import CameraState, CameraStatus, capture
from app.flow.channel import Channel
from app.flow.desk import Desk, DeskState
from app.flow.engines import EngineKeeper, EngineKey, Loaded, key_of
from app.flow.filtering import Filtered, FilterLoop, Filters, Steps
from app.flow.meter import Meter, Reading
from app.flow.moments import Moments
from app.flow.order import reference_of, starts_after, wait_for
from app.flow.refine import Engine, Refined, noise_of, refine_in_turn
from app.flow.slot import Slot
from app.flow.taps import Taps
from app.flow.worker import Worker, stop_all
from app.language import tr
from app.memory import ControlMemory
from app.recording.recorder import Recorder, Repaired
from app.recording.room import bytes_per_s
from app.rigging import RigPlaces, known_places
from drivers.camera import Camera, CameraInfo
from drivers.controls import values_of
from drivers.errors import CameraError, SessionError
from drivers.frame import Frame
from drivers.planned import PlannedCamera
from drivers.registry import depth_filters
from drivers.rig import FindMore, Rig
from drivers.session.labels import SessionLabels
from drivers.session.refined import MadeBy
from drivers.session.writer import KeptControls
from model.repair import SensorNoise
from model.spec import EngineChoice, find
from model.stabilise import Stabiliser

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 1.5
TARGET_HZ = 30.0
"""Repairs of each camera in a second, for which tokens are chosen where nobody has chosen them."""
REST_S = 2.0
ARRIVALS_EVERY_S = 2.0
INFERENCE_NICENESS = 15
"""On Linux the inference thread yields to cameras and window, which on a CPU compete with it, once it has
loaded a network; on a busy machine it would never come to that otherwise."""


@dataclass(eq=False)
class CameraLine:
    """One camera of the rig and everything that comes from it.

    Attributes:
        camera: the driver; only its own thread calls it.
        channel: its frames.
        state: what it is doing.
        desk: its controls.
        filtered: its newest frame after the vendor's filters, while those are wanted.
        refined: its newest repaired frame.
        repairs: get every repaired frame, and what made it.
        refined_meter: repairs per second, and their age in milliseconds when they are ready.
        took_meter: milliseconds that each repair took.
    """

    camera: Camera
    channel: Channel = field(default_factory=Channel)
    state: Slot[CameraState] = field(default_factory=Slot)
    desk: Desk = field(default_factory=Desk)
    filtered: Slot[Filtered] = field(default_factory=Slot)
    refined: Slot[Refined] = field(default_factory=Slot)
    repairs: Taps[Repaired] = field(default_factory=Taps)
    refined_meter: Meter = field(default_factory=lambda: Meter(window_s=5.0, few=4))
    took_meter: Meter = field(default_factory=lambda: Meter(window_s=5.0, few=4))

    @property
    def info(self) -> CameraInfo:
        """What the camera says of itself."""
        return self.camera.info


class InferenceStatus(Enum):
    """What the inference thread is doing."""

    OFF = "off"
    LOADING = "loading"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True)
class InferenceState:
    """Status of the repair, with words for the screen.

    Attributes:
        status: what it is doing.
        label: the engine's name on screen, such as "MDM small (demo weights)".
        message: how it runs, or why it failed.
        hint: what to do about it.
    """

    status: InferenceStatus
    label: str = ""
    message: str = ""
    hint: str = ""


class Pipeline:
    """A running rig: one thread for each camera and one for inference.

    Use it as a context manager, or call `start` and `stop`.

    Attributes:
        lines: the cameras by id, in the rig's order; another mapping whenever a camera has come.
        moments: sets of frames of one moment.
        inference: what the inference thread is doing.
        hidden_share: of the depth patches that the repair is not shown, 0 to 1; for demonstrations.
        rig: where the cameras stand; put another value there after a calibration.
        rig_file_calibration: the calibration that a rig file names, which wins over this computer's; or None.
        stabilise: steady repaired depth over time; may be changed while running.
        filters: the vendor's own on raw depth, for the screen; `steps` may be changed while running.
        attention: what the network looks at from one place, while somebody asks for it.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        choice: EngineChoice,
        *,
        stabilise: bool = False,
        memory: ControlMemory | None = None,
        engines: EngineKeeper | None = None,
    ) -> None:
        self._memory = memory or ControlMemory()
        self._engines = engines or EngineKeeper()
        self.lines: dict[str, CameraLine] = {camera.info.id: self._line_of(camera) for camera in cameras}
        self.moments = Moments(reference_of({name: line.camera for name, line in self.lines.items()}))
        self.inference: Slot[InferenceState] = Slot()
        self.hidden_share = 0.0
        self.rig: Slot[RigPlaces] = Slot()
        self.rig_file_calibration = named = cameras.calibration if isinstance(cameras, Rig) else None
        infos = [camera.info for camera in cameras]
        self.rig.put(known_places(infos, _recorded_places(cameras), named=named))
        self.stabilise = stabilise
        self.filters = FilterLoop(self._filtered_lines, self._filters_of)
        self.attention = AttentionLoop(self._refined_lines, lambda: self._choice, load_look)
        self._choice = choice
        self._made_by: MadeBy | None = None
        self._crowded: Callable[[], bool] = _never
        self._idle = threading.Event()
        self._wake = threading.Event()
        self._stack = ExitStack()
        self._workers: list[Worker] = []
        self._changing = threading.Lock()

    @property
    def choice(self) -> EngineChoice:
        """The repair that was asked for last."""
        return self._choice

    def yield_to(self, crowded: Callable[[], bool]) -> None:
        """Between two repairs, rest while `crowded()`, for two seconds at most."""
        self._crowded = crowded

    @property
    def bytes_per_s(self) -> float | None:
        """What a recording of the cameras would need, as far as they have delivered a frame; None without."""
        frames = [(line.channel.newest.latest(), line.info.rate_hz) for line in self.lines.values()]
        rates = [bytes_per_s(frame, rate_hz) for frame, rate_hz in frames if frame is not None]
        return sum(rates) if rates else None

    def refined_readings(self) -> list[Reading]:
        """Of each camera's repaired frames, at this moment."""
        now_ns = time.monotonic_ns()
        return [line.refined_meter.read(now_ns) for line in self.lines.values()]

    def choose(self, choice: EngineChoice) -> None:
        """Repair with something else from the next frame on; it is loaded in the inference thread."""
        self._choice = choice
        self._wake.set()

    def start(self) -> None:
        """Start every thread."""
        import cv2

        cv2.setNumThreads(1)  # every camera and encoder has a thread; OpenCV's own pool would fight them
        after = starts_after(line.camera for line in self.lines.values())
        self._workers = [
            Worker("inference", self._infer, failed=self._inference_died),
            Worker("filters", self.filters.run),
            Worker("attention", self.attention.run),
        ]
        for camera_id, line in self.lines.items():
            self._workers.append(self._camera_worker(line, after.get(camera_id, ())))
        self._stack.callback(self._stop_workers)
        self._stack.callback(self._wake.set)
        for worker in self._workers:
            worker.start()

    def add(self, camera: Camera) -> None:
        """Take one more camera into the running rig; nothing if one of its id is there already."""
        with self._changing:
            if camera.info.id in self.lines or not self._workers:
                return
            line = self._line_of(camera)
            self.lines = {**self.lines, camera.info.id: line}
            worker = self._camera_worker(line, ())
            self._workers.append(worker)
            worker.start()
        log.info("camera %s has come", camera.info.id)
        self._wake.set()

    def _stop_workers(self) -> None:
        with self._changing:
            workers, self._workers = self._workers, []
        # The repair is the first and may be loading a network: what it takes is not taken from the cameras.
        stop_all(workers[::-1], timeout_s=STOP_TIMEOUT_S)

    def stop(self) -> None:
        """Stop every thread and wait a moment for all of them together; safe to call twice."""
        self._stack.close()

    def forget(self) -> None:
        """Let go of every frame of a rig that has ended; a page in the back may hold the rig for long."""
        for line in self.lines.values():
            for slot in (line.channel.newest, line.filtered, line.refined):
                slot.clear()
        self.moments.forget()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _line_of(self, camera: Camera) -> CameraLine:
        desk = self._memory.desk(camera.info)
        if isinstance(camera, PlannedCamera):
            desk.begin_with(camera.wanted)
        return CameraLine(camera, desk=desk)

    def _filtered_lines(self) -> dict[str, tuple[Slot[Frame], Slot[Filtered]]]:
        return {name: (line.channel.newest, line.filtered) for name, line in self.lines.items()}

    def _refined_lines(self) -> dict[str, Slot[Refined]]:
        return {name: line.refined for name, line in self.lines.items()}

    def _filters_of(self, frame: Frame, steps: Steps) -> Filters:
        return depth_filters(self.lines[frame.camera_id].camera, frame, steps)

    def _camera_worker(self, line: CameraLine, after: Sequence[str]) -> Worker:
        line.channel.taps.add(self._frame_came)

        def work(stop: threading.Event) -> None:
            wait_for([self.lines[camera_id].state for camera_id in after], stop)
            capture(line.camera, line.channel.deliver, line.state.put, stop, line.desk)

        def failed(error: Exception) -> None:
            hint = tr("Open the source again; the log file has the details.")
            line.state.put(
                CameraState(CameraStatus.LOST, CameraError(f"The driver failed: {error}.", hint=hint))
            )

        return Worker(f"camera {line.info.id}", work, failed=failed)

    def _frame_came(self, frame: Frame) -> None:
        self.moments.note(frame, self.lines[frame.camera_id].info.rate_hz)
        self._wake.set()

    def _infer(self, stop: threading.Event) -> None:
        while not stop.is_set():
            choice = self._choice

            def outdated(choice: EngineChoice = choice) -> bool:
                return stop.is_set() or self._choice is not choice

            self._repair_with(choice, outdated)
            while not outdated():
                self._wake.clear()
                self._wake.wait(0.2)

    def _repair_with(self, choice: EngineChoice, outdated: Callable[[], bool]) -> None:
        key = key_of(choice, max(1, len(self.lines)))
        loaded = self._engines.take(key) or self._load(key, outdated)
        if loaded is None:
            return
        self._made_by = loaded.made_by
        self.inference.put(InferenceState(InferenceStatus.RUNNING, loaded.engine.label, loaded.engine.note))
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), INFERENCE_NICENESS)
        if self._serve(loaded.engine, outdated):
            self._engines.keep(loaded)

    def _load(self, key: EngineKey, outdated: Callable[[], bool]) -> Loaded | None:
        choice = key.choice
        spec = find(choice.model)
        if spec.name == "off":
            self.inference.put(InferenceState(InferenceStatus.OFF, spec.title))
            return None
        self.inference.put(InferenceState(InferenceStatus.LOADING, spec.title))
        import torch  # takes seconds

        from model.checkpoint import WeightsError, sha256
        from model.engine import build
        from model.errors import GivenUpError

        # One core stays free for cameras and window; on two cores a second thread gains a sixth at best.
        torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
        try:
            engine = build(choice, target_hz=TARGET_HZ, cameras=key.cameras, given_up=outdated)
            made_by = MadeBy(
                model=spec.name,
                title=engine.label,
                weights_sha256="" if spec.weights is None else spec.sha256 or sha256(spec.weights),
                precision=engine.precision,
                tokens=choice.tokens,
                anchored=choice.anchor,
            )
        except GivenUpError:
            log.info("%s is not wanted any more", spec.title)
            return None
        except WeightsError as error:
            log.warning("%s", error)
            state = InferenceState(InferenceStatus.FAILED, spec.title, error.args[0], error.hint)
            self.inference.put(state)
            return None
        except (RuntimeError, MemoryError, OSError) as error:
            self._repair_failed(spec.title, error)
            return None
        return Loaded(key, engine, made_by)

    def _serve(self, engine: Engine, outdated: Callable[[], bool]) -> bool:
        """Repair until the choice is outdated; whether the engine could have gone on."""
        import cv2

        note = engine.note
        stabilisers: dict[str, Stabiliser] = {}

        def stabiliser(camera_id: str) -> Stabiliser | None:
            if not self.stabilise:
                stabilisers.clear()  # switched on again, it does not go on with what it saw long ago
                return None
            return stabilisers.setdefault(camera_id, Stabiliser())

        def deliver(refined: Refined) -> None:
            nonlocal note
            if engine.note != note:  # it took other tokens, or lost its device
                note = engine.note
                assert self._made_by is not None
                self._made_by = self._made_by.model_copy(update={"precision": engine.precision})
                self.inference.put(InferenceState(InferenceStatus.RUNNING, engine.label, note))
            self._refined(refined)
            self._rest(outdated)

        try:
            while not outdated():
                lines = self.lines

                def over(lines: Mapping[str, CameraLine] = lines) -> bool:
                    return outdated() or self.lines is not lines

                refine_in_turn(
                    {camera_id: line.channel.newest for camera_id, line in lines.items()},
                    engine,
                    deliver,
                    over,
                    self._wake,
                    noise=self._noise_of,
                    hidden_share=lambda: self.hidden_share,
                    stabiliser=stabiliser,
                )
        except (RuntimeError, ValueError, MemoryError, cv2.error) as error:
            self._repair_failed(engine.label, error)
            return False
        return True

    def _noise_of(self, frame: Frame) -> SensorNoise:
        line = self.lines.get(frame.camera_id)  # its camera may have been taken away meanwhile
        return noise_of(frame.calibration, "" if line is None else line.info.sensor)

    def _repair_failed(self, label: str, error: Exception) -> None:
        log.error("the repair failed", exc_info=error)
        hint = tr("Choose another model or device; raw depth goes on.")
        text = tr("The repair stopped: {error}").format(error=error)
        self.inference.put(InferenceState(InferenceStatus.FAILED, label, text, hint))

    def _refined(self, refined: Refined) -> None:
        line = self.lines[refined.frame.camera_id]
        line.refined_meter.note(refined.ready_ns, refined.age_ms)
        line.took_meter.note(refined.ready_ns, refined.took_ms)
        line.refined.put(refined)
        assert self._made_by is not None
        if not refined.hidden_share:  # nobody may take what was made worse on purpose for the repair itself
            made_by = self._made_by.model_copy(update={"stabilised": refined.stabilised})
            line.repairs((refined, made_by))

    def _rest(self, outdated: Callable[[], bool]) -> None:
        """Leave the processor to a recording that falls behind: raw frames go first."""
        until_s = time.monotonic() + REST_S
        while self._crowded() and time.monotonic() < until_s and not outdated():
            self._idle.wait(0.05)

    def _inference_died(self, error: Exception) -> None:
        self.inference.put(
            InferenceState(
                InferenceStatus.FAILED,
                "",
                tr("The inference thread ended: {error}").format(error=error),
                tr("Start DepthMend again."),
            )
        )


class Studio:
    """Everything that runs behind the window: one rig at a time, and the recorder on it.

    Args:
        choice: the repair to start with.
        stabilise: whether repaired depth is steadied over time.
        memory: what the operator wants of each camera's controls; forgotten at the end if None.
    """

    def __init__(
        self, choice: EngineChoice, *, stabilise: bool = False, memory: ControlMemory | None = None
    ) -> None:
        self._choice = choice
        self._stabilise = stabilise
        self._memory = memory or ControlMemory()
        self._engines = EngineKeeper()
        self._pipeline: Pipeline | None = None
        self._recorder: Recorder | None = None
        self._saving = False
        self._watch: Worker | None = None
        self._rig = Rig([])
        self._lock = threading.RLock()  # windows open sources and start recordings in threads

    @property
    def pipeline(self) -> Pipeline | None:
        """The running rig, or None before the first source is opened."""
        return self._pipeline

    @property
    def rig(self) -> Rig:
        """The cameras that were opened last, and what their source says of them."""
        return self._rig

    @property
    def recorder(self) -> Recorder | None:
        """The recording under way, or None."""
        return self._recorder

    @property
    def saving(self) -> bool:
        """Whether a recording has ended whose session is still being written."""
        return self._saving

    def open(self, cameras: Sequence[Camera]) -> Pipeline:
        """Run another rig; the one before it is stopped first, and a recording on it is closed.

        A source that can have more cameras is asked for them every two seconds, in a thread of its own. While
        a recording is under way nobody is added: a camera on the screen is a camera that is recorded.
        """
        with self._lock:
            self._stop_rig()
            self._pipeline = pipeline = Pipeline(
                cameras,
                self._choice,
                stabilise=self._stabilise,
                memory=self._memory,
                engines=self._engines,
            )
            pipeline.start()
            self._rig = cameras if isinstance(cameras, Rig) else Rig(cameras)
            if self._rig.find_more is not None:
                watch = partial(self._take_arrivals, pipeline, self._rig.find_more)
                self._watch = Worker("new cameras", watch)
                self._watch.start()
            return pipeline

    def _take_arrivals(self, pipeline: Pipeline, find_more: FindMore, stop: threading.Event) -> None:
        while not stop.wait(ARRIVALS_EVERY_S):
            if self._recorder is None:
                for camera in find_more(list(pipeline.lines)):
                    pipeline.add(camera)

    def choose(self, choice: EngineChoice) -> None:
        """Repair with something else, now and with the next rig."""
        self._choice = choice
        if self._pipeline is not None:
            self._pipeline.choose(choice)

    @property
    def choice(self) -> EngineChoice:
        """The repair that was asked for last."""
        return self._choice

    @property
    def stabilise(self) -> bool:
        """Whether repaired depth is steadied over time, now and with the next rig."""
        return self._stabilise

    @stabilise.setter
    def stabilise(self, stabilise: bool) -> None:
        self._stabilise = stabilise
        if self._pipeline is not None:
            self._pipeline.stabilise = stabilise

    def use_weights(self, weights: Path) -> None:
        """Repair with the weights in this file, everything else as before."""
        self.choose(replace(self._choice, model=str(weights)))

    def record(
        self,
        folder: Path,
        labels: SessionLabels,
        *,
        session: Path | None = None,
        refined: bool = False,
        compact: bool = False,
    ) -> Recorder:
        """Record the running rig into a new session below `folder`, or into the folder `session` itself.

        Args:
            folder: the library.
            labels: what is said of the session.
            session: its own folder.
            refined: record also what the repair makes of the frames, as far as it keeps up.
            compact: depth as JPEG XL instead of PNG.

        Raises:
            SessionError: the session cannot be written, or nothing runs or records already.
        """
        with self._lock:
            if self._pipeline is None:
                raise SessionError("There is no camera to record.", hint="Open a source first.")
            if self._recorder is not None:
                raise SessionError("A recording is under way.", hint="Stop it first.")
            lines = {name: (line.camera, line.channel) for name, line in self._pipeline.lines.items()}
            repairs = {name: line.repairs for name, line in self._pipeline.lines.items()} if refined else {}
            rig = self._pipeline.rig.latest()
            recorder = Recorder(
                folder,
                lines,
                labels,
                repairs=repairs,
                session=session,
                compact=compact,
                places=rig.rig_from_color if rig is not None else {},
                controls=self._lock_controls(),
                moments=self._pipeline.moments,
            )
            try:
                recorder.start()
            except SessionError:
                self._unlock_controls()
                raise
            self._recorder = recorder
            self._pipeline.yield_to(recorder.crowded)
            return recorder

    def stop_recording(self) -> Path | None:
        """Close the recording under way and return its folder; None if there is none."""
        with self._lock:
            recorder, self._recorder, self._saving = self._recorder, None, self._recorder is not None
            if self._pipeline is not None:
                self._pipeline.yield_to(_never)
            try:
                return None if recorder is None else recorder.stop()
            finally:
                self._saving = False
                self._unlock_controls()

    def close(self) -> None:
        """Stop everything; safe to call twice."""
        self._stop_rig()
        self._engines.clear()

    def _stop_rig(self) -> None:
        with self._lock:
            try:
                self.stop_recording()
            finally:
                if self._watch is not None:
                    self._watch.stop()
                    self._watch = None
                if self._pipeline is not None:
                    self._pipeline.stop()
                    self._pipeline.forget()
                    self._pipeline = None
                self._memory.save()

    def remember_controls(self) -> str:
        """Write down what the operator wants of the cameras; why that is not possible, or empty."""
        self._memory.save()
        return self._memory.problem

    def _lock_controls(self) -> dict[str, KeptControls]:
        """What each camera is set to; it stays so until the recording ends."""
        lines = self._pipeline.lines if self._pipeline is not None else {}
        for line in lines.values():
            line.desk.lock()
        states = {name: line.desk.state.latest() or DeskState() for name, line in lines.items()}
        return {
            name: KeptControls(values_of(state.controls), state.vendor_settings or "")
            for name, state in states.items()
        }

    def _unlock_controls(self) -> None:
        if self._pipeline is not None:
            for line in self._pipeline.lines.values():
                line.desk.unlock()


def _never() -> bool:
    return False


def _recorded_places(cameras: Sequence[Camera]) -> dict[str, NDArray[np.float64]]:
    """What recordings know of the places of their cameras."""
    places = {}
    for camera in cameras:
        try:
            place = camera.calibration.rig_from_color
        except CameraError:  # a device, or a vendor's recording, says nothing before it is open
            continue
        if place is not None:
            places[camera.info.id] = place
    return places


def wait_for_frames(pipeline: Pipeline, *, timeout_s: float) -> bool:
    """Whether every camera delivered a frame in time."""
    deadline = time.monotonic() + timeout_s
    return all(
        line.channel.newest.newer_than(0, timeout_s=max(deadline - time.monotonic(), 0)) is not None
        for line in pipeline.lines.values()
    )
