"""A pool of drawn pictures, made once by every core; training turns it into batches."""

import multiprocessing
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.training.motifs import MOTIFS
from render.training.pictures import SIDE, picture

CROP = 72
"""Pixels along one side of a picture as the network sees it in training."""


def pixels(seed: int, index: int) -> bytes:
    """Return the bytes of one picture, as a worker process sends them home."""
    return picture(seed, index)[0].tobytes()


def draw(seed: int, count: int, workers: int) -> Tensor:
    """Draw pictures 0 to `count` - 1 of series `seed`: (count, SIDE, SIDE, 3) bytes.

    Picture i is of class i modulo the classes. The result does not depend on `workers`.
    """
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        drawn = pool.imap(partial(pixels, seed), range(count), chunksize=64)
        for index, raw in enumerate(drawn):
            images[index] = np.frombuffer(raw, np.uint8).reshape(SIDE, SIDE, 3)
    return torch.from_numpy(images)


def pool(path: Path, seed: int, count: int, workers: int) -> Tensor:
    """Return the pool kept at `path`, drawn first where there is none of this size."""
    if path.exists():
        images = torch.from_numpy(np.load(path))
        if len(images) == count:
            return images
    images = draw(seed, count, workers)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, images.numpy())
    return images


def labels(indices: Tensor) -> Tensor:
    """Return the class numbers of these pictures of a pool."""
    return indices % len(MOTIFS)


def centre(images: Tensor) -> Tensor:
    """Return byte pictures (N, SIDE, SIDE, 3) as (N, 3, CROP, CROP) in [0, 1], cropped midway."""
    edge = (SIDE - CROP) // 2
    cut = images[:, edge : edge + CROP, edge : edge + CROP]
    return cut.permute(0, 3, 1, 2).float() / 255


def batch(images: Tensor, size: int, dice: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a random batch (size, 3, CROP, CROP) in [0, 1], channels last, and its classes.

    Pictures are cropped, mirrored, and lit anew (gain, offset, a little colour cast).
    """
    chosen = torch.randint(len(images), (size,), generator=dice)
    x, y = torch.randint(SIDE - CROP + 1, (2,), generator=dice).tolist()
    cut = images[chosen, y : y + CROP, x : x + CROP].permute(0, 3, 1, 2).float() / 255
    mirrored = torch.rand(size, 1, 1, 1, generator=dice) < 0.5
    cut = torch.where(mirrored, cut.flip(3), cut)
    gain = 1 + 0.12 * torch.randn(size, 1, 1, 1, generator=dice)
    cast = 1 + 0.05 * torch.randn(size, 3, 1, 1, generator=dice)
    offset = 0.05 * torch.randn(size, 1, 1, 1, generator=dice)
    lit = ((cut - 0.5) * gain + 0.5 + offset) * cast
    return lit.clamp(0, 1).contiguous(memory_format=torch.channels_last), labels(chosen)
