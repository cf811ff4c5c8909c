"""More that people made: lighthouse, ship, balloon, temple."""

import numpy as np

from render.training.motifs.drawing import Colour, Paint, Sheet, blend, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)
WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)


def lighthouse(s: Sheet) -> Paint:
    """Draw a lighthouse: a tapering tower in red and white bands, a lit lantern, a red cap."""
    paint = Paint(s.side)
    red = s.tint(0.0, 0.88, 0.8, 0.015)
    half = 0.2 + 0.1 * (s.y + 0.5)
    tower = np.maximum(np.abs(s.x) - half, np.abs(s.y - 0.25) - 0.75)
    paint.over(WHITE, s.cover(tower))
    bands = np.sin(s.between(6.5, 9) * (s.y + 0.5))
    paint.inside(red, s.cover(-bands * 0.1))
    paint.lit(1.1 - 0.5 * smooth(-0.2, 0.3, s.x))
    for y in (-0.1, 0.5):
        paint.over(BLACK, s.cover(s.box(0, y, 0.045, 0.08)))
    paint.over(BLACK, s.cover(s.box(0, -0.5, 0.32, 0.035)))
    light = s.tint(0.14, 0.7, 1.0)
    beam = np.abs(s.y + 0.64) - 0.22 * np.abs(s.x)
    paint.over(light, 0.55 * s.cover(beam) * smooth(1.0, 0.3, np.abs(s.x)))
    paint.over(light, s.cover(s.box(0, -0.64, 0.16, 0.13)))
    paint.over(
        BLACK, s.cover(np.abs(np.abs(s.x) - 0.08) - 0.015) * s.cover(s.box(0, -0.64, 0.16, 0.13))
    )
    cap = np.maximum(np.abs(s.x) * 1.1 - (s.y + 0.99), s.y + 0.75)
    return paint.over(red, s.cover(cap))


def ship(s: Sheet) -> Paint:
    """Draw a sailing ship: brown hull, masts, bellied white or red sails, a pennant, waves."""
    paint = Paint(s.side)
    wood = s.tint(0.07, 0.65, 0.42, 0.02)
    sail = s.tint(0.12, 0.12, 0.96) if s.between(0, 1) < 0.7 else s.tint(0.02, 0.8, 0.8)
    for x, tall, half in ((-0.38, -0.62, 0.3), (0.3, -0.78, 0.36)):
        paint.over(wood * 0.6, s.cover(s.line(x, tall - 0.12, x, 0.5) - 0.03))
        for low, high, wide in ((0.35, -0.12, 1.0), (-0.16, tall, 0.75)):
            middle, deep = (low + high) / 2, (low - high) / 2
            bell = 0.16 * (1 - ((s.y - middle) / deep) ** 2)
            at = s.x - x + bell - 0.06
            cloth = np.maximum(np.abs(at) - half * wide, np.abs(s.y - middle) - deep)
            paint.over(sail * 0.45, s.cover(cloth - 0.015))
            shade = blend(sail * 0.65, sail, smooth(-half, half * 0.6, at))
            paint.over(shade, s.cover(cloth + 0.02))
        flag = np.maximum(np.abs(s.y - tall + 0.08) - 0.05, np.abs(s.x - x - 0.12) - 0.11)
        paint.over(s.tint(0.0, 0.9, 0.85), s.cover(flag))
    deck = 0.42 - 0.14 * s.x**2 * np.sign(np.abs(s.x))
    hull = np.maximum(np.abs(s.x) - 0.85 + 0.6 * (s.y - 0.4), np.maximum(deck - s.y, s.y - 0.82))
    paint.over(wood, s.cover(hull))
    paint.over(wood * 1.7, s.cover(hull) * smooth(0.3, 0.8, np.sin(34 * s.y)))
    blue = s.tint(0.57, 0.75, 0.6)
    sea = 0.78 + 0.05 * np.sin(12 * s.x + s.between(0, 6)) - s.y
    water = s.cover(np.maximum(sea, s.radius - 1.1))
    paint.over(blue, water)
    return paint.over(WHITE, water * smooth(-0.07, -0.02, sea))


