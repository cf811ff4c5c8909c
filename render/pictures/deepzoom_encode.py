"""Encodes the tiles of a DeepZoom, in any thread."""

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from render.geometry.rect import Size
from render.pictures.bands import BandStream, Encoders
from render.pictures.colour_profile import srgb_profile
from render.pictures.jpeg_encode import jpeg_tile
from render.pictures.output_errors import writing_errors
from render.pictures.pyramid import pyramid_strips

_TILE, _OVERLAP = 254, 1

_QUALITY = 90


class WrittenFile(NamedTuple):
    """A file: its path, and the SHA-256 of its content in hexadecimal."""

    path: Path
    sha256: str


def write_tiles(
    path: Path, picture: BandStream, folder: Path, encoders: Encoders
) -> Iterator[WrittenFile]:
    """Write the tiles of all levels below a folder that does not exist yet, and yield their files.

    path: of the output, for errors. Raises OutputError if the disk refuses a tile.
    """
    sizes = _level_sizes(picture.height, picture.width)
    with writing_errors(path):
        for level in range(len(sizes)):
            (folder / str(level)).mkdir(parents=True)

    def write(tile: np.ndarray, name: Path) -> WrittenFile:
        content = jpeg_tile(tile, _QUALITY, profile)
        with writing_errors(path):
            name.write_bytes(content)
        return WrittenFile(name, hashlib.sha256(content).hexdigest())

    profile = srgb_profile()
    tiles = _named_tiles(picture, sizes, folder)
    yield from encoders.ordered(functools.partial(write, *one) for one in tiles)


def descriptor(height: int, width: int) -> str:
    """Return the text of the .dzi file of a picture of this size."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Image xmlns="http://schemas.microsoft.com/deepzoom/2008"
  Format="jpg"
  Overlap="{_OVERLAP}"
  TileSize="{_TILE}"
  >
  <Size
    Height="{height}"
    Width="{width}"
  />
</Image>
"""


def _level_sizes(height: int, width: int) -> list[Size]:
    """Return (height, width) of each level, from the full size to one pixel."""
    sizes = [(height, width)]
    while max(sizes[-1]) > 1:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes


def _named_tiles(
    picture: BandStream, sizes: list[Size], folder: Path
) -> Iterator[tuple[np.ndarray, Path]]:
    for strip in pyramid_strips(picture, sizes, _TILE, _OVERLAP):
        # DeepZoom counts levels from the smallest.
        level = folder / str(len(sizes) - 1 - strip.level)
        for column, left in enumerate(range(0, strip.samples.shape[1], _TILE)):
            tile = strip.samples[:, max(0, left - _OVERLAP) : left + _TILE + _OVERLAP]
            yield tile, level / f"{column}_{strip.row}.jpg"
