"""Pictures that steer a dream: masks and guides.

A mask is a grey picture of any size. It weights an objective, or the whole change, by position:
white is all, black and transparent are nothing. A
guide is a picture whose activations an objective makes the canvas resemble.
"""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from render.dream.objective import Objective
from render.dream.resample import resample
from render.dream.step import Step
from render.geometry.edges import Edges
from render.geometry.rect import Rect, Size
from render.geometry.units import UnitGrid
from render.networks.network import Network
from render.pictures.colour import to_canvas
from render.pictures.decode import open_mask, open_picture
from render.pictures.ingest import PictureSource, ingest_picture
from render.pictures.tiled_image import TiledImage

_LUMA = np.array([0.2126, 0.7152, 0.0722])
"""The weights of encoded red, green and blue (ITU-R BT.709), for masks with colours."""


def resample_mask(
    mask: TiledImage, size: Size, rect: Rect, dtype: torch.dtype, edges: Edges = "zero"
) -> Tensor:
    """A mask stretched to a picture of `size`: its pixels `rect`, (h, w, 1), from 0 to 1."""
    grid = mask.grid

    def read(piece: Rect) -> Tensor:
        samples = mask.read(piece)
        grey: np.ndarray = samples @ _LUMA / np.iinfo(samples.dtype).max
        return torch.from_numpy(grey[..., None]).to(dtype)

    return resample(read, (grid.height, grid.width), size, rect, edges).clamp(0, 1)


def gradient_masks(step: Step, masks: Mapping[Path, Tensor]) -> list[Tensor | None]:
    """The mask of each of a step's band gradients: that of its objective, or None."""
    return [
        None if objective.mask is None else masks[objective.mask]
        for objective in step.objectives
        for _ in step.band_factors
    ]


def ingest_masks(paths: Iterable[Path], folder: Path) -> dict[Path, TiledImage]:
    """Decode masks into files of a folder. Raises PictureError if one cannot be read."""
    return {
        path: _ingest(open_mask(path), folder / f"mask-{number}.tiles")
        for number, path in enumerate(paths)
    }


def _ingest(picture: PictureSource, tiles: Path) -> TiledImage:
    return TiledImage((ingest_picture(picture, tiles).as_tile_set(),))


GUIDE_SIDE = 256
"""The longer side, in pixels, to which a guide is scaled: so its shapes count, not its grain."""


_MIN_SIDE = 32  # pixels, so every network has at least one unit


def prepare_objectives(
    network: Network, objectives: Iterable[Objective], units: Mapping[str, UnitGrid]
) -> Network:
    """Add to a network what objectives need: unit grids for neurons, activations for guides.

    `units` are those of each layer. Returns a new network. Raises PictureError if a guide cannot be
    read.
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
    with tempfile.TemporaryDirectory(prefix="guide-") as folder:
        image = _ingest(open_picture(path), Path(folder) / "guide.tiles")
        source = image.grid.height, image.grid.width
        share = GUIDE_SIDE / max(source)
        height, width = (max(1, round(side * share)) for side in source)
        return resample(
            lambda rect: to_canvas(image.read(rect), torch.float32),
            source,
            (height, width),
            Rect(0, 0, height, width),
        )
