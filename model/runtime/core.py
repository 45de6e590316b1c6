"""The network between preparing a frame and resizing the answer, with everything fixed but the holes."""

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from model.masking import Kept
from model.mdm import MDM
from model.vit import Encoding

Precision = Literal["fp32", "bf16", "fp16"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

Layer = TypeVar("Layer", bound=nn.Module)


class EncoderCore(nn.Module):
    """The encoder on one token grid.

    Args:
        model: in evaluation mode.
        rows: of the grid.
        cols: of the grid.
    """

    positions: Tensor

    def __init__(self, model: MDM, rows: int, cols: int) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.tokens = rows * cols
        self.front = 1 + model.encoder.backbone.registers + self.tokens
        self.register_buffer("positions", model.encoder.backbone.positions(rows, cols).detach())

    def forward(
        self,
        image: Tensor,
        depth: Tensor,
        places: Tensor | None,
        bias: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(B, D, R, C) features and (B, D) class token, as in `Encoding`, float32.

        Args:
            image: (B, 3, 14 R, 14 C), as `MDM.prepare` gives it.
            depth: (B, 1, 14 R, 14 C), likewise.
            places: (B, K) int64, as in `Kept`.
            bias: (B, 1, 1, L), as in `Kept`.
            lengths: (B,), as in `Kept`.
        """
        encoding = self.encoder(image, depth, Kept(places, bias, lengths), self.positions)
        return encoding.features.float(), encoding.class_token.float()


class DecoderCore(nn.Module):
    """Neck and heads on one token grid, for frames of one aspect.

    Args:
        model: in evaluation mode.
        rows: of the grid.
        cols: of the grid.
        aspect: width over height of the frames.
    """

    def __init__(self, model: MDM, rows: int, cols: int, aspect: float) -> None:
        super().__init__()
        self.model = model
        device = model.encoder.image_mean.device
        for level, uv in enumerate(model.uv_maps(rows, cols, aspect, device)):
            self.register_buffer(f"uv{level}", uv.clone())

    def forward(self, features: Tensor, class_token: Tensor) -> Tensor:
        """(B, 1 or 2, 16 R, 16 C) float32, as `MDM.decode`; the arguments are those of `Encoding`."""
        uv = [self.get_buffer(f"uv{level}") for level in range(self.model.config.neck.levels)]
        return self.model.decode(Encoding(features, class_token), uv)


class Core(nn.Module):
    """Both, one behind the other; the arguments are theirs."""

    def __init__(self, model: MDM, rows: int, cols: int, aspect: float) -> None:
        super().__init__()
        self.encode = EncoderCore(model, rows, cols)
        self.decode = DecoderCore(model, rows, cols, aspect)

    def forward(
        self,
        image: Tensor,
        depth: Tensor,
        places: Tensor | None,
        bias: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> Tensor:
        """(B, 1 or 2, 16 R, 16 C) float32, as `MDM.decode`."""
        heads: Tensor = self.decode(*self.encode(image, depth, places, bias, lengths))
        return heads


class Rounded(nn.Module):
    """A layer of some precision behind tensors of any."""

    def __init__(self, layer: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.layer = layer.to(dtype)
        self.dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x.to(self.dtype))
        return out


class OneDnnLinear(nn.Module):
    """A float32 linear layer by oneDNN; torch asks MKL, which takes twice as long on AMD's processors."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight = _packed(layer.weight.detach())
        self.bias = _packed(layer.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(_packed(x.contiguous()), self.weight, self.bias).to_dense()


def set_precision(model: MDM, precision: Precision) -> None:
    """Round the weights of `model` once, to where the answer has no steps.

    Tokens between blocks, norms and gains stay in float32, and so does the last convolution of each head.
    With bf16 neck and depth head do too: most of what bf16 costs in accuracy, it costs there
    (docs/performance.md). fp16 has three more bits, so with it only the last convolution stays. Autocast,
    which the published code uses, rounds every weight again for every frame, and at the end the depth itself.
    """
    dtype = DTYPES[precision]
    if precision != "fp32":
        replace(model.encoder, nn.Linear, partial(Rounded, dtype=dtype))
        replace(model.encoder, nn.Conv2d, partial(Rounded, dtype=dtype))
    for stack in (model.neck, model.depth_head, model.mask_head):
        if stack is None:
            continue
        # As convolutions like it best.
        stack.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch declares it badly
        low = precision == "fp16" or stack is model.mask_head
        stack_dtype = dtype if low else torch.float32
        stack.resamplers.to(stack_dtype)
        stack.res_blocks.to(stack_dtype)
        if precision != "fp32":
            replace(stack.input_blocks, nn.Conv2d, partial(Rounded, dtype=stack_dtype))


def use_onednn(model: MDM) -> None:
    """Let oneDNN compute the encoder's float32 products, where torch has it."""
    if torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        replace(model.encoder, nn.Linear, OneDnnLinear)


def replace(parent: nn.Module, kind: type[Layer], make: Callable[[Layer], nn.Module]) -> None:
    """Put `make(layer)` in the place of every layer of that kind below `parent`."""
    for name, child in parent.named_children():
        if isinstance(child, kind):
            setattr(parent, name, make(child))
        else:
            replace(child, kind, make)


def _packed(x: Tensor) -> Tensor:
    packed: Tensor = x.to_mkldnn()
    return packed
