"""The check "Why is it bad?" on streams with one cause each, from strong to weak, and on healthy ones.

    python benchmarks/diagnosis.py [--scenes 12] [--shared ../shared]

Twelve rooms (the demo rig's and eleven made from seeds), each seen by an active stereo, a time of flight and
a passive stereo camera for three seconds as the window watches them: six frames, 0.6 s apart; and once more
while the camera is moved four times as fast. To each of these streams each cause is done in turn, by the
camera's own control where it has one, else to its frames, and it is counted in how many of them the check
says so. Real frames that somebody recorded as good are healthy, too.

Ends with 1 if a cause is found in fewer streams than it must at that strength, if anything is said of a
healthy stream, or if a cause is taken for another one.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from numpy.typing import NDArray

from app.quality.checkup import check_up
from app.quality.diagnosis import Evidence, RepairFacts
from app.quality.sensor import stereo
from drivers.camera import CameraInfo
from drivers.cameras.synthetic import SyntheticCamera
from drivers.controls import Role
from drivers.depth import DepthMap, depth_map
from drivers.frame import Frame
from drivers.geometry import Calibration, Intrinsics
from drivers.synth.adjust import Adjustments
from drivers.synth.scene import demo_scene, random_scene
from drivers.synth.sensor import SensorKind
from model.spec import EngineChoice, InputRules

KINDS = (SensorKind.ACTIVE_STEREO, SensorKind.TIME_OF_FLIGHT, SensorKind.PASSIVE_STEREO)
FRAMES, APART, FAST = 6, 18, 72
RULES = InputRules(nearest_m=0.01, tokens=(192, 432))
LIGHTS = {"off": 0.0, "a fifth": 30.0, "two fifths": 60.0}
"""Laser powers in mW of a projector that is partly covered."""
OVEREXPOSED = {"open3d_redwood"}
"""Real frames with a fifth of the picture white: what is said of them is right."""


@dataclass(frozen=True)
class Stream:
    """What one camera saw, and the same with its projector covered."""

    name: str
    evidence: Evidence
    covered: dict[str, list[Frame]]
    moving: Evidence

    @property
    def sensor(self) -> str:
        """Wording of `CameraInfo.sensor`."""
        return self.evidence.info.sensor


Change = Callable[[Stream], Evidence | None]


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong, at one strength.

    Attributes:
        title: for people, with its strength.
        keys: findings that name it.
        change: does it to a stream; None where this sensor cannot have it.
        must: share of the streams in which it has to be found, if any.
        few: whether pictures have no part in it, so that one room is enough.
    """

    title: str
    keys: tuple[str, ...]
    change: Change
    must: float = 1.0
    few: bool = False


def main() -> int:
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=words)
    parser.add_argument("--scenes", type=int, default=12)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    began_s = time.monotonic()
    streams = [stream for number in range(args.scenes) for stream in streams_of(number)]
    simulated = [evidence for stream in streams for evidence in (stream.evidence, stream.moving)]
    broken = healthy(simulated, real(args.shared))
    print(f"\n{'cause':<52}{'found':>9}   taken for another")
    for cause in CAUSES:
        broken += proven(cause, streams)
    print(
        f"\n{time.monotonic() - began_s:.0f} s; " + ("as it should be" if not broken else f"{broken} wrong")
    )
    return 1 if broken else 0


def healthy(simulated: list[Evidence], recorded: list[tuple[str, Evidence]]) -> int:
    """Print what is said of streams without a fault; how many false alarms there are."""
    took_s = time.thread_time()
    alarms = Counter(finding.key for evidence in simulated for finding in check_up(evidence))
    took_ms = 1e3 * (time.thread_time() - took_s) / max(len(simulated), 1)
    print(f"healthy, simulated: {len(simulated)} streams, false alarms: {dict(alarms) or 'none'}")
    print(f"one check takes {took_ms:.0f} ms")
    said = {name: [finding.key for finding in check_up(evidence)] for name, evidence in recorded}
    bright = {name for name in said if name.split("/")[0] in OVEREXPOSED}
    wrong = {
        name: keys for name, keys in said.items() if keys and not (name in bright and keys == ["exposure"])
    }
    good = len(said) - len(bright)
    print(f"healthy, real: {good} frames, {len(bright)} overexposed; false alarms: {wrong or 'none'}")
    return sum(alarms.values()) + len(wrong)


