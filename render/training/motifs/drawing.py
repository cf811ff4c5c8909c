"""Draws motifs as formulas over pixel coordinates: shapes, noise, cells and paint.

The formulas are signed distances, polar curves and noise, after FractalDB
(Kataoka et al., "Pre-training without Natural Images", ACCV 2020) and "Learning to See by Looking
at Noise" (Baradad et al., NeurIPS 2021).
"""

import colorsys
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]
"""One number per pixel, (side, side)."""

Row = NDArray[np.floating[Any]]
"""One number per point, (points,)."""

Colour = NDArray[np.floating[Any]]
"""Red, green, blue in [0, 1]: (3,), or (side, side, 3)."""

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)
"""The black of photographs, slightly reddish."""

WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)
"""A warm white."""


def noise(rng: np.random.Generator, side: int, slope: float) -> Field:
    """Return 1/f**slope noise (side, side) of mean 0 and deviation 1; it is periodic."""
    rows = np.fft.fftfreq(side)[:, None]
    columns = np.fft.rfftfreq(side)[None, :]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) / frequency**slope
    field = np.fft.irfft2(spectrum, (side, side))
    scaled: Field = (field / (field.std() + 1e-9)).astype(np.float32)
    return scaled


def smooth(low: float, high: float, value: Field) -> Field:
    """Return a smoothstep from 0 at `low` to 1 at `high`; `low` may be the larger one."""
    t = np.clip((value - low) / (high - low), 0, 1)
    step: Field = (t * t * (3 - 2 * t)).astype(np.float32)
    return step


def blend(first: Colour, second: Colour, share: Field) -> Colour:
    """Blend two colours: `first` where `share` is 0, `second` where it is 1, (side, side, 3)."""
    weight = share[..., None]
    mixed: Colour = (first * (1 - weight) + second * weight).astype(np.float32)
    return mixed


