"""A study: a picture small enough for one worker, dreamed in its memory from first to last."""

import numpy as np
import torch
from torch import Tensor

from render.arithmetic import arithmetic
from render.errors import RenderError
from render.grid import Grid
from render.lattice import offset
from render.pictures.colour import to_canvas
from render.rect import Rect
from render.resample import Read, resample
from render.scale import scales
from render.step import ascend, clamped
from render.study_recipe import StudyRecipe
from render.window import assembled

Dreamed = Tensor | RenderError
"""A canvas (height, width, 3) on the CPU, in normalised space; or why there is none."""


class Study:
    """One picture on its way through the octaves, with the arithmetic of `render.shard`.

    An octave goes: `begin`, then for each step `view` and `keep` for every tile, and `update`.
    """

    def __init__(self, recipe: StudyRecipe, samples: np.ndarray, seed: int) -> None:
        """Samples are (h, w, 3) of uint8 or uint16; `seed` takes the place of the dream's."""
        self._recipe = recipe
        self._samples = samples
        self._seed = seed
        self._dtype = arithmetic(recipe.precision).canvas
        self._octave = 0
        self._base = self._canvas = torch.empty((0, 0, 3), dtype=self._dtype)
        self._gradients: dict[int, list[Tensor]] = {}
        self._error: RenderError | None = None

    @property
    def has_failed(self) -> bool:
        """Whether there is nothing more to do, and `dreamed` is an error."""
        return self._error is not None

    @property
    def dreamed(self) -> Dreamed:
        """What has become of the picture."""
        return self._canvas.cpu() if self._error is None else self._error

    def begin(self, octave: int) -> None:
        """Start an octave: the input at its size, with what was dreamed in the one before.

        On the CPU, as a poster does. The octave's base is kept for the next one's start.
        """
        detail = self._canvas.cpu().sub_(self._base)
        self._octave = octave
        self._base = self._tiled(self._fresh)
        if octave:
            canvas = self._tiled(lambda core: clamped(_carried(self._base, detail, core)))
        else:
            canvas = self._base.clone()
        self._canvas = canvas.to(self._recipe.device)

    def _fresh(self, core: Rect) -> Tensor:
        """The input at the octave's size, without any dream."""
        height, width, _ = self._samples.shape
        size = self._recipe.sizes[self._octave]
        return clamped(resample(self._read, (height, width), size, core))

    def _read(self, rect: Rect) -> Tensor:
        return to_canvas(self._samples[rect.slices()], self._dtype)

    def _tiled(self, read: Read) -> Tensor:
        """The whole octave, a tile at a time, so that what each takes meanwhile is a tile's."""
        cores = map(self._grid.core, range(len(self._grid)))
        like = torch.empty(0, dtype=self._dtype)
        return assembled(self._grid.whole, ((core, read(core)) for core in cores), like)

    @property
    def _grid(self) -> Grid:
        return self._recipe.grid(self._octave)

    def view(self, tile: int, step: int) -> tuple[Tensor, Rect]:
        """A tile's window (h, w, 3) on the device, and where in it the tile's core lies."""
        grid, lattice = self._grid, self._recipe.lattice
        core = grid.core(tile)
        shift = offset(self._seed, self._octave, step, lattice.span)
        window = lattice.window(core, grid.tile, shift, (grid.height, grid.width))
        padded = assembled(window, [(grid.whole, self._canvas)], self._canvas)
        return padded, core.shifted(-window.top, -window.left)

    def keep(self, tile: int, gradients: list[Tensor]) -> None:
        """Remember a tile's gradients, one an objective, until the update."""
        self._gradients[tile] = gradients

    def update(self, sums: list[tuple[float, ...]]) -> None:
        """Change every tile by its gradients, given their sums of |g| in tile order.

        Where they are not finite the study has failed.
        """
        try:
            step_scales = scales(self._recipe.mix, sums, self._recipe.sizes[self._octave])
        except RenderError as error:
            # The trace would keep this study's tensors alive for as long as the error.
            self._error = error.with_traceback(None)
            return
        for tile, found in self._gradients.items():
            core = self._canvas[self._grid.core(tile).slices()]
            core.copy_(ascend(core, found, step_scales, self._recipe.dream.step_size))
        self._gradients.clear()


def _carried(base: Tensor, detail: Tensor, core: Rect) -> Tensor:
    """The pixels `core` of an octave's base, with the detail of the octave before."""
    height, width, _ = detail.shape
    size = base.shape[0], base.shape[1]
    carried = resample(lambda rect: detail[rect.slices()], (height, width), size, core)
    return base[core.slices()] + carried
