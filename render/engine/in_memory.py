"""A picture that fits into one worker's memory. It follows `render.dream.reference`, tile by tile.

The arithmetic is that of `render.engine.shard`, so both give the same bytes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.determinism import dtypes
from render.dream.attachments import gradient_masks, resample_mask
from render.dream.band_gradient import TileView, band_gradients
from render.dream.canvas import abs_sums, add_detail, ascend, octave_base
from render.dream.plane import Read, endless
from render.dream.start_noise import first_base
from render.dream.step import Step, step_scales
from render.engine.setup import InMemorySetup
from render.engine.tile_store import assemble
from render.errors import RenderError
from render.geometry.grid import Grid
from render.geometry.rect import Rect, Size
from render.pictures.colour import to_canvas
from render.pictures.tiled_image import TiledImage

NO_MASKS: Mapping[Path, TiledImage] = {}


DreamResult = Tensor | RenderError
"""A canvas (height, width, 3) on the CPU, in normalised space; or why there is none."""


class InMemoryDream:
    """One picture on its way through the octaves.

    The calls of an octave are `start`; then, for each step, `tile_view` and `add_gradients` for
    every tile, and `update`.
    """

    def __init__(
        self,
        setup: InMemorySetup,
        samples: np.ndarray,
        seed: int,
        masks: Mapping[Path, TiledImage] = NO_MASKS,
    ) -> None:
        """Prepare to dream one picture.

        samples: (h, w, 3) of uint8 or uint16.
        seed: replaces the dream's own seed.
        masks: the ingested masks of the setup's mix and dream.
        """
        self._setup = setup
        self._samples = samples
        self._seed = seed
        self._masks = masks
        self._octave_masks: dict[Path, Tensor] = {}
        self._dtype = dtypes(setup.precision).canvas
        self._octave = 0
        self._base = self._canvas = torch.empty((0, 0, 3), dtype=self._dtype)
        self._gradients: dict[int, list[Tensor]] = {}
        self._error: RenderError | None = None

    @property
    def has_failed(self) -> bool:
        """Whether `result` is an error, so nothing is left to do."""
        return self._error is not None

    @property
    def result(self) -> DreamResult:
        """The canvas as it is, or the error."""
        return self._canvas.cpu() if self._error is None else self._error

    def start(self, octave: int) -> None:
        """Start an octave: its base, plus the detail of the previous octave.

        This runs on the CPU, as for a shard. The base is kept for the next octave's detail.
        """
        detail = self._canvas.cpu().sub_(self._base)
        self._octave = octave
        self._base = self._read_tiles(self._tile_base)
        if octave:
            canvas = self._read_tiles(lambda core: self._tile_start(detail, core))
        else:
            canvas = self._base.clone()
        self._canvas = canvas.to(self._setup.device)
        for path, mask in self._masks.items():
            edges = self._setup.dream.edges
            values = resample_mask(mask, self._size, self._grid.whole, self._dtype, edges)
            self._octave_masks[path] = values.to(self._setup.device)

    def _tile_base(self, core: Rect) -> Tensor:
        height, width, _ = self._samples.shape
        edges = self._setup.dream.edges
        base = octave_base(self._read_input, (height, width), self._size, core, edges)
        if self._octave:
            return base
        setup = self._setup
        return first_base(base, setup.dream, self._seed, len(setup.grids), self._size, core)

    def _tile_start(self, detail: Tensor, core: Rect) -> Tensor:
        base, previous = self._base[core.slices()], (detail.shape[0], detail.shape[1])
        dream = self._setup.dream
        return add_detail(
            base, lambda rect: detail[rect.slices()], previous, self._size, core, dream
        )

    def _read_input(self, rect: Rect) -> Tensor:
        return to_canvas(self._samples[rect.slices()], self._dtype)

    def _read_tiles(self, read: Read) -> Tensor:
        """The whole octave, read tile by tile: so temporary memory is that of a tile."""
        cores = map(self._grid.core, range(len(self._grid)))
        like = torch.empty(0, dtype=self._dtype)
        return assemble(self._grid.whole, ((core, read(core)) for core in cores), like)

    @property
    def _grid(self) -> Grid:
        return self._setup.grids[self._octave]

    @property
    def _size(self) -> Size:
        return self._setup.sizes[self._octave]

    def step(self, number: int) -> Step:
        """A step of this octave, counted from 0."""
        return self._setup.step(self._octave, number, self._seed)

    def tile_view(self, tile: int, step: Step) -> TileView:
        """A tile's window, on the device."""
        core, sampling_grid = self._grid.core(tile), self._setup.sampling_grid
        window = sampling_grid.window(core, self._grid.tile, step.shift, self._size)
        pixels = endless(self._read_canvas, self._size, self._setup.dream.edges)(window)
        position = sampling_grid.window_position(window, step.shift, self._size)
        return TileView(pixels, window, core, position, step.draw)

    def _read_canvas(self, rect: Rect) -> Tensor:
        return assemble(rect, [(self._grid.whole, self._canvas)], self._canvas)

    def add_gradients(self, tile: int, gradients: list[Tensor]) -> Tensor:
        """Store a tile's gradients until the update; returns their `abs_sums`."""
        self._gradients[tile] = gradients
        return abs_sums(self._bands(tile))

    def _bands(self, tile: int) -> list[Tensor]:
        core = self._grid.core(tile)
        return band_gradients(self._gradients[tile], core, self._size, self._setup.dream)

    def update(self, step: Step, sums: Sequence[tuple[float, ...]]) -> None:
        """Add every tile's scaled band gradients to the canvas; `sums` are in tile order.

        If the sums are not finite, this dream has failed.
        """
        dream = self._setup.dream
        try:
            scales = step_scales(step, sums, self._size, self._setup.units)
        except RenderError as error:
            # The traceback would keep this dream's tensors alive for as long as the error.
            self._error = error.with_traceback(None)
            return
        for tile in self._gradients:
            inside = self._grid.core(tile).slices()
            masks = {path: mask[inside] for path, mask in self._octave_masks.items()}
            canvas = self._canvas[inside]
            strength = masks[dream.strength] if dream.strength else None
            band_masks = gradient_masks(step, masks)
            canvas.copy_(ascend(canvas, self._bands(tile), scales, band_masks, strength, dream))
        self._gradients.clear()
