"""Motifs of pure form: fractal, contours, spiral.

The fractal is a Julia set (z -> z² + c), in the spirit of FractalDB (Kataoka et al., ACCV 2020);
the contours follow the radial contours of Kataoka et al., "Replacing Labeled Real-image Datasets
with Auto-generated Contours" (CVPR 2022).
"""

import numpy as np

from render.training.motifs.drawing import Colour, Paint, Sheet, blend, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)

WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)


CONSTANTS = (-0.8 + 0.156j, -0.727 + 0.189j, 0.285 + 0.01j, 0.355 + 0.355j, -0.4 + 0.59j)
"""Values of c whose Julia sets have arms and whorls."""


def fractal(s: Sheet) -> Paint:
    """Draw a Julia set: a black body in bands of blue, white and gold, by time of escape."""
    constant = complex(s.rng.choice(np.array(CONSTANTS))) + complex(
        s.between(-0.01, 0.01), s.between(-0.01, 0.01)
    )
    z = ((s.x + 1j * s.y) * 1.35).astype(np.complex64)
    escape = np.full_like(s.x, 40.0)
    alive = np.ones(s.x.shape, bool)
    for step in range(40):
        z = np.where(alive, z * z + np.complex64(constant), z)
        size = np.abs(z)
        gone = alive & (size > 8)
        escape = np.where(gone, step + 1 - np.log2(np.log2(np.maximum(size, 2.1))), escape)
        alive &= ~gone
    phase = np.sqrt(np.maximum(escape, 0)) * 3.2 + s.between(0.0, 0.8)
    bands = np.stack([0.5 + 0.5 * np.cos(phase + shift) for shift in (3.2, 2.4, 1.4)], -1)
    paint = Paint(s.side).over(bands.astype(np.float32), smooth(1.2, 2.0, escape))
    return paint.over(BLACK, alive.astype(np.float32))


def contours(s: Sheet) -> Paint:
    """Draw radial contours: nested wavy polygons, each in its own bright colour, dark between."""
    lobes, depth = s.count(3, 7), s.between(0.12, 0.24)
    bent = s.warped(0.03)
    wave = np.cos(lobes * bent.angle) + 0.4 * np.cos((2 * lobes + 1) * bent.angle + s.between(0, 6))
    reach = bent.radius * (1 + depth * wave)
    rings = s.between(5, 7)
    number = np.floor(reach * rings).astype(np.int64)
    hue = s.between(0, 1)
    table = np.stack([s.tint(hue + 0.23 * ring, 0.85, 0.92) for ring in range(12)])
    inside = s.cover(reach - 0.98)
    paint = Paint(s.side).over(BLACK * 2, inside)
    across = np.abs((reach * rings) % 1 - 0.5)
    return paint.over(table[np.clip(number, 0, 11)], inside * smooth(0.38, 0.3, across))


def spiral(s: Sheet) -> Paint:
    """Draw a spiral: two or three arms in two strong colours, winding into the middle."""
    paint = Paint(s.side)
    hue = s.between(0, 1)
    first, second = s.tint(hue, 0.85, 0.9), s.tint(hue + s.hue(0.5, 0.3), 0.85, 0.3)
    if s.between(0, 1) < 0.35:
        first, second = WHITE, BLACK
    winding = s.hue(-1.0, 1.0) * s.between(5, 9)
    phase = s.count(1, 3) * s.angle + winding * s.radius**0.75 * 2
    arms = smooth(-0.25, 0.25, np.sin(phase))
    return paint.over(blend(second, first, arms), s.cover(s.radius - 0.97))


def glass(s: Sheet) -> Paint:
    """Draw stained glass: panes of ruby, cobalt, emerald, gold and violet between dark leads."""
    _, border, name = s.cells(s.between(1.8, 2.8))
    hues = (0.99, 0.62, 0.38, 0.13, 0.78, 0.08)
    table = np.stack([s.tint(hues[number % 6], 0.9, 0.9) for number in range(24)])
    panes = table[s.rng.integers(0, 24, 4096)[name]]
    paint = Paint(s.side).over(BLACK, np.ones_like(s.x))
    paint.over(panes, smooth(0.06, 0.1, border))
    return paint.lit((1 + 0.22 * s.noise(1.0)).astype(np.float32))
