"""What a poster's crew must know, and the first thing its members need: the decoded input."""

from jobs.checkpoint.site import Site
from jobs.plan import Plan
from render.intake import input_slots
from render.mosaic import Mosaic, Slots, TileSet
from render.recipe import Recipe


def decoded_slots(plan: Plan) -> Slots:
    """How the tiles of the plan's input lie in the object that holds them."""
    return input_slots(plan.source.height, plan.source.width, plan.source.depth)


def recipe(plan: Plan, site: Site) -> Recipe:
    """The plan as the engine needs it."""
    return Recipe(
        network=plan.spec.network.name,
        weights=plan.weights,
        mix=plan.mix,
        dream=plan.spec.dream,
        precision=plan.precision,
        device=plan.device,
        input=Mosaic((TileSet(site.stored(site.keys.input), decoded_slots(plan)),)),
        sizes=tuple((octave.height, octave.width) for octave in plan.octaves),
        tile=plan.tile,
        stride=plan.survey.stride,
        field=plan.survey.field,
        spill=plan.memory.spills,
        frugal=plan.memory.is_limited,
    )
