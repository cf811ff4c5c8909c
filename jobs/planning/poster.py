"""The plan of a poster: everything that follows from its spec before it is rendered."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jobs.planning.disk import DiskUse, disk_use
from jobs.planning.identity import Identity, canonical_json, poster_identity
from jobs.planning.machine import Machine
from jobs.planning.memory import VALUE_BYTES, WorkerMemory, largest_memory, worker_memory
from jobs.planning.octave import Octave, octave_work
from jobs.planning.redo import RedoPlan, older_spec, plan_redo, region_grids
from jobs.planning.source import (
    PictureInfo,
    check_aspect,
    check_size,
    describe_input,
    input_shape,
    picture_info,
    profile_digests,
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
from render.engine.setup import FirstOctave, smaller_octaves, window_threads
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
    profiles: the digests of the profiles of presses, by path.
    octaves: the smallest first. redo: what is dreamed again of an older picture; None: nothing.
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
    redo: "RedoPlan[PosterPlan] | None" = None
    profiles: Mapping[Path, str] = field(default_factory=dict)

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
            stored=self._stored(self.octaves[-1].tile),
            spills=self.memory.spills,
            outputs=self.spec.outputs,
            masks=tuple(self.attachments[path] for path in self.masks),
            base_pixels=sum(math.prod(self.octave_sizes[n]) for n in self.octaves_from_decoding),
            dpi=self.extent.dpi,
        )

    @property
    def octaves_from_decoding(self) -> list[int]:
        """The octaves whose bases are made while the input is decoded."""
        source = self.source.height, self.source.width
        smaller = smaller_octaves(source, self.octave_sizes, self.spec.dream.edges)
        # A redo starts from the detail of the octave before its first.
        return [octave for octave in smaller if octave >= self.first - 1]

    @property
    def first(self) -> int:
        """The first octave that is dreamed, counted from 0."""
        return 0 if self.redo is None else self.redo.first

    @property
    def beginnings(self) -> tuple[FirstOctave, ...]:
        """The dreams that began in the first octave; see `ShardSetup`."""
        own = FirstOctave(self.spec.dream)
        if self.redo is None:
            return (own,)
        older = self.redo.older.beginnings
        return older if self.redo.first else (*older, replace(own, region=self.redo.region))

    @property
    def older_plans(self) -> tuple["PosterPlan", ...]:
        """The plans of the older pictures of a redo, the newest first."""
        return () if self.redo is None else (self.redo.older, *self.redo.older.older_plans)

    @property
    def masks(self) -> tuple[Path, ...]:
        """The paths of the masks, each once."""
        regions = [one.region for one in self.beginnings]
        regions += [] if self.redo is None else [self.redo.region]
        chosen = [one.mask for one in regions if one is not None and one.mask is not None]
        return tuple(dict.fromkeys([*mask_paths(self.mix, self.spec.dream), *chosen]))

    @property
    def attachment_digests(self) -> dict[Path, str]:
        """The digests of the attachments and the profiles, by path."""
        pictures = {path: str(one.digest) for path, one in self.attachments.items()}
        return {**pictures, **self.profiles}

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
            **({} if self.redo is None else {"redo": self._redone()}),
        }

    def _redone(self) -> dict[str, Any]:
        """The first octave that is dreamed again, from 0, and the region in each octave."""
        regions = [None if one.region is None else list(one.region) for one in self.octaves]
        return {"first": self.first, "regions": regions}

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The tiles of each octave."""
        return tuple(Grid(one.height, one.width, one.tile, one.region) for one in self.octaves)

    @property
    def sampling_grid(self) -> SamplingGrid:
        """The network's sampling grid, with the dream's jitter and margin."""
        return _sampling_grid(self.profile, self.spec)

    def with_workers(self, workers: int) -> "PosterPlan":
        """The same poster by another number of workers, each with the memory that it has now.

        Raises MachineTooSmall if a worker cannot hold its share.
        """
        memory = largest_memory(
            [self._memory(grid, partition(grid, workers)) for grid in self.grids[self.first :]]
        )
        if self.memory.is_frugal:
            # A frugal worker already holds as little as it can; only its halo has changed.
            memory = replace(memory, limit=max(memory.limit, memory.on_disk))
        memory.check(self.octaves[-1].tile)
        octaves = _octaves(self.grids, self.sampling_grid, self.spec, workers, self.first)
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

    def _stored(self, tile: int) -> float:
        return _stored_values(self.mix, self.spec, tile)

    def _memory(self, grid: Grid, blocks: Sequence[Block]) -> WorkerMemory:
        return worker_memory(
            grid,
            self.sampling_grid,
            self.profile.cost,
            self._stored(grid.tile),
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
    profiles = profile_digests(spec)
    attachments = {
        path: picture_info(path, spec.limits.max_pixels) for path in paths if path not in profiles
    }
    check_size(spec, extent)
    check_aspect(spec, source, extent)
    sampling_grid = _sampling_grid(profile, spec)
    size, shape = (extent.height, extent.width), input_shape(spec, source, extent)
    sizes = octave_sizes(size, spec.dream, shape, profile.stride)
    tile = spec.dream.tile(spec.tiles.size)
    grids = octave_grids(sizes, tile, sampling_grid, profile.cost)
    redo = None
    if spec.redo is not None:
        older = make_plan(older_spec(spec), machine, find, precision)
        redo = plan_redo(spec.redo, older, older.octave_sizes, sizes, spec.limits.max_pixels)

        def tile_of(size: Size) -> int:
            return octave_grids((size,), tile, sampling_grid, profile.cost)[0].tile

        grids = region_grids(grids, redo, tile_of)
    first = 0 if redo is None else redo.first
    workers = machine.workers(spec.crew, len(grids[-1]), machine.cores_per_worker)
    memory = largest_memory(
        [
            worker_memory(
                grid,
                sampling_grid,
                profile.cost,
                _stored_values(mix, spec, grid.tile),
                VALUE_BYTES[precision],
                partition(grid, workers),
                machine.memory_per_worker(spec.crew, workers),
                spec.crew.memory_per_worker != "auto",
            )
            for grid in grids[first:]
        ]
    )
    memory.check(grids[-1].tile)
    digests = {path: str(one.digest) for path, one in attachments.items()} | profiles
    return PosterPlan(
        spec=spec,
        identity=poster_identity(
            spec,
            weights=weights_digest,
            picture=source.digest,
            attachment_digests=digests,
            older_weights=_older_weights(redo),
        ),
        source=source,
        extent=extent,
        weights=weights,
        weights_digest=weights_digest,
        attachments=attachments,
        mix=mix,
        precision=precision,
        profile=profile,
        octaves=_octaves(grids, sampling_grid, spec, workers, first),
        workers=workers,
        gpus_per_worker=gpus,
        cores_per_worker=max(spec.crew.cpus_each, machine.cores_per_worker),
        memory=memory,
        redo=redo,
        profiles=profiles,
    )


def _older_weights(redo: RedoPlan[PosterPlan] | None) -> list[str]:
    """The digests of the weights of the older pictures, the newest first."""
    return [] if redo is None else [redo.older.weights_digest, *_older_weights(redo.older.redo)]


def _stored_values(mix: Mix, spec: PosterSpec, tile: int) -> float:
    """See `stored_values`; the weights of a region are one more mask."""
    has_region = spec.redo is not None and spec.redo.has_part
    return stored_values(mix, spec.dream, tile) + (1 / 3 if has_region else 0)


def _sampling_grid(profile: NetworkProfile, spec: PosterSpec) -> SamplingGrid:
    return spec.dream.sampling_grid(profile.stride, profile.field)


def _octaves(
    grids: Iterable[Grid], sampling_grid: SamplingGrid, spec: PosterSpec, workers: int, first: int
) -> tuple[Octave, ...]:
    steps = spec.dream.steps
    return tuple(
        octave_work(grid, sampling_grid, steps if number >= first else 0, workers)
        for number, grid in enumerate(grids)
    )
