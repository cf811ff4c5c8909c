"""One picture of a digit: printed or written, leaning, in any ink, on 1/f noise."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from render.training.digits.hand import strokes
from render.training.pictures import background

SIDE = 32
"""Pixels along one side: LeNet-5's field."""

COUNT = 10

_FINE = 4 * SIDE  # the digit is drawn larger and shrunk, so that its edges are smooth
_FRAME = 3 * SIDE  # of which the digit itself takes this much
_DARK, _LIGHT = 0.25, 0.6  # least distance in grey of ink and ground, and how far at most


def picture(seed: int, index: int) -> tuple[NDArray[np.uint8], int]:
    """Picture `index` of the endless series `seed`, (SIDE, SIDE, 3), and its digit: index mod 10.

    The same two numbers always give the same picture.
    """
    rng = np.random.default_rng((seed, index))
    digit = index % COUNT
    cover = _cover(rng, digit)[..., None]
    ground = background(rng, SIDE)
    away = rng.uniform(_DARK, _LIGHT) * (1 if ground.mean() < rng.uniform(0.35, 0.65) else -1)
    ink = ground.mean((0, 1)) + away + rng.normal(0, 0.1, 3)
    image = ground * (1 - cover) + ink * cover
    image = image + rng.normal(0, rng.uniform(0.0, 0.04), image.shape)
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), digit


def pictures(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Pictures 0 to `count` - 1 of a series: (count, 3, SIDE, SIDE) bytes, and their digits."""
    drawn = [picture(seed, index) for index in range(count)]
    images = torch.from_numpy(np.stack([image for image, _ in drawn])).permute(0, 3, 1, 2)
    return images.contiguous(), torch.tensor([digit for _, digit in drawn])


def batch(
    images: Tensor, digits: Tensor, size: int, dice: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A random batch (size, 3, SIDE, SIDE) in [0, 1] of byte pictures, and its digits."""
    chosen = torch.randint(len(images), (size,), generator=dice)
    return images[chosen].float() / 255, digits[chosen]


def _cover(rng: np.random.Generator, digit: int) -> NDArray[np.float32]:
    """The share of each pixel (SIDE, SIDE) that is ink: the digit, posed."""
    drawn = _printed(rng, digit) if rng.random() < 0.5 else _written(rng, digit)
    turn, lean = rng.normal(0, 0.12), rng.normal(0, 0.15)
    width, height = rng.uniform(0.85, 1.35), rng.uniform(0.85, 1.25)
    c, s = np.cos(turn), np.sin(turn)
    matrix = np.array([[c, -s], [s, c]]) @ np.array([[width, lean], [0.0, height]])
    middle = np.full(2, _FINE / 2)
    shift = middle - matrix @ (middle + rng.uniform(-0.06, 0.06, 2) * _FINE)
    data = (*matrix[0], shift[0], *matrix[1], shift[1])
    posed = drawn.transform((_FINE, _FINE), Image.Transform.AFFINE, data, Image.Resampling.BILINEAR)
    small = posed.resize((SIDE, SIDE), Image.Resampling.BOX)
    share: NDArray[np.float32] = np.asarray(small, np.float32) / np.float32(255)
    return share


def _printed(rng: np.random.Generator, digit: int) -> Image.Image:
    """The digit in the font that comes with Pillow, (_FINE, _FINE), thin or bold."""
    image = Image.new("L", (_FINE, _FINE))
    font = ImageFont.load_default(1.3 * _FRAME)
    middle = (_FINE / 2, _FINE / 2)
    bold = int(rng.integers(0, 6))
    ImageDraw.Draw(image).text(middle, str(digit), 255, font, "mm", stroke_width=bold)
    return image


def _written(rng: np.random.Generator, digit: int) -> Image.Image:
    """The digit in a hand, (_FINE, _FINE), with a thin or a thick pen."""
    image = Image.new("L", (_FINE, _FINE))
    pen = int(rng.integers(6, 17))
    draw = ImageDraw.Draw(image)
    for stroke in strokes(rng, digit):
        path = (stroke * _FRAME + (_FINE - _FRAME) / 2).tolist()
        points = [(x, y) for x, y in path]
        draw.line(points, 255, pen, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.circle((x, y), pen / 2, 255)
    return image
