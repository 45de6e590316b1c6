import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from model.config import PATCH_PX, ModelConfig
from model.mdm import MDM

TOLERANCE = 1e-4  # of an array's spread, README of the fixtures
CASES = {
    "vits_tiny": (
        "identity_grid odd_landscape odd_portrait downsample square37 level4 level_default zero_depth"
        " full_depth odd_values batch2 batch2_no_token_drop apply_mask_false no_intrinsics half_res_depth"
        " unbatched"
    ),
    "vits_alt": "odd_landscape far_depth zero_depth",
    "vits_reg": "odd_landscape square37",
    "vitb": "vga_1200 odd_landscape odd_portrait zero_depth batch2",
    "vitl": "vga_1200 odd_landscape odd_portrait zero_depth batch2",
}
HUGE = {"vitb", "vitl"}
PARAMS = [
    pytest.param(
        config,
        case,
        id=f"{config}-{case}",
        marks=[pytest.mark.huge, pytest.mark.timeout(900)] if config in HUGE else [],
    )
    for config, cases in CASES.items()
    for case in cases.split()
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Small networks on a busy machine spend their time waiting for the second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def parity(shared: Path) -> SimpleNamespace:
    """The fixtures' own reader and weight recipe, and the networks built so far."""
    return SimpleNamespace(
        compare=_module(shared / "parity/compare.py"), recipe=_module(shared / "parity/recipe.py"), models={}
    )


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"parity_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


def network(parity: SimpleNamespace, name: str) -> MDM:
    if name not in parity.models:
        parity.models.clear()
        model = MDM(ModelConfig.parse(parity.compare.config(name)))
        shapes = parity.compare.shapes(name)
        weights = {k: torch.from_numpy(parity.recipe.tensor(k, s)) for k, s in shapes.items()}
        model.load_state_dict(weights, strict=True)
        parity.models[name] = model.eval()
    return parity.models[name]


def inputs(case: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(case.rgb / 255).float().permute(0, 3, 1, 2), torch.from_numpy(case.depth)


def find_case(parity: SimpleNamespace, config: str, name: str) -> Any:
    index = json.loads((parity.compare.HERE / f"{config}_index.json").read_text(encoding="utf-8"))
    return parity.compare.Case(config, next(meta for meta in index if meta["case"] == name))


@pytest.mark.parametrize(("config", "name"), PARAMS)
def test_infer_and_forward_equal_the_official_outputs(
    parity: SimpleNamespace, config: str, name: str
) -> None:
    model, case = network(parity, config), find_case(parity, config, name)
    meta = case.meta
    image, depth = inputs(case)
    passed_down = {"enable_depth_mask": meta["enable_depth_mask"]}
    level = {} if meta["resolution_level"] is None else {"resolution_level": meta["resolution_level"]}

    inferred = model.infer(
        image[0] if meta["unbatched"] else image,
        depth[0] if meta["unbatched"] else depth,
        num_tokens=meta["num_tokens_arg"],
        apply_mask=meta["apply_mask"],
        intrinsics=None if case.intrinsics is None else torch.from_numpy(case.intrinsics),
        **level,
        **passed_down,
    )
    taps, hooks = tap(model)
    try:
        with torch.no_grad():
            out = model(image, depth, num_tokens=meta["num_tokens"], **passed_down)
    finally:
        for hook in hooks:
            hook.remove()

    got = {
        "out.depth": inferred.depth_m,
        "out.mask": inferred.mask,
        "out.points": inferred.points,
        "fwd.depth_reg": out.depth,
        "fwd.mask_prob": out.mask_prob,
        **per_sample(taps, case),
    }
    named = [n for n in case.names() if not n.startswith("tap.final_norm")]
    assert set(named) <= {n for n, v in got.items() if v is not None}
    for expected in named:
        parity.compare.check(case, expected, got[expected].numpy(), tol=TOLERANCE, flags=0)


def tap(model: MDM) -> tuple[dict[str, torch.Tensor], list[Any]]:
    """Intermediate arrays under the names of the fixtures, those of the first call."""
    taps: dict[str, torch.Tensor] = {}
    vit = model.encoder.backbone

    def record(name: str, pick: Any) -> Any:
        def hook(_module: Any, args: Any, output: Any) -> None:
            taps.setdefault(name, pick(args, output))

        return hook

    hooks = [
        model.encoder.register_forward_hook(record("feat", lambda _, o: o.features)),
        model.encoder.register_forward_hook(record("cls", lambda _, o: o.class_token)),
        vit.patch_embed.register_forward_hook(record("tap.image14", lambda a, _: a[0])),
        vit.patch_embed.register_forward_hook(record("tap.image_embed", lambda _, o: o)),
        vit.depth_patch_embed.register_forward_hook(record("tap.depth14", lambda a, _: a[0])),
        vit.depth_patch_embed.register_forward_hook(record("tap.depth_embed", lambda _, o: o)),
        vit.blocks[0].register_forward_hook(record("tap.tokens_in", lambda a, _: a[0])),
        model.depth_head.register_forward_hook(record("tap.depth_head_lowres", lambda _, o: o[-1])),
        *(b.register_forward_hook(record(f"tap.block{i}", lambda _, o: o)) for i, b in enumerate(vit.blocks)),
        *(
            model.neck.register_forward_hook(record(f"tap.neck{i}", lambda _, o, i=i: o[i]))
            for i in range(model.config.neck.levels)
        ),
    ]
    if model.mask_head is not None:
        hooks.append(
            model.mask_head.register_forward_hook(record("tap.mask_head_lowres", lambda _, o: o[-1]))
        )
    return taps, hooks


def per_sample(taps: dict[str, torch.Tensor], case: Any) -> dict[str, torch.Tensor]:
    """Sequences cut into samples, as the fixtures hold them."""
    out = dict(taps)
    for name, sequence in taps.items():
        if name.startswith(("tap.block", "tap.tokens_in")):
            lengths = [s["shape"][1] for n, s in case.meta["stats"].items() if n.startswith("tap.tokens_in.")]
            whole = sequence if len(sequence) > 1 else None
            pieces = sequence[0].split(lengths) if whole is None and lengths else sequence
            out |= {f"{name}.{b}": piece.unsqueeze(0) for b, piece in enumerate(pieces)}
    return out


def small_config(**overrides: Any) -> ModelConfig:
    dims = [64, 32, 16, 8, 8]
    stack = {
        "dim_res_blocks": dims,
        "res_block_in_norm": "none",
        "res_block_hidden_norm": "none",
        "resamplers": ["conv_transpose"] * 3 + ["bilinear"],
    }
    head = {**stack, "dim_in": dims, "dim_out": [None] * 4 + [1], "num_res_blocks": [0, 1, 1, 1, 0]}
    raw = {
        "encoder": {"backbone": "mdm_vitt14_8", "dim_out": 192, "pos_grid": 16},
        "neck": {**stack, "dim_in": [194, 2, 2, 2, 2], "num_res_blocks": [0, 1, 1, 1, 0]},
        "depth_head": head,
        "mask_head": head,
        "num_tokens_range": [12, 60],
    }
    return ModelConfig.parse({**raw, **overrides})


@pytest.fixture
def model() -> MDM:
    torch.manual_seed(0)
    return MDM(small_config()).eval()


@pytest.fixture
def frames() -> tuple[torch.Tensor, torch.Tensor]:
    """Three 56 x 70 px frames whose depth has different holes; the last has none at all."""
    torch.manual_seed(1)
    depth = torch.rand(3, 56, 70) * 2 + 0.5
    depth[0, :28] = 0
    depth[1, :, :42] = 0
    depth[2] = 0
    return torch.rand(3, 3, 56, 70), depth


def test_a_sample_in_a_batch_equals_the_same_sample_alone(model: MDM, frames: Any) -> None:
    image, depth = frames

    batch = model.infer(image, depth, num_tokens=20, apply_mask=False)
    alone = [model.infer(i, d, num_tokens=20, apply_mask=False) for i, d in zip(image, depth, strict=True)]

    torch.testing.assert_close(batch.depth_m, torch.stack([a.depth_m for a in alone]), rtol=1e-5, atol=1e-6)


def test_the_network_never_sees_depth_below_a_withheld_token(model: MDM, frames: Any) -> None:
    image, depth = frames
    keep = torch.rand(3, 20) < 0.5
    withheld = (
        torch.nn.functional.interpolate((~keep).view(3, 1, 4, 5).float(), scale_factor=PATCH_PX)[:, 0] > 0
    )

    told = model(image, depth, num_tokens=(4, 5), keep_depth_tokens=keep)
    removed = model(image, depth.masked_fill(withheld, 0), num_tokens=(4, 5))

    torch.testing.assert_close(told.depth, removed.depth, rtol=1e-5, atol=1e-6)


def test_output_comes_at_the_size_asked_for(model: MDM, frames: Any) -> None:
    image, depth = frames

    sizes = [
        model(image, depth, num_tokens=(4, 5), output_size=size).depth.shape
        for size in ("input", "grid", (30, 31))
    ]

    assert sizes == [(3, 56, 70), (3, 64, 80), (3, 30, 31)]


def test_a_training_step_reaches_every_weight_but_the_unused_mask_token(model: MDM, frames: Any) -> None:
    image, depth = frames
    model.infer(image, depth, num_tokens=20)  # fills the caches in inference mode

    out = model.train()(image, depth, num_tokens=20)
    (out.depth_raw.mean() + out.mask_logits.mean()).backward()

    without = [n for n, p in model.named_parameters() if p.grad is None]
    assert without == ["encoder.backbone.mask_token"]


def test_changed_positions_change_the_next_answer(model: MDM, frames: Any) -> None:
    image, depth = frames
    before = model.infer(image, depth, num_tokens=20, apply_mask=False).depth_m

    with torch.no_grad():
        model.encoder.backbone.pos_embed.add_(torch.randn_like(model.encoder.backbone.pos_embed))

    assert not torch.equal(model.infer(image, depth, num_tokens=20, apply_mask=False).depth_m, before)


def test_bfloat16_keeps_the_depth_in_float32_steps(model: MDM, frames: Any) -> None:
    image, depth = frames

    depth_m = model.infer(image, depth, num_tokens=20, apply_mask=False, bf16=True).depth_m

    assert depth_m.dtype == torch.float32
    assert len(np.unique(depth_m.numpy())) > depth_m.numel() // 2
