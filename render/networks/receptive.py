"""Stride and receptive field of every layer, measured on the network itself.

The network is run, but on positions instead of values: a pixel carries its own row (or column)
number, and every operation hands on the largest number that can influence its result, so a
convolution becomes the maximum over its window and channels. One run with the numbers and one with
their negatives give the first and the last pixel that *can* influence each unit, whatever the
weights: dead units and the losers of a max-pool count. Borders come out as they are: a unit whose
field is cut by one sees a pixel nearer to it than the widest field, so the others are away from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from render.networks.trace import Traced
from render.objective import LOGITS

_LENGTHS = (512, 1536, 4608)  # of the measured stripe: the next when no unit is away from borders
_BREADTH = 96  # the stripe's other side: enough for every network's own reductions
_BREADTH_OF_HEADS = 256  # and for AlexNet's and VGG's classes, which need 224

POINTWISE_MODULES = (
    nn.BatchNorm2d,
    nn.ReLU,
    nn.ReLU6,
    nn.SiLU,
    nn.GELU,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Sigmoid,
    nn.Tanh,
    nn.Dropout,
    nn.Identity,
)
"""Those whose output at a place depends on their input at that place and channel alone."""

_POINTWISE = {"relu", "relu_", "relu6", "silu", "gelu", "hardswish", "sigmoid", "dropout"}
_POINTWISE |= {"stochastic_depth"}
_COMBINING = {"add", "iadd", "sub", "mul", "imul", "truediv"}
_ARRANGING = {"cat", "chunk", "getitem", "getattr", "size", "dim", "unsqueeze", "squeeze"}
_ARRANGING |= {"permute", "transpose", "expand", "view", "reshape", "contiguous", "floordiv", "eq"}


@dataclass(frozen=True)
class Receptive:
    """What one layer's units see.

    `channels` of output; `stride`, pixels between neighbours; `field`, the side in pixels of the
    square that can influence a unit; `start`, the first pixel of unit 0's, below 0 where
    convolutions pad. `reason`: why there are no exact tiles (the rest is 0), or "".
    """

    channels: int
    stride: int
    field: int
    reason: str = ""
    start: int = 0


class _WholePictureError(Exception):
    """An operation whose result at one place depends on every place, or in a way not known."""


class _Positions(fx.Interpreter):
    """Runs a traced network on pixel numbers; notes where locality ends, and why."""

    def __init__(self, traced: Traced) -> None:
        super().__init__(traced.graph)
        self.names = traced.names
        self.reasons: dict[fx.Node, str] = {}
        self.values: dict[fx.Node, torch.Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        inherited = [self.reasons[source] for source in n.all_input_nodes if source in self.reasons]
        if inherited:
            self.reasons[n] = inherited[0]
            return None
        try:
            value = super().run_node(n)
        except _WholePictureError as why:
            self.reasons[n] = f"{self.names.get(n, n.name)} {why}"
            return None
        if isinstance(value, torch.Tensor) and n in self.names:
            self.values[n] = value
        return value

    def get_attr(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = super().get_attr(target, args, kwargs)
        if not isinstance(value, torch.Tensor):
            return value
        if not value.is_floating_point():
            return torch.zeros_like(value, device="cpu")  # a table of indices
        return torch.full(value.shape, -torch.inf)  # a parameter sees no pixel

    def call_module(self, target: Any, args: tuple[Any, ...], _: dict[str, Any]) -> Any:
        module = self.module.get_submodule(target)
        x = args[0]
        if isinstance(module, POINTWISE_MODULES):
            return x
        if isinstance(module, nn.Conv2d):
            seen = _slide(
                x.amax(1, keepdim=True),
                module.kernel_size,
                module.stride,
                _conv_padding(module),
                module.dilation,
            )
            return seen.expand(-1, module.out_channels, -1, -1)
        if isinstance(module, nn.MaxPool2d):
            return _slide(
                x,
                module.kernel_size,
                module.stride,
                module.padding,
                module.dilation,
                module.ceil_mode,
            )
        if isinstance(module, nn.AvgPool2d):
            return _slide(
                x, module.kernel_size, module.stride, module.padding, ceil_mode=module.ceil_mode
            )
        if isinstance(module, nn.LayerNorm):
            return _across(x, len(module.normalized_shape))
        if isinstance(module, nn.Linear) and x.dim() == 4:
            return x.amax(-1, keepdim=True).expand(*x.shape[:-1], module.out_features)
        raise _WholePictureError(_why(type(module).__name__))

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._call(target.__name__, lambda: target(*args, **kwargs), args, kwargs)

    def call_method(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._call(
            target, lambda: getattr(args[0], target)(*args[1:], **kwargs), args, kwargs
        )

    def _call(
        self, name: str, run: Callable[[], Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if name in _POINTWISE:
            return args[0]
        if name == "_assert":  # of the picture's size, by transformers
            return None
        if name in _COMBINING and any(isinstance(a, torch.Tensor) for a in args):
            return _combined(args)
        if name in _ARRANGING or name in _COMBINING:
            return run()
        if name in ("max_pool2d", "avg_pool2d"):
            return _slide(**_pool_arguments(name, *args, **kwargs))
        if name == "layer_norm":
            return _across(args[0], len(args[1]))
        raise _WholePictureError(_why(name))


def _why(name: str) -> str:
    lowered = name.lower()
    if "adaptive" in lowered or lowered == "mean":
        return "averages over the whole picture"
    if any(word in lowered for word in ("attention", "position", "einsum", "softmax")):
        return "attends to the whole picture"
    if lowered in ("flatten", "linear"):
        return "takes the whole picture as one vector"
    return f"({name}) mixes places in a way that has no finite halo"


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _conv_padding(module: nn.Conv2d) -> Any:
    if module.padding == "valid":
        return 0
    if module.padding == "same":
        raise _WholePictureError("(padding='same') pads by the picture's size")
    return module.padding


def _pool_arguments(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """The arguments of `_slide` for a functional pool, whichever way they were passed."""
    order = ["input", "kernel_size", "stride", "padding", "dilation", "ceil_mode"]
    if name == "avg_pool2d":
        order.remove("dilation")
    given = dict(zip(order, args, strict=False)) | kwargs
    given = {key: value for key, value in given.items() if key in order}
    return {"x": given.pop("input"), "kernel": given.pop("kernel_size"), **given}


def _slide(
    x: torch.Tensor,
    kernel: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> torch.Tensor:
    """The maximum over each window; padding sees nothing, which is -infinity.

    A pool takes at most half a kernel of padding, a convolution any.
    """
    (down, right), size = _pair(padding), _pair(kernel)
    if down * 2 > size[0] or right * 2 > size[1]:
        x = functional.pad(x, (right, right, down, down), value=-torch.inf)
        padding = 0
    return functional.max_pool2d(x, kernel, stride or kernel, padding, dilation, ceil_mode)


def _across(x: torch.Tensor, dimensions: int) -> torch.Tensor:
    over = tuple(range(x.dim() - dimensions, x.dim()))
    if dimensions != 1:
        raise _WholePictureError("normalises over the whole picture")
    return x.amax(over, keepdim=True).expand_as(x)


def _combined(args: tuple[Any, ...]) -> torch.Tensor:
    tensors = [a for a in args if isinstance(a, torch.Tensor)]
    try:
        shape = np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    except ValueError as why:
        raise _WholePictureError("takes pictures of one size only") from why
    return torch.stack([tensor.expand(shape) for tensor in tensors]).amax(0)


def receptive_fields(traced: Traced) -> dict[str, Receptive]:
    """What each layer sees, by name, for the layers whose output is a picture of features.

    Layers after a global operation are listed with the reason and no field.
    """
    found: dict[str, Receptive] = {}
    for length in _LENGTHS:
        found = _measured(traced, length)
        if not any(layer.reason == _too_wide(length) for layer in found.values()):
            break
    return found


def _too_wide(length: int) -> str:
    return f"its receptive field is wider than {length} pixels"


def _measured(traced: Traced, length: int) -> dict[str, Receptive]:
    tall, wide = _run(traced, length, axis=2), _run(traced, length, axis=3)
    found = {}
    for node, name in traced.names.items():
        if node in tall.reasons:
            found[name] = Receptive(0, 0, 0, tall.reasons[node])
        elif node in tall.values and _is_features(tall.values[node], wide.values[node]):
            down = _field(tall.values[node], length, axis=2)
            across = _field(wide.values[node], length, axis=3)
            found[name] = _joined(tall.values[node].shape[1], down, across)
    return found


def _is_features(tall: torch.Tensor, wide: torch.Tensor) -> bool:
    """Whether a value is a picture of features, channels before rows and columns."""
    same_channels = tall.dim() == 4 and tall.shape[:2] == wide.shape[:2]
    return same_channels and tall.shape[0] == 2 and tall.shape[2] > wide.shape[2]


def _run(traced: Traced, length: int, axis: int) -> _Positions:
    shape = [1, 1, 1, 1]
    shape[axis] = length
    numbers = torch.arange(length, dtype=torch.float32).reshape(shape)
    breadth = _BREADTH_OF_HEADS if LOGITS in traced.names.values() else _BREADTH
    full = [1, 3, breadth, breadth]
    full[axis] = length
    runner = _Positions(traced)
    with torch.no_grad():
        runner.run(torch.cat([numbers.expand(full), -numbers.expand(full)]))
    return runner


def _field(value: torch.Tensor, length: int, axis: int) -> tuple[int, int, int] | str:
    """Stride, field and start along an axis, or why there are none."""
    others = (0, 2) if axis == 2 else (0, 1)
    last, first = value[0].amax(others), -value[1].amax(others)
    widest = (last - first)[last.isfinite()].max()
    inner = last.isfinite() & (last > first.min() + widest) & (first < last.max() - widest)
    if int(inner.sum()) < 3:
        return _too_wide(length)
    starts, ends = first[inner], last[inner]
    steps, widths = set(starts.diff().tolist()), set((ends - starts).tolist())
    if len(steps) != 1 or len(widths) != 1:
        return "units see different surroundings at different places"
    stride = int(steps.pop())
    before = int(inner.nonzero()[0]) * stride
    return stride, int(widths.pop()) + 1, int(starts[0]) - before


def _joined(
    channels: int, down: tuple[int, int, int] | str, across: tuple[int, int, int] | str
) -> Receptive:
    if isinstance(down, str):
        return Receptive(channels, 0, 0, down)
    if isinstance(across, str):
        return Receptive(channels, 0, 0, across)
    if down[0] != across[0]:
        return Receptive(channels, 0, 0, "its strides down and across differ")
    # Of two fields the wider is the side of a square, and begins where that one does.
    _, field, start = max(down, across, key=lambda found: found[1])
    return Receptive(channels, down[0], field, start=start)
