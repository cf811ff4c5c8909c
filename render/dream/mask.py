"""Masks: grey pictures of any size that weight an objective, or the whole change, by position."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.dream.resample import resample
from render.dream.step import Step
from render.geometry.rect import Rect, Size
from render.pictures.tiled_image import TiledImage

_LUMA = np.array([0.2126, 0.7152, 0.0722])
"""The weights of encoded red, green and blue (ITU-R BT.709), for masks with colours."""


def resample_mask(mask: TiledImage, size: Size, rect: Rect, dtype: torch.dtype) -> Tensor:
    """A mask stretched to a picture of `size`: its pixels `rect`, (h, w, 1), from 0 to 1."""
    grid = mask.grid

    def read(piece: Rect) -> Tensor:
        samples = mask.read(piece)
        grey: np.ndarray = samples @ _LUMA / np.iinfo(samples.dtype).max
        return torch.from_numpy(grey[..., None]).to(dtype)

    return resample(read, (grid.height, grid.width), size, rect).clamp(0, 1)


def gradient_masks(step: Step, masks: Mapping[Path, Tensor]) -> list[Tensor | None]:
    """The mask of each of a step's band gradients: that of its objective, or None."""
    return [
        None if objective.mask is None else masks[objective.mask]
        for objective in step.objectives
        for _ in step.bands
    ]
