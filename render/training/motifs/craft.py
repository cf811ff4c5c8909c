"""A motif of pattern that people made: glass."""

import numpy as np

from render.training.sheet import Colour, Paint, Sheet, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)


def glass(s: Sheet) -> Paint:
    """Draw stained glass: panes of ruby, cobalt, emerald, gold and violet between dark leads."""
    _, border, name = s.cells(s.between(1.8, 2.8))
    hues = (0.99, 0.62, 0.38, 0.13, 0.78, 0.08)
    table = np.stack([s.tint(hues[number % 6], 0.9, 0.9) for number in range(24)])
    panes = table[s.rng.integers(0, 24, 4096)[name]]
    paint = Paint(s.side).over(BLACK, np.ones_like(s.x))
    paint.over(panes, smooth(0.06, 0.1, border))
    return paint.lit((1 + 0.22 * s.noise(1.0)).astype(np.float32))
