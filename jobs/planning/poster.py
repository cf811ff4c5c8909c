"""The plan: everything that follows from a spec before anything is rendered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.planning.disk import Disk, disk_use
from jobs.planning.identity import Identity, canonical, file_digest, identity
from jobs.planning.machine import Machine
from jobs.planning.memory import VALUE_BYTES, Memory, worker_memory
from jobs.planning.octave import Octave, octave_work
from jobs.planning.source import Source, opened, sourced
from jobs.planning.weights import Choose, chosen_mix, chosen_weights
from jobs.spec.attachments import companions, described
from jobs.spec.poster import Spec
from jobs.spec.size import Extent
from jobs.text.errors import RequestError
from render.device import Device, Resolved, resolved
from render.dream.objective import Mix
from render.dream.octaves import octave_sizes
from render.engine.memory import kept_values, masks_named
from render.engine.network_profile import Survey, survey
from render.engine.tiling import auto_tile
from render.geometry.grid import Grid
from render.geometry.partition import Block, partition
from render.geometry.rect import Size
from render.geometry.sampling_grid import Lattice
from render.pictures.output_format import Labels, check_output

_A_LITTLE = 1.1


@dataclass(frozen=True)
class Plan:
    """A spec worked out, and checked against a machine.

    Only `workers`, `gpus_per_worker`, `memory` and `disk` know of that machine and its crew.
    """

    spec: Spec
    identity: Identity
    source: Source
    extent: Extent
    weights: Path
    weights_digest: str
    companions: Mapping[Path, Source]
    mix: Mix
    precision: Resolved
    survey: Survey
    tile: int
    octaves: tuple[Octave, ...]
    workers: int
    gpus_per_worker: int
    memory: Memory

    @property
    def device(self) -> Device:
        """Where its workers compute."""
        return "cuda" if self.gpus_per_worker else "cpu"

    @property
    def size(self) -> Size:
        """Height and width of the poster."""
        return self.extent.height, self.extent.width

    @property
    def megapixel_steps(self) -> float:
        """The work of all octaves."""
        return sum(octave.megapixel_steps for octave in self.octaves)

    @property
    def window_pixel_steps(self) -> int:
        """What the network will see, halos included: pixels times steps."""
        return sum(octave.window_pixels * octave.steps for octave in self.octaves)

    @property
    def disk(self) -> Disk:
        """The bytes it reads, keeps and writes."""
        return disk_use(
            (self.source.height, self.source.width),
            self.source.depth,
            self.size,
            VALUE_BYTES[self.precision],
            kept_values(self.mix, self.spec.dream, self.tile),
            self.memory.spills,
            self.spec.outputs,
            tuple(self.companions[path] for path in self.masks),
        )

    @property
    def masks(self) -> tuple[Path, ...]:
        """The companions that say where something is to happen, each once."""
        return masks_named(self.mix, self.spec.dream)

    def label(self) -> str:
        """What outputs say of themselves: the identity and the plan, without crew or paths."""
        return canonical({"spec": self.identity.document, "plan": self.pixels()})

    def pixels(self) -> dict[str, Any]:
        """What of the plan decides the pixels, as plain JSON values."""
        return {
            "size": list(self.size),
            "octaves": [[octave.height, octave.width] for octave in self.octaves],
            "tile": self.tile,
            "stride": self.survey.stride,
            "field": self.survey.field,
            "precision": self.precision,
            "objectives": [described(one, self.digests) for one in self.mix],
        }

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The tiles of each octave."""
        return tuple(Grid(one.height, one.width, self.tile) for one in self.octaves)

    @property
    def lattice(self) -> Lattice:
        """The network's sampling grid at the dream's jitter."""
        dream = self.spec.dream
        return Lattice(self.survey.stride, self.survey.field, dream.jitter, dream.margin)

    def crewed(self, workers: int) -> "Plan":
        """The same poster by more or fewer workers, each as large as now.

        TooSmall where not even one tile fits.
        """
        dream, lattice = self.spec.dream, self.lattice
        memory = self._memory(self.grids[-1], partition(self.grids[-1], workers))
        if self.memory.is_frugal:
            # It holds as little as it can; only what its neighbours lend has changed.
            memory = replace(memory, limit=max(memory.limit, memory.on_disk))
        memory.check(self.tile)
        octaves = tuple(octave_work(grid, lattice, dream.steps, workers) for grid in self.grids)
        return replace(self, workers=workers, memory=memory, octaves=octaves)

    def can_hold(self, grid: Grid, blocks: Sequence[Block]) -> bool:
        """Whether workers may hold these blocks of an octave, as the plan has them hold tiles.

        Where memory is tight they may take little more than the plan has said.
        """
        found, said = self._memory(grid, blocks), self.memory
        needed = found.on_disk if said.spills else found.in_memory
        is_tight = said.is_limited or self.device == "cuda"
        return needed <= (min(said.limit, said.needed * _A_LITTLE) if is_tight else said.limit)

    def _memory(self, grid: Grid, blocks: Sequence[Block]) -> Memory:
        return worker_memory(
            grid,
            self.lattice,
            self.survey.cost,
            kept_values(self.mix, self.spec.dream, self.tile),
            VALUE_BYTES[self.precision],
            blocks,
            self.memory.limit,
            self.memory.is_limited,
        )

    @property
    def digests(self) -> dict[Path, str]:
        """Those of the companions, by path."""
        return {path: str(one.digest) for path, one in self.companions.items()}


