"""A member of a crew that does as it is told, and computes nothing."""

import numpy as np

from render.geometry.grid import Grid
from render.geometry.partition import Block, HaloSends
from render.geometry.rect import Rect

Sums = dict[int, tuple[float, ...]]
Fragment = tuple[Rect, np.ndarray]


def idle_sums(grid: Grid, block: Block, bands: int) -> Sums:
    """What a shard of a block says of its tiles after a step."""
    return dict.fromkeys(block.tiles(grid), (1.0,) * bands)


class Idler:
    """Hands round black pixels, as many as its neighbours' windows need."""

    def __init__(self, grid: Grid, bands: int) -> None:
        self._grid, self._bands = grid, bands
        self._sums: Sums = {}
        self._sends: HaloSends = {}
        self._arrived = 0

    def start(
        self, _octave: int, block: Block, sends: HaloSends, _before: None
    ) -> dict[int, Fragment]:
        """Hold a block."""
        self._sums, self._sends = idle_sums(self._grid, block, self._bands), sends
        return self._outgoing()

    def compute_gradients(self, _step: int, *halos: Fragment) -> Sums:
        """Look at what neighbours sent."""
        self._arrived += sum(pixels.nbytes for _, pixels in halos)
        return self._sums

    def update(self, _scales: tuple[float, ...]) -> dict[int, Fragment]:
        """Hand out what has not changed."""
        return self._outgoing()

    def arrived(self) -> int:
        """The bytes of all pixels that neighbours have sent."""
        return self._arrived

    def _outgoing(self) -> dict[int, Fragment]:
        return {
            taker: (rect, np.zeros((rect.height, rect.width, 3), np.float32))
            for taker, rect in self._sends.items()
        }