@dataclass(frozen=True)
class Frame:
    """The coordinate frame of a motif, whose body fits the unit circle.

    x, y: coordinates of every pixel, to the right and downwards. pixel: width of a pixel.
    """

    rng: np.random.Generator
    x: Field
    y: Field
    pixel: float

    @property
    def radius(self) -> Field:
        """Distance from the centre."""
        return np.hypot(self.x, self.y)

    @property
    def angle(self) -> Field:
        """Angle around the centre, in [-pi, pi]."""
        return np.arctan2(self.y, self.x)

    @property
    def side(self) -> int:
        """Side of the picture in pixels."""
        return len(self.x)

    def cover(self, distance: Field) -> Field:
        """Return how much of each pixel, in [0, 1], is inside a shape (`distance` < 0)."""
        share: Field = np.clip(0.5 - distance / self.pixel, 0, 1).astype(np.float32)
        return share

    def stroke(self, distance: Field, width: float) -> Field:
        """Return the cover of a line along `distance` = 0, `width` to each side."""
        return self.cover(np.abs(distance) - width)

    def disc(self, x: float, y: float, radius: float) -> Field:
        """Return the signed distance to a disc."""
        distance: Field = np.hypot(self.x - x, self.y - y) - np.float32(radius)
        return distance

    def oval(self, x: float, y: float, width: float, height: float) -> Field:
        """Return the approximate signed distance to an ellipse with these half axes."""
        scaled = np.hypot((self.x - x) / width, (self.y - y) / height)
        distance: Field = ((scaled - 1) * min(width, height)).astype(np.float32)
        return distance

    def box(self, x: float, y: float, width: float, height: float) -> Field:
        """Return the approximate signed distance to a rectangle with these half sides."""
        distance: Field = np.maximum(np.abs(self.x - x) - width, np.abs(self.y - y) - height)
        return distance

    def line(self, x: float, y: float, to_x: float, to_y: float) -> Field:
        """Return the distance to the line segment between two points."""
        dx, dy = to_x - x, to_y - y
        share = ((self.x - x) * dx + (self.y - y) * dy) / (dx * dx + dy * dy)
        share = np.clip(share, 0, 1)
        away: Field = np.hypot(self.x - x - share * dx, self.y - y - share * dy).astype(np.float32)
        return away

    def chain(self, x: Row, y: Row, size: Row) -> tuple[Field, Field]:
        """Return the signed distance to a chain of discs, and the position of the nearest (0..1).

        Discs that overlap make a body that follows the line of their centres.
        """
        row = np.stack([x, y, size]).astype(np.float32)[..., None, None]
        away = np.hypot(self.x - row[0], self.y - row[1]) - row[2]
        nearest = away.argmin(0)
        distance = np.take_along_axis(away, nearest[None], 0)[0].astype(np.float32)
        return distance, (nearest / (len(x) - 1)).astype(np.float32)

    def moved(self, x: float, y: float, scale: float = 1.0, turn: float = 0.0) -> "Frame":
        """Return a frame centred at (x, y), scaled by `scale` and turned by radians."""
        c, s = np.float32(np.cos(turn) / scale), np.float32(np.sin(turn) / scale)
        dx, dy = self.x - np.float32(x), self.y - np.float32(y)
        return Frame(self.rng, c * dx + s * dy, c * dy - s * dx, self.pixel / scale)

    def warped(self, amount: float, slope: float = 2.2) -> "Frame":
        """Return a frame with its coordinates distorted by smooth noise of this deviation."""
        x = self.x + np.float32(amount) * noise(self.rng, self.side, slope)
        y = self.y + np.float32(amount) * noise(self.rng, self.side, slope)
        return Frame(self.rng, x, y, self.pixel)

    def noise(self, slope: float = 1.5) -> Field:
        """Return 1/f noise of mean 0 and deviation 1."""
        return noise(self.rng, self.side, slope)

    def between(self, low: float, high: float) -> float:
        """Return a random number in [low, high)."""
        return float(self.rng.uniform(low, high))

    def count(self, low: int, high: int) -> int:
        """Return a random whole number in [low, high]."""
        return int(self.rng.integers(low, high + 1))

    def tint(self, hue: float, saturation: float, value: float, spread: float = 0.03) -> Colour:
        """Return a colour near this one: hue in turns +- spread, the rest +- 0.12."""
        h = (hue + self.between(-spread, spread)) % 1.0
        s = min(max(saturation + self.between(-0.12, 0.12), 0.0), 1.0)
        v = min(max(value + self.between(-0.12, 0.12), 0.0), 1.0)
        return np.array(colorsys.hsv_to_rgb(h, s, v), np.float32)

    def hue(self, *hues: float) -> float:
        """Return one of these hues at random."""
        return float(self.rng.choice(hues))

    def cells(self, density: float, jitter: float = 0.9) -> tuple[Field, Field, NDArray[np.int64]]:
        """Return Voronoi cells: distance to the nearest seed, to the border, and the cell's number.

        Seeds are on a grid of `density` cells per unit, each moved by up to `jitter` / 2 cells
        (Worley, "A Cellular Texture Basis Function", SIGGRAPH 1996).
        """
        u, v = self.x * density, self.y * density
        column, row = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
        table = self.rng.random((2, 64, 64)).astype(np.float32) - 0.5
        distances, names = [], []
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                c, r = column + dx, row + dy
                seed = table[:, r % 64, c % 64] * jitter + 0.5
                distances.append(np.hypot(c + seed[0] - u, r + seed[1] - v))
                names.append((r % 64) * 64 + c % 64)
        stack = np.stack(distances)
        order = np.argsort(stack, axis=0)[:2]
        near, next_near = np.take_along_axis(stack, order, 0)
        name = np.take_along_axis(np.stack(names), order[:1], 0)[0]
        return (near / density).astype(np.float32), ((next_near - near) / density), name


class Paint:
    """A layer with premultiplied colour (side, side, 3) and cover (side, side), in [0, 1]."""

    def __init__(self, side: int) -> None:
        self.colour: Colour = np.zeros((side, side, 3), np.float32)
        self.cover: Field = np.zeros((side, side), np.float32)

    def over(self, colour: Colour, cover: Field) -> Self:
        """Composite a colour over the layer."""
        weight = cover[..., None]
        self.colour = self.colour * (1 - weight) + colour * weight
        self.cover = self.cover + cover * (1 - self.cover)
        return self

    def inside(self, colour: Colour, cover: Field) -> Self:
        """Composite a colour over the layer, inside its outline."""
        weight = cover[..., None]
        self.colour = self.colour * (1 - weight) + colour * (weight * self.cover[..., None])
        return self

    def laid(self, other: "Paint") -> Self:
        """Composite another layer over this one."""
        self.colour = self.colour * (1 - other.cover[..., None]) + other.colour
        self.cover = self.cover + other.cover * (1 - self.cover)
        return self

    def lit(self, light: Field) -> Self:
        """Multiply the colours by a field around 1."""
        self.colour = np.clip(self.colour * light[..., None], 0, self.cover[..., None])
        return self


def filled(s: Frame, colour: Colour) -> Paint:
    """Return a paint that covers the whole frame with one colour."""
    return Paint(s.side).over(colour, np.ones_like(s.x))
