"""Counts what a window costs without computing it: every operation runs, on no values."""

import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakIdKeyDictionary

from render.dream.gradient import gradients
from render.dream.guide import GUIDE_SIDE
from render.dream.objective import Mix
from render.engine.memory import Cost
from render.geometry.rect import Rect
from render.networks.catalogue import build_network
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import LayerGrid

_SIDES = (256, 512)  # of the windows that are counted; cost is linear in the pixels between them


class _CostCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storage alive, and the operations done, while it is entered."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = 0
        self.peak = 0
        self.flops = 0
        self._seen: Any = WeakIdKeyDictionary()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.flops += flop_registry[func.overloadpacket](
                *args, **(kwargs or {}), out_val=result
            )
        self.peak = max(self.peak, self.live + _columns(func.overloadpacket, args, result))
        for value in tree_leaves(result):
            if isinstance(value, torch.Tensor):
                self._enter(value.untyped_storage())
        return result

    def _enter(self, storage: torch.UntypedStorage) -> None:
        if storage in self._seen:
            return
        size = storage.nbytes()
        self._seen[storage] = size
        weakref.finalize(storage, self._leave, size)
        self.live += size
        self.peak = max(self.peak, self.live)

    def _leave(self, size: int) -> None:
        self.live -= size


def _columns(operation: Any, args: tuple[Any, ...], result: Any) -> int:
    """Bytes that a convolution in float64 takes for the time that it runs.

    oneDNN has none for CPUs, and torch's own copies every window into a column (im2col), unless it
    is a single pixel. Twice, since the heap still holds the columns of the convolution before.
    """
    if operation is torch.ops.aten.convolution:
        grid, weight, taken = result, args[1], args[0]
    elif operation is torch.ops.aten.convolution_backward:
        grid, taken, weight = args[:3]
    else:
        return 0
    pointwise = weight.shape[2:].numel() == 1 and taken.shape[2:] == grid.shape[2:]
    if taken.dtype != torch.float64 or pointwise:
        return 0
    return 2 * int(weight[0].numel() * grid.shape[2:].numel() * taken.element_size())


def window_cost(network: str, mix: Mix, dtype: torch.dtype, grid: LayerGrid) -> Cost:
    """The cost of a mix's gradients on one window, counted on tensors without values.

    `grid` is of the mix's layers.
    """
    prepared = prepare_network(build_network(network), mix.layers, dtype, torch.device("meta"))
    prepared = replace(prepared, guides=_guides(mix, dtype, grid))
    weights = sum(p.numel() * p.element_size() for p in prepared.module.parameters())
    canvas = torch.float64 if dtype == torch.float64 else torch.float32
    small, large = (_counted(prepared, mix, side, canvas) for side in _SIDES)
    pixel = (large.peak - small.peak) / (_SIDES[1] ** 2 - _SIDES[0] ** 2)
    fixed = small.peak - pixel * _SIDES[0] ** 2
    return Cost(fixed, pixel, large.flops / _SIDES[1] ** 2, weights)


def _guides(mix: Mix, dtype: torch.dtype, grid: LayerGrid) -> dict[tuple[str, Path], torch.Tensor]:
    """As many positions as a square guide has."""
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


def _counted(network: Network, mix: Mix, side: int, canvas: torch.dtype) -> _CostCounter:
    tally = _CostCounter()
    with tally:
        padded = torch.empty((side, side, 3), dtype=canvas, device="meta")
        everywhere = [replace(objective, at=None) for objective in mix]
        gradients(network, everywhere, padded, Rect(0, 0, side, side))
    return tally
