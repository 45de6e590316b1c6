"""The `synth` verb: simulated rooms as shards, with everything that the report's samples carry."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from trainer.errors import TrainingError


def build_parser() -> argparse.ArgumentParser:
    """The verb's flags."""
    parser = argparse.ArgumentParser(prog="depthmend synth", description=__doc__)
    parser.add_argument("--scenes", type=int, required=True, metavar="N", help="rooms")
    parser.add_argument("--samples", type=int, required=True, metavar="M", help="views of all rooms together")
    parser.add_argument("--out", type=Path, required=True, metavar="D", help="folder of the shards")
    parser.add_argument("--seed", type=int, default=0, help="other seeds are other rooms (0)")
    parser.add_argument(
        "--size", type=_size, default=(1280, 960), metavar="WxH", help="of a picture (1280x960)"
    )
    parser.add_argument(
        "--sensors",
        action="append",
        default=[],
        metavar="NAME=SHARE",
        help="instead of the usual mix, such as --sensors active=0.7 --sensors 'structured light=0.3'",
    )
    parser.add_argument(
        "--apart", type=float, default=0.6, help="share of sensors that stand beside the colour camera (0.6)"
    )
    parser.add_argument(
        "--focal-mm",
        type=_range,
        default=(16.0, 28.0),
        metavar="LOW-HIGH",
        help="of the lens, on a sensor 36 mm wide (16-28)",
    )
    parser.add_argument(
        "--close", type=float, default=0.0, help="share of views of small things from an arm's length (0)"
    )
    parser.add_argument(
        "--bare", action="store_true", help="without a sensor: training simulates another one at each reading"
    )
    parser.add_argument(
        "--renderer",
        choices=["opencv", "mitsuba"],
        default="opencv",
        help="opencv is fast; mitsuba follows light, for real refraction and reflection (opencv)",
    )
    parser.add_argument("--paths", type=int, default=8, help="of light for each pixel, with mitsuba (8)")
    parser.add_argument("--shard-samples", type=int, default=50, help="in each shard (50)")
    parser.add_argument("--processes", type=int, default=0, help="on each machine; 0 for one per core")
    parser.add_argument("--machines", type=int, default=1, help="jobs that share the work, through submitit")
    parser.add_argument(
        "--cluster", choices=["slurm", "local"], default="slurm", help="where jobs run (slurm)"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="for submitit, such as slurm_partition=cpu or cpus_per_task=16",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for each event")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb and return its exit status."""
    arguments = build_parser().parse_args(argv)
    try:
        _make(arguments)
    except TrainingError as error:
        _say(arguments, event="failed", message=error.args[0], hint=error.hint)
        return 1
    except (OSError, ValueError) as error:
        _say(
            arguments,
            event="failed",
            message=f"The set cannot be made: {error}.",
            hint="Change that and try again.",
        )
        return 1
    except KeyboardInterrupt:
        _say(arguments, event="stopped", message="Stopped; the same command goes on.")
        return 130
    return 0


def _make(arguments: argparse.Namespace) -> None:
    from trainer.simulation.sensors import MIX
    from trainer.synth.plan import SynthPlan
    from trainer.synth.run import on_machines, on_this_machine

    if arguments.renderer == "mitsuba":
        from trainer.synth.physical.library import load

        load()  # says what is missing, before any process is started
    width, height = arguments.size
    plan = SynthPlan(
        scenes=arguments.scenes,
        samples=arguments.samples,
        seed=arguments.seed,
        width=width,
        height=height,
        # The report matches at three quarters of the colour's size.
        matched_width=width * 3 // 4,
        matched_height=height * 3 // 4,
        shard_samples=arguments.shard_samples,
        apart=arguments.apart,
        focal_mm=arguments.focal_mm,
        close=arguments.close,
        bare=arguments.bare,
        renderer=arguments.renderer,
        paths=arguments.paths,
        sensors=dict(_share(text) for text in arguments.sensors) or MIX,
    )

    def told(made: int, rate_hz: float) -> None:
        left_s = (plan.samples - made) / rate_hz if rate_hz else 0.0
        words = f"{made} of {plan.samples} samples, {3600 * rate_hz:.0f} per hour, {left_s / 60:.0f} min left"
        _say(arguments, event="progress", message=words, made=made, samples=plan.samples, rate_hz=rate_hz)

    if arguments.machines == 1:
        on_this_machine(arguments.out, plan, processes=arguments.processes, told=told)
    else:
        shares = on_machines(
            arguments.out,
            plan,
            machines=arguments.machines,
            cluster=arguments.cluster,
            options=dict(_option(text) for text in arguments.option),
            processes=arguments.processes,
            told=told,
        )
        for number, made_shards in enumerate(shares, 1):
            _say(arguments, event="job", message=f"job {number} made {len(made_shards)} shards")
    _say(
        arguments, event="done", message=f"{plan.samples} samples in {plan.shards} shards in {arguments.out}"
    )


def _option(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--option {text} has no value")
    return key, int(value) if value.isdigit() else value


def _share(text: str) -> tuple[str, float]:
    name, equals, share = text.partition("=")
    try:
        return name, float(share) if equals else 1.0
    except ValueError:
        raise ValueError(f"--sensors {text}: {share!r} is no share") from None


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r}: write WIDTHxHEIGHT, such as 1280x960")
    return int(width), int(height)


def _range(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    try:
        found = float(low), float(high)
    except ValueError:
        found = (0.0, 0.0)
    if not 0 < found[0] <= found[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: write LOW-HIGH, such as 16-28")
    return found


def _say(arguments: argparse.Namespace, **event: object) -> None:
    words = " ".join(str(event[part]) for part in ("message", "hint") if part in event)
    print(json.dumps(event) if arguments.json else words, flush=True)  # noqa: T201 - this is the verb's output
