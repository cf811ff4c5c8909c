"""Counts the memory and operations of a window: all operations run on tensors without values."""

import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakIdKeyDictionary

from render.dream.attachments import GUIDE_SIDE
from render.dream.gradient import gradients
from render.dream.objective import Mix
from render.engine.memory import Cost
from render.geometry.rect import Rect
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import LayerGrid
from render.networks.subgraph import fix_convolutions

_SIDES = (256, 512)  # of the counted windows; the cost is linear in the pixels


class _CostCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """While entered, counts the bytes of live storages and the floating-point operations."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = 0
        self.peak = 0
        self.flops = 0
        self._storages: Any = WeakIdKeyDictionary()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.flops += flop_registry[func.overloadpacket](
                *args, **(kwargs or {}), out_val=result
            )
        self.peak = max(self.peak, self.live + _im2col_bytes(func.overloadpacket, args, result))
        for value in tree_leaves(result):
            if isinstance(value, torch.Tensor):
                self._add(value.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        if storage in self._storages:
            return
        size = storage.nbytes()
        self._storages[storage] = size
        weakref.finalize(storage, self._subtract, size)
        self.live += size
        self.peak = max(self.peak, self.live)

    def _subtract(self, size: int) -> None:
        self.live -= size


def _im2col_bytes(operation: Any, args: tuple[Any, ...], result: Any) -> int:
    """The bytes that a convolution in float64 needs while it runs.

    oneDNN has no float64 convolution for CPUs. Torch's own copies every window of more than one
    pixel into a column (im2col). The bytes count twice, because the process still holds the columns
    of the previous convolution.
    """
    if operation is torch.ops.aten.convolution:
        output, weight, pixels = result, args[1], args[0]
    elif operation is torch.ops.aten.convolution_backward:
        output, pixels, weight = args[:3]
    else:
        return 0
    pointwise = weight.shape[2:].numel() == 1 and pixels.shape[2:] == output.shape[2:]
    if pixels.dtype != torch.float64 or pointwise:
        return 0
    return 2 * int(weight[0].numel() * output.shape[2:].numel() * pixels.element_size())


def window_cost(module: nn.Module, mix: Mix, dtype: torch.dtype, grid: LayerGrid) -> Cost:
    """The cost of a mix's gradients on one window, counted on tensors without values.

    `grid` is that of the mix's layers. The module's parameters move to the meta device.
    """
    prepared = prepare_network(module, mix.layers, dtype, torch.device("meta"))
    prepared = replace(prepared, guides=_empty_guides(mix, dtype, grid))
    weights = sum(p.numel() * p.element_size() for p in prepared.module.parameters())
    canvas = torch.float64 if dtype == torch.float64 else torch.float32
    small, large = (_count(prepared, mix, side, canvas) for side in _SIDES)
    flops, peaks = large.flops, [small.peak, large.peak]
    if dtype != torch.float64:
        # A CPU's convolutions store less for later, but need more at once in the first layers.
        fix_convolutions(prepared.module)
        fixed_peaks = [_count(prepared, mix, side, canvas).peak for side in _SIDES]
        peaks = max(peaks, fixed_peaks, key=lambda both: both[1])
    pixel = (peaks[1] - peaks[0]) / (_SIDES[1] ** 2 - _SIDES[0] ** 2)
    return Cost(peaks[0] - pixel * _SIDES[0] ** 2, pixel, flops / _SIDES[1] ** 2, weights)


def _empty_guides(
    mix: Mix, dtype: torch.dtype, grid: LayerGrid
) -> dict[tuple[str, Path], torch.Tensor]:
    """Guide activations without values, for square guides."""
    shapes = {
        layer: ((GUIDE_SIDE // units.stride) ** 2, channels)
        for layer, units, channels in zip(mix.layers, grid.units, grid.channels, strict=True)
    }
    return {
        (one.target_layer, one.guide): torch.empty(
            shapes[one.target_layer], dtype=dtype, device="meta"
        )
        for one in mix
        if one.guide is not None
    }


def _count(network: Network, mix: Mix, side: int, canvas: torch.dtype) -> _CostCounter:
    counter = _CostCounter()
    with counter:
        window = torch.empty((side, side, 3), dtype=canvas, device="meta")
        # Where neurons lie does not matter for the cost.
        objectives = [replace(objective, at=None) for objective in mix]
        gradients(network, objectives, window, Rect(0, 0, side, side))
    return counter
