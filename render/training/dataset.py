"""The training set: pictures that all cores draw once, cropped and augmented into batches."""

import multiprocessing
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.training.motifs import MOTIFS
from render.training.pictures import SIDE, draw_picture

CROP = 72
"""Side of a training crop in pixels."""


def _picture_bytes(seed: int, index: int) -> bytes:
    """Draw one picture and return its bytes. Runs in worker processes."""
    return draw_picture(seed, index)[0].tobytes()


def draw_pictures(seed: int, count: int, workers: int) -> Tensor:
    """Draw pictures 0 to `count` - 1 of a seed in parallel: (count, SIDE, SIDE, 3) bytes.

    The class of picture i is i modulo the number of classes. The result does not depend on
    `workers`.
    """
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    with multiprocessing.get_context("spawn").Pool(workers) as load_or_draw:
        drawn = load_or_draw.imap(partial(_picture_bytes, seed), range(count), chunksize=64)
        for index, raw in enumerate(drawn):
            images[index] = np.frombuffer(raw, np.uint8).reshape(SIDE, SIDE, 3)
    return torch.from_numpy(images)


def load_or_draw(path: Path, seed: int, count: int, workers: int) -> Tensor:
    """Load the pictures stored at `path`. Draw and store them if there are not `count` of them."""
    if path.exists():
        images = torch.from_numpy(np.load(path))
        if len(images) == count:
            return images
    images = draw_pictures(seed, count, workers)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, images.numpy())
    return images


def class_labels(indices: Tensor) -> Tensor:
    """Return the classes of the pictures with these indices."""
    return indices % len(MOTIFS)


def centre_crop(images: Tensor) -> Tensor:
    """Crop byte pictures (N, SIDE, SIDE, 3) at the centre to (N, 3, CROP, CROP) in [0, 1]."""
    edge = (SIDE - CROP) // 2
    cut = images[:, edge : edge + CROP, edge : edge + CROP]
    return cut.permute(0, 3, 1, 2).float() / 255


def random_batch(images: Tensor, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a random batch (size, 3, CROP, CROP) in [0, 1], channels last, and its classes.

    Augmentation: crop, mirror image, gain, offset and a slight colour cast.
    """
    chosen = torch.randint(len(images), (size,), generator=generator)
    x, y = torch.randint(SIDE - CROP + 1, (2,), generator=generator).tolist()
    cut = images[chosen, y : y + CROP, x : x + CROP].permute(0, 3, 1, 2).float() / 255
    mirrored = torch.rand(size, 1, 1, 1, generator=generator) < 0.5
    lit = random_light(torch.where(mirrored, cut.flip(3), cut), generator)
    return lit.contiguous(memory_format=torch.channels_last), class_labels(chosen)


def random_light(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures (N, 3, H, W) in [0, 1] with a random gain, offset and colour cast each."""
    size = len(pictures)
    gain = 1 + 0.12 * torch.randn(size, 1, 1, 1, generator=generator)
    cast = 1 + 0.05 * torch.randn(size, 3, 1, 1, generator=generator)
    offset = 0.05 * torch.randn(size, 1, 1, 1, generator=generator)
    return (((pictures - 0.5) * gain + 0.5 + offset) * cast).clamp(0, 1)
