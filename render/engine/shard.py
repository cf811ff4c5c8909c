"""The tiles that one worker holds, through the steps of an octave."""

from collections.abc import Callable, Iterable, MutableMapping
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.determinism import arithmetic, keep_freed_memory, make_repeatable, return_freed_memory
from render.dream.band_gradient import View, pulls, slopes
from render.dream.guide import attentive
from render.dream.mask import mask_at, masks_of
from render.dream.resample import resample
from render.dream.step import Step
from render.dream.update import ascend, clamped, magnitudes, settled
from render.engine.setup import Recipe
from render.engine.tile_store import DiskTiles, MemoryTiles, Patch, assembled
from render.geometry.grid import Grid
from render.geometry.halo import Gives
from render.geometry.partition import Block
from render.geometry.rect import Rect
from render.networks.network import load_network
from render.pictures.colour import to_canvas
from render.pictures.tiled_image import Mosaic, Slots, TileFile


def base(recipe: Recipe, octave: int, rect: Rect, dtype: torch.dtype) -> Tensor:
    """The input at an octave's size, without any dream: the pixels `rect`, (h, w, 3)."""
    grid = recipe.input.grid

    def read(piece: Rect) -> Tensor:
        return to_canvas(recipe.input.read(piece), dtype)

    resampled = resample(read, (grid.height, grid.width), recipe.sizes[octave], rect)
    return clamped(resampled)


def start(
    recipe: Recipe, octave: int, before: Mosaic | None, rect: Rect, dtype: torch.dtype
) -> Tensor:
    """The canvas that an octave starts from: the pixels `rect`, (h, w, 3).

    `before` is the octave before as it was committed, None for the first. What was dreamed there,
    the canvas less its base, is carried up; the base itself is taken afresh from the input, which
    is sharper (Mordvintsev et al. 2015).
    """
    fresh = base(recipe, octave, rect, dtype)
    if before is None:
        return fresh

    def detail(piece: Rect) -> Tensor:
        dreamed = torch.from_numpy(before.read(piece))
        return dreamed - base(recipe, octave - 1, piece, dtype)

    grid = before.grid
    carried = resample(detail, (grid.height, grid.width), recipe.sizes[octave], rect)
    return settled(fresh, carried, recipe.dream.keep)


Fragment = tuple[Rect, np.ndarray]
"""Pixels that a neighbour's windows need, with their (h, w, 3) values."""


class Abandoned(Exception):  # noqa: N818 - the news is in the name
    """A step was given up before its update."""


def _never() -> bool:
    return False


