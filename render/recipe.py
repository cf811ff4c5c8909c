"""Everything that a shard must know of a picture that is being rendered."""

from dataclasses import dataclass
from pathlib import Path

from render.device import Device
from render.dream import Dream
from render.grid import Grid
from render.lattice import Lattice
from render.mosaic import Mosaic
from render.objective import Mix
from render.precision import Resolved
from render.rect import Size


@dataclass(frozen=True)
class Recipe:
    """One picture's plan as the engine needs it; the same for every member of every crew.

    `network` and `weights` name the network and its weights file; `input` is the decoded picture;
    `sizes` are the octaves', smallest first; `tile` is the side of a tile in pixels, `stride` and
    `field` the network's; `precision` is resolved; `device` is where members compute. Tiles stay
    on disk between uses where `spill`; a CPU worker is slower, and holds no more than it needs,
    where `frugal`.
    """

    network: str
    weights: Path
    mix: Mix
    dream: Dream
    precision: Resolved
    device: Device
    input: Mosaic
    sizes: tuple[Size, ...]
    tile: int
    stride: int
    field: int
    spill: bool = False
    frugal: bool = False

    def grid(self, octave: int) -> Grid:
        """The tiles of an octave."""
        return Grid(*self.sizes[octave], self.tile)

    @property
    def lattice(self) -> Lattice:
        """The network's sampling grid at this recipe's jitter."""
        return Lattice(self.stride, self.field, self.dream.jitter)

    @property
    def reach(self) -> int:
        """How far windows go beyond their cores, in pixels."""
        return self.lattice.reach(self.tile)
