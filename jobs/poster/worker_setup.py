"""What a poster's crew must know, and the first thing its members need: the decoded input."""

from dataclasses import replace
from typing import TYPE_CHECKING

from jobs.planning.poster import Plan
from jobs.planning.source import Source
from jobs.runtime.context import Site
from render.engine.setup import Recipe
from render.networks.weight_paths import weights_file
from render.pictures.ingest import input_slots
from render.pictures.tiled_image import Mosaic, Slots, TileSet

if TYPE_CHECKING:
    from jobs.poster.worker import Worker


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


def worker(recipe: Recipe, site: Site, member: int) -> "Worker":
    """A worker, made where it will work.

    Coordinators only name it. Torch would cost each of them seconds, and memory.
    """
    from jobs.poster.worker import Worker

    site.check_store()
    weights = site.here(recipe.weights, site.blobs.weights)
    if not weights.exists():
        # They ship with the project, which lies elsewhere here.
        weights = weights_file(recipe.network, None)
    mix = recipe.mix.each(lambda one: replace(one, guide=one.guide and site.companion(one.guide)))
    return Worker(replace(recipe, weights=weights, mix=mix), site, member)
