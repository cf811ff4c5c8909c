"""The work of one octave, as a plan counts it."""

from collections.abc import Sequence
from dataclasses import dataclass

from render.geometry.grid import Grid
from render.geometry.partition import Block, partition
from render.geometry.rect import Rect
from render.geometry.sampling_grid import Lattice


@dataclass(frozen=True)
class Octave:
    """One octave's work: its size, its tiles, and the pixels of all their windows together.

    busiest: those of the worker that has most; the others wait for it at every step.
    """

    height: int
    width: int
    rows: int
    columns: int
    window: int
    window_pixels: int
    busiest: int
    steps: int

    @property
    def megapixel_steps(self) -> float:
        """Millions of pixels times steps."""
        return self.height * self.width * self.steps / 1e6

    @property
    def effort(self) -> int:
        """What its time should go with: pixels of the busiest worker's windows, times steps."""
        return self.busiest * self.steps

    @property
    def overhead(self) -> float:
        """Pixels computed for each pixel of the picture: halos, and padding at the borders."""
        return self.window_pixels / (self.height * self.width)


@dataclass(frozen=True)
class Load:
    """What one worker has to do at a step: its tiles, the pixels of their windows together, and
    those of their slopes, which reach beyond the cores by the dream's margin."""

    tiles: int
    window_pixels: int
    slopes: int


def loads(grid: Grid, lattice: Lattice, blocks: Sequence[Block]) -> tuple[Load, ...]:
    """Those of a crew whose members hold `blocks`, windows taken as they lie without jitter."""
    return _Sides(grid, lattice).loads(blocks)


def octave_work(grid: Grid, lattice: Lattice, steps: int, workers: int) -> Octave:
    """The work of the octave that `grid` is of, its windows taken as they lie without jitter."""
    sides = _Sides(grid, lattice)
    return Octave(
        grid.height,
        grid.width,
        grid.rows,
        grid.columns,
        lattice.extent(grid.tile),
        sum(sides.heights) * sum(sides.widths),
        max(load.window_pixels for load in sides.loads(partition(grid, workers))),
        steps,
    )


class _Sides:
    """The sides of windows and slopes by rows and columns of tiles, of which there may be millions.

    Each is a row's height times a column's width.
    """

    def __init__(self, grid: Grid, lattice: Lattice) -> None:
        size = (grid.height, grid.width)
        first_column = [grid.block(row, 0, row + 1, 1) for row in range(grid.rows)]
        first_row = [grid.block(0, column, 1, column + 1) for column in range(grid.columns)]

        def windows(cores: list[Rect]) -> list[Rect]:
            return [lattice.window(core, grid.tile, (0, 0), size) for core in cores]

        def slopes(cores: list[Rect]) -> list[Rect]:
            return [core.grown(lattice.margin).intersect(grid.whole) for core in cores]

        self.heights = [window.height for window in windows(first_column)]
        self.widths = [window.width for window in windows(first_row)]
        self._slope_heights = [slope.height for slope in slopes(first_column)]
        self._slope_widths = [slope.width for slope in slopes(first_row)]

    def loads(self, blocks: Sequence[Block]) -> tuple[Load, ...]:
        return tuple(self._load(block) for block in blocks)

    def _load(self, block: Block) -> Load:
        rows, columns = slice(block.top, block.bottom), slice(block.left, block.right)
        return Load(
            (block.bottom - block.top) * (block.right - block.left),
            sum(self.heights[rows]) * sum(self.widths[columns]),
            sum(self._slope_heights[rows]) * sum(self._slope_widths[columns]),
        )


LEAST_SECONDS = 60.0
"""Between two checkpoints within an octave, at the least."""


WORTH = 30
"""A checkpoint may cost a thirtieth of the work that it saves."""
