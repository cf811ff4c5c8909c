"""Runs a network on pixel positions to find which pixels can influence each unit.

Every value is the largest pixel number that can influence it. So a convolution becomes a maximum
over its window and channels, and a sum becomes a maximum over its terms. After an operation that
mixes the whole picture nothing is traced, and the reason is recorded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import fx, nn
from torch.nn import functional

from render.networks.caffe_layers import LocalResponseNorm
from render.networks.graph import TracedNetwork
from render.networks.normalisation import InputConversion
from render.networks.onnx_layers import ChannelMean, MovedValues, ScaledNegative

POINTWISE_MODULES = (
    *(nn.BatchNorm2d, nn.ReLU, nn.ReLU6, nn.Hardtanh, nn.SiLU, nn.GELU, nn.Hardswish),
    *(nn.Hardsigmoid, nn.LeakyReLU, nn.ELU, nn.SELU, nn.Mish, nn.Softplus, nn.Sigmoid, nn.Tanh),
    *(nn.Dropout, nn.Dropout2d, nn.Identity, ScaledNegative),
)
"""Modules whose output depends only on the input at the same position and channel."""


_POINTWISE = {"relu", "relu_", "relu6", "silu", "gelu", "hardswish", "sigmoid", "dropout"}

_POINTWISE |= {"stochastic_depth", "leaky_relu", "elu", "selu", "mish", "softplus", "tanh"}

_POINTWISE |= {"clamp", "abs", "erf", "exp", "neg", "pow", "reciprocal", "sqrt"}

_COMBINING = {"add", "iadd", "sub", "mul", "imul", "truediv", "maximum", "minimum"}

_RESHAPING = {"cat", "chunk", "getitem", "getattr", "size", "dim", "unsqueeze", "squeeze"}

_RESHAPING |= {"permute", "transpose", "expand", "view", "reshape", "contiguous", "floordiv", "eq"}

_RESHAPING |= {"narrow"}

_CHANNEL_SPLITTING = {"chunk", "split", "narrow"}  # channels must be tracked separately


@dataclass(frozen=True)
class PixelSpan:
    """The last and the first pixel that can influence each unit along one axis.

    shape: the shape of the traced value, (2, channels, rows, columns). The value itself is not
    stored, because it can take gigabytes.
    """

    shape: torch.Size
    last: torch.Tensor
    first: torch.Tensor


class _NotLocalError(Exception):
    """An operation that depends on the whole picture, or in an unknown way."""


class PositionTracer(fx.Interpreter):
    """Runs a traced network on pixel numbers along one axis (2 for rows, 3 for columns).

    reasons: why a node has no finite receptive field. values: the pixel spans of all other layers.
    """

    def __init__(self, traced: TracedNetwork, axis: int) -> None:
        super().__init__(traced.graph)
        self.names = traced.names
        self.axis = axis
        self.splits_channels = any(
            _target_name(node) in _CHANNEL_SPLITTING for node in traced.graph.graph.nodes
        )
        self.reasons: dict[fx.Node, str] = {}
        self.values: dict[fx.Node, PixelSpan] = {}

    def run_node(self, n: fx.Node) -> Any:
        inherited = [self.reasons[source] for source in n.all_input_nodes if source in self.reasons]
        if inherited:
            self.reasons[n] = inherited[0]
            return None
        try:
            value = super().run_node(n)
        except _NotLocalError as error:
            self.reasons[n] = f"{self._layer_of(n)} {error}"
            return None
        if isinstance(value, torch.Tensor) and n in self.names and value.dim() == 4:
            self.values[n] = _pixel_span(value, self.axis)
        return value

    def _layer_of(self, node: fx.Node) -> str:
        """The name of a node's layer. A node without a name belongs to the next layer."""
        named = node
        while named not in self.names and named.op != "output":
            named = named.next
        return self.names.get(named, node.name)

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
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is None:
            raise _NotLocalError("normalises over the whole picture")
        if isinstance(module, POINTWISE_MODULES):
            return x
        if isinstance(module, MovedValues):
            return module(x)
        seen = _through_window(module, x)
        if seen is None:
            seen = _through_channels(module, x)
        if seen is None:
            raise _NotLocalError(_not_local_reason(type(module).__name__))
        return seen

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if target is torch.cat and not self.splits_channels:
            return _concatenated(*args, **kwargs)
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
        if name == "_assert":  # transformers check the picture's size
            return None
        if name in _COMBINING and any(isinstance(a, torch.Tensor) for a in args):
            return _elementwise_max(args)
        if name in _RESHAPING or name in _COMBINING:
            return run()
        if name in _LOCAL_FUNCTIONS:
            return _LOCAL_FUNCTIONS[name](name, *args, **kwargs)
        raise _NotLocalError(_not_local_reason(name))


def _through_window(module: nn.Module, x: torch.Tensor) -> torch.Tensor | None:
    """What a module's windows see; None for a module without windows."""
    if isinstance(module, nn.Conv2d):
        seen = _window_max(
            _collapse_expanded(x, 1).amax(1, keepdim=True),
            module.kernel_size,
            module.stride,
            _conv_padding(module),
            module.dilation,
        )
        return seen.expand(-1, module.out_channels, -1, -1)
    if isinstance(module, nn.MaxPool2d):
        return _window_max(
            x, module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode
        )
    if isinstance(module, nn.AvgPool2d):
        return _window_max(
            x, module.kernel_size, module.stride, module.padding, ceil_mode=module.ceil_mode
        )
    if isinstance(module, nn.ZeroPad2d | nn.ConstantPad2d):
        return _padded("pad", x, module.padding)
    return None


