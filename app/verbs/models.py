"""models: lists the repairs there are, gets published ones, exports and averages them."""

from argparse import SUPPRESS, ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from app import paths
from app.console import Console, Value
from app.messages import UsageError
from app.verbs.verb import Verb
from model.spec import ModelSpec, catalogue, default, find, published

BACKBONE_ENDINGS = (".pth", ".pt", ".safetensors")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.set_defaults(action=_list)
    actions = parser.add_subparsers(title="actions", metavar="ACTION", description="without one: the list")
    get = actions.add_parser("get", help="bring a published model to this machine", allow_abbrev=False)
    get.add_argument("name", metavar="NAME", help="a published name, or a hub id such as someone/some-model")
    get.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER", help="an offline pack, instead of the hub"
    )
    get.set_defaults(action=_get)
    export = actions.add_parser(
        "export-backbone",
        help="write a model's encoder, without its depth half, as a DINOv2 backbone",
        allow_abbrev=False,
    )
    export.add_argument("--model", required=True, metavar="NAME|PATH", help="with a DINOv2-sized encoder")
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .pth or .safetensors")
    export.set_defaults(action=_export)
    onnx = actions.add_parser(
        "export-onnx",
        help="write a whole network as ONNX with fixed shapes, compared with the original by onnxruntime",
        allow_abbrev=False,
    )
    onnx.add_argument("--model", required=True, metavar="NAME|PATH", help="what to write")
    onnx.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .onnx")
    onnx.add_argument("--size", type=_size, default=(640, 480), metavar="WxH", help="of colour, in pixels")
    onnx.add_argument("--depth-size", type=_size, metavar="WxH", help="of depth, where it differs")
    onnx.add_argument("--tokens", type=int, metavar="N", help="for each frame; by default the model's fewest")
    onnx.add_argument("--precision", choices=("fp32", "fp16"), default="fp32", help="of the products")
    onnx.set_defaults(action=_export_onnx)
    mean = actions.add_parser(
        "average",
        help="write the average of two networks, one of which was trained further from the other",
        allow_abbrev=False,
    )
    mean.add_argument("first", metavar="NAME|PATH", help="a model")
    mean.add_argument("second", metavar="NAME|PATH", help="a model of the same architecture")
    mean.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .safetensors")
    mean.add_argument("--share", type=float, default=0.5, metavar="S", help="of the second, 0 to 1 (0.5)")
    mean.add_argument("--half", action="store_true", help="store float16: half the size")
    mean.set_defaults(action=_average)
    for action in (get, export, onnx, mean):
        action.add_argument(
            "--json", action="store_true", default=SUPPRESS, help="print one JSON object per line"
        )


def _run(args: Namespace, console: Console) -> int:
    status: int = args.action(args, console)
    return status


def _list(_args: Namespace, console: Console) -> int:
    here = catalogue(paths.weights_folder(), paths.runs_folder())
    specs = [*here, *(spec for spec in published() if not spec.here)]
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        size = spec.weights.stat().st_size if spec.weights and spec.here else spec.size_bytes
        columns = (
            f"{spec.name:{width}}",
            "here  " if spec.here else "to get",
            f"{_in_words(spec, size):>12}",
            spec.licence or ("licence not known" if spec.weights else ""),
            f"{spec.title}. {spec.note}",
        )
        console.say("model", "  ".join(columns), **_facts(spec, size))
    console.say("recommended", f"Recommended on this machine: {default().name}", name=default().name)
    if not all(spec.here for spec in specs):
        console.say("note", "`python main.py models get NAME` gets what is not here.")
    return 0


def _in_words(spec: ModelSpec, size: int | None) -> str:
    if spec.weights is None:
        return "no file"
    return "size unknown" if size is None else f"{size / 1e6:.0f} MB"


def _facts(spec: ModelSpec, size: int | None) -> dict[str, Value]:
    rules = spec.rules
    return {
        "name": spec.name,
        "title": spec.title,
        "note": spec.note,
        "here": spec.here,
        "file": None if spec.weights is None else str(spec.weights),
        "repo": spec.repo,
        "revision": spec.revision,
        "size_bytes": size,
        "sha256": spec.sha256,
        "licence": spec.licence,
        "rules": None if rules is None else asdict(rules),
    }


