"""A shard: the tiles that one worker holds. It follows `render.dream.reference`, tile by tile."""

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.determinism import (
    dtypes,
    keep_freed_memory,
    make_deterministic,
    return_freed_memory,
    use_threads,
)
from render.dream.attachments import gradient_masks, prepare_objectives, resample_mask
from render.dream.band_gradient import TileView, band_gradients, tile_gradients
from render.dream.canvas import abs_sums, add_detail, ascend, blend, octave_base
from render.dream.plane import endless
from render.dream.region import Region
from render.dream.start_noise import first_base
from render.dream.step import Step
from render.engine.memory import mask_paths
from render.engine.setup import FirstOctave, ShardSetup
from render.engine.tile_store import DiskTiles, MemoryTiles, Patch, assemble
from render.geometry.grid import Grid
from render.geometry.partition import Block, HaloSends
from render.geometry.rect import Rect
from render.networks.network import load_network
from render.pictures.colour import to_canvas
from render.pictures.tiled_image import TiledImage, TileFile, TileLayout


def shard_base(setup: ShardSetup, octave: int, rect: Rect, dtype: torch.dtype) -> Tensor:
    """The base of an octave: the pixels `rect`, (h, w, 3)."""
    base = _resampled_input(setup, octave, rect, dtype)
    return base if octave else _with_noise(setup, base, rect)


def _with_noise(setup: ShardSetup, base: Tensor, rect: Rect) -> Tensor:
    """The base of the first octave with the noise of each dream that began there."""
    first, *later = setup.beginnings or (FirstOctave(setup.dream),)
    size, octaves = setup.sizes[0], len(setup.grids)
    noisy = first_base(base, first.dream, first.dream.seed, octaves, size, rect)
    for one in later:
        if one.region is None:
            raise ValueError("a dream after the first one began in a region")
        other = first_base(base, one.dream, one.dream.seed, octaves, size, rect)
        weights = one.region.weights(size, rect, setup.masks, base.dtype)
        noisy = blend(noisy, other, weights)
    return noisy


def _resampled_input(setup: ShardSetup, octave: int, rect: Rect, dtype: torch.dtype) -> Tensor:
    """The input at an octave's size."""
    if octave in setup.bases:
        return torch.from_numpy(setup.bases[octave].read(rect))
    grid = setup.input.grid

    def read(piece: Rect) -> Tensor:
        return to_canvas(setup.input.read(piece), dtype)

    source = grid.height, grid.width
    return octave_base(read, source, setup.sizes[octave], rect, setup.dream.edges)


def shard_start(
    setup: ShardSetup, octave: int, before: TiledImage | None, rect: Rect, dtype: torch.dtype
) -> Tensor:
    """The canvas from which an octave starts: the pixels `rect`, (h, w, 3).

    `before` is the committed canvas of the previous octave; None in the first octave.
    """
    base = shard_base(setup, octave, rect, dtype)
    if before is None:
        return base

    def detail(piece: Rect) -> Tensor:
        canvas = torch.from_numpy(before.read(piece))
        return canvas - shard_base(setup, octave - 1, piece, dtype)

    previous = before.grid.height, before.grid.width
    return add_detail(base, detail, previous, setup.sizes[octave], rect, setup.dream)


HaloPixels = list[tuple[Rect, np.ndarray]]
"""Pixels that a neighbour's windows need, with their (h, w, 3) values."""


class Abandoned(Exception):  # noqa: N818 - the caller asked for it, so it is no error
    """A step was given up before its update."""


def _never() -> bool:
    return False


