"""Batches of fine-tuning: random views of the pictures, beside pareidolia's own motifs."""

from dataclasses import dataclass
from math import pi

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from render.training.dataset import CROP, random_batch, random_light
from render.training.finetune.picture_pool import MotifPictures, PicturePool
from render.training.finetune.settings import Stage, Watch
from render.training.motifs import MOTIFS
from render.training.pictures import draw_picture

_LEAST_SHARE = 0.7
"""A view shows at least this share of a picture's side."""

_TURN = 12 * pi / 180
"""The largest rotation of a view to either side, in radians."""

_DRAWN_SEED = 1


def draw_own_motifs(each: int, watch: Watch) -> Tensor:
    """Draw so many pictures of each of pareidolia's own motifs: (N, side, side, 3) of bytes."""
    total = each * len(MOTIFS)
    drawn = []
    for index in range(total):
        drawn.append(draw_picture(_DRAWN_SEED, index)[0])
        watch(Stage("draw", index + 1, total))
    return torch.from_numpy(np.stack(drawn))


@dataclass(frozen=True)
class MixedBatches:
    """Draws batches of which half is the user's pictures, and half pareidolia's own motifs.

    Motifs are equally likely, however many pictures they have. The classes of the user's motifs
    come after pareidolia's.

    drawn: pictures of `draw_own_motifs`. size: of a batch.
    """

    pool: PicturePool
    drawn: Tensor
    size: int

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return pictures (size, 3, CROP, CROP) in [0, 1], channels last, and their classes."""
        motifs, count = self.pool.motifs, self.size // 2
        labels = torch.randint(len(motifs), (count,), generator=generator)
        picks = torch.rand(count, generator=generator).tolist()
        chosen = [_pick(motifs[k], p) for k, p in zip(labels.tolist(), picks, strict=True)]
        views = random_views(torch.from_numpy(np.stack(chosen)), generator)
        others, names = random_batch(self.drawn, self.size - count, generator)
        pictures = torch.cat([views, others]).contiguous(memory_format=torch.channels_last)
        return pictures, torch.cat([labels + len(MOTIFS), names])


def _pick(motif: MotifPictures, place: float) -> np.ndarray:
    """The picture at a place from 0 to 1 among those to train on."""
    square: np.ndarray = motif.squares[motif.chosen[int(place * len(motif.chosen))]]
    return square


def random_views(squares: Tensor, generator: torch.Generator) -> Tensor:
    """Return random views (N, 3, CROP, CROP) in [0, 1] of byte pictures (N, SIDE, SIDE, 3).

    Each is a part of its picture, turned a little and perhaps mirrored, in another light.
    """

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(squares), generator=generator)

    share, turn = uniform(_LEAST_SHARE, 1.0), uniform(-_TURN, _TURN)
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    right, down = uniform(-1, 1) * (1 - share), uniform(-1, 1) * (1 - share)
    cos, sin = share * turn.cos(), share * turn.sin()
    rows = torch.stack([mirror * cos, -sin, right, mirror * sin, cos, down], 1).view(-1, 2, 3)
    grid = functional.affine_grid(rows, [len(squares), 3, CROP, CROP], align_corners=False)
    source = squares.permute(0, 3, 1, 2).float() / 255
    views = functional.grid_sample(source, grid, padding_mode="reflection", align_corners=False)
    return random_light(views, generator)


def middle_views(squares: Tensor) -> Tensor:
    """Return whole pictures at the size of views, (N, 3, CROP, CROP) in [0, 1]."""
    source = squares.permute(0, 3, 1, 2).float() / 255
    return functional.interpolate(source, (CROP, CROP), mode="bilinear", antialias=True)