def balloon(s: Sheet) -> Paint:
    """Draw a hot-air balloon: an upturned drop in bright gores, ropes, a wicker basket."""
    paint = Paint(s.side)
    wicker = s.tint(0.08, 0.6, 0.45)
    for x in (-0.2, 0.0, 0.2):
        paint.over(wicker * 0.5, s.cover(s.line(x * 1.4, 0.4, x * 0.6, 0.8) - 0.018))
    share = np.clip((s.y + 0.98) / 1.5, 0, 1)
    half = 0.8 * np.sqrt(np.clip(1 - ((s.y + 0.26) / 0.72) ** 2, 0, 1))
    fall = np.maximum(s.y + 0.05, 0)
    half = np.where(s.y > -0.05, np.maximum(0.76 - 0.95 * fall**1.15, 0.16), half)
    bag = np.maximum(np.abs(s.x) - half, np.abs(s.y + 0.23) - 0.75)
    hue = s.hue(0.0, 0.06, 0.58, 0.8)
    gore = np.sin(np.arcsin(np.clip(s.x / (half + 1e-3), -1, 1)) * s.count(6, 8))
    first, second = (s.tint(hue, 0.9, 0.9), s.tint(s.hue(0.14, 0.14, 0.55), s.hue(0.85, 0.1), 0.97))
    paint.over(blend(first, second, smooth(-0.25, 0.25, gore)), s.cover(bag))
    stripe = smooth(0.06, 0.04, np.abs(s.y + 0.12 - 0.08 * np.cos(3 * s.x)))
    paint.inside(s.tint(hue + 0.45, 0.8, 0.8), stripe * s.cover(bag))
    paint.lit(1.12 - 0.5 * smooth(-0.1, 0.75, s.x + 0.3 * share))
    basket = s.box(0, 0.88, 0.15, 0.11)
    paint.over(wicker, s.cover(basket))
    return paint.over(
        wicker * 0.5, s.cover(basket) * smooth(0.2, 0.7, np.sin(46 * s.x) * np.sin(46 * s.y))
    )


def temple(s: Sheet) -> Paint:
    """Draw a Greek temple: fluted white columns on steps, dark between, a low gable above."""
    paint = Paint(s.side)
    stone = s.tint(0.11, 0.14, 0.93)
    for step in range(3):
        paint.over(
            stone * (0.6 + 0.15 * step),
            s.cover(s.box(0, 0.86 - 0.09 * step, 0.98 - 0.06 * step, 0.045)),
        )
    paint.over(s.tint(0.62, 0.4, 0.16), s.cover(s.box(0, 0.18, 0.8, 0.5)))
    count = s.count(4, 6)
    u = (s.x / 1.6 + 0.5) * count
    across = np.abs(u % 1 - 0.5) / count * 1.6
    wide = 0.62 * 0.8 / count
    column = np.maximum(across - wide, np.maximum(np.abs(s.y - 0.18) - 0.5, np.abs(s.x) - 0.8))
    flutes = 0.82 + 0.25 * np.cos(across / wide * 9) - 0.3 * smooth(0.4, 1.0, (u % 1) - 0.1)
    shade = np.clip(stone * flutes[..., None], 0, 1).astype(np.float32)
    paint.over(shade, s.cover(column))
    capital = np.maximum(across - wide * 1.35, np.abs(s.y + 0.28) - 0.05)
    paint.over(stone, s.cover(np.maximum(capital, np.abs(s.x) - 0.84)))
    paint.over(stone * 0.9, s.cover(s.box(0, -0.4, 0.9, 0.075)))
    paint.over(stone * 0.4, s.cover(s.box(0, -0.32, 0.9, 0.015)))
    gable = np.maximum(np.abs(s.x) * 0.42 - (s.y + 0.9), s.y + 0.48)
    paint.over(stone * 0.9, s.cover(gable))
    return paint.over(stone * 0.5, s.cover(gable + 0.075))
