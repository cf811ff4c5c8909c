"""What a dreamer needs for an item, on this machine: recipe, weights, guides, masks, samples."""

import functools
import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from jobs.dataset.batcher import Sitting
from jobs.dataset.inputs.item import Item
from jobs.planning.dataset import DatasetPlan
from jobs.planning.item_plan import check_fits, feature_recipe, needed_bytes, study_recipe
from jobs.planning.item_settings import Manner
from jobs.runtime.context import Site
from render.engine.memory import guides_named, masks_named
from render.engine.setup import StudyRecipe
from render.fourier.setup import FeatureRecipe
from render.geometry.rect import Size
from render.networks.builtin import ships
from render.networks.weight_paths import weights_file
from render.pictures.ingest import Pictured, take_in
from render.pictures.source import open_picture
from render.pictures.tiled_image import Mosaic, TileFile

Recipe = TypeVar("Recipe", bound=StudyRecipe | FeatureRecipe)


_BAND_PIXELS = 1 << 20
"""Decoded at a time."""


_MASKS = 16  # remembered; each is a file


_NO_SAMPLES = np.empty((0, 0, 3), np.uint8)


class Preparation:
    """Of all items of one member of a pool. at_once: how many it prepares. scratch: its folder."""

    def __init__(self, plan: DatasetPlan, site: Site, at_once: int, scratch: Path) -> None:
        self._plan, self._site, self._at_once, self._scratch = plan, site, at_once, scratch
        self._mask = functools.lru_cache(_MASKS)(self._taken_in)

    def sitting(self, item: Item, manner: Manner, picture: Pictured, size: Size) -> Sitting:
        """What the dreamer needs for an item. PictureError where it would be too large."""
        spec, device = manner.spec, self._plan.device
        recipe: StudyRecipe | FeatureRecipe
        if spec.fourier is not None and spec.inputs.noise is not None:
            recipe = feature_recipe(manner, spec.fourier, size, device)
            seed = spec.inputs.noise.seed
        else:
            recipe = study_recipe(manner, size, device, self._plan.batch)
            seed = item_seed(spec.dream.seed, item.found.key)
        source = (picture.height, picture.width)
        needed = needed_bytes(manner, recipe, source, picture.depth, self._at_once)
        check_fits(needed, self._plan.memory, size)
        samples = _decoded(picture) if spec.fourier is None else _NO_SAMPLES
        weights = self.weights(manner, item.variant)
        masks = {path: self._mask(path) for path in masks_named(manner.mix, spec.dream)}
        return Sitting(manner, self._guided(recipe), weights, samples, seed, masks)

    def _guided(self, recipe: Recipe) -> Recipe:
        """The recipe with its guides where they lie on this machine."""
        here = {path: self._site.companion(path) for path in guides_named(recipe.mix)}
        if not here:
            return recipe
        mix = recipe.mix.each(lambda one: replace(one, guide=one.guide and here[one.guide]))
        return replace(recipe, mix=mix)

    def _taken_in(self, path: Path) -> Mosaic:
        """A mask, decoded into a file of this worker's."""
        picture = open_picture(self._site.companion(path), self._plan.spec.limits.max_pixels)
        name = f"mask-{hashlib.sha256(str(path).encode()).hexdigest()}"
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            file = take_in(picture, Path(folder) / name)
            # Threads may be at it at the same time, and none must read half a file.
            path = file.path.replace(self._scratch / name)
        return Mosaic((TileFile(path, file.slots).readable(),))

    def weights(self, manner: Manner, variant: int) -> Path:
        """A variant's weights on this machine."""
        chosen, network = self._plan.variants[variant], manner.spec.network
        if chosen.weights.exists():
            return chosen.weights
        if ships(network.name, network.weights):
            # They lie elsewhere here.
            return weights_file(network.name, None)
        return self._site.here(chosen.weights, chosen.weights_digest)


def item_seed(seed: int, key: str) -> int:
    """The seed of an item's dream, from 0 to 2**63 - 1: its own, wherever it is listed."""
    found = hashlib.sha256(f"item/{seed}/{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(found[:8], "big") >> 1


def _decoded(picture: Pictured) -> np.ndarray:
    dtype = np.uint8 if picture.depth == 8 else np.uint16
    samples = np.empty((picture.height, picture.width, 3), dtype)
    top = 0
    for band in picture.bands(max(1, _BAND_PIXELS // picture.width)):
        samples[top : top + len(band)] = band
        top += len(band)
    return samples
