"""More creatures: bird, wings, snake, turtle, jellyfish, panda, skull."""

import numpy as np

from render.training.motifs.creatures import small_eye
from render.training.motifs.drawing import Colour, Paint, Sheet, blend, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)
WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)


def bird(s: Sheet) -> Paint:
    """Draw a songbird from the side: bright back, pale breast, streaked wing, tail, beak."""
    paint = Paint(s.side)
    back = s.tint(s.hue(0.58, 0.0, 0.13, 0.36), 0.85, 0.85)
    breast = s.tint(s.hue(0.09, 0.12), 0.5, 0.95)
    tail = s.moved(0.66, 0.42, 1, 0.5)
    paint.over(back * 0.5, s.cover(tail.box(0, 0, 0.36, 0.1)))
    for x in (-0.08, 0.12):
        paint.over(s.tint(0.07, 0.7, 0.5), s.cover(s.line(x, 0.5, x - 0.05, 0.95) - 0.025))
    beak = np.maximum(np.abs(s.y + 0.36) - 0.42 * (s.x + 1.0), s.x + 0.6)
    paint.over(s.tint(0.1, 0.85, 0.9), s.cover(beak))
    body = s.moved(0.04, 0.14, 1, 0.4)
    shape = np.minimum(body.oval(0, 0, 0.62, 0.42), s.disc(-0.4, -0.38, 0.33))
    paint.over(back, s.cover(shape))
    paint.inside(breast, smooth(0.06, -0.08, s.oval(-0.24, 0.26, 0.4, 0.36)) * s.cover(shape))
    wing = s.moved(0.2, 0.1, 1, 0.5)
    blade = np.maximum(wing.oval(0, 0, 0.5, 0.26), -wing.y - 0.22)
    paint.over(back * 0.4, s.cover(blade))
    streaks = np.sin(34 * (wing.y - 0.25 * wing.x))
    paint.over(back * 1.15, s.cover(blade + 0.03) * smooth(-0.2, 0.5, streaks))
    paint.over(WHITE, s.cover(s.disc(-0.48, -0.42, 0.12)))
    small_eye(s, paint, -0.48, -0.42, 0.09)
    return paint.lit(1.1 - 0.4 * smooth(0.1, 0.6, s.y))


def wings(s: Sheet) -> Paint:
    """Draw a spread pair of wings: two fans of a few long white or golden feathers."""
    paint = Paint(s.side)
    gold = s.between(0, 1) < 0.4
    body = s.tint(0.12, 0.55, 0.95) if gold else s.tint(0.6, 0.08, 0.97)
    root = Sheet(s.rng, np.abs(s.x), s.y, s.pixel).moved(0.05, 0.42)
    share = (root.angle + 1.35) / s.between(1.45, 1.65)
    for reach, count in ((1.32, 6), (0.8, 5)):
        across = (share * count) % 1 - 0.5
        length = reach * (1 - 0.45 * np.clip(share, 0, 1) ** 1.5) - 1.6 * reach * across**4
        inside = (share > 0) * (share < 1)
        cover = s.cover(root.radius - length) * inside
        paint.over(body * 0.3, cover)
        light = smooth(0.46, 0.34, np.abs(across)) * smooth(0.0, 0.06, length - root.radius)
        paint.over(blend(body * 0.7, body, smooth(0.2, 1.0, root.radius / reach)), cover * light)
    return paint


def snake(s: Sheet) -> Paint:
    """Draw a coral snake: a long body in wide S bends, ringed in red, white and black, a head."""
    paint = Paint(s.side)
    along = np.linspace(0, 1, 80)
    swing = s.between(0.5, 0.66) * s.hue(-1.0, 1.0)
    x = swing * np.sin(along * s.between(8.5, 10.5)) * (1 - 0.25 * along)
    y = 0.85 - 1.55 * along
    size = 0.16 * np.clip(along * 4, 0.25, 1)
    body, share = s.chain(x, y, size)
    red, pale = s.tint(0.0, 0.92, 0.85, 0.015), s.tint(0.13, 0.4, 0.98)
    paint.over(BLACK, s.cover(body - 0.03)).over(red, s.cover(body))
    ring = np.abs((share * s.count(9, 12)) % 1 - 0.5) * 2
    paint.inside(pale, smooth(0.62, 0.56, ring) * s.cover(body))
    paint.inside(BLACK, smooth(0.32, 0.26, ring) * s.cover(body))
    paint.lit(1.15 - 0.6 * np.clip(1 + body / 0.17, 0, 1) ** 2)
    head = s.moved(float(x[-1]), float(y[-1]) - 0.04)
    paint.over(red, s.cover(head.line(0, 0, 0.05, -0.34) - 0.03))
    paint.over(BLACK, s.cover(head.oval(0, 0, 0.2, 0.24)))
    for side in (-1, 1):
        paint.over(pale, s.cover(head.disc(0.09 * side, -0.05, 0.06)))
    return paint


def turtle(s: Sheet) -> Paint:
    """Draw a sea turtle from above: a domed shell of plates, spotted flippers, a head."""
    paint = Paint(s.side)
    skin = s.tint(s.hue(0.25, 0.3, 0.4), 0.55, 0.62)
    x = np.abs(s.x)
    half = Sheet(s.rng, x, s.y, s.pixel)
    front, back = half.moved(0.68, -0.32, 1, 0.5), half.moved(0.5, 0.68, 1, 0.9)
    limbs = np.minimum(front.oval(0, 0, 0.42, 0.15), back.oval(0, 0, 0.26, 0.12))
    limbs = np.minimum(limbs, s.oval(0, -0.78, 0.18, 0.22))
    paint.over(skin, s.cover(limbs))
    near, border, _ = s.cells(6.0)
    paint.inside(skin * 0.45, smooth(0.0, 0.02, border - 0.03) * smooth(0.09, 0.05, near))
    for side in (-1, 1):
        paint.over(BLACK, s.cover(s.disc(0.1 * side, -0.86, 0.045)))
    plate = s.tint(s.hue(0.09, 0.2, 0.28), 0.65, 0.5)
    shield = s.oval(0, 0.05, 0.56, 0.68)
    paint.over(plate * 1.5, s.cover(shield))
    _, edge, _ = s.moved(0.0, 0.05).cells(2.3, 0.35)
    paint.over(plate * 0.35, s.cover(shield + 0.09) * smooth(0.1, 0.05, edge))
    paint.over(plate, s.cover(shield + 0.09) * smooth(0.06, 0.12, edge))
    paint.over(plate * 1.35, s.cover(shield + 0.09) * smooth(0.14, 0.24, edge) * 0.8)
    rim = smooth(0.5, 0.8, np.sin(22 * s.angle)) * s.stroke(shield + 0.04, 0.05)
    return paint.over(plate * 0.4, rim)


def jellyfish(s: Sheet) -> Paint:
    """Draw a jellyfish: a glowing striped bell with a frilled hem, and waving tentacles."""
    paint = Paint(s.side)
    hue = s.hue(0.83, 0.92, 0.55, 0.7)
    glow, deep = s.tint(hue, 0.35, 0.98), s.tint(hue, 0.75, 0.7)
    paint.over(s.tint(0.63, 0.75, 0.2), 0.7 * smooth(1.25, 0.8, s.radius))
    count = s.count(5, 8)
    sway = 0.08 * np.sin(7 * s.y + s.between(0, 6))
    u = (s.x + sway) * count
    arm = np.abs(u % 1 - 0.5) / count
    thin = 0.05 * (1 - s.y) * 0.8 + 0.015
    hanging = np.maximum(np.abs(s.x) - 0.55, np.maximum(-s.y, s.y - 0.98))
    paint.over(glow, s.cover(arm - thin) * s.cover(hanging))
    paint.lit(1 - 0.3 * smooth(0.0, 0.9, s.y))
    hem = 0.02 + 0.06 * np.abs(np.sin(9 * s.x))
    bell = np.maximum(s.oval(0, -0.05, s.between(0.66, 0.8), 0.8), s.y - hem)
    width = np.sqrt(np.clip(1 - ((s.y + 0.05) / 0.84) ** 2, 0.03, 1))
    ribs = np.cos(np.arcsin(np.clip(s.x / (0.75 * width), -1, 1)) * 7)
    paint.over(blend(deep, glow, smooth(-0.4, 0.7, ribs)), s.cover(bell))
    paint.over(glow, s.cover(bell) * smooth(0.12, 0.02, np.abs(bell)) * 0.9)
    return paint.over(WHITE, 0.7 * smooth(0.08, -0.05, s.oval(-0.22, -0.5, 0.2, 0.12)))


