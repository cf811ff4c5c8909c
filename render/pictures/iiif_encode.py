"""Tiles of the IIIF Image API 3.0, level 0: files that any web server serves as they are.

Their names are the canonical ones, which viewers ask for: REGION/SIZE/0/default.jpg.
"""

import json
from collections.abc import Iterator
from typing import Any

from render.geometry.rect import Size
from render.pictures.bands import BandStream
from render.pictures.pyramid import NamedTile, pyramid_strips

_TILE = 256

_CONTEXT, _PROTOCOL = "http://iiif.io/api/image/3/context.json", "http://iiif.io/api/image"

_ENDING = "0/default.jpg"

WHOLE = f"full/max/{_ENDING}"
"""The name of the whole picture, at the size of one tile."""


def iiif_tiles(picture: BandStream) -> Iterator[NamedTile]:
    """Yield the tiles of all levels, and the whole at the size of one tile, by two names."""
    whole = picture.height, picture.width
    sizes = _level_sizes(*whole)
    for strip in pyramid_strips(picture, sizes, _TILE):
        height, width = sizes[strip.level]
        if max(height, width) <= _TILE:
            for name in (f"full/{width},{height}/{_ENDING}", WHOLE):
                yield NamedTile(name, strip.samples)
            continue
        for left in range(0, width, _TILE):
            tile = strip.samples[:, left : left + _TILE]
            region = _region(whole, 1 << strip.level, left, strip.top)
            yield NamedTile(f"{region}/{tile.shape[1]},{tile.shape[0]}/{_ENDING}", tile)


def _region(whole: Size, scale: int, left: int, top: int) -> str:
    """The part of the picture that a tile shows, whose first pixel in its level is given."""
    x, y, side = left * scale, top * scale, _TILE * scale
    return f"{x},{y},{min(side, whole[1] - x)},{min(side, whole[0] - y)}"


def info(size: Size, address: str) -> dict[str, Any]:
    """The content of `info.json`. address: where the folder of the tiles is served."""
    sizes = _level_sizes(*size)
    smallest = {"width": sizes[-1][1], "height": sizes[-1][0]}
    return {
        "@context": _CONTEXT,
        "id": address,
        "type": "ImageService3",
        "protocol": _PROTOCOL,
        "profile": "level0",
        "width": size[1],
        "height": size[0],
        # A server that computes nothing can give no larger whole.
        "maxWidth": _TILE,
        "maxHeight": _TILE,
        "sizes": [smallest],
        "tiles": [
            {
                "width": _TILE,
                "height": _TILE,
                "scaleFactors": [1 << level for level in range(len(sizes))],
            }
        ],
    }


def info_file(size: Size, address: str) -> bytes:
    """The bytes of `info.json`."""
    return f"{json.dumps(info(size, address), indent=2)}\n".encode()


def _level_sizes(height: int, width: int) -> list[Size]:
    """Return (height, width) of each level, from the full size to one tile."""
    sizes = [(height, width)]
    while max(sizes[-1]) > _TILE:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes
