"""Handwritten digits: strokes through a few points, with random variation."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(points, 2): x to the right and y downwards; the digit is within [0, 1]."""


_Stroke = tuple[tuple[float, float], ...]


_STROKES: tuple[tuple[_Stroke, ...], ...] = (
    (
        (
            (0.5, 0.08),
            (0.24, 0.28),
            (0.22, 0.68),
            (0.5, 0.92),
            (0.78, 0.68),
            (0.76, 0.28),
            (0.5, 0.08),
        ),
    ),
    (((0.32, 0.28), (0.52, 0.1), (0.52, 0.1), (0.52, 0.92)),),
    (
        (
            (0.24, 0.3),
            (0.34, 0.12),
            (0.62, 0.1),
            (0.74, 0.3),
            (0.52, 0.6),
            (0.22, 0.9),
            (0.22, 0.9),
            (0.78, 0.9),
        ),
    ),
    (
        (
            (0.26, 0.16),
            (0.54, 0.08),
            (0.72, 0.26),
            (0.44, 0.46),
            (0.44, 0.46),
            (0.74, 0.66),
            (0.56, 0.92),
            (0.24, 0.84),
        ),
    ),
    (
        ((0.58, 0.08), (0.2, 0.64), (0.2, 0.64), (0.82, 0.64)),
        ((0.62, 0.38), (0.62, 0.92)),
    ),
    (
        (
            (0.74, 0.1),
            (0.32, 0.1),
            (0.32, 0.1),
            (0.28, 0.46),
            (0.28, 0.46),
            (0.6, 0.42),
            (0.76, 0.66),
            (0.56, 0.9),
            (0.24, 0.86),
        ),
    ),
    (
        (
            (0.68, 0.1),
            (0.38, 0.3),
            (0.25, 0.66),
            (0.48, 0.92),
            (0.74, 0.74),
            (0.58, 0.52),
            (0.28, 0.64),
        ),
    ),
    (((0.22, 0.1), (0.78, 0.1), (0.78, 0.1), (0.54, 0.5), (0.42, 0.92)),),
    (
        (
            (0.66, 0.18),
            (0.44, 0.08),
            (0.3, 0.26),
            (0.5, 0.46),
            (0.74, 0.7),
            (0.5, 0.93),
            (0.26, 0.7),
            (0.52, 0.46),
            (0.7, 0.26),
            (0.62, 0.14),
        ),
    ),
    (
        (
            (0.7, 0.32),
            (0.5, 0.48),
            (0.28, 0.34),
            (0.46, 0.1),
            (0.7, 0.26),
            (0.7, 0.56),
            (0.6, 0.92),
        ),
    ),
)
"""The strokes of each digit. A repeated point is a corner."""


_OPTIONAL_STROKES: dict[int, _Stroke] = {
    0: ((0.66, 0.2), (0.34, 0.8)),
    1: ((0.3, 0.92), (0.74, 0.92)),
    7: ((0.36, 0.5), (0.7, 0.5)),
}
"""A stroke that some writers add: a slash through 0, a foot under 1, a bar across 7."""


def draw_strokes(rng: np.random.Generator, digit: int) -> list[Points]:
    """Return the smooth strokes of a digit, 0 to 9, with random deviations."""
    drawn = list(_STROKES[digit])
    if digit in _OPTIONAL_STROKES and rng.random() < 0.3:
        drawn.append(_OPTIONAL_STROKES[digit])
    return [_spline(_jitter(rng, np.array(stroke))) for stroke in drawn]


def _jitter(rng: np.random.Generator, points: Points) -> Points:
    """Move the points at random. Both points of a corner move together."""
    moved = points + rng.normal(0, 0.025, points.shape)
    for one in range(1, len(points)):
        if (points[one] == points[one - 1]).all():
            moved[one] = moved[one - 1]
    return moved


def _spline(points: Points) -> Points:
    """Interpolate the points by a Catmull-Rom spline, with 8 steps from each point to the next.

    Catmull and Rom, "A class of local interpolating splines" (1974).
    """
    padded = np.concatenate([points[:1], points, points[-1:]])
    share = np.linspace(0, 1, 8, endpoint=False)[:, None]
    parts = []
    for before, start, end, after in zip(
        padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True
    ):
        leaving, arriving = (end - before) / 2, (after - start) / 2
        parts.append(
            start
            + share * leaving
            + share**2 * (3 * (end - start) - 2 * leaving - arriving)
            + share**3 * (2 * (start - end) + leaving + arriving)
        )
    return np.concatenate([*parts, points[-1:]])
