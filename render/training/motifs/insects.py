"""Motifs with six legs or eight: dragonfly, bee, spider."""

import numpy as np

from render.training.motifs.drawing import Colour, Paint, Sheet, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)
WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)


def dragonfly(s: Sheet) -> Paint:
    """Draw a dragonfly from above: four long veined wings, a thin banded body, huge eyes."""
    paint = Paint(s.side)
    hue = s.hue(0.55, 0.4, 0.0, 0.6)
    body, glass = s.tint(hue, 0.85, 0.8), s.tint(0.52, 0.15, 0.95)
    half = Sheet(s.rng, np.abs(s.x), s.y, s.pixel)
    for x, y, turn, length in ((0.52, -0.42, -0.22, 0.5), (0.5, -0.06, 0.22, 0.48)):
        wing = half.moved(x, y, 1, turn)
        blade = wing.oval(0, 0, length, 0.18)
        paint.over(BLACK, wing.cover(blade) * 0.9)
        veins = np.maximum(np.sin(30 * wing.x + 9 * wing.y), np.sin(46 * wing.y))
        paint.over(glass, wing.cover(blade + 0.035) * (0.9 - 0.5 * smooth(0.6, 0.95, veins)))
        paint.over(body * 0.5, wing.cover(wing.oval(0.34, -0.06, 0.08, 0.05)))
    tail = np.maximum(np.abs(s.x) - 0.09, np.abs(s.y - 0.35) - 0.62)
    paint.over(body, s.cover(tail))
    paint.over(BLACK, s.cover(tail) * smooth(0.3, 0.7, np.sin(26 * s.y)))
    paint.over(body, s.cover(s.oval(0, -0.3, 0.13, 0.26)))
    paint.over(BLACK, s.cover(np.abs(s.x) - 0.025) * s.cover(s.oval(0, -0.3, 0.13, 0.26)))
    for side in (-1, 1):
        paint.over(body * 0.55, s.cover(s.disc(0.13 * side, -0.64, 0.16)))
        paint.over(WHITE, s.cover(s.disc(0.08 * side, -0.66, 0.04)))
    return paint


def bee(s: Sheet) -> Paint:
    """Draw a bee from above: a furry body in yellow and black bands, clear wings, feelers."""
    paint = Paint(s.side)
    for side in (-1, 1):
        for y, turn, length in ((-0.2, -0.35, 0.46), (0.08, 0.25, 0.36)):
            wing = s.moved(0.5 * side, y, 1, turn * side)
            blade = wing.oval(0, 0, length, 0.2)
            paint.over(s.tint(0.56, 0.12, 0.96), 0.85 * wing.cover(blade))
            paint.over(BLACK, wing.stroke(blade, 0.018))
        paint.over(BLACK, s.cover(s.line(0.08 * side, -0.7, 0.3 * side, -0.98) - 0.03))
    gold = s.tint(0.125, 0.92, 0.96, 0.015)
    fuzz = 0.025 * np.sin(50 * s.angle)
    paint.over(gold, s.cover(s.oval(0, 0.3, s.between(0.34, 0.42), 0.62) + fuzz))
    paint.inside(BLACK, smooth(-0.15, 0.15, np.sin(s.between(15, 18) * s.y)) * s.cover(0.0 - s.y))
    paint.inside(BLACK, smooth(-0.2, 0.2, np.sin(16 * s.y + 1)) * s.cover(0.05 - s.y))
    paint.over(gold * 0.8, s.cover(s.disc(0, -0.25, 0.31) + fuzz))
    paint.over(BLACK, s.cover(s.disc(0, -0.6, 0.23)))
    for side in (-1, 1):
        paint.over(WHITE, 0.8 * s.cover(s.disc(0.1 * side, -0.66, 0.05)))
    return paint.lit(1.1 - 0.4 * smooth(0.15, 0.4, np.abs(s.x)))


def spider(s: Sheet) -> Paint:
    """Draw a spider from above: eight bent legs, a round marked body, a small head with eyes."""
    paint = Paint(s.side)
    hue = s.hue(0.06, 0.0, 0.09)
    dark = s.tint(hue, 0.5, 0.2)
    half = Sheet(s.rng, np.abs(s.x), s.y, s.pixel)
    legs = np.full_like(s.x, 9.0)
    for knee, foot in ((-0.78, -0.98), (-0.42, -0.45), (0.05, 0.3), (0.4, 0.95)):
        spread = 0.52 if abs(foot) > 0.5 else 0.62
        legs = np.minimum(legs, half.line(0.08, -0.22, spread, knee))
        legs = np.minimum(legs, half.line(spread, knee, spread + 0.28, foot))
    paint.over(dark, s.cover(legs - 0.06))
    paint.over(dark, s.cover(s.oval(0, -0.28, 0.2, 0.22)))
    belly = s.oval(0, 0.26, s.between(0.34, 0.42), 0.46)
    paint.over(dark * 1.4, s.cover(belly))
    mark = s.tint(s.hue(0.0, 0.1, 0.14), 0.85, 0.9)
    paint.over(mark, s.cover(np.abs(s.x) * 1.4 + np.abs(s.y - 0.26) * 0.75 - 0.19))
    bars = smooth(0.4, 0.8, np.sin(24 * (s.y - 0.4 * np.abs(s.x))))
    paint.over(mark * 0.7, bars * s.cover(belly + 0.05) * s.cover(0.16 - np.abs(s.x)))
    paint.over(WHITE, 0.6 * smooth(0.05, -0.05, s.oval(-0.14, 0.06, 0.08, 0.1)))
    for x in (0.05, 0.13):
        paint.over(WHITE, half.cover(half.disc(x, -0.42, 0.032)))
    return paint
