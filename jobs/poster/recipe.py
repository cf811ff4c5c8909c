"""What a poster's crew must know, and the first thing its members need: the decoded input."""

from jobs.checkpoint.site import Site
from jobs.plan import Plan
from jobs.source import Source
from render.intake import input_slots
from render.mosaic import Mosaic, Slots, TileSet
from render.recipe import Recipe


def decoded_slots(source: Source) -> Slots:
    """How the tiles of a picture lie in the object that holds them."""
    return input_slots(source.height, source.width, source.depth)


def decoded(site: Site, key: str, source: Source) -> Mosaic:
    """A picture that has been taken in, or will be."""
    return Mosaic((TileSet(site.stored(key), decoded_slots(source)),))


def recipe(plan: Plan, site: Site) -> Recipe:
    """The plan as the engine needs it."""
    return Recipe(
        network=plan.spec.network.name,
        weights=plan.weights,
        mix=plan.mix,
        dream=plan.spec.dream,
        precision=plan.precision,
        device=plan.device,
        input=decoded(site, site.keys.input, plan.source),
        sizes=tuple((octave.height, octave.width) for octave in plan.octaves),
        tile=plan.tile,
        stride=plan.survey.stride,
        field=plan.survey.field,
        units=plan.survey.units,
        masks={
            path: decoded(site, site.keys.mask(number), plan.companions[path])
            for number, path in enumerate(plan.masks)
        },
        spill=plan.memory.spills,
        frugal=plan.memory.is_limited,
    )
