"""More plants: palm, pine, grapes, strawberry, tulip, succulent."""

import numpy as np

from render.training.motifs.drawing import Colour, Paint, Sheet, blend, smooth

WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)


def palm(s: Sheet) -> Paint:
    """Draw a palm: a bent ringed trunk, and feathered fronds that arch out of its top."""
    paint = Paint(s.side)
    bark = s.tint(0.08, 0.45, 0.55, 0.02)
    lean = s.between(-0.25, 0.25)
    x = s.x - lean * (s.y + 0.35) ** 2 * 0.6
    trunk = np.maximum(np.abs(x) - 0.07 - 0.03 * s.y, np.maximum(-0.35 - s.y, s.y - 1))
    paint.over(bark, s.cover(trunk))
    paint.inside(bark * 0.5, smooth(0.2, 0.8, np.sin(34 * s.y + 6 * x)))
    along = np.linspace(0.03, 1, 15)
    green = s.tint(0.3, 0.8, 0.55, 0.03)
    for number, turn in enumerate(s.rng.permutation(np.linspace(-3.5, 0.36, s.count(7, 9)))):
        reach = s.between(0.72, 0.92)
        comb = (0.1 - 0.07 * along) * np.where(np.arange(15) % 2 == 0, 1.0, 0.45)
        frond, share = s.chain(
            np.cos(turn) * along * reach,
            np.sin(turn) * along * reach * 0.75 - 0.36 + 0.5 * along**2,
            comb,
        )
        tone = green * (0.65 if number % 2 else 1.05)
        paint.over(tone * 0.45, s.cover(frond - 0.015))
        paint.over(blend(tone, tone * 1.5, share), s.cover(frond))
    for at in (-0.08, 0.07):
        paint.over(bark * 0.6, s.cover(s.disc(at, -0.28, 0.085)))
    return paint


def pine(s: Sheet) -> Paint:
    """Draw a fir: tiers of dark green boughs with ragged hems, sometimes snowy, a brown trunk."""
    paint = Paint(s.side)
    paint.over(s.tint(0.07, 0.55, 0.35, 0.02), s.cover(s.box(0, 0.86, 0.09, 0.14)))
    green = s.tint(s.hue(0.36, 0.4, 0.33), 0.7, 0.4, 0.02)
    tiers = s.count(4, 5)
    snow = s.between(0, 1) < 0.35
    for tier in reversed(range(tiers)):
        top = -0.98 + 1.5 * tier / tiers * 0.88
        bottom = top + 1.5 / tiers + 0.2
        half = 0.3 + 0.42 * (tier + 1) / tiers
        share = np.clip((s.y - top) / (bottom - top), 0, 1)
        hem = bottom - 0.07 * np.abs(np.sin(s.x * 13 + tier)) - 0.12 * s.x**2
        shape = np.maximum(np.abs(s.x) - half * share**1.25, np.maximum(top - s.y, s.y - hem))
        paint.over(blend(green * 1.4, green * 0.5, share), s.cover(shape))
        needles = smooth(0.2, 0.8, np.sin(44 * np.abs(s.x) + 26 * s.y))
        paint.over(green * 1.7, s.cover(shape) * needles * 0.55)
        if snow:
            paint.over(WHITE, s.cover(shape) * smooth(-0.02, -0.06, s.y - hem) * (share > 0.72))
    return paint


def grapes(s: Sheet) -> Paint:
    """Draw a bunch of grapes: purple, red or green balls with highlights, below a leaf."""
    paint = Paint(s.side)
    green = s.tint(0.28, 0.7, 0.55)
    lobes = s.moved(0.0, -0.66, 1, s.between(-0.3, 0.3))
    paint.over(green, s.cover(lobes.radius - 0.36 - 0.1 * np.abs(np.cos(2.5 * lobes.angle))))
    paint.inside(green * 1.5, smooth(0.07, 0.02, np.abs(np.sin(2.5 * lobes.angle)) * lobes.radius))
    hue = s.hue(0.77, 0.8, 0.92, 0.22)
    ball = s.tint(hue, 0.65, 0.55 if hue > 0.5 else 0.8)
    for y, row in ((-0.4, 4), (-0.1, 4), (0.2, 3), (0.5, 2), (0.78, 1)):
        for column in range(row):
            x = (column - (row - 1) / 2) * 0.36 + s.between(-0.04, 0.04)
            at = s.moved(x, y + s.between(-0.03, 0.03), s.between(0.19, 0.23))
            r = np.hypot(at.x + 0.25, at.y + 0.25)
            shade = blend(ball * 1.5, ball * 0.4, smooth(0.1, 1.2, r))
            paint.over(shade, at.cover(at.radius - 1))
            paint.over(WHITE, 0.9 * at.cover(at.disc(-0.35, -0.38, 0.2)))
    return paint