def panda(s: Sheet) -> Paint:
    """Draw a panda's head: white, with black ears, tilted black patches round the eyes, a nose."""
    paint = Paint(s.side)
    fur = WHITE * s.between(0.88, 1.0)
    for side in (-1, 1):
        paint.over(BLACK * 2, s.cover(s.disc(0.6 * side, -0.58, 0.3)))
    head = s.oval(0, 0.08, 0.88, 0.78)
    paint.over(fur, s.cover(head))
    paint.lit(1 - 0.3 * smooth(0.35, 1.0, s.radius) + 0.05 * np.sin(40 * s.angle))
    for side in (-1, 1):
        patch = s.moved(0.36 * side, 0.02, 1, 0.6 * side)
        paint.over(BLACK, patch.cover(patch.oval(0, 0, 0.2, 0.28)))
        paint.over(WHITE, s.cover(s.disc(0.33 * side, -0.02, 0.085)))
        paint.over(BLACK, s.cover(s.disc(0.33 * side, -0.01, 0.06)))
    paint.over(BLACK, s.cover(s.oval(0, 0.34, 0.17, 0.1)))
    paint.over(BLACK, s.cover(s.line(0, 0.4, 0, 0.52) - 0.02))
    smile = np.abs(s.y - 0.55 + 0.9 * (np.abs(s.x) - 0.12) ** 2 * 5) - 0.022
    return paint.over(BLACK, s.cover(np.maximum(smile, np.abs(s.x) - 0.26)))


def skull(s: Sheet) -> Paint:
    """Draw a skull: ivory, with dark round sockets, a nose like an upturned heart, teeth."""
    paint = Paint(s.side)
    bone = s.tint(0.12, 0.18, 0.92)
    jaw = np.maximum(np.abs(s.x) - 0.42 + 0.1 * s.y, np.abs(s.y - 0.62) - 0.34)
    shape = np.minimum(s.oval(0, -0.18, s.between(0.74, 0.84), 0.74), jaw)
    paint.over(bone, s.cover(shape))
    paint.lit(1.08 - 0.55 * smooth(-0.25, 0.0, shape) + 0.04 * s.noise(1.2))
    for side in (-1, 1):
        paint.over(bone * 0.55, s.cover(s.oval(0.35 * side, -0.04, 0.27, 0.26)))
        paint.over(BLACK, s.cover(s.oval(0.35 * side, -0.02, 0.22, 0.21)))
        paint.over(bone * 0.6, smooth(0.06, -0.04, s.oval(0.62 * side, 0.34, 0.12, 0.08)))
    nose = np.maximum(np.abs(np.abs(s.x) - 0.05) - 0.09 * (s.y - 0.2) / 0.18, s.y - 0.4)
    paint.over(BLACK, s.cover(np.maximum(nose, 0.2 - s.y)))
    teeth = np.abs((s.x * 5.5) % 1 - 0.5) / 5.5
    mouth = np.maximum(np.abs(s.x) - 0.36, np.abs(s.y - 0.7) - 0.16)
    paint.over(BLACK, s.cover(mouth) * s.cover(teeth - 0.018))
    return paint.over(BLACK, s.cover(np.maximum(np.abs(s.x) - 0.38, np.abs(s.y - 0.7) - 0.022)))
