"""The tiles of a DeepZoom, and its descriptor."""

from collections.abc import Iterator
from typing import Any

from render.geometry.rect import Size
from render.pictures.bands import BandStream
from render.pictures.pyramid import NamedTile, pyramid_strips

_TILE, _OVERLAP = 254, 1

_NAMESPACE = "http://schemas.microsoft.com/deepzoom/2008"


def deepzoom_tiles(picture: BandStream) -> Iterator[NamedTile]:
    """Yield the tiles of all levels: LEVEL/COLUMN_ROW.jpg."""
    sizes = _level_sizes(picture.height, picture.width)
    for strip in pyramid_strips(picture, sizes, _TILE, _OVERLAP):
        # DeepZoom counts levels from the smallest.
        level = len(sizes) - 1 - strip.level
        for column, left in enumerate(range(0, strip.samples.shape[1], _TILE)):
            tile = strip.samples[:, max(0, left - _OVERLAP) : left + _TILE + _OVERLAP]
            yield NamedTile(f"{level}/{column}_{strip.row}.jpg", tile)


def descriptor(height: int, width: int) -> str:
    """Return the text of the .dzi file of a picture of this size."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Image xmlns="{_NAMESPACE}"
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


def tile_source(size: Size, address: str) -> dict[str, Any]:
    """The descriptor as OpenSeadragon takes it. address: of the folder of tiles."""
    return {
        "Image": {
            "xmlns": _NAMESPACE,
            "Url": f"{address}/",
            "Format": "jpg",
            "Overlap": _OVERLAP,
            "TileSize": _TILE,
            "Size": {"Height": size[0], "Width": size[1]},
        }
    }


def _level_sizes(height: int, width: int) -> list[Size]:
    """Return (height, width) of each level, from the full size to one pixel."""
    sizes = [(height, width)]
    while max(sizes[-1]) > 1:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    return sizes
