"""A crew member that exchanges halos and computes nothing."""

import numpy as np

from render.geometry.grid import Grid
from render.geometry.partition import Block, HaloSends
from render.geometry.rect import Rect

Sums = dict[int, tuple[float, ...]]
Halo = list[tuple[Rect, np.ndarray]]


def idle_sums(grid: Grid, block: Block, bands: int) -> Sums:
    """Sums like those that a shard returns after a step, for each tile of a block."""
    return dict.fromkeys(block.tiles(grid), (1.0,) * bands)


class IdleWorker:
    """Sends black halos of the size that its neighbours need."""

    def __init__(self, grid: Grid, bands: int) -> None:
        self._grid, self._bands = grid, bands
        self._sums: Sums = {}
        self._sends: HaloSends = {}
        self._arrived = 0

    def start(self, _octave: int, block: Block, sends: HaloSends, _before: None) -> dict[int, Halo]:
        """Take a block, and return the first halos."""
        self._sums, self._sends = idle_sums(self._grid, block, self._bands), sends
        return self._outgoing()

    def compute_gradients(self, _step: int, *halos: Halo) -> Sums:
        """Count the bytes of the received halos."""
        self._arrived += sum(pixels.nbytes for halo in halos for _, pixels in halo)
        return self._sums

    def update(self, _scales: tuple[float, ...]) -> dict[int, Halo]:
        """Return the same halos again."""
        return self._outgoing()

    def arrived(self) -> int:
        """The bytes of all received halos."""
        return self._arrived

    def _outgoing(self) -> dict[int, Halo]:
        return {
            taker: [(rect, np.zeros((rect.height, rect.width, 3), np.float32)) for rect in rects]
            for taker, rects in self._sends.items()
        }
