"""Where a shard keeps its tiles: in memory while they fit, else in files, tile by tile."""

from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.geometry.rect import Rect


class MemoryTiles(MutableMapping[int, Tensor]):
    """Tiles in memory, each in a place of its own, into which new values are copied.

    Were new tensors kept instead, they would lie between the large ones that come and go with each
    window, and the heap would grow to several times what is in use.
    """

    def __init__(self) -> None:
        self._places: dict[int, Tensor] = {}

    def __getitem__(self, tile: int) -> Tensor:
        return self._places[tile]

    def __setitem__(self, tile: int, values: Tensor) -> None:
        if tile in self._places and self._places[tile].shape == values.shape:
            self._places[tile].copy_(values)
        else:
            self._places[tile] = values.clone(memory_format=torch.contiguous_format)

    def __delitem__(self, tile: int) -> None:
        del self._places[tile]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._places))

    def __len__(self) -> int:
        return len(self._places)


class DiskTiles(MutableMapping[int, Tensor]):
    """Tiles in files of a folder, one each, exact.

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


Patch = tuple[Rect, Tensor]
"""Some pixels of the picture and their (h, w, 3) values."""


def assemble(window: Rect, patches: Iterable[Patch], like: Tensor) -> Tensor:
    """The window's (h, w, 3) values, from patches that cover its part of the picture.

    What lies outside the picture is zero: the mean colour, which convolutions pad with.
    """
    values = torch.zeros((window.height, window.width, 3), dtype=like.dtype, device=like.device)
    for rect, patch in patches:
        shared = rect.intersect(window)
        if shared.area:
            values[shared.slices(window[:2])] = patch[shared.slices(rect[:2])]
    return values
