"""What a network's operations do to positions: the largest pixel number that can reach each result.

A convolution becomes the maximum over its window and channels, a sum that over its terms. An
operation that mixes the whole picture ends it, with the reason.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from render.networks.graph import Traced

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

_SPLITTING = {"chunk", "split"}  # of channels, after which they must be told apart


@dataclass(frozen=True)
class Seen:
    """Of a value (2, channels, rows, columns): the last and the first pixel that units see along
    the stripe. The value itself may take gigabytes."""

    shape: torch.Size
    last: torch.Tensor
    first: torch.Tensor


class _WholePictureError(Exception):
    """An operation whose result at one place depends on every place, or in a way not known."""


class Positions(fx.Interpreter):
    """Runs a traced network on pixel numbers; notes where locality ends, and why."""

    def __init__(self, traced: Traced, axis: int) -> None:
        super().__init__(traced.graph)
        self.names = traced.names
        self.axis = axis
        self.splits = any(_called(node) in _SPLITTING for node in traced.graph.graph.nodes)
        self.reasons: dict[fx.Node, str] = {}
        self.values: dict[fx.Node, Seen] = {}

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
        if isinstance(value, torch.Tensor) and n in self.names and value.dim() == 4:
            self.values[n] = _seen(value, self.axis)
        return value

    def get_attr(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        value = super().get_attr(target, args, kwargs)
        if not isinstance(value, torch.Tensor):
            return value
        if not value.is_floating_point():
            return torch.zeros_like(value, device="cpu")  # a table of indices
        return torch.full([1] * value.dim(), -torch.inf).expand(value.shape)  # sees no pixel

    def call_module(self, target: Any, args: tuple[Any, ...], _: dict[str, Any]) -> Any:
        module = self.module.get_submodule(target)
        x = args[0]
        if isinstance(module, POINTWISE_MODULES):
            return x
        if isinstance(module, nn.Conv2d):
            seen = _slide(
                _once(x, 1).amax(1, keepdim=True),
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
            return _once(x, -1).amax(-1, keepdim=True).expand(*x.shape[:-1], module.out_features)
        raise _WholePictureError(_why(type(module).__name__))

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if target is torch.cat and not self.splits:
            return _joined(*args, **kwargs)
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
    slid = functional.max_pool2d(
        _once(x, 1), kernel, stride or kernel, padding, dilation, ceil_mode
    )
    return slid.expand(-1, x.shape[1], -1, -1)


def _once(x: torch.Tensor, *dimensions: int) -> torch.Tensor:
    """A value without the repetitions along some dimensions: where it is expanded, the first."""
    for dimension in dimensions:
        if x.stride(dimension) == 0:
            x = x.narrow(dimension, 0, 1)
    return x


def _across(x: torch.Tensor, dimensions: int) -> torch.Tensor:
    if dimensions != 1:
        raise _WholePictureError("normalises over the whole picture")
    return _once(x, -1).amax(-1, keepdim=True).expand_as(x)


def _called(node: fx.Node) -> str:
    return str(getattr(node.target, "__name__", node.target))


def _joined(parts: Sequence[torch.Tensor], dim: int = 0) -> torch.Tensor:
    """Parts side by side; along channels each stands for all, since nothing tells them apart."""
    if dim != 1:
        return torch.cat(tuple(parts), dim)
    widest = _combined([_once(part, 1).amax(1, keepdim=True) for part in parts])
    return widest.expand(-1, sum(part.shape[1] for part in parts), *widest.shape[2:])


def _combined(args: Sequence[Any]) -> torch.Tensor:
    tensors = [a for a in args if isinstance(a, torch.Tensor)]
    try:
        shape = np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    except ValueError as why:
        raise _WholePictureError("takes pictures of one size only") from why
    expanded = [tensor.expand(shape) for tensor in tensors]
    repeated = [
        dimension
        for dimension in range(len(shape))
        if all(tensor.stride(dimension) == 0 for tensor in expanded)
    ]
    return torch.stack([_once(tensor, *repeated) for tensor in expanded]).amax(0).expand(shape)


def _seen(value: torch.Tensor, axis: int) -> Seen:
    others = (0, 2) if axis == 2 else (0, 1)
    return Seen(
        value.shape, _once(value[0], *others).amax(others), -_once(value[-1], *others).amax(others)
    )
