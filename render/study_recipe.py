"""What decides the dreams of studies: pictures small enough for one worker's memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from render.device import Device
from render.dream import Dream
from render.grid import Grid
from render.lattice import Lattice
from render.objective import Mix
from render.precision import Resolved
from render.rect import Size
from render.schedule import Moment
from render.step import Step, step_at
from render.units import Units


@dataclass(frozen=True)
class StudyRecipe:
    """The plan of all studies that have one size; with a picture and a seed it gives the pixels.

    `dream` but for its seed, which each study has of its own; `precision` is resolved; `device` is
    where studies are computed; `sizes` are the octaves', smallest first; `tile` is the side of a
    tile in pixels, `stride` and `field` the network's, `units` each layer's; `batch` studies share
    a pass on a GPU.
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
    units: Mapping[str, Units] = dataclass_field(default_factory=dict)

    def grid(self, octave: int) -> Grid:
        """The tiles of an octave."""
        return Grid(*self.sizes[octave], self.tile)

    @property
    def lattice(self) -> Lattice:
        """The network's sampling grid at this recipe's jitter."""
        return Lattice(self.stride, self.field, self.dream.jitter, self.dream.margin)

    def step(self, octave: int, step: int, seed: int) -> Step:
        """What a step of an octave asks for, both counted from 0, with a study's own seed."""
        moment = Moment(octave, len(self.sizes), step, self.dream.steps)
        return step_at(self.mix, self.dream, self.lattice, moment, seed)

    @property
    def slots(self) -> int:
        """How many studies a pass computes: the batch on a GPU, on a CPU one.

        oneDNN picks its kernels by the whole shape, so on a CPU a pass of eight may have other bits
        than one; and one thread gains little by it (pareidolia at 256 pixels: at most a tenth).
        """
        return self.batch if self.device == "cuda" else 1
