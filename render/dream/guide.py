"""Guides: the activations of a layer on another picture."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from render.dream.objective import Objective
from render.dream.resample import resample
from render.geometry.rect import Rect
from render.geometry.units import UnitGrid
from render.networks.network import Network
from render.pictures.colour import to_canvas
from render.pictures.decode import open_picture
from render.pictures.ingest import ingest_picture
from render.pictures.tiled_image import TiledImage

GUIDE_SIDE = 256
"""The longer side, in pixels, to which a guide is scaled: so its shapes count, not its grain."""


_MIN_SIDE = 32  # pixels, so every network has at least one unit


def with_guides(
    network: Network, objectives: Iterable[Objective], units: Mapping[str, UnitGrid]
) -> Network:
    """The network with the unit grids that neurons need, and the activations that guides need.

    `units` are those of each layer. Raises PictureError if a guide cannot be read.
    """
    named = {(one.target_layer, one.guide) for one in objectives if one.guide is not None}
    guides = {
        (layer, path): _guide_activations(network, layer, path, max(_MIN_SIDE, units[layer].field))
        for layer, path in sorted(named)
    }
    return replace(network, units=units, guides=guides)


def _guide_activations(network: Network, layer: str, path: Path, min_side: int) -> Tensor:
    """The activations at each position of a guide, zero-padded to `min_side`: (positions, C)."""
    device = next(network.module.parameters()).device
    canvas = _guide_canvas(path).to(device)
    height, width, _ = canvas.shape
    canvas = pad(canvas, (0, 0, 0, max(0, min_side - width), 0, max(0, min_side - height)))
    pixels = canvas.permute(2, 0, 1)[None]
    with torch.no_grad():
        activations = network.activations(pixels)[layer]
    return activations[0].flatten(1).T.contiguous()


def _guide_canvas(path: Path) -> Tensor:
    """The guide as a canvas with a longer side of GUIDE_SIDE: (h, w, 3) of float32."""
    picture = open_picture(path)
    source = picture.height, picture.width
    share = GUIDE_SIDE / max(source)
    height, width = (max(1, round(side * share)) for side in source)
    with tempfile.TemporaryDirectory(prefix="guide-") as folder:
        image = TiledImage((ingest_picture(picture, Path(folder) / "guide.tiles").as_tile_set(),))
        return resample(
            lambda rect: to_canvas(image.read(rect), torch.float32),
            source,
            (height, width),
            Rect(0, 0, height, width),
        )
