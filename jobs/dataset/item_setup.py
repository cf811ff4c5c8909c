"""Setting up an item on a worker: its render setup, weights, guides, masks and samples."""

import functools
import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from jobs.dataset.batcher import BatchRequest
from jobs.dataset.inputs.item import Item
from jobs.planning.dataset import DatasetPlan
from jobs.planning.item_plan import check_fits, feature_setup, in_memory_setup, item_memory
from jobs.planning.item_settings import ItemSettings
from jobs.runtime.context import JobContext
from jobs.runtime.logs import LOG
from render.engine.memory import guide_paths, mask_paths
from render.engine.setup import InMemorySetup
from render.fourier.setup import FeatureSetup
from render.geometry.rect import Size
from render.networks.builtin import uses_builtin_weights
from render.networks.weight_paths import resolve_weights
from render.pictures.decode import open_mask
from render.pictures.ingest import PictureSource, ingest_picture
from render.pictures.tiled_image import FileByteSource, TiledImage, TileFile, TileSet

Setup = TypeVar("Setup", bound=InMemorySetup | FeatureSetup)


_BAND_PIXELS = 1 << 20
"""Pixels that are decoded at a time."""


_CACHED_MASKS = 16
"""Each is a decoded file in the scratch folder."""


_NO_SAMPLES = np.empty((0, 0, 3), np.uint8)


class ItemSetup:
    """Prepares items for dreaming. at_once: the number of items that a worker handles at a time.

    scratch: a folder for temporary files.
    """

    def __init__(self, plan: DatasetPlan, context: JobContext, at_once: int, scratch: Path) -> None:
        self._plan, self._context, self._at_once, self._scratch = plan, context, at_once, scratch
        self._mask = functools.lru_cache(_CACHED_MASKS)(self._decode_mask)

    def make_request(
        self, item: Item, settings: ItemSettings, picture: PictureSource, size: Size
    ) -> BatchRequest:
        """Decode an item's picture and collect what its dream needs.

        Raises PictureError if the dream needs more memory than a worker may use.
        """
        spec, device = settings.spec, self._plan.device
        source = (picture.height, picture.width)
        setup: InMemorySetup | FeatureSetup
        # With `fourier`, the inputs are always noise: the spec refuses anything else.
        if spec.fourier is not None and spec.inputs.noise is not None:
            setup = feature_setup(settings, spec.fourier, size, device)
            seed = spec.inputs.noise.seed
        else:
            setup = in_memory_setup(settings, size, source, device, self._plan.batch)
            seed = item_seed(spec.dream.seed, item.found.key)
        needed = item_memory(settings, setup, source, picture.depth, self._at_once)
        check_fits(needed, self._plan.memory, size)
        # A Fourier dream starts from its seed, not from pixels.
        samples = _decode(picture) if spec.fourier is None else _NO_SAMPLES
        weights = self.weights(settings, item.variant)
        masks = {path: self._mask(path) for path in mask_paths(settings.mix, spec.dream)}
        return BatchRequest(settings, self._with_local_guides(setup), weights, samples, seed, masks)

    def _with_local_guides(self, setup: Setup) -> Setup:
        """The setup with the paths of its guides on this machine."""
        local = {path: self._context.attachment(path) for path in guide_paths(setup.mix)}
        if not local:
            return setup
        mix = setup.mix.map_objectives(
            lambda one: replace(one, guide=one.guide and local[one.guide])
        )
        return replace(setup, mix=mix)

    def _decode_mask(self, path: Path) -> TiledImage:
        """Decode a mask into a file of this worker."""
        file = self._ingest_mask(path)
        source = _MaskFile(file.path, lambda: self._ingest_mask(path))
        return TiledImage((TileSet(source, file.layout),))

    def _ingest_mask(self, path: Path) -> TileFile:
        picture = open_mask(self._context.attachment(path), self._plan.spec.limits.max_pixels)
        name = f"mask-{hashlib.sha256(str(path).encode()).hexdigest()}"
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            file = ingest_picture(picture, Path(folder) / name)
            # Two threads may decode the same mask, and neither may read half a file.
            return TileFile(file.path.replace(self._scratch / name), file.layout)

    def weights(self, settings: ItemSettings, variant: int) -> Path:
        """The path of a variant's weights on this machine. Raises StoreRefused."""
        planned, network = self._plan.variants[variant], settings.spec.network
        if planned.weights.exists():
            return planned.weights
        if uses_builtin_weights(network.name, network.weights):
            # This machine has them at another path.
            return resolve_weights(network.name, None)
        return self._context.local_file(planned.weights, planned.weights_digest)


@dataclass(frozen=True)
class _MaskFile(FileByteSource):
    """A decoded mask. If its file is damaged, `decode` writes it again."""

    decode: Callable[[], object]

    def read_again(self, start: int, length: int) -> bytes:
        """Decode the mask again, and read the same bytes."""
        LOG.warning("%s: is damaged; it is decoded again", self.path)
        self.decode()
        return self.read(start, length)


def item_seed(seed: int, key: str) -> int:
    """Return the seed of an item's dream, from 0 to 2**63 - 1.

    It depends on the key only, not on where the item is in the listing.
    """
    digest = hashlib.sha256(f"item/{seed}/{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _decode(picture: PictureSource) -> np.ndarray:
    dtype = np.uint8 if picture.depth == 8 else np.uint16
    samples = np.empty((picture.height, picture.width, 3), dtype)
    top = 0
    for band in picture.bands(max(1, _BAND_PIXELS // picture.width)):
        samples[top : top + len(band)] = band
        top += len(band)
    return samples
