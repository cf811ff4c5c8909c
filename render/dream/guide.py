"""Guides: what a layer sees in another picture."""

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
from render.geometry.units import Units
from render.networks.network import Network
from render.pictures.colour import to_canvas
from render.pictures.ingest import take_in
from render.pictures.source import open_picture
from render.pictures.tiled_image import Mosaic

GUIDE_SIDE = 256
"""The longer side, in pixels, at which a guide is looked at: as a thing, not as its grain."""


_ONE_UNIT = 32  # pixels of side at the least, so that every network has units there


def attentive(
    network: Network, objectives: Iterable[Objective], units: Mapping[str, Units]
) -> Network:
    """The network with what its objectives' neurons and guides need.

    PictureError where a guide cannot be read.
    """
    named = {(one.seen, one.guide) for one in objectives if one.guide is not None}
    guides = {
        (layer, path): _vectors(network, layer, path, max(_ONE_UNIT, units[layer].field))
        for layer, path in sorted(named)
    }
    return replace(network, units=units, guides=guides)


def _vectors(network: Network, layer: str, path: Path, least: int) -> Tensor:
    """What the layer sees at each position of a guide, padded to a side: (positions, C)."""
    device = next(network.module.parameters()).device
    canvas = _looked_at(path).to(device)
    height, width, _ = canvas.shape
    canvas = pad(canvas, (0, 0, 0, max(0, least - width), 0, max(0, least - height)))
    pixels = canvas.permute(2, 0, 1)[None]
    with torch.no_grad():
        seen = network.activations(pixels)[layer]
    return seen[0].flatten(1).T.contiguous()


def _looked_at(path: Path) -> Tensor:
    """The guide's canvas, at GUIDE_SIDE: (h, w, 3) of float32."""
    picture = open_picture(path)
    source = picture.height, picture.width
    share = GUIDE_SIDE / max(source)
    height, width = (max(1, round(side * share)) for side in source)
    with tempfile.TemporaryDirectory(prefix="guide-") as folder:
        mosaic = Mosaic((take_in(picture, Path(folder) / "guide.tiles").readable(),))
        return resample(
            lambda rect: to_canvas(mosaic.read(rect), torch.float32),
            source,
            (height, width),
            Rect(0, 0, height, width),
        )
