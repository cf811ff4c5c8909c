"""A poster rendered by a crew: octaves, then files, and no pixel in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.crew import Crew
from jobs.plan import Plan
from jobs.spec import Output
from render.intake import taken_in
from render.mosaic import Mosaic
from render.partition import partition
from render.pictures.format import FORMATS
from render.pictures.labels import Labels
from render.recipe import Recipe
from render.step import scales


@dataclass(frozen=True)
class Progress:
    """Where a render is: `octave` of `octaves` and `step` of `steps`, counted from 1.

    `done` and `total` are megapixel-steps; `phase` is `decode`, `dream` or `encode`.
    """

    phase: str
    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    total: float


Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Written:
    """One output: its file (or .dzi), its digest as `sha256:...`."""

    path: Path
    format: str
    depth: int
    digest: str


def recipe(plan: Plan, scratch: Path) -> Recipe:
    """What the plan's crew must know; the decoded input will lie in `scratch`."""
    source = plan.source
    return Recipe(
        network=plan.spec.network.name,
        weights=plan.weights,
        mix=plan.mix,
        dream=plan.spec.dream,
        precision=plan.precision,
        device=plan.device,
        input=taken_in(source.height, source.width, source.depth, scratch / "input.tiles"),
        sizes=tuple((octave.height, octave.width) for octave in plan.octaves),
        tile=plan.tile,
        stride=plan.survey.stride,
        field=plan.survey.field,
        spill=plan.memory.spills,
        frugal=plan.memory.is_limited,
    )


def member_arguments(plan: Plan, scratch: Path) -> list[tuple[Recipe, Path]]:
    """What each member of the crew is made with: `Worker(*arguments)`."""
    known = recipe(plan, scratch)
    return [(known, scratch / f"worker-{member}") for member in range(plan.workers)]


def render_poster(plan: Plan, crew: Crew, scratch: Path, watch: Watch) -> list[Written]:
    """Render the plan; the outputs are then in `scratch / "outputs"`.

    Raises what the members raise, and MemberLost where a member dies.
    """
    known = recipe(plan, scratch)
    steps = plan.spec.dream.steps
    watch(Progress("decode", 0, len(plan.octaves), 0, steps, 0.0, plan.megapixel_steps))
    crew.call("take_in", {0: (plan.spec,)})
    canvas = _dreamed(plan, known, crew, scratch, watch)
    octaves, total = len(plan.octaves), plan.megapixel_steps
    watch(Progress("encode", octaves, octaves, steps, steps, total, total))
    return _written(plan, crew, canvas, scratch / "outputs")


def output_names(plan: Plan) -> list[str]:
    """The names of the plan's files, in the order of its outputs."""
    return [_name(plan, output) for output in plan.spec.outputs]


def _name(plan: Plan, output: Output) -> str:
    return plan.spec.name + FORMATS[output.format].suffix


def _dreamed(plan: Plan, known: Recipe, crew: Crew, scratch: Path, watch: Watch) -> Mosaic:
    """Every octave in turn, each from the commit of the one before. Returns the last commit."""
    before: Mosaic | None = None
    done = 0.0
    for octave, work in enumerate(plan.octaves):

        def count(step: int, before_octave: float = done, octave: int = octave) -> None:
            share = step * plan.octaves[octave].megapixel_steps / max(1, known.dream.steps)
            watch(
                Progress(
                    "dream",
                    octave + 1,
                    len(plan.octaves),
                    step,
                    known.dream.steps,
                    before_octave + share,
                    plan.megapixel_steps,
                )
            )

        committed = _octave(known, octave, crew, before, scratch, count)
        for file in before.files if before else ():
            file.path.unlink()
        before = committed
        done += work.megapixel_steps
    if before is None:
        raise ValueError("a plan has at least one octave")
    return before


def _octave(
    known: Recipe,
    octave: int,
    crew: Crew,
    before: Mosaic | None,
    scratch: Path,
    count: Callable[[int], None],
) -> Mosaic:
    """Two light barriers a step: the sums of all tiles, in tile order, then one scale for all."""
    grid, everyone = known.grid(octave), range(crew.size)
    paths = [scratch / f"octave-{octave}-{member}.tiles" for member in everyone]
    count(0)
    blocks = partition(grid, crew.size)
    parcels = crew.deal("begin", {m: (octave, blocks, m, before) for m in everyone})
    for step in range(known.dream.steps):
        found = crew.call(
            "climb", {m: (step, *(parcels[giver][m] for giver in everyone)) for m in everyone}
        )
        sums = {tile: total for part in found.values() for tile, total in part.items()}
        ordered = [sums[tile] for tile in sorted(sums)]
        scale = scales(known.mix, ordered, (grid.height, grid.width))
        parcels = crew.deal("update", dict.fromkeys(everyone, (scale,)))
        count(step + 1)
    busy = [m for m in everyone if blocks[m].tiles(grid)]
    files = crew.call("commit", {m: (paths[m],) for m in busy})
    return Mosaic(tuple(files[m] for m in busy))


def _written(plan: Plan, crew: Crew, canvas: Mosaic, folder: Path) -> list[Written]:
    """Every output, each encoded by one member, as many at a time as there are members."""
    folder.mkdir()
    labels = Labels(plan.extent.dpi, plan.label())
    written = []
    for first in range(0, len(plan.spec.outputs), crew.size):
        batch = plan.spec.outputs[first : first + crew.size]
        paths = [folder / _name(plan, one) for one in batch]
        digests = crew.call(
            "write",
            {
                member: (canvas, paths[member], one.format, one.depth, labels)
                for member, one in enumerate(batch)
            },
        )
        written += [
            Written(paths[member], one.format, one.depth, digests[member])
            for member, one in enumerate(batch)
        ]
    return written