class Shard:
    """One worker's part of a picture. Every method's arithmetic is a tile's: who else works, and on
    what, cannot change a bit of it.

    An octave goes: `begin`, then for each step `climb` and `update`, then `commit`. It can be
    committed after any step, and gone on with from there by `resume`. `begin`, `resume` and
    `update` return a fragment for each neighbour, and the next `climb` takes those that the
    neighbours made for this one.
    """

    def __init__(
        self, recipe: Recipe, scratch: Path, abandoned: Callable[[], bool] = _never
    ) -> None:
        """Load the network. `climb` raises Abandoned between two tiles where `abandoned` says so:
        the canvas is then as it was after the last `update`.
        """
        make_repeatable()
        if recipe.device == "cpu":
            return_freed_memory() if recipe.frugal else keep_freed_memory()
        self._recipe = recipe
        self._abandoned = abandoned
        self._device = torch.device(recipe.device)
        self._types = arithmetic(recipe.precision)
        self._home = torch.device("cpu") if recipe.spill else self._device
        self._scratch = scratch
        network = load_network(
            recipe.network, recipe.weights, recipe.mix.layers, self._types.network, self._device
        )
        self._network = attentive(network, recipe.mix, recipe.units)
        self._octave = 0
        self._gives: Gives = {}
        self._tiles: tuple[int, ...] = ()
        self._step: Step | None = None
        self._canvas = self._keep("canvas")
        self._slopes = [self._keep(f"slope-{index}") for index in range(len(recipe.mix))]
        self._masks = {path: self._keep(f"mask-{n}") for n, path in enumerate(recipe.masks)}

    def _keep(self, name: str) -> MutableMapping[int, Tensor]:
        return DiskTiles(self._scratch, name) if self._recipe.spill else MemoryTiles()

    def begin(
        self, octave: int, block: Block, gives: Gives, before: Mosaic | None
    ) -> dict[int, Fragment]:
        """Start an octave: this member holds the tiles of a block, and gives of its pixels."""
        dtype = self._types.canvas
        return self._load(
            octave, block, gives, lambda core: start(self._recipe, octave, before, core, dtype)
        )

    def resume(
        self, octave: int, block: Block, gives: Gives, canvas: Mosaic
    ) -> dict[int, Fragment]:
        """Go on in an octave from its canvas as it was committed, by whatever crew."""
        return self._load(octave, block, gives, lambda core: torch.from_numpy(canvas.read(core)))

    def _load(
        self, octave: int, block: Block, gives: Gives, read: Callable[[Rect], Tensor]
    ) -> dict[int, Fragment]:
        self._octave, self._gives = octave, gives
        self._tiles = block.tiles(self._grid)
        self._reserve()
        for tile in self._tiles:
            core = self._grid.core(tile)
            self._canvas[tile] = read(core).to(self._home)
            for path, kept in self._masks.items():
                size, dtype = self._recipe.sizes[octave], self._types.canvas
                mask = mask_at(self._recipe.masks[path], size, core, dtype)
                kept[tile] = mask.to(self._home)
        return self._outgoing()

    def _reserve(self) -> None:
        """Give every tile its place in memory before any window takes and leaves some."""
        nothing = torch.zeros((), dtype=self._types.canvas, device=self._home)
        places = [(self._canvas, 0, 3)]
        places += [(keep, self._recipe.dream.margin, 3) for keep in self._slopes]
        places += [(keep, 0, 1) for keep in self._masks.values()]
        for keep, margin, channels in places:
            keep.clear()
            for tile in () if self._recipe.spill else self._tiles:
                room = self._grid.core(tile).grown(margin).intersect(self._grid.whole)
                keep[tile] = nothing.expand(room.height, room.width, channels)

    def climb(self, step: int, *fragments: Fragment) -> dict[int, tuple[float, ...]]:
        """Compute each tile's slopes, and keep them. Returns their pulls' sums of |g|, by tile."""
        asked = self._step = self._recipe.step(self._octave, step)
        arrived = [(rect, torch.tensor(values, device=self._device)) for rect, values in fragments]
        sums = [self._climb_tile(tile, asked, arrived) for tile in self._tiles]
        # The device is asked for the sums once, after the last tile, so that it never idles.
        return {tile: tuple(found.tolist()) for tile, found in zip(self._tiles, sums, strict=True)}

    def _climb_tile(self, tile: int, step: Step, arrived: list[Patch]) -> Tensor:
        if self._abandoned():
            raise Abandoned
        recipe, grid = self._recipe, self._grid
        core, size = grid.core(tile), (grid.height, grid.width)
        window = recipe.lattice.window(core, recipe.tile, step.shift, size)
        pixels = self._assembled(window, chain(self._held(window), arrived))
        view = View(pixels, window, core, recipe.lattice.place(window, step.shift, size))
        found = slopes(self._network, step.objectives, recipe.dream, view)
        for kept, slope in zip(self._slopes, found, strict=False):
            kept[tile] = slope.to(self._home)
        return magnitudes(pulls(found, core, size, recipe.dream))

    def update(self, step_scales: tuple[float, ...]) -> dict[int, Fragment]:
        """Change each tile by its pulls of the step just climbed, scaled alike for the whole
        picture.
        """
        if self._step is None:
            raise ValueError("an update follows a climb")
        dream, size = self._recipe.dream, self._recipe.sizes[self._octave]
        asked = len(self._step.objectives)
        for tile in self._tiles:
            found = [kept[tile].to(self._device) for kept in self._slopes[:asked]]
            seen = {path: kept[tile].to(self._device) for path, kept in self._masks.items()}
            risen = ascend(
                self._canvas[tile].to(self._device),
                pulls(found, self._grid.core(tile), size, dream),
                step_scales,
                masks_of(self._step, seen),
                seen[dream.strength] if dream.strength else None,
                dream,
            )
            self._canvas[tile] = risen.to(self._home)
        return self._outgoing()

    def commit(self, path: Path) -> TileFile:
        """Write this shard's tiles, exactly, in the canvas's own type."""
        dtype = str(self._types.canvas).removeprefix("torch.")
        file = TileFile(path, Slots(self._grid, dtype, self._tiles))
        file.create()
        for tile in self._tiles:
            file.write(tile, self._canvas[tile].cpu().numpy())
        return file

    @property
    def _grid(self) -> Grid:
        return self._recipe.grid(self._octave)

    def _held(self, rect: Rect) -> Iterable[Patch]:
        """This shard's own pixels in a rectangle, a tile at a time."""
        for tile in self._grid.touching(rect):
            if tile in self._canvas:
                yield self._grid.core(tile), self._canvas[tile].to(self._device)

    def _assembled(self, rect: Rect, patches: Iterable[Patch]) -> Tensor:
        like = torch.empty(0, dtype=self._types.canvas, device=self._device)
        return assembled(rect, patches, like)

    def _outgoing(self) -> dict[int, Fragment]:
        return {
            taker: (rect, self._assembled(rect, self._held(rect)).cpu().numpy())
            for taker, rect in self._gives.items()
        }
