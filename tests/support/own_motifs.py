"""Draws photographs of motifs that pareidolia does not know, for tests of `dreamfarm train`.

Each motif has several colours, and lies anywhere, in any size, on any ground.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SUPERSAMPLING = 3


class _Pen:
    """Draws in a frame from -1 to 1, with a pose, on a transparent picture."""

    def __init__(self, rng: np.random.Generator, side: int, lean: float) -> None:
        self.rng = rng
        self._side = side * _SUPERSAMPLING
        self.image = Image.new("RGBA", (self._side, self._side))
        self._draw = ImageDraw.Draw(self.image)
        self._turn = float(rng.uniform(-lean, lean)) * pi / 180
        self._scale = float(rng.uniform(0.6, 0.95))
        off = 0.9 - 0.85 * self._scale
        self._centre = rng.uniform(-off, off, 2)
        self._squeeze = float(np.exp(rng.uniform(-0.1, 0.1)))

    def place(self, point: Point) -> Point:
        """Pixels of a point of the frame."""
        x, y = point[0] * self._squeeze, point[1] / self._squeeze
        turned = (
            x * cos(self._turn) - y * sin(self._turn),
            x * sin(self._turn) + y * cos(self._turn),
        )
        placed = np.array(turned) * self._scale + self._centre
        return tuple(((placed + 1) / 2 * self._side).tolist())

    def area(self, points: list[Point], colour: Colour) -> None:
        self._draw.polygon([self.place(one) for one in points], (*colour, 255))

    def line(self, points: list[Point], width: float, colour: Colour) -> None:
        """A line with round ends; its width is in units of the frame."""
        pixels = width * self._scale * self._side / 2
        placed = [self.place(one) for one in points]
        self._draw.line(placed, (*colour, 255), max(1, round(pixels)), joint="curve")
        for x, y in (placed[0], placed[-1]):
            half = pixels / 2
            self._draw.ellipse((x - half, y - half, x + half, y + half), (*colour, 255))


def _arc(centre: Point, radii: Point, start: float, end: float, count: int = 40) -> list[Point]:
    """Points of an ellipse between two angles in degrees; 0 is right, 90 is down."""
    angles = np.linspace(start, end, count) * pi / 180
    return [(centre[0] + radii[0] * cos(a), centre[1] + radii[1] * sin(a)) for a in angles]


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue


def _one_of(pen: _Pen, *colours: Colour) -> Colour:
    """One of some colours, a little changed."""
    chosen = np.array(colours[int(pen.rng.integers(len(colours)))])
    red, green, blue = np.clip(chosen + pen.rng.normal(0, 12, 3), 0, 255).astype(int).tolist()
    return red, green, blue


def _anchor(pen: _Pen) -> None:
    colour = _one_of(
        pen, (40, 44, 52), (120, 126, 134), (30, 50, 100), (150, 40, 35), (190, 150, 60)
    )
    pen.line(_arc((0, -0.72), (0.17, 0.17), 0, 360), 0.1, colour)
    pen.line([(0, -0.55), (0, 0.8)], 0.15, colour)
    pen.line([(-0.38, -0.36), (0.38, -0.36)], 0.13, colour)
    pen.line(_arc((0, 0.1), (0.68, 0.72), 15, 165), 0.15, colour)
    for side in (-1, 1):
        pen.area([(side * 0.86, 0.42), (side * 0.7, 0.02), (side * 0.42, 0.36)], colour)
    pen.line([(-0.03, -0.45), (-0.03, 0.6)], 0.03, _shade(colour, 1.5))


def _umbrella(pen: _Pen) -> None:
    first = _one_of(
        pen, (200, 40, 40), (40, 80, 190), (240, 190, 40), (30, 140, 80), (140, 50, 140)
    )
    second = first if pen.rng.random() < 0.4 else _one_of(pen, (240, 240, 235), (30, 30, 40))
    pen.line([(0, -0.9), (0, 0.66)], 0.06, (70, 50, 40))
    pen.line(_arc((-0.14, 0.66), (0.14, 0.2), 0, 180), 0.09, (110, 60, 30))
    edges = np.linspace(-0.9, 0.9, 7).tolist()
    for number, (left, right) in enumerate(pairwise(edges)):
        scallop = _arc(((left + right) / 2, 0.02), ((right - left) / 2, 0.11), -180, 0, 14)
        colour = _shade((first, second)[number % 2], 1.12 - 0.08 * abs(number - 2))
        pen.area([*_rib(left), *scallop, *reversed(_rib(right))], colour)


def _rib(end: float) -> list[Point]:
    """From the top of an umbrella to an end of its edge."""
    shares = np.linspace(0, 1, 12).tolist()
    return [(end * share, 0.02 - 0.82 * (1 - share**2) ** 0.5) for share in shares]


def _guitar(pen: _Pen) -> None:
    wood = _one_of(pen, (190, 120, 50), (140, 60, 30), (220, 170, 90), (40, 36, 36), (170, 30, 30))
    neck = _one_of(pen, (80, 50, 30), (50, 35, 28))
    edge = _shade(wood, 0.55)
    for grow, colour in ((0.04, edge), (0.0, wood)):
        pen.area(_arc((0, 0.52), (0.46 + grow, 0.38 + grow), 0, 360), colour)
        pen.area(_arc((0, 0.06), (0.34 + grow, 0.3 + grow), 0, 360), colour)
        waist = 0.28 + grow
        pen.area([(-waist, 0.05), (waist, 0.05), (waist, 0.5), (-waist, 0.5)], colour)
    pen.line([(0, -0.72), (0, 0.1)], 0.13, neck)
    pen.area([(-0.1, -0.95), (0.1, -0.95), (0.08, -0.7), (-0.08, -0.7)], neck)
    for side in (-1, 1):
        for y in (-0.92, -0.84, -0.76):
            pen.line([(side * 0.13, y), (side * 0.15, y)], 0.06, (225, 220, 205))
    pen.area(_arc((0, 0.22), (0.15, 0.15), 0, 360), _shade(wood, 0.35))
    pen.area(_arc((0, 0.22), (0.12, 0.12), 0, 360), (24, 18, 14))
    pen.line([(-0.16, 0.62), (0.16, 0.62)], 0.07, _shade(neck, 0.8))
    for x in (-0.035, 0, 0.035):
        pen.line([(x, -0.72), (x, 0.62)], 0.012, (235, 230, 215))


def _key(pen: _Pen) -> None:
    metal = _one_of(pen, (205, 165, 60), (160, 165, 172), (150, 100, 50), (70, 72, 78))
    pen.line(_arc((0, -0.58), (0.27, 0.27), 0, 360), 0.15, metal)
    pen.line([(0, -0.3), (0, 0.86)], 0.13, metal)
    pen.line([(-0.12, -0.22), (0.12, -0.22)], 0.09, metal)
    for y, length in ((0.52, 0.3), (0.68, 0.22), (0.84, 0.32)):
        pen.area([(0, y - 0.05), (length, y - 0.05), (length, y + 0.05), (0, y + 0.05)], metal)
    pen.line([(-0.03, -0.2), (-0.03, 0.8)], 0.03, _shade(metal, 1.35))


def _hourglass(pen: _Pen) -> None:
    wood = _one_of(pen, (120, 70, 35), (70, 40, 25), (180, 140, 60), (60, 60, 66))
    sand = _one_of(pen, (230, 195, 120), (220, 150, 90), (240, 225, 190))
    glass = _one_of(pen, (205, 225, 232), (185, 210, 225))
    down = np.linspace(-0.78, 0.78, 60)
    half = 0.05 + 0.42 * np.sin(np.clip(np.abs(down) / 0.78, 0, 1) * pi * 0.62) ** 1.1
    right = list(zip(half.tolist(), down.tolist(), strict=True))
    pen.area([*right, *((-x, y) for x, y in reversed(right))], glass)
    filled = [(x * 0.86, y) for x, y in right if -0.45 < y < 0.0]
    pen.area([*filled, *((-x, y) for x, y in reversed(filled))], sand)
    heap = [(x * 0.9, y) for x, y in right if y > 0.4]
    pen.area([(0, 0.22), *heap, *((-x, y) for x, y in reversed(heap))], sand)
    pen.line([(0, -0.02), (0, 0.5)], 0.03, sand)
    for side in (-1, 1):
        pen.line([(side * 0.5, -0.8), (side * 0.5, 0.8)], 0.06, _shade(wood, 0.8))
        pen.line([(-0.58, side * 0.86), (0.58, side * 0.86)], 0.17, wood)
    pen.line([(-0.3, -0.6), (-0.22, -0.35)], 0.04, (250, 252, 255))


MOTIFS: Mapping[str, tuple[Callable[[_Pen], None], float]] = {
    "anchor": (_anchor, 25),
    "guitar": (_guitar, 40),
    "hourglass": (_hourglass, 15),
    "key": (_key, 40),
    "umbrella": (_umbrella, 20),
}
"""What draws each motif, and how far it leans, in degrees to either side."""


def draw_photograph(motif: str, seed: int) -> Image.Image:
    """A photograph of a motif. The same seed draws the same picture."""
    rng = np.random.default_rng((seed, sorted(MOTIFS).index(motif)))
    width, height = int(rng.integers(120, 200)), int(rng.integers(120, 200))
    ground = _ground(rng, (width, height))
    side = min(width, height)
    draw, lean = MOTIFS[motif]
    pen = _Pen(rng, side, lean)
    draw(pen)
    shape = pen.image.resize((side, side), Image.Resampling.LANCZOS)
    corner = (width - side) // 2, (height - side) // 2
    shadow = Image.new("RGBA", (side, side))
    shadow.putalpha(shape.getchannel("A").point(lambda value: value * 0.35))
    moved = (corner[0] + side // 40, corner[1] + side // 30)
    ground.paste(shadow.filter(ImageFilter.GaussianBlur(side / 50)), moved, shadow)
    ground.paste(shape, corner, shape)
    values = np.asarray(ground, np.float32) * rng.uniform(0.8, 1.15)
    values += rng.normal(0, rng.uniform(0, 8), values.shape)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _ground(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """A ground of soft patches around one colour."""
    base = rng.uniform(30, 235, 3)
    ground = np.zeros((size[1], size[0], 3), np.float32) + base
    for cells in (2, 5, 14):
        patches = rng.normal(0, rng.uniform(4, 26), (cells, cells, 3)) + rng.normal(
            0, 10, (cells, cells, 1)
        )
        low = Image.fromarray(np.clip(patches + 128, 0, 255).astype(np.uint8))
        ground += np.asarray(low.resize(size, Image.Resampling.BICUBIC), np.float32) - 128
    return Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))


def write_photographs(folder: Path, motifs: list[str], count: int, seed: int = 0) -> Path:
    """A folder for each motif with photographs of it."""
    for motif in motifs:
        (folder / motif).mkdir(parents=True)
        for number in range(count):
            draw_photograph(motif, seed * 100_000 + number).save(
                folder / motif / f"{number:03d}.jpg", quality=90
            )
    return folder
