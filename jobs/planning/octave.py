"""The work of one octave, for the whole poster and for each worker."""

from collections.abc import Sequence
from dataclasses import dataclass

from render.geometry.grid import Grid
from render.geometry.partition import Block, partition
from render.geometry.rect import Rect
from render.geometry.sampling_grid import SamplingGrid

MIN_CHECKPOINT_SECONDS = 60.0
"""The shortest time between two checkpoints of an octave."""


WORK_PER_CHECKPOINT = 30
"""Seconds of work between two checkpoints, per second that a checkpoint takes."""


@dataclass(frozen=True)
class Octave:
    """The work of one octave: its size, its tiles, and the pixels of their windows.

    tile, window: the sides of a tile and of a window. window_pixels: of all tiles. busiest_pixels:
    the window pixels of the busiest worker; the others wait for it at every step. steps: 0 in an
    octave that is not dreamed again. region: see `Grid`; the tiles are those of it.
    """

    height: int
    width: int
    rows: int
    columns: int
    tile: int
    window: int
    window_pixels: int
    busiest_pixels: int
    steps: int
    region: Rect | None = None

    @property
    def pixels(self) -> int:
        """The pixels that are dreamed: of the region, or of the whole octave."""
        return self.height * self.width if self.region is None else self.region.area

    @property
    def megapixel_steps(self) -> float:
        """Millions of pixels times steps."""
        return self.pixels * self.steps / 1e6

    @property
    def effort(self) -> int:
        """A number proportional to its time: window pixels of the busiest worker times steps."""
        return self.busiest_pixels * self.steps

    @property
    def overhead(self) -> float:
        """Window pixels per pixel of the picture, at least 1: halos, and padding at the borders."""
        return self.window_pixels / self.pixels


@dataclass(frozen=True)
class WorkerLoad:
    """The work of one worker at a step.

    gradient_pixels: pixels with a gradient. They reach beyond the tiles by the dream's margin.
    """

    tiles: int
    window_pixels: int
    gradient_pixels: int


def worker_loads(
    grid: Grid, sampling_grid: SamplingGrid, blocks: Sequence[Block]
) -> tuple[WorkerLoad, ...]:
    """The work of each worker at a step without jitter. blocks: the tiles of each worker."""
    return _TileSides(grid, sampling_grid).loads(blocks)


def octave_work(grid: Grid, sampling_grid: SamplingGrid, steps: int, workers: int) -> Octave:
    """The work of an octave with these tiles, its windows placed without jitter."""
    sides = _TileSides(grid, sampling_grid)
    return Octave(
        grid.height,
        grid.width,
        grid.rows,
        grid.columns,
        grid.tile,
        sampling_grid.window_side(grid.tile),
        sum(sides.window_heights) * sum(sides.window_widths),
        max(load.window_pixels for load in sides.loads(partition(grid, workers))),
        steps,
        grid.region,
    )


class _TileSides:
    """Heights of windows and gradients by tile row, and widths by tile column.

    A tile's area is a product of the two. There may be millions of tiles, so nothing lists them.
    """

    def __init__(self, grid: Grid, sampling_grid: SamplingGrid) -> None:
        size = (grid.height, grid.width)
        first_column = [grid.block(row, 0, row + 1, 1) for row in range(grid.rows)]
        first_row = [grid.block(0, column, 1, column + 1) for column in range(grid.columns)]

        def windows(cores: list[Rect]) -> list[Rect]:
            return [sampling_grid.window(core, grid.tile, (0, 0), size) for core in cores]

        def gradients(cores: list[Rect]) -> list[Rect]:
            return [sampling_grid.gradient_rect(core, size) for core in cores]

        self.window_heights = [window.height for window in windows(first_column)]
        self.window_widths = [window.width for window in windows(first_row)]
        self._gradient_heights = [gradient.height for gradient in gradients(first_column)]
        self._gradient_widths = [gradient.width for gradient in gradients(first_row)]

    def loads(self, blocks: Sequence[Block]) -> tuple[WorkerLoad, ...]:
        return tuple(self._load(block) for block in blocks)

    def _load(self, block: Block) -> WorkerLoad:
        rows, columns = slice(block.top, block.bottom), slice(block.left, block.right)
        return WorkerLoad(
            (block.bottom - block.top) * (block.right - block.left),
            sum(self.window_heights[rows]) * sum(self.window_widths[columns]),
            sum(self._gradient_heights[rows]) * sum(self._gradient_widths[columns]),
        )
