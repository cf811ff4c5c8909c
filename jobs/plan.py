"""The plan: everything that follows from a spec before anything is rendered."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.disk import Disk, disk_use
from jobs.errors import RequestError
from jobs.identity import Identity, canonical, file_digest, identity
from jobs.machine import Machine
from jobs.memory import Memory, worker_memory
from jobs.size import Extent
from jobs.source import opened
from jobs.spec import Spec
from render.grid import Grid
from render.lattice import Lattice
from render.networks.default_layer import default_layer
from render.networks.whereabouts import weights_file
from render.objective import Mix, Objective
from render.octaves import octave_sizes
from render.pictures.format import check_output
from render.precision import Resolved, resolved
from render.rect import Size
from render.survey import Survey, check_weights, survey
from render.tiling import auto_tile


@dataclass(frozen=True)
class Source:
    """The input as it was found: height, width, bits a sample, digest if it is a file."""

    height: int
    width: int
    depth: int
    digest: str | None


@dataclass(frozen=True)
class Octave:
    """One octave's work: its size, its tiles, and the pixels of all their windows together."""

    height: int
    width: int
    rows: int
    columns: int
    window: int
    window_pixels: int
    steps: int

    @property
    def megapixel_steps(self) -> float:
        """Millions of pixels times steps."""
        return self.height * self.width * self.steps / 1e6

    @property
    def overhead(self) -> float:
        """Pixels computed for each pixel of the picture: halos, and padding at the borders."""
        return self.window_pixels / (self.height * self.width)


@dataclass(frozen=True)
class Plan:
    """A spec worked out, and checked against this machine. Only `crew` and `memory` know a crew."""

    spec: Spec
    identity: Identity
    source: Source
    extent: Extent
    weights: Path
    weights_digest: str
    mix: Mix
    precision: Resolved
    survey: Survey
    tile: int
    octaves: tuple[Octave, ...]
    workers: int
    gpus_per_worker: int
    memory: Memory
    disk: Disk

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
            "objectives": [
                {"layer": one.layer, "channels": one.channels, "weight": one.weight}
                for one in self.mix
            ],
        }


def make_plan(spec: Spec, machine: Machine) -> Plan:
    """Work a spec out for a local crew on this machine.

    Nothing is rendered, and nothing is written but what was found out about a network. RenderError
    or RequestError, in one line, where it cannot be done.
    """
    gpus = _gpus(spec, machine)
    precision = resolved(spec.precision, has_gpu=gpus > 0)
    chosen = spec.objectives or (Objective(default_layer(spec.network.name)),)
    mix = Mix(tuple(chosen))
    seen = survey(spec.network.name, mix, precision)
    weights, weights_digest = _weights(spec)
    picture, extent = opened(spec)
    _check_size(spec, extent)
    digest = file_digest(spec.input.path) if spec.input.path is not None else None
    size = (extent.height, extent.width)
    lattice = Lattice(seen.stride, seen.field, spec.dream.jitter)
    tile = spec.tiles.size if spec.tiles.size != "auto" else auto_tile(size, lattice, seen.cost)
    grids = [Grid(*octave, tile) for octave in octave_sizes(size, spec.dream)]
    workers = _workers(spec, machine, len(grids[-1]))
    value_bytes = 8 if precision == "float64" else 4
    limit = spec.crew.memory_per_worker
    memory = worker_memory(
        grids[-1],
        lattice,
        seen.cost,
        len(mix),
        value_bytes,
        workers,
        machine.memory * 3 // 4 // workers if limit == "auto" else int(limit),
    )
    _check_memory(memory, tile)
    return Plan(
        spec=spec,
        identity=identity(spec, weights=weights_digest, picture=digest),
        source=Source(picture.height, picture.width, picture.depth, digest),
        extent=extent,
        weights=weights,
        weights_digest=weights_digest,
        mix=mix,
        precision=precision,
        survey=seen,
        tile=tile,
        octaves=tuple(_octave(grid, lattice, spec.dream.steps) for grid in grids),
        workers=workers,
        gpus_per_worker=gpus,
        memory=memory,
        disk=disk_use(
            picture.height * picture.width,
            picture.depth,
            size[0] * size[1],
            value_bytes,
            len(mix),
            memory.spills,
            spec.outputs,
        ),
    )


def _weights(spec: Spec) -> tuple[Path, str]:
    named = spec.network.weights
    path = weights_file(spec.network.name, None if named is None else str(named))
    digest = file_digest(path)
    check_weights(spec.network.name, path, digest)
    return path, digest


def _check_size(spec: Spec, extent: Extent) -> None:
    pixels = extent.height * extent.width
    if pixels > spec.limits.max_pixels:
        raise RequestError(
            f"size {spec.size}: {extent.width} x {extent.height} is {pixels / 1e6:.0f} megapixels, "
            f"and at most {spec.limits.max_pixels / 1e6:.0f} are allowed; "
            "choose a smaller size, or raise limits.max_pixels"
        )
    for output in spec.outputs:
        check_output(output.format, extent.height, extent.width, output.depth)


def _workers(spec: Spec, machine: Machine, tiles: int) -> int:
    """As many as were asked for; else one a GPU or core, but none without a tile."""
    if spec.crew.workers != "auto":
        return spec.crew.workers
    return min(machine.gpus or machine.cores, tiles)


def _gpus(spec: Spec, machine: Machine) -> int:
    if spec.crew.gpus_per_worker != "auto":
        return spec.crew.gpus_per_worker
    return 1 if machine.gpus else 0


def _check_memory(memory: Memory, tile: int) -> None:
    if not memory.fits:
        raise RequestError(
            f"crew.memory_per_worker: a worker needs {memory.needed / 2**30:.2f} GiB for "
            f"tiles of {tile} pixels and may take {memory.limit / 2**30:.2f} GiB; "
            "choose a smaller tiles.size, fewer workers, or a higher crew.memory_per_worker"
        )


def _octave(grid: Grid, lattice: Lattice, steps: int) -> Octave:
    size = (grid.height, grid.width)
    windows = [
        lattice.window(grid.core(tile), grid.tile, (0, 0), size).area for tile in range(len(grid))
    ]
    return Octave(
        grid.height,
        grid.width,
        grid.rows,
        grid.columns,
        lattice.extent(grid.tile),
        sum(windows),
        steps,
    )