def _through_channels(module: nn.Module, x: torch.Tensor) -> torch.Tensor | None:
    """What a module sees that mixes channels at one position; None for any other module."""
    if isinstance(module, LocalResponseNorm | nn.LocalResponseNorm):
        return _across_channels("", x)
    if isinstance(module, InputConversion):
        return _across_channels("", x)[:, :1].expand(-1, module.channels, -1, -1)
    if isinstance(module, ChannelMean):
        return _collapse_expanded(x, module.axis).amax(module.axis, keepdim=True)
    if isinstance(module, nn.LayerNorm):
        return _channel_max(x, len(module.normalized_shape))
    if isinstance(module, nn.Linear) and x.dim() == 4:
        widest = _collapse_expanded(x, -1).amax(-1, keepdim=True)
        return widest.expand(*x.shape[:-1], module.out_features)
    return None


def _across_channels(_: str, x: torch.Tensor, *__: Any, **___: Any) -> torch.Tensor:
    """The maximum over all channels, for each channel."""
    return _collapse_expanded(x, 1).amax(1, keepdim=True).expand_as(x)


def _pooled(name: str, *args: Any, **kwargs: Any) -> torch.Tensor:
    return _window_max(**_pool_arguments(name, *args, **kwargs))


def _layer_normalised(
    _: str, x: torch.Tensor, shape: Sequence[int], *_args: Any, **__: Any
) -> torch.Tensor:
    return _channel_max(x, len(shape))


def _padded(
    _: str, x: torch.Tensor, pad: Sequence[int], mode: str = "constant", *_args: Any, **__: Any
) -> torch.Tensor:
    """Pad with no pixel, whatever the value. A negative padding crops, as in torch."""
    if mode != "constant" or len(pad) > 4:
        raise _NotLocalError("pads by more than a constant at the borders")
    return functional.pad(x, tuple(pad), value=-torch.inf)


def _batch_normalised(_: str, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    training = args[4] if len(args) > 4 else kwargs.get("training", False)
    if training:
        raise _NotLocalError("normalises over the whole picture")
    return x


_LOCAL_FUNCTIONS: dict[str, Callable[..., torch.Tensor]] = {
    "max_pool2d": _pooled,
    "avg_pool2d": _pooled,
    "layer_norm": _layer_normalised,
    "local_response_norm": _across_channels,
    "pad": _padded,
    "_pad": _padded,
    "batch_norm": _batch_normalised,
}


def _not_local_reason(name: str) -> str:
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
        raise _NotLocalError("(padding='same') pads by the picture's size")
    if module.padding_mode == "circular":
        raise _NotLocalError("(padding_mode='circular') joins opposite borders")
    return module.padding


def _pool_arguments(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Return the arguments of `_window_max` for the arguments of a functional pool."""
    order = ["input", "kernel_size", "stride", "padding", "dilation", "ceil_mode"]
    if name == "avg_pool2d":
        order.remove("dilation")
    given = dict(zip(order, args, strict=False)) | kwargs
    given = {key: value for key, value in given.items() if key in order}
    return {"x": given.pop("input"), "kernel": given.pop("kernel_size"), **given}


def _window_max(
    x: torch.Tensor,
    kernel: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> torch.Tensor:
    """Return the maximum of each window. Padding counts as -infinity: no pixel.

    Padding of more than half a kernel, which only convolutions allow, is added beforehand.
    """
    (down, right), size = _pair(padding), _pair(kernel)
    if down * 2 > size[0] or right * 2 > size[1]:
        x = functional.pad(x, (right, right, down, down), value=-torch.inf)
        padding = 0
    slid = functional.max_pool2d(
        _collapse_expanded(x, 1), kernel, stride or kernel, padding, dilation, ceil_mode
    )
    return slid.expand(-1, x.shape[1], -1, -1)


def _collapse_expanded(x: torch.Tensor, *dimensions: int) -> torch.Tensor:
    """Reduce expanded dimensions (stride 0) to size 1, since their values are all the same."""
    for dimension in dimensions:
        if x.stride(dimension) == 0:
            x = x.narrow(dimension, 0, 1)
    return x


def _channel_max(x: torch.Tensor, dimensions: int) -> torch.Tensor:
    if dimensions != 1:
        raise _NotLocalError("normalises over the whole picture")
    return _collapse_expanded(x, -1).amax(-1, keepdim=True).expand_as(x)


def _target_name(node: fx.Node) -> str:
    return str(getattr(node.target, "__name__", node.target))


def _concatenated(parts: Sequence[torch.Tensor], dim: int = 0) -> torch.Tensor:
    """Concatenate. Along channels each gets the maximum, since they are not tracked apart."""
    if dim != 1:
        return torch.cat(tuple(parts), dim)
    widest = _elementwise_max([_collapse_expanded(part, 1).amax(1, keepdim=True) for part in parts])
    return widest.expand(-1, sum(part.shape[1] for part in parts), *widest.shape[2:])


def _elementwise_max(args: Sequence[Any]) -> torch.Tensor:
    tensors = [a for a in args if isinstance(a, torch.Tensor)]
    try:
        shape = np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    except ValueError as error:
        raise _NotLocalError("takes pictures of one size only") from error
    expanded = [tensor.expand(shape) for tensor in tensors]
    repeated = [
        dimension
        for dimension in range(len(shape))
        if all(tensor.stride(dimension) == 0 for tensor in expanded)
    ]
    return (
        torch.stack([_collapse_expanded(tensor, *repeated) for tensor in expanded])
        .amax(0)
        .expand(shape)
    )


def _pixel_span(value: torch.Tensor, axis: int) -> PixelSpan:
    others = (0, 2) if axis == 2 else (0, 1)
    return PixelSpan(
        value.shape,
        _collapse_expanded(value[0], *others).amax(others),
        -_collapse_expanded(value[-1], *others).amax(others),
    )
