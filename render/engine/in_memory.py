"""A study: a picture small enough for one worker, dreamed in its memory from first to last."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.determinism import arithmetic
from render.dream.band_gradient import View, pulls
from render.dream.mask import mask_at, masks_of
from render.dream.resample import Read, resample
from render.dream.step import Step, scales
from render.dream.update import ascend, clamped, magnitudes, settled
from render.engine.setup import StudyRecipe
from render.engine.tile_store import assembled
from render.errors import RenderError
from render.geometry.grid import Grid
from render.geometry.rect import Rect
from render.pictures.colour import to_canvas
from render.pictures.tiled_image import Mosaic

NO_MASKS: Mapping[Path, Mosaic] = {}


Dreamed = Tensor | RenderError
"""A canvas (height, width, 3) on the CPU, in normalised space; or why there is none."""


class Study:
    """One picture on its way through the octaves, with the arithmetic of `render.engine.shard`.

    An octave goes: `begin`, then for each step `view` and `keep` for every tile, and `update`.
    """

    def __init__(
        self,
        recipe: StudyRecipe,
        samples: np.ndarray,
        seed: int,
        masks: Mapping[Path, Mosaic] = NO_MASKS,
    ) -> None:
        """Samples are (h, w, 3) of uint8 or uint16; `seed` takes the place of the dream's; `masks`
        are those of the recipe's mix and dream, taken in.
        """
        self._recipe = recipe
        self._samples = samples
        self._seed = seed
        self._masks = masks
        self._seen: dict[Path, Tensor] = {}
        self._dtype = arithmetic(recipe.precision).canvas
        self._octave = 0
        self._base = self._canvas = torch.empty((0, 0, 3), dtype=self._dtype)
        self._slopes: dict[int, list[Tensor]] = {}
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
            canvas = self._tiled(lambda core: self._carried(detail, core))
        else:
            canvas = self._base.clone()
        self._canvas = canvas.to(self._recipe.device)
        size = self._recipe.sizes[octave]
        for path, mask in self._masks.items():
            seen = mask_at(mask, size, Rect(0, 0, *size), self._dtype)
            self._seen[path] = seen.to(self._recipe.device)

    def _fresh(self, core: Rect) -> Tensor:
        """The input at the octave's size, without any dream."""
        height, width, _ = self._samples.shape
        size = self._recipe.sizes[self._octave]
        return clamped(resample(self._read, (height, width), size, core))

    def _carried(self, detail: Tensor, core: Rect) -> Tensor:
        """The pixels `core` of the octave's base, with the detail of the octave before."""
        height, width, _ = detail.shape
        size = self._recipe.sizes[self._octave]
        carried = resample(lambda rect: detail[rect.slices()], (height, width), size, core)
        return settled(self._base[core.slices()], carried, self._recipe.dream.keep)

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

    def step(self, number: int) -> Step:
        """What a step of this octave asks for, counted from 0."""
        return self._recipe.step(self._octave, number, self._seed)

    def view(self, tile: int, step: Step) -> View:
        """A tile's window, on the device."""
        grid, lattice = self._grid, self._recipe.lattice
        core, size = grid.core(tile), (grid.height, grid.width)
        window = lattice.window(core, grid.tile, step.shift, size)
        pixels = assembled(window, [(grid.whole, self._canvas)], self._canvas)
        return View(pixels, window, core, lattice.place(window, step.shift, size))

    def keep(self, tile: int, found: list[Tensor]) -> Tensor:
        """Remember a tile's slopes until the update; returns the sums of |g| of its pulls."""
        self._slopes[tile] = found
        return magnitudes(self._pulls(tile))

    def _pulls(self, tile: int) -> list[Tensor]:
        core, size = self._grid.core(tile), self._recipe.sizes[self._octave]
        return pulls(self._slopes[tile], core, size, self._recipe.dream)

    def update(self, step: Step, sums: list[tuple[float, ...]]) -> None:
        """Change every tile by its pulls, given their sums of |g| in tile order.

        Where they are not finite the study has failed.
        """
        recipe = self._recipe
        try:
            step_scales = scales(step, sums, recipe.sizes[self._octave], recipe.units)
        except RenderError as error:
            # The trace would keep this study's tensors alive for as long as the error.
            self._error = error.with_traceback(None)
            return
        strength = recipe.dream.strength
        for tile in self._slopes:
            inside = self._grid.core(tile).slices()
            seen = {path: mask[inside] for path, mask in self._seen.items()}
            core = self._canvas[inside]
            masks, limit = masks_of(step, seen), seen[strength] if strength else None
            core.copy_(ascend(core, self._pulls(tile), step_scales, masks, limit, recipe.dream))
        self._slopes.clear()
