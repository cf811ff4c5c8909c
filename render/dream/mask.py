"""A mask: a grey picture of any size that says where something is to happen."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.dream.resample import resample
from render.dream.step import Step
from render.geometry.rect import Rect, Size
from render.pictures.tiled_image import Mosaic

_LUMA = np.array([0.2126, 0.7152, 0.0722])
"""Of encoded red, green and blue (ITU-R BT.709), for masks that have colours."""


def mask_at(mask: Mosaic, size: Size, rect: Rect, dtype: torch.dtype) -> Tensor:
    """A mask stretched over a picture of that size: the pixels `rect`, (h, w, 1), from 0 to 1."""
    grid = mask.grid

    def read(piece: Rect) -> Tensor:
        samples = mask.read(piece)
        grey: np.ndarray = samples @ _LUMA / np.iinfo(samples.dtype).max
        return torch.from_numpy(grey[..., None]).to(dtype)

    return resample(read, (grid.height, grid.width), size, rect).clamp(0, 1)


def masks_of(step: Step, seen: Mapping[Path, Tensor]) -> list[Tensor | None]:
    """The mask of each of a step's pulls: that of an objective for each of its bands."""
    return [
        None if objective.mask is None else seen[objective.mask]
        for objective in step.objectives
        for _ in step.bands
    ]
