"""The way to a worker for those who must not load what it computes with."""

from dataclasses import replace
from typing import TYPE_CHECKING

from jobs.checkpoint.site import Site
from render.networks.whereabouts import weights_file
from render.recipe import Recipe

if TYPE_CHECKING:
    from jobs.poster.worker import Worker


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
