"""Everything that a shard must know of a picture that is being rendered."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path

from render.device import Device
from render.dream import Dream
from render.grid import Grid
from render.lattice import Lattice
from render.mosaic import Mosaic
from render.objective import Mix
from render.precision import Resolved
from render.rect import Size
from render.schedule import Moment
from render.step import Step, step_at
from render.units import Units


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
