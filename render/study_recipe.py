"""What decides the dreams of studies: pictures small enough for one worker's memory."""

from dataclasses import dataclass

from render.device import Device
from render.dream import Dream
from render.grid import Grid
from render.lattice import Lattice
from render.objective import Mix
from render.precision import Resolved
from render.rect import Size


@dataclass(frozen=True)
class StudyRecipe:
    """The plan of all studies that have one size; with a picture and a seed it gives the pixels.

    `dream` but for its seed, which each study has of its own; `precision` is resolved; `device` is
    where studies are computed; `sizes` are the octaves', smallest first; `tile` is the side of a
    tile in pixels, `stride` and `field` the network's; `batch` studies share a pass on a GPU.
    """

    mix: Mix
    dream: Dream
    precision: Resolved
    device: Device
    sizes: tuple[Size, ...]
    tile: int
    stride: int
    field: int
    batch: int

    def grid(self, octave: int) -> Grid:
        """The tiles of an octave."""
        return Grid(*self.sizes[octave], self.tile)

    @property
    def lattice(self) -> Lattice:
        """The network's sampling grid at this recipe's jitter."""
        return Lattice(self.stride, self.field, self.dream.jitter)

    @property
    def slots(self) -> int:
        """How many studies a pass computes: the batch on a GPU, on a CPU one.

        oneDNN picks its kernels by the whole shape, so on a CPU a pass of eight may have other bits
        than one; and one thread gains little by it (pareidolia at 256 pixels: at most a tenth).
        """
        return self.batch if self.device == "cuda" else 1
