"""Where a shard keeps its tiles: in memory while they fit, else in files, tile by tile."""

from collections.abc import Iterator, MutableMapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


class DiskTiles(MutableMapping[int, Tensor]):
    """Tiles in files of a folder, one each, exact; a dict of tiles is its twin in memory.

    What is read is a copy: a change has to be put back. The folder belongs to this object.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._kept: set[int] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, tile: int) -> Path:
        return self._folder / f"{self._name}-{tile}.npy"

    def __getitem__(self, tile: int) -> Tensor:
        if tile not in self._kept:
            raise KeyError(tile)
        return torch.from_numpy(np.load(self._path(tile)))

    def __setitem__(self, tile: int, values: Tensor) -> None:
        np.save(self._path(tile), values.numpy())
        self._kept.add(tile)

    def __delitem__(self, tile: int) -> None:
        self._kept.remove(tile)
        self._path(tile).unlink()

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._kept))

    def __len__(self) -> int:
        return len(self._kept)