def proven(cause: Cause, streams: list[Stream]) -> int:
    """Print in how many streams a cause is found; 1 if that is not as it should be."""
    found, had, others = 0, 0, Counter[str]()
    missed = []
    for stream in streams[: len(KINDS)] if cause.few else streams:
        evidence = cause.change(stream)
        if evidence is None:
            continue
        had += 1
        keys = {finding.key for finding in check_up(evidence)}
        hit = bool(keys & set(cause.keys))
        found += hit
        if not hit:
            missed.append(stream.name)
        others.update(keys - set(cause.keys))
    bad = found < cause.must * had or bool(others) or not had
    print(
        f"{cause.title:<52}{found:>4}/{had:<4}   {dict(others) or ''} "
        f"{'missed: ' + ', '.join(missed) if bad else ''}{'  !' if bad else ''}",
        flush=True,
    )
    return int(bad)


def streams_of(number: int) -> list[Stream]:
    """Of one room: one stream for each kind of sensor."""
    scene = demo_scene() if not number else random_scene(np.random.default_rng(number))
    streams = []
    for viewpoint, kind in enumerate(KINDS):
        camera = SyntheticCamera(
            "c", kind, seed=10 * number + viewpoint, viewpoint=viewpoint, scene=scene, rate_hz=30.0
        )
        frames: list[Frame] = []
        covered: dict[str, list[Frame]] = {name: [] for name in LIGHTS}
        for index in range(90 * (number % 5), 90 * (number % 5) + FRAMES * APART, APART):
            frames.append(camera.expose(index))
            if kind is SensorKind.PASSIVE_STEREO:
                continue
            for name, power in LIGHTS.items():
                camera.set_control("depth.laser_power", power)
                covered[name].append(camera.expose(index))
            camera.set_control("depth.laser_power", 150.0)
        evidence = Evidence(camera.info, frames, 30.0, arrived=90, controls=camera.controls())
        begin = 90 * (number % 5)
        fast = [camera.expose(index) for index in range(begin, begin + FRAMES * FAST, FAST)]
        streams.append(Stream(f"{number} {kind.value}", evidence, covered, replace(evidence, frames=fast)))
    return streams


def real(shared: Path) -> list[tuple[str, Evidence]]:
    """Real frames, each six times."""
    kinds = {"pyk4a_azurekinect": "time of flight", "cleargrasp_realval": "active stereo"}
    kinds |= {"lingbot_examples": "active stereo", "realsense_planes": "active stereo"}
    found = []
    for meta in sorted(shared.glob("real/*/*/meta.txt")):
        facts = dict(line.split("=", 1) for line in meta.read_text().split("\n") if "=" in line)
        depth = DepthMap(cv2.imread(str(meta.parent / "depth.png"), -1), 1 / float(facts["depth_scale"]))
        color = cv2.cvtColor(cv2.imread(str(meta.parent / "rgb.png")), cv2.COLOR_BGR2RGB)
        height, width = color.shape[:2]
        lens = Intrinsics(width, height, 0.96 * width, 0.96 * width, (width - 1) / 2, (height - 1) / 2)
        if (meta.parent / "intrinsics.txt").exists():
            matrix = np.loadtxt(meta.parent / "intrinsics.txt").reshape(3, 3)
            lens = Intrinsics(width, height, matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])
        own = lens.scaled(depth.values.shape[1], depth.values.shape[0])
        frame = Frame("real", 0, 0, 0, color, depth, Calibration(lens, own))
        sensor = kinds.get(facts["source"], "structured light")
        info = CameraInfo("real", "real", "", "", sensor, 30.0, live=False)
        name = f"{facts['source']}/{facts['frame']}"
        found.append((name, Evidence(info, [frame] * FRAMES, 30.0, arrived=90)))
    return found


