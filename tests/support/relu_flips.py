"""Finds units that decide otherwise in a tile's window than in the whole picture.

A rectifier is open or shut, and a max-pool takes one of its inputs. A value near the threshold
may cross it by the rounding of float32. Nothing is wrong then, but the gradients differ by a whole
unit. The test therefore gives these units the whole picture's decision, and computes the gradient
again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from render.dream.gradient import gradients
from render.engine.tile_store import assemble
from render.geometry.grid import Grid
from render.geometry.rect import Rect
from tests.support.tiled_step import Shift, TiledStep

_ROUNDING = 1e-5  # of a layer's largest value: nearer to the edge than this, float32 may cross it


@dataclass(frozen=True)
class Decision:
    """One operation's decision: `choice` (a mask, or the winners' rows and columns) by `value`."""

    value: Tensor
    choice: Tensor


@dataclass
class RecordedDecisions(TorchFunctionMode):
    """Records each decision in order; `decide` may change it first."""

    decide: Callable[[int, Decision, Tensor], Tensor] = lambda _, decision, __: decision.choice
    made: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in (torch.relu, torch.relu_):
            return args[0] * self._choose(Decision(args[0].detach(), args[0] > 0), args[0])
        if func is torch.max_pool2d:
            x = args[0]
            width = x.shape[3]
            pooled, flat = functional.max_pool2d_with_indices(*args, **(kwargs or {}))
            winners = torch.stack([flat // width, flat % width])
            rows, columns = self._choose(Decision(pooled.detach(), winners), x)
            chosen = (rows * width + columns).flatten(2)
            return x.flatten(2).gather(2, chosen).view_as(pooled)
        return func(*args, **(kwargs or {}))

    def _choose(self, decision: Decision, x: Tensor) -> Tensor:
        choice = self.decide(len(self.made), decision, x)
        self.made.append(Decision(decision.value, choice))
        return choice


def gradient_without_flips(
    step: TiledStep, canvas: Tensor, grid: Grid, index: int, shift: Shift
) -> tuple[Tensor, list[str]]:
    """A tile's gradient with the whole picture's decisions, and the units that flipped."""
    frame = step.sampling_grid.padded_canvas(shift, (grid.height, grid.width))
    window = step.window(grid, index, shift)
    whole = RecordedDecisions()
    with whole, torch.no_grad():
        padded = assemble(frame, [(grid.whole, canvas)], canvas)
        step.network.activations(padded.permute(2, 0, 1)[None])
    flipped: list[str] = []

    def decide(call: int, mine: Decision, x: Tensor) -> Tensor:
        theirs = whole.made[call]
        inner = _origin(frame, window, x.shape[2], window.height)
        outer = _origin(frame, window, mine.value.shape[2], window.height)
        rows = min(mine.value.shape[2], theirs.value.shape[2] - outer[0])
        columns = min(mine.value.shape[3], theirs.value.shape[3] - outer[1])
        there = (..., slice(outer[0], outer[0] + rows), slice(outer[1], outer[1] + columns))
        here = (..., slice(rows), slice(columns))
        wanted = theirs.choice[there]
        if wanted.dim() == 5:  # winners: from the whole picture's rows and columns to the window's
            wanted = wanted - torch.tensor(inner)[:, None, None, None, None]
        differs = mine.choice[here] != wanted
        unit_differs = differs.any(0) if differs.dim() == 5 else differs
        gap = (mine.value[here] - theirs.value[there]).abs()
        turned = unit_differs & (gap <= _ROUNDING * theirs.value.abs().max())
        flipped.extend(f"decision {call} at {unit[1:]}" for unit in turned.nonzero().tolist())
        choice = mine.choice.clone()
        choice[here] = torch.where(turned, wanted, choice[here])
        return choice

    with RecordedDecisions(decide):
        padded = assemble(window, [(grid.whole, canvas)], canvas)
        inside = grid.core(index).shifted(-window.top, -window.left)
        (gradient,) = gradients(step.network, step.mix, padded, inside)
    return gradient, flipped


def _origin(frame: Rect, window: Rect, units: int, pixels: int) -> tuple[int, int]:
    """The window's first unit in the whole picture, in a layer with `units` in the window."""
    stride = 2 ** round(log2(pixels / units))
    return (window.top - frame.top) // stride, (window.left - frame.left) // stride
