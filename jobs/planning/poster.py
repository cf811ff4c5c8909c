"""The plan of a poster: everything that follows from its spec before it is rendered."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.planning.disk import DiskUse, disk_use
from jobs.planning.identity import Identity, canonical_json, poster_identity
from jobs.planning.machine import Machine
from jobs.planning.memory import VALUE_BYTES, WorkerMemory, largest_memory, worker_memory
from jobs.planning.octave import Octave, octave_work
from jobs.planning.source import (
    PictureInfo,
    check_aspect,
    check_size,
    describe_input,
    input_shape,
    picture_info,
)
from jobs.planning.weights import FindWeights, find_weights, resolve_objectives
from jobs.spec.attachments import attachment_paths, objective_document
from jobs.spec.length import PixelSize
from jobs.spec.poster import PosterSpec
from render.device import Device, ResolvedPrecision, resolve_precision
from render.dream.objective import Mix
from render.dream.octaves import octave_sizes
from render.engine.memory import mask_paths, octave_grids, stored_values
from render.engine.network_profile import NetworkProfile, profile_network
from render.engine.setup import smaller_octaves, window_threads
from render.geometry.grid import Grid
from render.geometry.partition import Block, partition
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid
from render.networks.classes import architecture_of

_BLOCK_TOLERANCE = 1.1
"""A block may need this many times the planned memory, where memory is tight."""


@dataclass(frozen=True)
class PosterPlan:
    """A poster's spec, worked out and checked against a machine.

    `workers`, `gpus_per_worker`, `memory`, `disk` and the loads in `octaves` depend on the machine
    and its crew. `precision: auto` depends on the GPUs of a worker; `profile` and the tiles
    follow from the precision. A job pins its precision, and nothing else depends on the machine.

    extent: the size of the poster, with its dpi. attachments: the masks and guides, by path.
    octaves: the smallest first.
    """

    spec: PosterSpec
    identity: Identity
    source: PictureInfo
    extent: PixelSize
    weights: Path
    weights_digest: str
    attachments: Mapping[Path, PictureInfo]
    mix: Mix
    precision: ResolvedPrecision
    profile: NetworkProfile
    octaves: tuple[Octave, ...]
    workers: int
    gpus_per_worker: int
    cores_per_worker: int
    memory: WorkerMemory

    @property
    def device(self) -> Device:
        """The device that its workers compute on."""
        return "cuda" if self.gpus_per_worker else "cpu"

    @property
    def size(self) -> Size:
        """Height and width of the poster."""
        return self.extent.height, self.extent.width

    @property
    def threads(self) -> int:
        """The threads of a CPU worker in the last octave."""
        return window_threads(self.octaves[-1].window ** 2, self.precision)

    @property
    def megapixel_steps(self) -> float:
        """The work of all octaves: millions of pixels times steps."""
        return sum(octave.megapixel_steps for octave in self.octaves)

    @property
    def disk(self) -> DiskUse:
        """The disk space that it needs."""
        return disk_use(
            source=(self.source.height, self.source.width),
            source_depth=self.source.depth,
            size=self.size,
            value_bytes=VALUE_BYTES[self.precision],
            stored=stored_values(self.mix, self.spec.dream, self.octaves[-1].tile),
            spills=self.memory.spills,
            outputs=self.spec.outputs,
            masks=tuple(self.attachments[path] for path in self.masks),
            base_pixels=sum(math.prod(self.octave_sizes[n]) for n in self.octaves_from_decoding),
        )

    @property
    def octaves_from_decoding(self) -> list[int]:
        """The octaves whose bases are made while the input is decoded."""
        return smaller_octaves((self.source.height, self.source.width), self.octave_sizes)

    @property
    def masks(self) -> tuple[Path, ...]:
        """The paths of the masks, each once."""
        return mask_paths(self.mix, self.spec.dream)

    @property
    def attachment_digests(self) -> dict[Path, str]:
        """The digests of the attachments, by path."""
        return {path: str(one.digest) for path, one in self.attachments.items()}

    @property
    def octave_sizes(self) -> tuple[Size, ...]:
        """The height and width of each octave, smallest first."""
        return tuple((octave.height, octave.width) for octave in self.octaves)

    def label(self) -> str:
        """The job and its plan as JSON, for a result's metadata: no crew and no paths."""
        return canonical_json({"spec": self.identity.document, "plan": self.pixel_settings()})

    def pixel_settings(self) -> dict[str, Any]:
        """The settings that affect pixels, as plain JSON values."""
        return {
            "size": list(self.size),
            "octaves": [[octave.height, octave.width] for octave in self.octaves],
            "tiles": [octave.tile for octave in self.octaves],
            "stride": self.profile.stride,
            "field": self.profile.field,
            "precision": self.precision,
            "objectives": [objective_document(one, self.attachment_digests) for one in self.mix],
        }

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The tiles of each octave."""
        return tuple(Grid(one.height, one.width, one.tile) for one in self.octaves)

    @property
    def sampling_grid(self) -> SamplingGrid:
        """The network's sampling grid, with the dream's jitter and margin."""
        return _sampling_grid(self.profile, self.spec)

    def with_workers(self, workers: int) -> "PosterPlan":
        """The same poster by another number of workers, each with the memory that it has now.

        Raises MachineTooSmall if a worker cannot hold its share.
        """
        memory = largest_memory(
            [self._memory(grid, partition(grid, workers)) for grid in self.grids]
        )
        if self.memory.is_frugal:
            # A frugal worker already holds as little as it can; only its halo has changed.
            memory = replace(memory, limit=max(memory.limit, memory.on_disk))
        memory.check(self.octaves[-1].tile)
        octaves = _octaves(self.grids, self.sampling_grid, self.spec.dream.steps, workers)
        return replace(self, workers=workers, memory=memory, octaves=octaves)

    def can_hold(self, grid: Grid, blocks: Sequence[Block]) -> bool:
        """Whether workers have the memory for these blocks of an octave.

        Tiles stay in memory or on disk, as planned. Where memory is tight, blocks may need little
        more than the plan says.
        """
        memory, planned = self._memory(grid, blocks), self.memory
        needed = memory.on_disk if planned.spills else memory.in_memory
        if not planned.is_limited and self.device == "cpu":
            return needed <= planned.limit
        return needed <= min(planned.limit, planned.needed * _BLOCK_TOLERANCE)

    def _memory(self, grid: Grid, blocks: Sequence[Block]) -> WorkerMemory:
        return worker_memory(
            grid,
            self.sampling_grid,
            self.profile.cost,
            stored_values(self.mix, self.spec.dream, grid.tile),
            VALUE_BYTES[self.precision],
            blocks,
            self.memory.limit,
            self.memory.is_limited,
        )


def make_plan(
    spec: PosterSpec,
    machine: Machine,
    find: FindWeights = find_weights,
    precision: ResolvedPrecision | None = None,
) -> PosterPlan:
    """Work out a poster's spec for a local crew on a machine, without rendering.

    Args:
        spec: The poster.
        machine: The machine that offers the workers.
        find: Finds and checks the weights.
        precision: The precision that an earlier holder pinned. It replaces the spec's precision
            but does not change the job's identity.

    Raises:
        RenderError, RequestError: The poster cannot be rendered here; the text is one line.
    """
    gpus = machine.gpus_per_worker(spec.crew)
    precision = resolve_precision(precision or spec.precision, has_gpu=gpus > 0)
    weights, weights_digest = find(spec.network)
    mix = resolve_objectives(spec.network.name, weights, spec.objectives)
    profile = profile_network(architecture_of(spec.network.name, weights), mix, precision)
    source, extent = describe_input(spec)
    paths = map(Path, attachment_paths(spec.document()))
    attachments = {path: picture_info(path, spec.limits.max_pixels) for path in paths}
    check_size(spec, extent)
    check_aspect(spec, source, extent)
    sampling_grid = _sampling_grid(profile, spec)
    size, shape = (extent.height, extent.width), input_shape(spec, source, extent)
    sizes = octave_sizes(size, spec.dream, shape)
    grids = octave_grids(sizes, spec.tiles.size, sampling_grid, profile.cost)
    workers = machine.workers(spec.crew, len(grids[-1]), machine.cores_per_worker)
    memory = largest_memory(
        [
            worker_memory(
                grid,
                sampling_grid,
                profile.cost,
                stored_values(mix, spec.dream, grid.tile),
                VALUE_BYTES[precision],
                partition(grid, workers),
                machine.memory_per_worker(spec.crew, workers),
                spec.crew.memory_per_worker != "auto",
            )
            for grid in grids
        ]
    )
    memory.check(grids[-1].tile)
    digests = {path: str(one.digest) for path, one in attachments.items()}
    return PosterPlan(
        spec=spec,
        identity=poster_identity(
            spec, weights=weights_digest, picture=source.digest, attachment_digests=digests
        ),
        source=source,
        extent=extent,
        weights=weights,
        weights_digest=weights_digest,
        attachments=attachments,
        mix=mix,
        precision=precision,
        profile=profile,
        octaves=_octaves(grids, sampling_grid, spec.dream.steps, workers),
        workers=workers,
        gpus_per_worker=gpus,
        cores_per_worker=max(spec.crew.cpus_each, machine.cores_per_worker),
        memory=memory,
    )


def _sampling_grid(profile: NetworkProfile, spec: PosterSpec) -> SamplingGrid:
    return SamplingGrid(profile.stride, profile.field, spec.dream.jitter, spec.dream.margin)


def _octaves(
    grids: Iterable[Grid], sampling_grid: SamplingGrid, steps: int, workers: int
) -> tuple[Octave, ...]:
    return tuple(octave_work(grid, sampling_grid, steps, workers) for grid in grids)
