"""What the engines must know to render a picture. Needs no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import TYPE_CHECKING

from render.device import Device, ResolvedPrecision
from render.dream.config import Dream, Moment
from render.dream.objective import Mix
from render.dream.region import Region
from render.dream.step import Step, step_at
from render.geometry.edges import Edges, axis_edges
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid
from render.geometry.units import UnitGrid

if TYPE_CHECKING:
    from render.pictures.tiled_image import TiledImage


MAX_THREADS = 8
"""The threads of a worker. On fewer cores they take turns, which costs a twentieth of the time."""


_MANY_PIXELS = 1 << 17
"""A window with fewer pixels is computed by one thread."""


def window_threads(pixels: int, precision: ResolvedPrecision) -> int:
    """The threads that compute windows of so many pixels on a CPU.

    Kernels split their sums by the number of threads, so the plan decides it and not the machine.
    Windows of few pixels have one thread, because more would cost more than they gain. float64 has
    one, because MKL looks at the cores as well.
    """
    return 1 if precision == "float64" or pixels < _MANY_PIXELS else MAX_THREADS


@dataclass(frozen=True)
class RenderSetup:
    """What all engines share.

    grids: the tiles of each octave, smallest first.
    stride, field: of the network, over all layers of the mix, in pixels.
    units: the unit grid of each layer; only neurons and guides need it.
    """

    mix: Mix
    dream: Dream
    precision: ResolvedPrecision
    device: Device
    grids: tuple[Grid, ...]
    stride: int
    field: int
    units: Mapping[str, UnitGrid] = dataclass_field(default_factory=dict)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The octaves' heights and widths, smallest first."""
        return tuple((grid.height, grid.width) for grid in self.grids)

    @property
    def largest_window(self) -> int:
        """The pixels of the largest window of all octaves."""
        return max(self._window(grid) for grid in self.grids)

    @property
    def sampling_grid(self) -> SamplingGrid:
        """The network's sampling grid with the dream's jitter, margin and edges."""
        return self.dream.sampling_grid(self.stride, self.field)

    def threads(self, octave: int) -> int:
        """The threads that compute an octave on a CPU, whatever number of cores runs them."""
        return window_threads(self._window(self.grids[octave]), self.precision)

    def _window(self, grid: Grid) -> int:
        return self.sampling_grid.largest_window(grid.tile, (grid.height, grid.width))

    def step(self, octave: int, step: int, seed: int | None = None) -> Step:
        """A step of an octave, both counted from 0. `seed` replaces the dream's own seed."""
        moment = Moment(octave, len(self.grids), step, self.dream.steps)
        seed = self.dream.seed if seed is None else seed
        return step_at(self.mix, self.dream, self.sampling_grid, moment, seed)


def smaller_octaves(source: Size, sizes: Sequence[Size], edges: Edges = "zero") -> list[int]:
    """The octaves whose bases are made while decoding: those that are smaller than the input.

    There are none if the picture wraps: its first pixels are resampled from its last ones as well.
    """
    if "wrap" in axis_edges(edges):
        return []
    return [
        octave
        for octave, size in enumerate(sizes)
        if size != source and size[0] <= source[0] and size[1] <= source[1]
    ]


@dataclass(frozen=True)
class FirstOctave:
    """A dream that began in the first octave, and the region where it did; None: everywhere.

    Its seed made the noise there, which the second octave takes off again.
    """

    dream: Dream
    region: Region | None = None


@dataclass(frozen=True, kw_only=True)
class ShardSetup(RenderSetup):
    """One picture that shards render; the same for every member of a crew.

    network, weights: the network's name and its weights file.
    input: the decoded picture.
    bases: the input at the sizes of some octaves, by octave; the others are resampled from `input`.
    masks: the ingested masks of the mix, the dream and the regions.
    region: the part of an older picture that is dreamed again; None for the whole.
    older: that picture at the end of octaves, by octave: of the one from which the first begins,
        and of those that the region changes.
    beginnings: the dreams that began in the first octave, each over those before it; empty for the
        setup's own. The first one began everywhere.
    spill: keep tiles in files between uses.
    returns_freed_memory: on a CPU, return freed memory at once instead of keeping it for speed.
    """

    network: str
    weights: Path
    input: "TiledImage"
    bases: Mapping[int, "TiledImage"] = dataclass_field(default_factory=dict)
    masks: Mapping[Path, "TiledImage"] = dataclass_field(default_factory=dict)
    region: Region | None = None
    older: Mapping[int, "TiledImage"] = dataclass_field(default_factory=dict)
    beginnings: tuple[FirstOctave, ...] = ()
    spill: bool = False
    returns_freed_memory: bool = False


@dataclass(frozen=True, kw_only=True)
class InMemorySetup(RenderSetup):
    """All pictures of one size that are dreamed in memory; each picture has its own seed.

    batch: how many pictures share a pass of the network on a GPU.
    """

    batch: int = 1

    @property
    def windows_per_pass(self) -> int:
        """How many windows a pass of the network has: the batch on a GPU, 1 on a CPU.

        oneDNN chooses its kernels by the whole shape, so on a CPU a pass of eight may have other
        bits than a pass of one. One thread gains little from it (pareidolia at 256 pixels: at most
        a tenth).
        """
        return self.batch if self.device == "cuda" else 1
