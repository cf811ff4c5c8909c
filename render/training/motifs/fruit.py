"""Fruit: grapes, strawberry, pineapple, watermelon, pumpkin."""

import numpy as np

from render.training.motifs.drawing import BLACK, WHITE, Frame, Paint, blend, smooth


def grapes(s: Frame) -> Paint:
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


def strawberry(s: Frame) -> Paint:
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


def pineapple(s: Frame) -> Paint:
    """Draw a pineapple: a golden oval of slanted diamonds under a tuft of pointed leaves."""
    paint = Paint(s.side)
    green, gold = s.tint(0.33, 0.7, 0.55), s.tint(0.115, 0.88, 0.92, 0.012)
    for number, turn in enumerate((-0.75, 0.75, -0.4, 0.4, 0.0)):
        blade = s.moved(0.42 * turn, -0.58, 1, turn)
        shape = np.abs(blade.x) - 0.16 * np.clip((blade.y + 0.45) / 0.5, 0, 1)
        shape = np.maximum(shape, np.abs(blade.y + 0.05) - 0.42)
        tone = green * (0.75 + 0.12 * number)
        paint.over(green * 0.35, s.cover(shape - 0.02)).over(tone, s.cover(shape + 0.01))
    body = s.oval(0, 0.32, s.between(0.5, 0.6), 0.66)
    paint.over(gold, s.cover(body))
    slant = s.between(3.0, 4.0)
    first, second = (s.x + 0.8 * s.y) * slant, (s.x - 0.8 * s.y) * slant
    across = np.minimum(np.abs(first % 1 - 0.5), np.abs(second % 1 - 0.5))
    paint.inside(gold * 0.4, s.cover(body) * smooth(0.15, 0.07, across))
    eyes = np.hypot((first + 0.5) % 1 - 0.5, (second + 0.5) % 1 - 0.5)
    paint.inside(s.tint(0.07, 0.8, 0.55), s.cover(body) * smooth(0.16, 0.08, eyes))
    return paint


def watermelon(s: Frame) -> Paint:
    """Draw a slice of watermelon: red flesh with black seeds, a white and a green rind below."""
    paint = Paint(s.side)
    y = s.y + 0.4
    bowl = np.maximum(np.hypot(s.x, y) - 0.98, -y)
    red, green = s.tint(0.98, 0.82, 0.93, 0.012), s.tint(0.35, 0.75, 0.45)
    paint.over(green, s.cover(bowl))
    stripes = np.sin(16 * np.arctan2(y, s.x))
    paint.inside(green * 0.5, smooth(0.1, 0.5, stripes))
    paint.inside(s.tint(0.25, 0.25, 0.95), s.cover(np.hypot(s.x, y) - 0.84))
    paint.inside(red, s.cover(np.hypot(s.x, y) - 0.76))
    for _ in range(s.count(6, 9)):
        turn, far = s.between(0.35, np.pi - 0.35), s.between(0.25, 0.64)
        seed = s.moved(far * np.cos(turn), far * np.sin(turn) - 0.4, 1, turn - np.pi / 2)
        paint.over(BLACK, s.cover(np.maximum(seed.oval(0, 0, 0.05, 0.09), bowl)))
    return paint


def pumpkin(s: Frame) -> Paint:
    """Draw a pumpkin with a face: orange ribs, glowing triangles for eyes, a toothed grin."""
    paint = Paint(s.side)
    orange = s.tint(0.07, 0.95, 0.95, 0.01)
    paint.over(s.tint(0.28, 0.6, 0.4), s.cover(s.box(0.04, -0.74, 0.11, 0.2)))
    globe = s.oval(0, 0.12, 0.95, 0.76)
    paint.over(orange, s.cover(globe))
    width = np.sqrt(np.clip(1 - ((s.y - 0.12) / 0.8) ** 2, 0.03, 1))
    ribs = np.abs(np.cos(np.arcsin(np.clip(s.x / width, -1, 1)) * 3.5))
    paint.lit((0.55 + 0.5 * ribs**0.6).astype(np.float32))
    holes = np.full_like(s.x, 9.0)
    for x, y, size in ((-0.36, -0.1, 0.26), (0.36, -0.1, 0.26), (0.0, 0.16, 0.15)):
        wedge = np.maximum(np.abs(s.x - x) * 1.4 - (s.y - y + size), s.y - y - 0.6 * size)
        holes = np.minimum(holes, wedge)
    teeth = 0.08 * np.sign(np.sin(11 * s.x + 0.8))
    grin = np.abs(s.y - 0.5 + 0.3 * s.x**2 - 0.5 * teeth) - 0.13
    holes = np.minimum(holes, np.maximum(grin, np.abs(s.x) - 0.6))
    lit = s.between(0, 1) < 0.5
    glow = blend(s.tint(0.14, 0.6, 1.0), orange, smooth(0.0, 0.9, s.radius)) if lit else BLACK
    paint.over(BLACK, s.cover(holes - 0.03))
    return paint.over(glow, s.cover(holes + 0.02))
