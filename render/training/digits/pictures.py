"""Draws digits, printed or handwritten, with a random pose and colour on 1/f backgrounds."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from render.training.digits.handwriting import draw_strokes
from render.training.pictures import draw_background

SIDE = 32
"""Side of a picture in pixels: the receptive field of LeNet-5."""

COUNT = 10

_FINE = 4 * SIDE  # side at which the digit is drawn, for smooth edges
_GLYPH = 3 * SIDE  # side of the digit itself
_MIN_CONTRAST, _MAX_CONTRAST = 0.25, 0.6  # range of the contrast between ink and background


def draw_picture(seed: int, index: int) -> tuple[NDArray[np.uint8], int]:
    """Draw picture `index` of a seed. Return it, (SIDE, SIDE, 3), and its digit: index mod 10.

    The same seed and index always give the same picture.
    """
    rng = np.random.default_rng((seed, index))
    digit = index % COUNT
    cover = _draw_cover(rng, digit)[..., None]
    ground = draw_background(rng, SIDE)
    away = rng.uniform(_MIN_CONTRAST, _MAX_CONTRAST) * (
        1 if ground.mean() < rng.uniform(0.35, 0.65) else -1
    )
    ink = ground.mean((0, 1)) + away + rng.normal(0, 0.1, 3)
    image = ground * (1 - cover) + ink * cover
    image = image + rng.normal(0, rng.uniform(0.0, 0.04), image.shape)
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), digit


def draw_pictures(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Draw pictures 0 to `count` - 1 of a seed: (count, 3, SIDE, SIDE) bytes, and their digits."""
    drawn = [draw_picture(seed, index) for index in range(count)]
    images = torch.from_numpy(np.stack([image for image, _ in drawn])).permute(0, 3, 1, 2)
    return images.contiguous(), torch.tensor([digit for _, digit in drawn])


def random_batch(
    images: Tensor, digits: Tensor, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return a random batch (size, 3, SIDE, SIDE) in [0, 1] of byte pictures, and its digits."""
    chosen = torch.randint(len(images), (size,), generator=generator)
    return images[chosen].float() / 255, digits[chosen]


def _draw_cover(rng: np.random.Generator, digit: int) -> NDArray[np.float32]:
    """Return how much of each pixel is ink, (SIDE, SIDE), for a digit with a random pose."""
    drawn = _draw_printed(rng, digit) if rng.random() < 0.5 else _draw_handwritten(rng, digit)
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


def _draw_printed(rng: np.random.Generator, digit: int) -> Image.Image:
    """Draw the digit in Pillow's default font, thin or bold, (_FINE, _FINE)."""
    image = Image.new("L", (_FINE, _FINE))
    font = ImageFont.load_default(1.3 * _GLYPH)
    middle = (_FINE / 2, _FINE / 2)
    bold = int(rng.integers(0, 6))
    ImageDraw.Draw(image).text(middle, str(digit), 255, font, "mm", stroke_width=bold)
    return image


def _draw_handwritten(rng: np.random.Generator, digit: int) -> Image.Image:
    """Draw the digit by hand with a thin or thick pen, (_FINE, _FINE)."""
    image = Image.new("L", (_FINE, _FINE))
    pen = int(rng.integers(6, 17))
    draw = ImageDraw.Draw(image)
    for stroke in draw_strokes(rng, digit):
        path = (stroke * _GLYPH + (_FINE - _GLYPH) / 2).tolist()
        points = [(x, y) for x, y in path]
        draw.line(points, 255, pen, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.circle((x, y), pen / 2, 255)
    return image
