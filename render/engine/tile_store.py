"""The tiles of a shard: in memory if they fit, else in one file each."""

from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.geometry.rect import Rect


class MemoryTiles(MutableMapping[int, Tensor]):
    """Tiles in memory. New values are copied into the tile's first tensor.

    New tensors would lie between the large temporary ones of each window, and fragmentation would
    make the process several times as large as the memory in use.
    """

    def __init__(self) -> None:
        self._tensors: dict[int, Tensor] = {}

    def __getitem__(self, tile: int) -> Tensor:
        return self._tensors[tile]

    def __setitem__(self, tile: int, values: Tensor) -> None:
        if tile in self._tensors and self._tensors[tile].shape == values.shape:
            self._tensors[tile].copy_(values)
        else:
            self._tensors[tile] = values.clone(memory_format=torch.contiguous_format)

    def __delitem__(self, tile: int) -> None:
        del self._tensors[tile]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._tensors))

    def __len__(self) -> int:
        return len(self._tensors)


class DiskTiles(MutableMapping[int, Tensor]):
    """Tiles in files of a folder, without loss of precision.

    Reading returns a copy; assign it to store changes. Two objects must not share folder and name.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._stored: set[int] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, tile: int) -> Path:
        return self._folder / f"{self._name}-{tile}.npy"

    def __getitem__(self, tile: int) -> Tensor:
        if tile not in self._stored:
            raise KeyError(tile)
        return torch.from_numpy(np.load(self._path(tile)))

    def __setitem__(self, tile: int, values: Tensor) -> None:
        np.save(self._path(tile), values.numpy())
        self._stored.add(tile)

    def __delitem__(self, tile: int) -> None:
        self._stored.remove(tile)
        self._path(tile).unlink()

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._stored))

    def __len__(self) -> int:
        return len(self._stored)


Patch = tuple[Rect, Tensor]
"""A rectangle of the picture and its values, (h, w, C)."""


def assemble(window: Rect, patches: Iterable[Patch], like: Tensor) -> Tensor:
    """The values (h, w, 3) of a window, from patches that cover its part of the picture.

    Pixels outside the picture are zero: the mean colour, as in the padding of convolutions. The
    result has the dtype and device of `like`.
    """
    values = torch.zeros((window.height, window.width, 3), dtype=like.dtype, device=like.device)
    for rect, patch in patches:
        shared = rect.intersect(window)
        if shared.area:
            values[shared.slices(window[:2])] = patch[shared.slices(rect[:2])]
    return values
