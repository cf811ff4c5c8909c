"""A poster's files: encoded from the last commit, each by one member of a crew."""

from dataclasses import dataclass

from cluster.crew import Crew
from jobs.plan import Plan
from jobs.spec import Output
from render.mosaic import Mosaic
from render.pictures.format import FORMATS
from render.pictures.labels import Labels


@dataclass(frozen=True)
class Written:
    """One output: its name, its digest as `sha256:...`, and the bytes of all its files."""

    name: str
    format: str
    depth: int
    digest: str
    size: int


def output_names(plan: Plan) -> list[str]:
    """The names of the plan's files, in the order of its outputs."""
    return [output_name(plan, output) for output in plan.spec.outputs]


def output_name(plan: Plan, output: Output) -> str:
    """The name of one output's file, or of its .dzi."""
    return plan.spec.name + FORMATS[output.format].suffix


def labels(plan: Plan) -> Labels:
    """What the plan's files say of themselves."""
    return Labels(plan.extent.dpi, plan.label())


def write_outputs(plan: Plan, crew: Crew, canvas: Mosaic) -> list[Written]:
    """Every output, as many at a time as there are members."""
    written = []
    outputs = plan.spec.outputs
    for first in range(0, len(outputs), crew.size):
        batch = outputs[first : first + crew.size]
        names = [output_name(plan, one) for one in batch]
        encoded = crew.call(
            "write",
            {
                member: (canvas, names[member], one.format, one.depth, labels(plan))
                for member, one in enumerate(batch)
            },
        )
        written += [
            Written(names[member], one.format, one.depth, found.digest, found.size)
            for member, (one, found) in enumerate(zip(batch, encoded.values(), strict=True))
        ]
    return written