class Shard:
    """One worker's part of a picture.

    All arithmetic is per tile, so other workers and their tiles cannot change any bit of it.

    The calls of an octave are `start`, then `compute_gradients` and `update` for each step, then
    `write_tiles`. Tiles can be written after any step, and `resume` continues from there. `start`,
    `resume` and `update` return halo pixels for each neighbour. The next `compute_gradients` takes
    the halo pixels that the neighbours made for this shard.
    """

    def __init__(
        self, setup: ShardSetup, scratch: Path, abandoned: Callable[[], bool] = _never
    ) -> None:
        """Load the network. Tiles may be stored in files of `scratch`.

        If `abandoned` returns True between two tiles, `compute_gradients` raises Abandoned. The
        canvas is then as it was after the last `update`.
        """
        make_deterministic()
        if setup.device == "cpu":
            return_freed_memory() if setup.returns_freed_memory else keep_freed_memory()
        self._setup = setup
        self._abandoned = abandoned
        self._device = torch.device(setup.device)
        self._dtypes = dtypes(setup.precision)
        self._store_device = torch.device("cpu") if setup.spill else self._device
        self._scratch = scratch
        network = load_network(
            setup.network, setup.weights, setup.mix.layers, self._dtypes.network, self._device
        )
        self._network = prepare_objectives(network, setup.mix, setup.units)
        self._octave = 0
        self._sends: HaloSends = {}
        self._tiles: tuple[int, ...] = ()
        self._step: Step | None = None
        self._canvas = self._tile_store("canvas")
        self._gradients = [self._tile_store(f"gradient-{n}") for n in range(len(setup.mix))]
        self._masks = {path: self._tile_store(f"mask-{n}") for n, path in enumerate(self._used)}
        self._weights = self._tile_store("weights") if setup.region else None
        self._surroundings: list[Patch] = []

    def _tile_store(self, name: str) -> MutableMapping[int, Tensor]:
        return DiskTiles(self._scratch, name) if self._setup.spill else MemoryTiles()

    def start(
        self, octave: int, block: Block, sends: HaloSends, before: TiledImage | None
    ) -> dict[int, HaloPixels]:
        """Start an octave with the tiles of a block; `sends` are the halos to send to neighbours.

        `before` is the committed canvas of the previous octave; None in the first octave.
        """
        setup, dtype = self._setup, self._dtypes.canvas

        def read(core: Rect) -> Tensor:
            new = shard_start(setup, octave, before, core, dtype)
            if setup.region is None:
                return new
            old = torch.from_numpy(setup.older[octave].read(core))
            return blend(old, new, self._region_weights(setup.region, core))

        return self._load(octave, block, sends, read)

    def resume(
        self, octave: int, block: Block, sends: HaloSends, canvas: TiledImage
    ) -> dict[int, HaloPixels]:
        """Continue an octave from its committed canvas, written by any crew."""
        return self._load(octave, block, sends, lambda core: torch.from_numpy(canvas.read(core)))

    def _load(
        self, octave: int, block: Block, sends: HaloSends, read: Callable[[Rect], Tensor]
    ) -> dict[int, HaloPixels]:
        use_threads(self._setup.threads(octave))
        self._octave, self._sends = octave, sends
        self._tiles = block.tiles(self._grid)
        self._allocate()
        self._surroundings = list(self._read_surroundings(block)) if self._tiles else []
        region = self._setup.region
        for tile in self._tiles:
            core = self._grid.core(tile)
            self._canvas[tile] = read(core).to(self._store_device)
            for path, masks in self._masks.items():
                size, dtype = self._setup.sizes[octave], self._dtypes.canvas
                edges = self._setup.dream.edges
                mask = resample_mask(self._setup.masks[path], size, core, dtype, edges)
                masks[tile] = mask.to(self._store_device)
            if region is not None and self._weights is not None:
                weights = self._region_weights(region, core)
                self._weights[tile] = weights.to(self._store_device)
        return self._halo_pixels()

    def _region_weights(self, region: Region, core: Rect) -> Tensor:
        size = self._setup.sizes[self._octave]
        return region.weights(size, core, self._setup.masks, self._dtypes.canvas)

    def _read_surroundings(self, block: Block) -> Iterator[Patch]:
        """The old pixels around the region that this shard's windows read; they stay so."""
        grid = self._grid
        if self._setup.region is None:
            return
        size = self._setup.sizes[self._octave]
        for read in self._setup.sampling_grid.pixels_read(block.pixels(grid), grid.tile, size):
            for rect in read.without(grid.covered):
                pixels = torch.from_numpy(self._setup.older[self._octave].read(rect))
                yield rect, pixels.to(self._device)

    def _allocate(self) -> None:
        """Allocate every tile before any window comes and goes, against fragmented memory."""
        zero = torch.zeros((), dtype=self._dtypes.canvas, device=self._store_device)
        size, sampling_grid = self._setup.sizes[self._octave], self._setup.sampling_grid
        stores = [(self._canvas, False, 3)]
        stores += [(store, True, 3) for store in self._gradients]
        stores += [(store, False, 1) for store in self._masks.values()]
        stores += [] if self._weights is None else [(self._weights, False, 1)]
        for store, has_margin, channels in stores:
            store.clear()
            for tile in () if self._setup.spill else self._tiles:
                core = self._grid.core(tile)
                rect = sampling_grid.gradient_rect(core, size) if has_margin else core
                store[tile] = zero.expand(rect.height, rect.width, channels)

    def compute_gradients(self, step: int, *halos: HaloPixels) -> dict[int, tuple[float, ...]]:
        """Compute and store each tile's gradients. Returns its `abs_sums` by tile."""
        self._step = self._setup.step(self._octave, step)
        received = [
            (rect, torch.tensor(values, device=self._device))
            for rect, values in chain.from_iterable(halos)
        ]
        sums = [self._tile_sums(tile, self._step, received) for tile in self._tiles]
        # The sums are read from the device once, after the last tile, so that it never idles.
        return {tile: tuple(found.tolist()) for tile, found in zip(self._tiles, sums, strict=True)}

    def _tile_sums(self, tile: int, step: Step, received: list[Patch]) -> Tensor:
        if self._abandoned():
            raise Abandoned
        setup, size = self._setup, self._setup.sizes[self._octave]
        view = self._tile_view(tile, step, received)
        gradients = tile_gradients(self._network, step.objectives, setup.dream, view)
        # A schedule may leave objectives out, so there may be more stores than gradients.
        for store, gradient in zip(self._gradients, gradients, strict=False):
            store[tile] = gradient.to(self._store_device)
        return abs_sums(band_gradients(gradients, view.core, size, setup.dream))

    def _tile_view(self, tile: int, step: Step, received: list[Patch]) -> TileView:
        setup, size = self._setup, self._setup.sizes[self._octave]
        core, sampling_grid = self._grid.core(tile), setup.sampling_grid
        window = sampling_grid.window(core, self._grid.tile, step.shift, size)

        def read(rect: Rect) -> Tensor:
            patches = chain(self._own_patches(rect), received, self._surroundings)
            return self._assemble(rect, patches)

        pixels = endless(read, size, setup.dream.edges)(window)
        position = sampling_grid.window_position(window, step.shift, size)
        return TileView(pixels, window, core, position, step.draw)

    def update(self, scales: tuple[float, ...]) -> dict[int, HaloPixels]:
        """Add each tile's band gradients, times the picture's `step_scales`, to its canvas."""
        if self._step is None:
            raise ValueError("an update needs gradients: call compute_gradients first")
        dream, size = self._setup.dream, self._setup.sizes[self._octave]
        for tile in self._tiles:
            stores = self._gradients[: len(self._step.objectives)]
            gradients = [store[tile].to(self._device) for store in stores]
            masks = {path: store[tile].to(self._device) for path, store in self._masks.items()}
            before = self._canvas[tile].to(self._device)
            weights = None if self._weights is None else self._weights[tile].to(self._device)
            strength = masks[dream.strength] if dream.strength else None
            if weights is not None:
                strength = weights if strength is None else strength * weights
            canvas = ascend(
                before,
                band_gradients(gradients, self._grid.core(tile), size, dream),
                scales,
                gradient_masks(self._step, masks),
                strength,
                dream,
            )
            if weights is not None:
                # A change of zero may still clip a value by a rounding.
                canvas = torch.where(weights > 0, canvas, before)
            self._canvas[tile] = canvas.to(self._store_device)
        return self._halo_pixels()

    def write_tiles(self, path: Path) -> TileFile:
        """Write this shard's tiles into a file, exactly, in the canvas's dtype."""
        dtype = str(self._dtypes.canvas).removeprefix("torch.")
        file = TileFile(path, TileLayout(self._grid, dtype, self._tiles))
        file.create()
        for tile in self._tiles:
            file.write(tile, self._canvas[tile].cpu().numpy())
        return file

    @property
    def _used(self) -> tuple[Path, ...]:
        """The masks that each step needs; those of regions are read once an octave."""
        return mask_paths(self._setup.mix, self._setup.dream)

    @property
    def _grid(self) -> Grid:
        return self._setup.grids[self._octave]

    def _own_patches(self, rect: Rect) -> Iterable[Patch]:
        """This shard's own pixels in a rectangle, one tile at a time."""
        for tile in self._grid.touching(rect):
            if tile in self._canvas:
                yield self._grid.core(tile), self._canvas[tile].to(self._device)

    def _assemble(self, rect: Rect, patches: Iterable[Patch]) -> Tensor:
        like = torch.empty(0, dtype=self._dtypes.canvas, device=self._device)
        return assemble(rect, patches, like)

    def _halo_pixels(self) -> dict[int, HaloPixels]:
        return {
            receiver: [
                (rect, self._assemble(rect, self._own_patches(rect)).cpu().numpy())
                for rect in rects
            ]
            for receiver, rects in self._sends.items()
        }
