"""Everything that a shard must know of a picture that is being rendered."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path

from render.device import Device, Resolved
from render.dream.config import Dream, Moment
from render.dream.objective import Mix
from render.dream.step import Step, step_at
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.geometry.sampling_grid import Lattice
from render.geometry.units import Units
from render.pictures.tiled_image import Mosaic


@dataclass(frozen=True)
class Recipe:
    """One picture's plan as the engine needs it; the same for every member of every crew.

    `network` and `weights` name the network and its weights file; `input` is the decoded picture;
    `sizes` are the octaves', smallest first; `tile` is the side of a tile in pixels, `stride` and
    `field` the network's, `units` each layer's; `masks` are those of the mix and the dream, taken
    in; `precision` is resolved; `device` is where members compute. Tiles stay
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
    units: Mapping[str, Units] = dataclass_field(default_factory=dict)
    masks: Mapping[Path, Mosaic] = dataclass_field(default_factory=dict)
    spill: bool = False
    frugal: bool = False

    def grid(self, octave: int) -> Grid:
        """The tiles of an octave."""
        return Grid(*self.sizes[octave], self.tile)

    @property
    def lattice(self) -> Lattice:
        """The network's sampling grid at this recipe's jitter."""
        return Lattice(self.stride, self.field, self.dream.jitter, self.dream.margin)

    def step(self, octave: int, step: int) -> Step:
        """What a step of an octave asks for, both counted from 0."""
        moment = Moment(octave, len(self.sizes), step, self.dream.steps)
        return step_at(self.mix, self.dream, self.lattice, moment, self.dream.seed)


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
