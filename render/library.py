"""DeepDream as a function call: `render.deepdream(picture, network, objectives)`.

The picture lies in memory. `render.engine.in_memory` dreams it in exact tiles, with the arithmetic
of a poster. For pictures larger than memory use `render.engine.shard`, or the command `dreamfarm`.
"""

import copy
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

import numpy as np
import torch
from torch import nn
from torch.fx.proxy import TraceError

from render.determinism import deterministic_mode, dtypes
from render.device import Device, Precision, gpu_count, resolve_precision
from render.dream.config import Dream, KeptColours, Limit, Palette, Schedule, Smooth
from render.dream.guide import with_guides
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.engine.in_memory_batch import dream_batch
from render.engine.memory import mask_paths
from render.engine.network_profile import (
    NetworkProfile,
    default_objective,
    profile_module,
    profile_network,
)
from render.engine.setup import InMemorySetup
from render.engine.tiling import auto_tile
from render.errors import DeviceError, LayerError, NetworkError, PictureError, RenderError
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid
from render.networks.builtin import PAREIDOLIA
from render.networks.classes import class_index
from render.networks.graph import trace
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import ReceptiveField, layer_table, receptive_fields
from render.networks.weight_paths import resolve_weights
from render.networks.weights import load_with_weights
from render.pictures.arrays import load_picture
from render.pictures.decode import open_picture
from render.pictures.ingest import ingest_picture
from render.pictures.tiled_image import TiledImage

if TYPE_CHECKING:
    from render.pictures.arrays import PictureLike

Objectives = str | Objective | Mix | Sequence[str | Objective]
"""A layer's name, an objective, a sum of objectives, or a sequence of names and objectives."""


class DreamSettings(TypedDict, total=False):
    """The fields of `Dream`, which documents them."""

    octaves: int | Literal["auto"]
    octave_scale: float
    steps: int
    step_size: float
    jitter: int
    seed: int
    schedule: Schedule
    smooth: Smooth | None
    keep: KeptColours | None
    palette: Palette
    limit: Limit
    strength: Path | None


def deepdream(
    picture: "PictureLike",
    network: str | nn.Module = PAREIDOLIA,
    objectives: Objectives | None = None,
    *,
    size: Size | None = None,
    weights: str | Path | None = None,
    device: Device | None = None,
    precision: Precision = "auto",
    tile: int | None = None,
    deterministic: bool = True,
    **dream: Unpack[DreamSettings],
) -> np.ndarray:
    """Dream a picture, and return it as an array (height, width, 3).

    Args:
        picture: An array (H, W, 3) of uint8, uint16, or floats from 0 to 1; a PIL image; or the
            path of a JPEG, PNG, WebP or TIFF file. Colours are sRGB. Floats are rounded to 16 bits.
        network: A name such as 'pareidolia' or 'googlenet', or any module that torch.fx can trace.
            A module gets pictures (N, 3, H, W), normalised with ImageNet's mean and standard
            deviation. The function works on a copy of it, in evaluation mode.
        objectives: What the network is to see more of. A named network has a default.
        size: The height and width of the result. Default: the picture's own.
        weights: A weights file, or 'pretrained' for torchvision's. For named networks only;
            'pareidolia' and 'lenet5' come with weights.
        device: 'cpu' or 'cuda'. Default: a GPU if there is one.
        precision: 'auto' is bfloat16 on a GPU and float32 on a CPU.
        tile: The side of a tile in pixels. Tiles are exact, so it changes rounding only. Default: a
            side that fits the network's memory and the picture's size.
        deterministic: Compute the same bits every time; a CPU then uses one thread. With False,
            torch's settings stay as they are.
        dream: Fields of `Dream`: octaves, steps, step_size, jitter, seed, smooth and others.

    Returns:
        An array of the picture's dtype; for a file or a PIL image uint8 or uint16.

    Raises:
        RenderError: The picture, network, layer, weights or device is wrong. `render.errors` lists
            the classes. LayerError also refuses layers behind a global operation, whose tiles
            cannot be exact.
        ValueError: An objective or a field of `Dream` is out of range.
        TypeError: A keyword is not a field of `Dream`.
    """
    settings = Dream(**dream)
    source = load_picture(picture)
    height, width, _ = source.samples.shape
    with deterministic_mode() if deterministic else nullcontext():
        module, mix = _load_module(network, weights), _mix(network, weights, objectives)
        setup = _setup(network, mix, settings, _checked(size or (height, width)), tile, device, precision)
        prepared = _prepare(module, setup)
        with _ingested_masks(setup) as masks:
            (result,) = dream_batch(prepared, setup, [source.samples], [settings.seed], masks)
    if isinstance(result, RenderError):
        raise result
    return source.result(result)
