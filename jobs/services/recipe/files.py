"""Finds files on this machine by their digests: pictures and weights that a recipe names."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from jobs.planning.identity import file_digest
from jobs.runtime.staging import cache_folder, fetch_blob
from jobs.services.recipe.recipe import Recipe
from jobs.store.errors import StoreRefused
from jobs.text.errors import RequestError
from render.networks.builtin import BUILTIN_NETWORKS, builtin_weights
from render.networks.published_weights import torch_downloads

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".mpo")

_PROFILES = (".icc", ".icm")

_WEIGHTS = (".safetensors", ".pth", ".pt", ".bin", ".onnx", ".caffemodel", ".pb")

_MAX_FILES = 1000
"""Most files of a folder that are looked at."""


class FileFinder:
    """Finds files by their digests, and computes each digest once.

    It looks beside what the recipe was read from, in the working directory, in the caches of this
    machine, and last in the store of the recipe.
    """

    def __init__(self, recipe: Recipe) -> None:
        folders = (Path.cwd(), *([] if recipe.folder is None else [recipe.folder.absolute()]))
        self._folders = list(dict.fromkeys(folders))
        self._hints = [folder / hint for hint in recipe.hints for folder in self._folders]
        self._blobs = recipe.blobs
        self._digests: dict[Path, str | None] = {}

    def picture(self, digest: str) -> Path | None:
        """The picture, or the profile of a press, with that digest; or None."""
        return self._first(
            digest, (*self._hints, *self._listed((*_PICTURES, *_PROFILES)), *self._cached(digest))
        )

    def weights(self, digest: str) -> Path | None:
        """The weights file with that digest, or None."""
        head = digest.partition(":")[2][:8]
        # torch's downloads have the start of their digest in their names.
        downloads = [path for path in torch_downloads() if path.stem.endswith(head)]
        converted = cache_folder().with_name("weights").glob("*/*.safetensors")
        paths = (*self._hints, *downloads, *self._cached(digest), *self._listed(_WEIGHTS))
        return self._first(digest, (*paths, *converted))

    def is_builtin(self, network: str, digest: str) -> bool:
        """Whether these are the weights that come with a network."""
        return network in BUILTIN_NETWORKS and self._has(builtin_weights(network), digest)

    def _first(self, digest: str, paths: Iterable[Path]) -> Path | None:
        found = next((path for path in dict.fromkeys(paths) if self._has(path, digest)), None)
        return self._fetched(digest) if found is None else found

    def _fetched(self, digest: str) -> Path | None:
        store, names = self._blobs or (None, {})
        if store is None or digest not in names:
            return None
        try:
            return fetch_blob(store, digest, names[digest], cache_folder())
        except StoreRefused:  # a blob that was cleaned
            return None

    def _has(self, path: Path, digest: str) -> bool:
        if path not in self._digests:
            try:
                self._digests[path] = file_digest(path)
            except RequestError:
                self._digests[path] = None
        return self._digests[path] == digest

    def _listed(self, suffixes: tuple[str, ...]) -> Iterator[Path]:
        """The files in the folders whose names have one of these suffixes."""
        for folder in self._folders:
            try:
                paths = sorted(folder.iterdir())[:_MAX_FILES]
            except OSError:
                continue
            yield from (one for one in paths if one.name.lower().endswith(suffixes))

    def _cached(self, digest: str) -> Iterator[Path]:
        """The files of that digest that were once fetched from a store."""
        return (cache_folder() / digest.replace(":", "/")).glob("*")
