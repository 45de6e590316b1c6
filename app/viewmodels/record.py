"""State of the recording page: ready, recording with every frame accounted for, saved."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.compose import Pipeline, Studio
from app.flow.slot import Slot
from app.flow.worker import Worker
from app.language import english, from_below, tr
from app.paths import free_bytes
from app.recording.counts import RecorderStatus
from app.recording.guards import Caution, battery, heat
from app.recording.library import LabelEdit, delete, read_entry, restore
from app.recording.preflight import Check, calibration_check, preflight
from app.recording.recorder import Recorder
from app.recording.room import LOW_S, Limits, PlaceRefusedError
from app.recording.tags import recent_tags, remember_tags
from app.rigging import RigPlaces
from app.settings import Settings
from app.viewmodels.record_view import (
    CameraPanel,
    LabelChoice,
    Problem,
    RecordPhase,
    RecordView,
    Saved,
    Tone,
    camera_panel,
    cameras_check,
    disk_words,
    headline,
    idle_phase,
    refined_words,
    saved_from,
)
from drivers.errors import SessionError
from drivers.session.labels import SessionLabels

log = logging.getLogger(__name__)

POLL_MS = 100
LOOK_EVERY_TICKS = 20
CLOSE_TIMEOUT_S = 15.0


class Again(Enum):
    """What follows the end of a take."""

    NO = "no"
    NEXT = "next"
    REDO = "redo"


class RecordViewModel(QObject):
    """Starts, follows and ends recordings; a recording outlives the page.

    Args:
        studio: the rig and its recorder.
        settings: site, operator, sessions folder and whether to record refined depth; read at each start.
        save_settings: writes them.
        tags: file of the tags used last; None for the usual one.

    Signals:
        view_changed: `RecordView`.
        labels_changed: `LabelChoice`.
        saved: `Saved`.
        refused: `Problem`.
        discarded: where a take is now that was put into the trash to be recorded again.
    """

    view_changed = Signal(RecordView)
    labels_changed = Signal(LabelChoice)
    saved = Signal(Saved)
    refused = Signal(Problem)
    discarded = Signal(Path)

    def __init__(
        self,
        studio: Studio,
        settings: Settings,
        save_settings: Callable[[], None],
        *,
        tags: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._studio = studio
        self._settings = settings
        self._save_settings = save_settings
        self._tags_path = tags
        self._labels = LabelChoice("", (), recent_tags(tags), operator=settings.operator, site=settings.site)
        self._recorder: Recorder | None = None
        self._switch: Worker | None = None
        self._started: Slot[Recorder] = Slot()
        self._ended: Slot[Saved] = Slot()
        self._failed: Slot[Problem] = Slot()
        self._discarded: Slot[Path] = Slot()
        self._refused: tuple[Path, str] | None = None
        self._again = Again.NO
        self._phase: RecordPhase | None = None
        self._marks = 0
        self._ticks = 0
        self._free_bytes: int | None = None
        self._cautions: tuple[Caution, ...] = ()
        self._checks: Slot[tuple[Check, ...]] = Slot()
        self._checking: Worker | None = None
        self._checked: tuple[str, ...] | None = None
        self._watched = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def labels(self) -> LabelChoice:
        """What is said of the next recording."""
        return self._labels

    @property
    def recording(self) -> bool:
        """Whether a recording is under way, starting or closing."""
        return self._phase is not None

    @property
    def view(self) -> RecordView:
        """This moment."""
        pipeline = self._studio.pipeline
        lines = {} if pipeline is None else pipeline.lines
        status = None if self._recorder is None else self._recorder.status()
        panels = tuple(camera_panel(line, status) for line in lines.values())
        rate = None if pipeline is None else pipeline.bytes_per_s
        if status is not None:
            left_s = status.time_left_s
        else:
            free = self._free_bytes
            left_s = float("inf") if free is None or not rate else Limits().seconds_left(free, rate)
        low = left_s < LOW_S
        phase = self._phase or idle_phase(panels)
        words, tone = headline(phase, panels, left_s=left_s, refused=self._refused_now)
        refined, refined_tone = self._refined_words(pipeline, status)
        checks = () if self._phase is not None else self._checked_now(panels)
        said = {check.caution for check in checks}
        cautions = self._cautions if status is None else status.cautions
        return RecordView(
            phase=phase,
            seconds=0.0 if status is None else status.seconds,
            words=words,
            tone=tone,
            cameras=panels,
            disk=disk_words(
                left_s,
                self._free_bytes if status is None else status.disk_free_bytes,
                known=bool(lines),
                about=status is None,
            ),
            disk_low=low,
            queue_fill=0.0 if status is None else status.queue_fill,
            marks=self._marks,
            bytes_written=0 if status is None else status.bytes_written,
            refined=refined,
            refined_tone=refined_tone,
            cautions=tuple(caution for caution in cautions if caution not in said),
            synced_s=0.0 if status is None else status.synced_s,
            compact=status is not None and status.compact,
            checks=checks,
        )

    @property
    def _refused_now(self) -> str:
        """Why the last try did not begin a recording; nothing once another folder is chosen."""
        folder, words = self._refused or (None, "")
        return words if folder == self._settings.sessions_folder else ""

    def watch(self, watched: bool) -> None:
        """Follow the cameras only while somebody looks; a recording is followed in any case."""
        self._watched = watched
        if watched:
            self._labels = replace(self._labels, operator=self._settings.operator, site=self._settings.site)
            self.labels_changed.emit(self._labels)
            self._checked = self._refused = None  # the look that follows says what is still so
            self._look_around()
            self._timer.start()
            self.poll()

    @property
    def refined(self) -> bool:
        """Whether the next recording holds refined depth as well."""
        return self._settings.record_refined

    def set_refined(self, refined: bool) -> None:
        """Record refined depth as well, from the next recording on; kept for the next start."""
        self._settings.record_refined = refined
        self._save_settings()
        self.view_changed.emit(self.view)

    def choose_scene(self, scene: str) -> None:
        """Say what kind of place it is; while recording, it holds for the recording under way."""
        self._label(LabelEdit(scene=scene), replace(self._labels, scene=scene))

    def toggle_tag(self, tag: str) -> None:
        """Add a tag, or take it back; a new one is remembered."""
        tag = " ".join(tag.split())
        if not tag:
            return
        tags = self._labels.tags
        chosen = tuple(t for t in tags if t != tag) if tag in tags else (*tags, tag)
        recent = self._labels.recent if tag in self._labels.recent else (tag, *self._labels.recent)
        self._label(LabelEdit(tags=chosen), replace(self._labels, tags=chosen, recent=recent))

    def write_notes(self, notes: str) -> None:
        """Say anything of the session."""
        notes = notes.strip()
        self._label(LabelEdit(notes=notes), replace(self._labels, notes=notes))

    def choose_consent(self, consent: str) -> None:
        """Say what the people in view have agreed to."""
        self._label(LabelEdit(consent=consent), replace(self._labels, consent=consent))

    def name_operator(self, operator: str) -> None:
        """Say who records; kept for the next start."""
        self._settings.operator = operator = operator.strip()
        self._save_settings()
        self._label(LabelEdit(operator=operator), replace(self._labels, operator=operator))

    def name_site(self, site: str) -> None:
        """Say where; kept for the next start."""
        self._settings.site = site = site.strip()
        self._save_settings()
        self._label(LabelEdit(site=site), replace(self._labels, site=site))

    def toggle(self) -> None:
        """The big button."""
        if self._phase is RecordPhase.RECORDING:
            self.stop()
        elif self._phase is None:
            self.start()

    def start(self) -> None:
        """Record from now on; `refused` says why not."""
        view = self.view
        if view.phase is not RecordPhase.READY:
            self.refused.emit(Problem(view.words))
            return
        labels = SessionLabels(
            scene=self._labels.scene,
            tags=self._labels.tags,
            notes=self._labels.notes,
            site=self._settings.site,
            operator=self._settings.operator,
            consent=self._labels.consent,
        )
        remember_tags(self._labels.tags, self._tags_path)
        folder, refined = self._settings.sessions_folder, self._settings.record_refined
        compact = self._settings.record_compact
        self._marks = 0
        self._refused = None

        def work(_stop: threading.Event) -> None:
            self._started.put(self._studio.record(folder, labels, refined=refined, compact=compact))

        self._run("start recording", RecordPhase.STARTING, work)

    def stop(self) -> None:
        """End the recording; `saved` follows when every frame that waits is written."""
        if self._phase is RecordPhase.RECORDING:
            self._end("", "")

    def next_take(self) -> None:
        """Keep this take, and record the next one with the same labels."""
        if self._phase is RecordPhase.RECORDING:
            self._end("", "", Again.NEXT)

    def redo_take(self) -> None:
        """Put this take into the trash, and record it again."""
        if self._phase is RecordPhase.RECORDING:
            self._end("", "", Again.REDO)

    def bring_back(self, trashed: Path) -> None:
        """Take a take out of the trash; `refused` says why not."""
        try:
            restore(trashed)
        except SessionError as error:
            self.refused.emit(Problem(from_below(str(error)), from_below(error.hint)))

    def mark(self, what: str = "") -> None:
        """Note that something is there or happens at this moment; empty for anything else."""
        if self._recorder is None:
            self.refused.emit(Problem(tr("Nothing is being recorded."), tr("Start a recording first.")))
            return
        try:
            self._recorder.mark(what or f"mark {self._marks + 1}")
        except SessionError as error:
            self.refused.emit(Problem(from_below(str(error)), from_below(error.hint)))
            return
        self._marks += 1
        self.poll()

    def poll(self) -> None:
        """Look for news; the timer calls this."""
        self._ticks += 1
        if self._ticks % LOOK_EVERY_TICKS == 0:
            self._look_around()
        self._take_news()
        if self._watched:
            self._check()
        if self._phase is None and self._studio.recorder is not None:
            self._recorder, self._phase = self._studio.recorder, RecordPhase.RECORDING
        if self._phase is RecordPhase.RECORDING and self._recorder is not None:
            status = self._recorder.status()
            if status.error:
                self._end(from_below(status.error), from_below(status.hint))
            elif self._studio.recorder is not self._recorder:
                self._end(tr("Another source was opened."), tr("Record again when it runs."))
        self.view_changed.emit(self.view)
        if not self._watched and self._phase is None:
            self._timer.stop()

    def close(self) -> None:
        """End a recording under way and wait until its session is closed."""
        self._timer.stop()
        if self._checking is not None:
            self._checking.stop(timeout_s=CLOSE_TIMEOUT_S)
        if self._switch is not None:
            self._switch.stop(timeout_s=CLOSE_TIMEOUT_S)
        try:
            self._studio.stop_recording()
        except SessionError as error:
            log.warning("the recording has no index yet: %s %s", error, error.hint)

    def _look_around(self) -> None:
        """Room on the disk, and what may spoil a recording; while one runs, it looks for itself."""
        self._free_bytes = free_bytes(self._settings.sessions_folder)
        found = () if self._recorder is not None else (battery(), heat())
        self._cautions = tuple(caution for caution in found if caution is not None)

    def _label(self, edit: LabelEdit, choice: LabelChoice) -> None:
        """Keep what is said for the next recording, and write it into the one under way at once."""
        self._labels = choice
        self.labels_changed.emit(self._labels)
        if self._recorder is None or self._phase is not RecordPhase.RECORDING:
            return
        try:
            self._recorder.relabel(edit)
        except SessionError as error:
            self.refused.emit(Problem(from_below(str(error)), from_below(error.hint)))

    def _checked_now(self, panels: tuple[CameraPanel, ...]) -> tuple[Check, ...]:
        """The latest look, and above it whether the cameras deliver; what changes at any time is of now."""
        of_now = {english(caution.hint): caution for caution in self._cautions}
        found = tuple(
            check
            if check.caution is None
            else replace(check, caution=of_now.get(english(check.caution.hint), check.caution))
            for check in self._checks.latest() or ()
        )
        return (cameras_check(panels), *found) if found and panels else found

    def _check(self) -> None:
        """Look at disk and USB in a thread, once for each rig while somebody looks at the page."""
        pipeline = self._studio.pipeline
        infos = () if pipeline is None else tuple(line.info for line in pipeline.lines.values())
        rate = None if pipeline is None else pipeline.bytes_per_s
        running = self._checking is not None and self._checking.running
        about = None
        if pipeline is not None and len(infos) > 1:
            places = pipeline.rig.latest() or RigPlaces()
            good = places.shared and not places.old and not places.trouble
            about = calibration_check(places.words, good=good)
        known = "" if rate is None else f"{rate:.0f}"  # it grows with each camera's first frame
        wanted = (
            *(info.id for info in infos),
            str(self._settings.sessions_folder),
            known,
            "" if about is None else about.words,
        )
        if running or wanted == self._checked or self._phase is not None:
            return
        self._checked = wanted
        folder = self._settings.sessions_folder

        def work(_stop: threading.Event) -> None:
            found = preflight(folder, infos, rate)
            self._checks.put(found if about is None else (about, *found))

        self._checking = Worker("preflight", work)
        self._checking.start()

    def _end(self, reason: str, hint: str, again: Again = Again.NO) -> None:
        recorder = self._recorder
        assert recorder is not None
        self._again = again

        def work(_stop: threading.Event) -> None:
            if self._studio.recorder is recorder:
                self._studio.stop_recording()
            if again is Again.REDO:
                self._discarded.put(delete(read_entry(recorder.session)))
            else:
                self._ended.put(saved_from(recorder.session, reason, hint))

        self._run("stop recording", RecordPhase.CLOSING, work)

    def _run(self, name: str, phase: RecordPhase, work: Callable[[threading.Event], None]) -> None:
        if self._switch is not None:
            self._switch.stop()
        self._phase = phase
        self._switch = Worker(name, work, failed=self._switch_failed)
        self._switch.start()
        self._timer.start()
        self.view_changed.emit(self.view)

    def _switch_failed(self, error: Exception) -> None:
        hint = (
            from_below(error.hint)
            if isinstance(error, SessionError)
            else tr("The log file holds the details.")
        )
        in_settings = isinstance(error, PlaceRefusedError)
        self._failed.put(Problem(from_below(str(error)), hint, in_settings))

    def _take_news(self) -> None:
        if self._switch is None or self._switch.running or self._phase is None:
            return
        if (problem := self._failed.latest()) is not None:
            self._failed = Slot()
            closing = self._phase is RecordPhase.CLOSING
            where = (
                tr(" The data is in {session}.").format(session=self._recorder.session)
                if closing and self._recorder
                else ""
            )
            self._phase = self._recorder = None
            if not closing:
                self._refused = self._settings.sessions_folder, problem.message
            self._checked = None  # what was found before is not so any more
            self.refused.emit(replace(problem, message=problem.message + where))
        elif (recorder := self._started.latest()) is not None:
            self._started = Slot()
            self._recorder, self._phase = recorder, RecordPhase.RECORDING
        elif (saved := self._ended.latest()) is not None:
            self._ended = Slot()
            self._phase = self._recorder = None
            self.saved.emit(saved)
            if self._again is Again.NEXT and not saved.reason:
                self.start()
        elif (trashed := self._discarded.latest()) is not None:
            self._discarded = Slot()
            self._phase = self._recorder = None
            self.discarded.emit(trashed)
            self.start()

    def _refined_words(self, pipeline: Pipeline | None, status: RecorderStatus | None) -> tuple[str, Tone]:
        if not self._settings.record_refined or pipeline is None:
            return "", Tone.CALM
        rate_hz = sum(reading.rate_hz for reading in pipeline.refined_readings())
        return refined_words(pipeline.inference.latest(), rate_hz, status)
