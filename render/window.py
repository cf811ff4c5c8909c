"""A tile's window, put together from the pixels that a shard holds."""

from collections.abc import Iterable

import torch
from torch import Tensor

from render.rect import Rect

Patch = tuple[Rect, Tensor]
"""Some pixels of the picture and their (h, w, 3) values."""


def assembled(window: Rect, patches: Iterable[Patch], like: Tensor) -> Tensor:
    """The window's (h, w, 3) values, from patches that cover its part of the picture.

    What lies outside the picture is zero: the mean colour, which convolutions pad with.
    """
    values = torch.zeros((window.height, window.width, 3), dtype=like.dtype, device=like.device)
    for rect, patch in patches:
        shared = rect.intersect(window)
        if shared.area:
            values[shared.slices(window[:2])] = patch[shared.slices(rect[:2])]
    return values
