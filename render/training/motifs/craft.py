"""Motifs of pattern that people made: weave, glass."""

import numpy as np

from render.training.sheet import Colour, Paint, Sheet, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)


def weave(s: Sheet) -> Paint:
    """Draw wickerwork: straw bands that pass over and under each other, dark in the gaps."""
    bent = s.warped(0.025)
    density = s.between(2.2, 3.6)
    u, v = bent.x * density, bent.y * density
    straw = s.tint(0.1, 0.5, 0.85, 0.02)
    paint = Paint(s.side).over(straw * 0.2, np.ones_like(s.x))
    over = (np.floor(u) + np.floor(v)) % 2
    for mine, run, side in ((over, u, v), (1 - over, v, u)):
        across, along = side % 1 - 0.5, run % 1 - 0.5
        lifted = np.cos(np.pi * along) ** 0.6
        fibres = 0.9 + 0.14 * np.sin(across * 26) - 0.9 * across**2
        shade = np.clip(straw * (fibres * (0.45 + 0.65 * lifted))[..., None], 0, 1)
        paint.over(shade.astype(np.float32), mine * smooth(0.46, 0.4, np.abs(across)))
    return paint


def glass(s: Sheet) -> Paint:
    """Draw stained glass: panes of ruby, cobalt, emerald, gold and violet between dark leads."""
    _, border, name = s.cells(s.between(1.8, 2.8))
    hues = (0.99, 0.62, 0.38, 0.13, 0.78, 0.08)
    table = np.stack([s.tint(hues[number % 6], 0.9, 0.9) for number in range(24)])
    panes = table[s.rng.integers(0, 24, 4096)[name]]
    paint = Paint(s.side).over(BLACK, np.ones_like(s.x))
    paint.over(panes, smooth(0.06, 0.1, border))
    return paint.lit((1 + 0.22 * s.noise(1.0)).astype(np.float32))