def make_plan(spec: Spec, machine: Machine, choose: Choose = chosen_weights) -> Plan:
    """Work a spec out for a local crew on a machine.

    choose: finds the weights. Nothing is rendered, and nothing is written but what was found out
    about a network. RenderError or RequestError, in one line, where it cannot be done.
    """
    gpus = machine.gpus_each(spec.crew)
    precision = resolved(spec.precision, has_gpu=gpus > 0)
    weights, weights_digest = choose(spec.network)
    mix = chosen_mix(spec.network.name, weights, spec.objectives)
    seen = survey(spec.network.name, mix, precision)
    source, extent = _source(spec)
    paths = map(Path, companions(spec.document()))
    beside = {path: sourced(path, spec.limits.max_pixels) for path in paths}
    _check_extent(spec, extent)
    size = (extent.height, extent.width)
    lattice = Lattice(seen.stride, seen.field, spec.dream.jitter, spec.dream.margin)
    tile = auto_tile(size, lattice, seen.cost) if spec.tiles.size == "auto" else spec.tiles.size
    grids = [Grid(*octave, tile) for octave in octave_sizes(size, spec.dream)]
    workers = machine.workers(spec.crew, len(grids[-1]))
    memory = worker_memory(
        grids[-1],
        lattice,
        seen.cost,
        kept_values(mix, spec.dream, tile),
        VALUE_BYTES[precision],
        partition(grids[-1], workers),
        machine.memory_each(spec.crew, workers),
        spec.crew.memory_per_worker != "auto",
    )
    memory.check(tile)
    return Plan(
        spec=spec,
        identity=identity(
            spec,
            weights=weights_digest,
            picture=source.digest,
            companions={path: str(one.digest) for path, one in beside.items()},
        ),
        source=source,
        extent=extent,
        weights=weights,
        weights_digest=weights_digest,
        companions=beside,
        mix=mix,
        precision=precision,
        survey=seen,
        tile=tile,
        octaves=tuple(octave_work(grid, lattice, spec.dream.steps, workers) for grid in grids),
        workers=workers,
        gpus_per_worker=gpus,
        memory=memory,
    )


def _source(spec: Spec) -> tuple[Source, Extent]:
    picture, extent = opened(spec)
    digest = None if spec.input.path is None else file_digest(spec.input.path)
    return Source(picture.height, picture.width, picture.depth, digest), extent


def _check_extent(spec: Spec, extent: Extent) -> None:
    pixels = extent.height * extent.width
    if pixels > spec.limits.max_pixels:
        raise RequestError(
            f"size {spec.size}: {extent.width} x {extent.height} is {pixels / 1e6:.0f} megapixels, "
            f"and at most {spec.limits.max_pixels / 1e6:.0f} are allowed; "
            "choose a smaller size, or raise limits.max_pixels"
        )
    for output in spec.outputs:
        check_output(output.format, extent.height, extent.width, output.depth)
    try:
        Labels(extent.dpi, identity="")
    except ValueError as why:
        raise RequestError(f"size {spec.size}: {why}; change what follows the @") from why
