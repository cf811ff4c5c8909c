"""Studies dreamed together: on a GPU several in one pass of the network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.dream.band_gradient import View, slopes, stacked_slopes
from render.dream.objective import Objective
from render.engine.in_memory import NO_MASKS, Dreamed, Study
from render.engine.setup import StudyRecipe
from render.networks.network import Network
from render.pictures.tiled_image import Mosaic


def dreamed_studies(
    network: Network,
    recipe: StudyRecipe,
    pictures: Sequence[np.ndarray],
    seeds: Sequence[int],
    masks: Mapping[Path, Mosaic] = NO_MASKS,
) -> list[Dreamed]:
    """Dream pictures, (h, w, 3) of uint8 or uint16, each with its own seed, at the recipe's size.

    A study has the bytes of the poster (`render.engine.shard`) of that picture, size, seed and
    precision, on a CPU of the same kind. Who else is dreamed, and in which order, cannot change
    a bit of it: on a GPU a pass always has the recipe's `batch` windows, on a CPU one (`StudyRecipe.slots`).

    `network` is on the recipe's device, and `attentive`; `masks` are those of the recipe's mix and
    dream, taken in; the process has called `render.determinism.make_repeatable`.
    A picture whose gradients are not finite has the RenderError in its place. Raises ValueError
    for other samples, and unless there are as many seeds as pictures.
    """
    return dreamed_in_slots(network, recipe, pictures, seeds, recipe.slots, masks)


def dreamed_in_slots(
    network: Network,
    recipe: StudyRecipe,
    pictures: Sequence[np.ndarray],
    seeds: Sequence[int],
    slots: int,
    masks: Mapping[Path, Mosaic] = NO_MASKS,
) -> list[Dreamed]:
    """The same with `slots` windows a pass, whatever the device."""
    given = list(zip(pictures, seeds, strict=True))
    dreamed: list[Dreamed] = []
    for first in range(0, len(given), slots):
        together = [Study(recipe, *one, masks) for one in given[first : first + slots]]
        for octave in range(len(recipe.sizes)):
            _dream_octave(network, recipe, together, octave, slots)
        dreamed += [study.dreamed for study in together]
    return dreamed


def _dream_octave(
    network: Network, recipe: StudyRecipe, studies: list[Study], octave: int, slots: int
) -> None:
    for study in _alive(studies):
        study.begin(octave)
    tiles = len(recipe.grid(octave))
    for step in range(recipe.dream.steps):
        if alive := _alive(studies):
            _climb(network, recipe, alive, tiles, step, slots)


def _alive(studies: list[Study]) -> list[Study]:
    return [study for study in studies if not study.has_failed]


def _climb(
    network: Network,
    recipe: StudyRecipe,
    studies: list[Study],
    tiles: int,
    number: int,
    slots: int,
) -> None:
    """One step of studies that are in the same octave, tile by tile."""
    steps = [study.step(number) for study in studies]
    # Only their jitters differ.
    asked = steps[0].objectives
    sums = []
    for tile in range(tiles):
        views = [study.view(tile, step) for study, step in zip(studies, steps, strict=True)]
        for study, found in zip(
            studies, _passed(network, asked, recipe, views, slots), strict=True
        ):
            sums.append(study.keep(tile, found))
    # The device is asked once a step, for the sums of all studies, so that it seldom idles.
    totals = [tuple(total) for total in torch.stack(sums).tolist()]
    for place, (study, step) in enumerate(zip(studies, steps, strict=True)):
        study.update(step, totals[place :: len(studies)])


def _passed(
    network: Network,
    asked: Sequence[Objective],
    recipe: StudyRecipe,
    views: list[View],
    slots: int,
) -> list[list[Tensor]]:
    """The slopes of each view. Those of one shape share a pass; jitter alone makes others."""
    if slots == 1:
        return [slopes(network, asked, recipe.dream, view) for view in views]
    alike: dict[torch.Size, list[int]] = {}
    for place, view in enumerate(views):
        alike.setdefault(view.pixels.shape, []).append(place)
    found: dict[int, list[Tensor]] = {}
    for places in alike.values():
        together = [views[place] for place in places]
        stacked = stacked_slopes(network, asked, recipe.dream, together, slots)
        found |= zip(places, stacked, strict=True)
    return [found[place] for place in range(len(views))]
