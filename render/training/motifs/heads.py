"""More heads, each with colours of its own: lion, fox, frog, pig, penguin."""

import numpy as np

from render.training.motifs.creatures import small_eye
from render.training.motifs.drawing import Colour, Paint, Sheet, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)
WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)


def lion(s: Sheet) -> Paint:
    """Draw a lion's head: a tawny face in a wide mane of dark orange locks, a broad nose."""
    paint = Paint(s.side)
    mane, tawny = s.tint(0.06, 0.85, 0.6, 0.015), s.tint(0.105, 0.55, 0.9, 0.015)
    locks = 0.1 * np.abs(np.sin(8 * s.angle + 1.5 * s.radius))
    paint.over(mane * 0.6, s.cover(s.radius - 0.88 - locks))
    paint.inside(mane * 1.3, smooth(0.0, 0.8, np.sin(16 * s.angle + 3 * s.radius)))
    for side in (-1, 1):
        paint.over(tawny * 0.8, s.cover(s.disc(0.46 * side, -0.44, 0.17)))
    paint.over(tawny, s.cover(s.oval(0, 0.05, 0.55, 0.6)))
    paint.over(WHITE, smooth(0.04, -0.06, s.oval(0, 0.38, 0.34, 0.24)))
    nose = np.maximum(np.abs(s.x) * 0.9 + s.y - 0.34, 0.12 - s.y)
    paint.over(s.tint(0.02, 0.5, 0.35), s.cover(nose))
    paint.over(BLACK, s.cover(s.line(0, 0.3, 0, 0.46) - 0.025))
    smile = np.abs(s.y - 0.5 + 1.4 * (np.abs(s.x) - 0.13) ** 2) - 0.03
    paint.over(BLACK, s.cover(np.maximum(smile, np.abs(s.x) - 0.26)))
    for side in (-1, 1):
        small_eye(s, paint, 0.24 * side, -0.1, 0.11)
    return paint


def fox(s: Sheet) -> Paint:
    """Draw a fox's head: orange, pointed ears tipped with black, white cheeks, a sharp nose."""
    paint = Paint(s.side)
    orange = s.tint(0.055, 0.88, 0.9, 0.012)
    for side in (-1, 1):
        ear = s.moved(0.55 * side, -0.55, 1, 0.25 * side)
        wedge = np.maximum(np.abs(ear.x) * 1.7 - (ear.y + 0.48), ear.y - 0.4)
        paint.over(orange, s.cover(wedge))
        paint.over(BLACK, s.cover(np.maximum(wedge, ear.y + 0.12)))
    chin = np.abs(s.x) - 0.86 * np.clip((0.95 - s.y) / 1.2, 0, 1) ** 0.8
    head = np.maximum(chin, np.maximum(-0.42 - s.y, s.y - 0.95))
    paint.over(orange, s.cover(head))
    cheeks = np.maximum(head, 0.3 - s.y - 0.5 * np.abs(s.x) + 0.25 * smooth(0.3, 0, np.abs(s.x)))
    paint.over(WHITE, s.cover(cheeks + 0.03))
    blaze = np.abs(s.x) - 0.2 * np.clip((s.y + 0.4) / 1.2, 0.2, 1)
    paint.over(orange, s.cover(np.maximum(blaze, np.maximum(-0.4 - s.y, s.y - 0.7))))
    for side in (-1, 1):
        small_eye(s, paint, 0.32 * side, 0.08, 0.12)
    return paint.over(BLACK, s.cover(s.disc(0, 0.82, 0.14)))


def frog(s: Sheet) -> Paint:
    """Draw a frog's head: wide and bright green, eyes that bulge above it, a very wide mouth."""
    paint = Paint(s.side)
    green = s.tint(s.hue(0.29, 0.33, 0.26), 0.85, 0.75, 0.015)
    for side in (-1, 1):
        paint.over(green, s.cover(s.disc(0.48 * side, -0.42, 0.36)))
    paint.over(green, s.cover(s.oval(0, 0.2, 0.95, 0.62)))
    paint.lit(1.12 - 0.4 * smooth(0.1, 0.8, s.y))
    paint.over(s.tint(0.17, 0.35, 0.95), smooth(0.05, -0.05, s.oval(0, 0.66, 0.6, 0.18)))
    mouth = np.abs(s.y - 0.42 + 0.28 * s.x**2) - 0.045
    paint.over(s.tint(0.98, 0.7, 0.4), s.cover(np.maximum(mouth, np.abs(s.x) - 0.76)))
    for side in (-1, 1):
        paint.over(s.tint(0.14, 0.7, 0.98), s.cover(s.disc(0.48 * side, -0.44, 0.26)))
        paint.over(BLACK, s.cover(s.oval(0.48 * side, -0.44, 0.2, 0.11)))
        paint.over(WHITE, s.cover(s.disc(0.48 * side - 0.08, -0.5, 0.05)))
        paint.over(green * 0.4, s.cover(s.disc(0.1 * side, 0.12, 0.04)))
    return paint


def pig(s: Sheet) -> Paint:
    """Draw a pig's head: pink, folded ears, a broad snout with two dark nostrils."""
    paint = Paint(s.side)
    pink = s.tint(0.97, 0.35, 0.95, 0.015)
    for side in (-1, 1):
        ear = s.moved(0.58 * side, -0.58, 1, 0.5 * side)
        paint.over(pink * 0.75, ear.cover(ear.oval(0, 0, 0.24, 0.36)))
    paint.over(pink, s.cover(s.oval(0, 0.08, 0.86, 0.8)))
    paint.lit(1.08 - 0.3 * smooth(0.5, 0.95, s.radius))
    snout = s.oval(0, 0.3, 0.42, 0.3)
    paint.over(pink * 0.5, s.cover(snout - 0.03))
    paint.over(s.tint(0.965, 0.5, 0.95, 0.01), s.cover(snout))
    for side in (-1, 1):
        paint.over(s.tint(0.96, 0.6, 0.3), s.cover(s.oval(0.16 * side, 0.3, 0.08, 0.14)))
        small_eye(s, paint, 0.36 * side, -0.2, 0.11)
    mouth = np.abs(s.y - 0.74 + 0.35 * s.x**2) - 0.03
    return paint.over(pink * 0.4, s.cover(np.maximum(mouth, np.abs(s.x) - 0.26)))


def penguin(s: Sheet) -> Paint:
    """Draw a penguin, upright: black back and flippers, white belly, orange beak and feet."""
    paint = Paint(s.side)
    orange = s.tint(0.085, 0.95, 0.98, 0.015)
    for side in (-1, 1):
        paint.over(orange, s.cover(s.oval(0.24 * side, 0.9, 0.24, 0.11)))
        flipper = s.moved(0.58 * side, 0.16, 1, -0.4 * side)
        paint.over(BLACK, flipper.cover(flipper.oval(0, 0, 0.14, 0.46)))
    coat = s.tint(0.62, 0.35, 0.16)
    paint.over(coat, s.cover(np.minimum(s.oval(0, 0.22, 0.56, 0.7), s.disc(0, -0.56, 0.4))))
    paint.over(WHITE, s.cover(s.oval(0, 0.34, 0.4, 0.54)))
    for side in (-1, 1):
        paint.over(WHITE, s.cover(s.oval(0.17 * side, -0.52, 0.17, 0.21)))
        paint.over(BLACK, s.cover(s.disc(0.15 * side, -0.56, 0.09)))
    beak = np.maximum(np.abs(s.x) * 1.3 + s.y + 0.16, -0.42 - s.y)
    return paint.over(orange, s.cover(beak))
