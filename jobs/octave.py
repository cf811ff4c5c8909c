"""The work of one octave, as a plan counts it."""

from dataclasses import dataclass

from render.grid import Grid
from render.lattice import Lattice
from render.partition import partition


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


def octave_work(grid: Grid, lattice: Lattice, steps: int, workers: int) -> Octave:
    """The work of the octave that `grid` is of, its windows taken as they lie without jitter."""
    size = (grid.height, grid.width)
    # Windows are rows times columns, and there may be millions of them.
    first_column = [
        lattice.window(grid.block(row, 0, row + 1, 1), grid.tile, (0, 0), size).height
        for row in range(grid.rows)
    ]
    first_row = [
        lattice.window(grid.block(0, column, 1, column + 1), grid.tile, (0, 0), size).width
        for column in range(grid.columns)
    ]
    busiest = max(
        sum(first_column[block.top : block.bottom]) * sum(first_row[block.left : block.right])
        for block in partition(grid, workers)
    )
    return Octave(
        grid.height,
        grid.width,
        grid.rows,
        grid.columns,
        lattice.extent(grid.tile),
        sum(first_column) * sum(first_row),
        busiest,
        steps,
    )