def _get(args: Namespace, console: Console) -> int:
    spec = find(args.name)
    if spec.repo is None:
        what = "comes with the program" if spec.here else "is neither a published name nor a hub id"
        raise UsageError(f"{args.name} {what}.", hint="`python main.py models` lists what can be got.")
    from model import hub  # its client takes a quarter of a second to import

    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 * done // max(total, 1)
        if percent != shown:
            shown = percent
            console.progress(f"MB  {spec.name}", done=done // 1_000_000, total=total // 1_000_000)

    file = hub.fetch(spec, source=args.source, progress=show)
    assert file is not None  # nobody stops it but Ctrl-C
    size = file.stat().st_size
    console.say(
        "got",
        f"{spec.name} is here ({size / 1e6:.0f} MB): {file}",
        name=spec.name,
        file=str(file),
        size_bytes=size,
    )
    return 0


def _export(args: Namespace, console: Console) -> int:
    spec = find(args.model)
    if spec.weights is None:
        raise UsageError(f"{spec.title} has no encoder.", hint="Choose a model with weights.")
    if args.out.suffix not in BACKBONE_ENDINGS:
        raise UsageError(
            f"{args.out} has no ending that says how to write it.", hint="End it in .pth or .safetensors."
        )
    from model import backbone, checkpoint  # torch takes seconds to import

    model = checkpoint.load(spec.weights)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    backbone.save(args.out, model)
    name = model.config.encoder.backbone
    official = backbone.official_file(name)
    console.say(
        "exported",
        f"{args.out} is a {name}; where a program asks torch.hub, copy it to "
        f"$TORCH_HOME/hub/checkpoints/{official}",
        file=str(args.out),
        backbone=name,
        official_file=official,
    )
    return 0


def _export_onnx(args: Namespace, console: Console) -> int:
    weights = _with_weights(args.model)
    if args.out.suffix != ".onnx":
        raise UsageError(f"{args.out} does not end in .onnx.", hint="End it in .onnx.")
    from model import checkpoint  # torch takes seconds to import
    from model.engine import exported

    args.out.parent.mkdir(parents=True, exist_ok=True)
    color, depth = args.size[::-1], (args.depth_size or args.size)[::-1]
    model = checkpoint.load(weights)
    sizes, found = exported(
        model, args.out, color=color, depth=depth, tokens=args.tokens, precision=args.precision
    )
    off = {deviation.region: deviation.mean for deviation in found}
    console.say(
        "exported",
        f"{args.out} takes image (1, 3, {color[0]}, {color[1]}), RGB in 0..1, and depth_m "
        f"(1, {depth[0]}, {depth[1]}), metres, 0 for a hole; answer (1, 2, {color[0]}, {color[1]}) is metres "
        f"and the probability that there is a depth. {sizes.grid[0]} x {sizes.grid[1]} tokens, "
        f"{args.precision}; in holes {off['holes']:.1e} of the spread of depth off the original.",
        file=str(args.out),
        tokens=sizes.grid[0] * sizes.grid[1],
        precision=args.precision,
        off_in_holes=off["holes"],
        off_where_measured=off["measured pixels"],
    )
    return 0


def _average(args: Namespace, console: Console) -> int:
    files = [_with_weights(name) for name in (args.first, args.second)]
    if args.out.suffix != ".safetensors":
        raise UsageError(f"{args.out} does not end in .safetensors.", hint="End it in .safetensors.")
    if not 0 <= args.share <= 1:
        raise UsageError(f"A share of {args.share:g} cannot be.", hint="Choose one from 0 to 1.")
    from model.average import average  # torch takes seconds to import

    args.out.parent.mkdir(parents=True, exist_ok=True)
    average(args.out, *files, share=args.share, half=args.half)
    console.say(
        "averaged",
        f"{args.out} is {1 - args.share:.0%} of {files[0].name} and {args.share:.0%} of {files[1].name}.",
        file=str(args.out),
        share=args.share,
    )
    return 0


def _with_weights(name: str) -> Path:
    spec = find(name)
    if spec.weights is None:
        raise UsageError(f"{spec.title} has no network.", hint="Choose a model with weights.")
    return spec.weights


def _size(text: str) -> tuple[int, int]:
    width, height = (int(number) for number in text.lower().split("x"))
    if width < 1 or height < 1:
        raise ValueError(text)
    return width, height


MODELS = Verb("models", "list models, get published ones, export and average networks", _add_arguments, _run)