def strawberry(s: Sheet) -> Paint:
    """Draw a strawberry: a red heart with rows of yellow seeds below a green crown of leaves."""
    paint = Paint(s.side)
    red = s.tint(0.985, 0.9, 0.88, 0.015)
    share = np.clip((s.y + 0.55) / 1.5, 0, 1)
    half = s.between(0.66, 0.8) * np.clip(1 - share**2, 0, 1) ** 0.8
    half = half * smooth(-0.2, 0.25, share + 0.02)
    fruit = np.maximum(np.abs(s.x) - half, np.abs(s.y - 0.2) - 0.76)
    paint.over(red, s.cover(fruit))
    paint.lit(1.15 - 0.6 * smooth(-0.1, 0.7, s.x + 0.4 * s.y))
    rows = s.between(4.2, 5.5)
    line = np.floor(s.y * rows)
    u, v = (s.x * rows + 0.5 * (line % 2)) % 1 - 0.5, (s.y * rows) % 1 - 0.5
    seed = np.hypot(u * 1.5, v)
    paint.inside(red * 0.45, smooth(0.34, 0.22, seed))
    paint.inside(s.tint(0.14, 0.75, 0.97), smooth(0.2, 0.14, seed))
    crown = s.moved(0, -0.58)
    leaf = crown.radius - 0.2 - 0.34 * np.abs(np.cos(3.5 * crown.angle + 0.4)) ** 2
    green = s.tint(0.3, 0.75, 0.55)
    paint.over(green * 0.5, s.cover(leaf - 0.03)).over(green, s.cover(leaf + 0.02))
    return paint.over(green * 0.8, s.cover(s.line(0, -0.6, 0.08, -0.98) - 0.045))


def tulip(s: Sheet) -> Paint:
    """Draw a tulip: a cup of three pointed petals, red, yellow or pink, on a stem with leaves."""
    paint = Paint(s.side)
    green = s.tint(0.32, 0.65, 0.55)
    paint.over(green, s.cover(s.line(0, 0, 0.0, 1.0) - 0.05))
    for side in (-1, 1):
        blade = s.moved(0.28 * side, 0.6, 1, 0.5 * side)
        shape = blade.oval(0, 0, 0.12, 0.48)
        paint.over(green * 0.5, s.cover(shape - 0.02))
        paint.over(blend(green * 0.8, green * 1.3, smooth(0.1, -0.1, blade.x)), s.cover(shape))
    hue = s.hue(0.98, 0.0, 0.14, 0.9, 0.78)
    body = s.tint(hue, 0.85, 0.92)
    for x, turn, tone in ((-0.26, -0.22, 0.75), (0.26, 0.22, 0.7), (0.0, 0.0, 1.0)):
        petal = s.moved(x, -0.38, 1, turn)
        share = np.clip((petal.y + 0.58) / 1.1, 0, 1)
        half = 0.36 * np.clip(np.sin(np.pi * share**0.8), 0, 1) ** 0.7
        shape = np.maximum(np.abs(petal.x) - half, np.abs(petal.y + 0.03) - 0.55)
        paint.over(body * 0.4, s.cover(shape - 0.02))
        folds = 1 + 0.18 * np.sin(26 * petal.x) - 0.3 * smooth(0.1, 0.35, np.abs(petal.x))
        shade = np.clip(body * tone * folds[..., None], 0, 1)
        paint.over(shade.astype(np.float32), s.cover(shape + 0.02))
    return paint


def succulent(s: Sheet) -> Paint:
    """Draw a house leek: a rosette of fleshy pointed leaves, blue-green with rosy tips."""
    paint = Paint(s.side)
    hue = s.hue(0.38, 0.42, 0.3, 0.46)
    body, tip = s.tint(hue, 0.45, 0.75), s.tint(s.hue(0.95, 0.9), 0.6, 0.85)
    count = s.count(7, 9)
    for layer, reach in enumerate((1.0, 0.8, 0.61, 0.44, 0.29, 0.16)):
        turn = s.angle * count / (2 * np.pi) + 0.5 * (layer % 2)
        across = np.abs(turn % 1 - 0.5) * 2
        petal = s.radius - reach * (0.6 + 0.4 * np.clip(1 - across**1.6, 0, 1))
        share = s.radius / reach
        cover = s.cover(petal * 0.8)
        paint.over(body * 0.3, cover)
        shade = blend(body * 0.6, body * (1.2 - 0.06 * layer), smooth(0.45, 0.8, share))
        paint.over(shade, cover * smooth(0.0, 0.05, -petal) * smooth(1.0, 0.85, across))
        paint.over(tip, cover * smooth(0.86, 0.96, share) * smooth(0.35, 0.1, across))
    return paint.lit((1.08 - 0.3 * smooth(-0.4, 0.8, s.x + s.y)).astype(np.float32))