def with_frames(stream: Stream, change: Callable[[Frame], Frame]) -> Evidence:
    """The stream with each of its frames changed."""
    return replace(stream.evidence, frames=[change(frame) for frame in stream.evidence.frames])


def unit(factor: float) -> Change:
    """Counts that are taken for so many times more than they are."""
    return lambda stream: with_frames(
        stream, lambda frame: replace(frame, depth=DepthMap(frame.depth.values, frame.depth.unit_m * factor))
    )


def color(change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Change:
    """Another colour picture."""
    return lambda stream: with_frames(stream, lambda frame: replace(frame, color=change(frame.color.copy())))


def beside(across: int, down: int) -> Change:
    """Colour moved beside depth."""
    return color(lambda picture: np.roll(picture, (down, across), axis=(0, 1)))


def exposed(exposure_us: float, gain: float = 1.0) -> Change:
    """Exposed by hand, and the controls say so."""

    def change(stream: Stream) -> Evidence:
        set_to = replace(Adjustments(), auto_exposure=False, exposure_us=exposure_us, gain=gain)
        kind = next(kind for kind in KINDS if kind.value == stream.sensor)
        made = with_frames(stream, lambda frame: replace(frame, color=set_to.developed(frame.color)))
        return replace(made, controls=set_to.controls(kind))

    return change


def lens(change: Callable[[Intrinsics], Intrinsics], *, stream_of: str = "color") -> Change:
    """Other intrinsics than the picture's."""

    def changed(frame: Frame) -> Frame:
        seen_by = frame.calibration
        names = ("color",) if stream_of == "color" else ("depth", "ir")
        return replace(
            frame,
            calibration=replace(seen_by, **{name: change(getattr(seen_by, name)) for name in names}),
        )

    return lambda stream: with_frames(stream, changed)


def zoomed(factor: float) -> Callable[[Intrinsics], Intrinsics]:
    """Focal lengths that are off by this factor."""
    return lambda camera: replace(camera, fx=camera.fx * factor, fy=camera.fy * factor)


def at_median(metres: float) -> Change:
    """The same room so much larger that its middle is there, with the noise that this distance has."""

    def change(stream: Stream) -> Evidence:
        focal_px, baseline_m = stereo(stream.evidence.newest.calibration)
        if baseline_m is None:
            return stream.evidence
        rng = np.random.default_rng(0)

        def farther(frame: Frame) -> Frame:
            depth_m = frame.depth.metres * (metres / np.median(frame.depth.metres[frame.depth.metres > 0]))
            pixels = 0.1 * rng.standard_normal(depth_m.shape)
            noisy = depth_m + pixels * depth_m**2 / (focal_px * baseline_m)
            return replace(frame, depth=depth_map(np.clip(noisy, 0, 60)), ir_right=None)

        return with_frames(stream, farther)

    def stereo_only(stream: Stream) -> Evidence | None:
        return change(stream) if "stereo" in stream.sensor else None

    return stereo_only


def wall(times_nearest: float) -> Change:
    """A wall at so many times the least distance of a D400's matcher."""

    def change(stream: Stream) -> Evidence | None:
        focal_px, baseline_m = stereo(stream.evidence.newest.calibration)
        if baseline_m is None:
            return None
        depth_m = times_nearest * focal_px * baseline_m / 126
        shape = stream.evidence.newest.depth.values.shape
        rng = np.random.default_rng(0)
        return with_frames(
            stream,
            lambda frame: replace(
                frame, depth=depth_map(depth_m * (1 + 0.003 * rng.standard_normal(shape))), ir_right=None
            ),
        )

    return change


def control(role: Role, value: object) -> Change:
    """A control set otherwise, as the camera says, with the pictures that come of it."""

    def change(stream: Stream) -> Evidence | None:
        if not any(one.role is role for one in stream.evidence.controls):
            return None
        controls = [
            replace(one, value=value) if one.role is role else one for one in stream.evidence.controls
        ]
        dark = role in {Role.EMITTER, Role.LASER_POWER}
        frames = stream.covered["off"] if dark else stream.evidence.frames
        return replace(stream.evidence, controls=controls, frames=frames)

    return change


def covered(power: str) -> Change:
    """A projector that is covered, whatever its controls say."""
    return lambda stream: (
        replace(stream.evidence, frames=stream.covered[power]) if stream.covered[power] else None
    )


def smudge(size_px: int, sigma_px: float, at: tuple[int, int] = (250, 320)) -> Change:
    """A blurred disc that stays where it is; of cameras that move by 30 px and more."""

    def dirty(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        mask = np.zeros(picture.shape[:2], np.float32)
        cv2.circle(mask, at[::-1], size_px // 2, 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 3)[..., None]
        blurred = cv2.GaussianBlur(picture, (0, 0), sigma_px)
        return np.asarray(np.rint(blurred * mask + picture * (1 - mask)), np.uint8)

    return lambda stream: color(dirty)(replace(stream, evidence=stream.moving))


def haze(share: float) -> Change:
    """A veil that leaves so much of the contrast."""
    return color(lambda picture: np.asarray(np.rint(130 * (1 - share) + share * picture), np.uint8))


def preset(name: str, fill: float) -> Change:
    """A preset that leaves so many depths."""

    def change(stream: Stream) -> Evidence | None:
        set_to = control(Role.PRESET, name)(stream)
        if set_to is None:
            return None
        rng = np.random.default_rng(0)

        def holey(frame: Frame) -> Frame:
            values = frame.depth.values.copy()
            values[rng.random(values.shape) > fill / frame.depth.fill_rate] = 0
            return replace(frame, depth=DepthMap(values, frame.depth.unit_m))

        return replace(set_to, frames=[holey(frame) for frame in set_to.frames])

    return change


def facts(**changes: object) -> Change:
    """What is known beside the pictures."""
    return lambda stream: replace(stream.evidence, **changes)


def repaired(**changes: object) -> Change:
    """How the repair is set."""
    return facts(repair=RepairFacts(**{"choice": EngineChoice(), "rules": RULES} | changes))


UNIT, BESIDE, LENS, DROPS = ("unit",), ("misaligned",), ("intrinsics",), ("drops",)
LIGHT = ("emitter", "emitter blocked")
CAUSES = (
    *(Cause(f"units: metres {factor:g} times too large", UNIT, unit(factor)) for factor in (1e3, 10, 1e-3)),
    *(
        Cause(f"units: metres {factor:g} times too large", UNIT, unit(factor), must=0.66)
        for factor in (4, 0.25, 0.1)
    ),
    *(
        Cause(f"colour beside depth by {pixels} px", BESIDE, beside(pixels, 0), must=pixels > 6)
        for pixels in (30, 14, 9, 7, 5)
    ),
    Cause("colour beside depth by 9 px down", BESIDE, beside(0, 9)),
    Cause(
        "intrinsics: of twice the resolution",
        LENS,
        lens(lambda one: one.scaled(2 * one.width, 2 * one.height)),
    ),
    Cause("intrinsics: normalised", LENS, lens(lambda one: replace(one, fx=0.72, fy=0.96))),
    Cause("intrinsics: centre a fifth beside", LENS, lens(lambda one: replace(one, cx=0.3 * one.width))),
    Cause("intrinsics: pixels not square by 10 %", LENS, lens(lambda one: replace(one, fy=one.fy * 1.1))),
    *(
        Cause(
            f"intrinsics: focal length of colour off by {share:+.0%}",
            LENS + BESIDE,
            lens(zoomed(1 + share)),
            must=0.9 if abs(share) > 0.07 else 0,
        )
        for share in (0.3, 0.15, -0.1, 0.07, 0.04)
    ),
    *(
        Cause(
            f"intrinsics: focal length of depth off by {share:+.0%}",
            LENS if abs(share) > 0.07 else LENS + BESIDE,
            lens(zoomed(1 + share), stream_of="depth"),
            must=abs(share) > 0.07,
        )
        for share in (0.15, -0.1, 0.05)
    ),
    *(
        Cause(f"range: middle of the scene at {metres} m", ("far",), at_median(metres), must=metres > 18)
        for metres in (25, 19, 12, 8)
    ),
    *(
        Cause(f"range: a wall at {times} of the least distance", ("near",), wall(times), must=times < 1.25)
        for times in (1.05, 1.2, 1.3)
    ),
    *(
        Cause(
            f"too dark: exposed for {exposure_us} μs", ("dark",), exposed(exposure_us), must=exposure_us < 200
        )
        for exposure_us in (100, 150, 300, 600)
    ),
    Cause("emitter: switched off", LIGHT, control(Role.EMITTER, value=False)),
    Cause("emitter: no power", LIGHT, control(Role.LASER_POWER, 0.0)),
    Cause("emitter: covered", LIGHT, covered("off")),
    Cause("emitter: a fifth of the light", LIGHT, covered("a fifth"), must=0),
    Cause("emitter: two fifths of the light", LIGHT, covered("two fifths"), must=0),
    *(
        Cause(
            f"dirty lens: {size} px of blur {sigma}",
            ("smudge",),
            smudge(size, sigma),
            must=0.5 if size > 200 and sigma > 5 else 0,
        )
        for size, sigma in ((220, 8), (220, 4), (140, 8), (100, 6), (60, 6))
    ),
    *(
        Cause(
            f"dirty lens: a veil leaves {share:.0%} of the contrast", ("haze",), haze(share), must=share < 0.2
        )
        for share in (0.1, 0.15, 0.25, 0.35)
    ),
    *(
        Cause(
            f"wrong preset: {fill:.0%} of the depths",
            ("preset",),
            preset("High Accuracy", fill),
            must=fill < 0.6,
        )
        for fill in (0.3, 0.55, 0.65)
    ),
    *(
        Cause(
            f"exposure: {gain:g} times too much light",
            ("exposure",),
            exposed(33_000, gain / 3.88),
            must=gain > 15,
        )
        for gain in (31, 16, 8, 4)
    ),
    Cause("exposure: 50 ms at 30 Hz", ("slow exposure",), control(Role.EXPOSURE, 50_000.0)),
    Cause("exposure: 34 ms at 30 Hz", ("slow exposure",), control(Role.EXPOSURE, 34_000.0)),
    Cause("USB 2 link", ("usb",), facts(link_mbps=480.0), few=True),
    *(
        Cause(
            f"frame drops: {lost} of 90",
            DROPS,
            facts(lost=lost, arrived=90 - lost, rate_hz=30 - lost / 3),
            must=lost > 1,
            few=True,
        )
        for lost in (30, 9, 3, 2, 1)
    ),
    *(
        Cause(
            f"slow: {rate_hz:g} of 30 Hz",
            ("slow",),
            facts(rate_hz=rate_hz, arrived=round(3 * rate_hz)),
            must=rate_hz < 25.5,
            few=True,
        )
        for rate_hz in (15.0, 25.0, 26.0)
    ),
    Cause("model: does not run", ("model",), repaired(failed="No weights."), few=True),
    Cause("model: depth hidden from it", ("hidden",), repaired(hidden_share=0.3), few=True),
    Cause("model: monocular", ("monocular",), repaired(choice=EngineChoice(monocular=True)), few=True),
    Cause(
        "model: tokens it does not know", ("tokens",), repaired(choice=EngineChoice(tokens=2000)), few=True
    ),
    Cause("model: made for 1 m at most", ("model range",), repaired(rules=InputRules(farthest_m=1.0))),
)

if __name__ == "__main__":
    sys.exit(main())
