"""Whole animals, from fish and birds to insects."""

import numpy as np

from render.training.motifs.drawing import BLACK, WHITE, Frame, Paint, blend, smooth
from render.training.motifs.faces import small_eye


def fish(s: Frame) -> Paint:
    """Draw a bright fish from the side: scaled body with bands, tail, fins, round eye."""
    paint = Paint(s.side)
    hue = s.hue(0.06, 0.06, 0.13, 0.02)
    body = s.tint(hue, 0.88, 0.95, 0.02)
    fin = s.tint(hue, 0.9, 0.8, 0.02)
    rays = 0.75 + 0.25 * np.sin(40 * np.arctan2(s.y, s.x - 0.2))
    tail = np.maximum(np.maximum(np.abs(s.y) - (s.x - 0.42) * 1.05, s.x - 0.98), 0.45 - s.x)
    top = np.maximum(s.oval(0.05, -0.3, 0.42, 0.36), s.y)
    bottom = np.maximum(s.oval(0.15, 0.32, 0.24, 0.26), -s.y)
    paint.over(fin, s.cover(np.minimum(np.minimum(tail, top), bottom))).lit(rays)
    outline = (
        np.abs(s.y) - s.between(0.38, 0.5) * np.clip(1 - ((s.x + 0.15) / 0.78) ** 2, 0, 1) ** 0.75
    )
    outline = np.maximum(outline, np.abs(s.x + 0.15) - 0.78)
    paint.over(body, s.cover(outline))
    scales = np.sin(22 * s.x) * np.sin(22 * s.y)
    inside = s.cover(outline)
    paint.over(body * 0.72, 0.8 * inside * smooth(0.1, 0.6, scales))
    for at in (-0.42, 0.05, 0.42):
        band = np.abs(s.x - at + 0.12 * s.y**2) - 0.075
        paint.over(WHITE, s.cover(band) * inside)
        paint.over(BLACK, s.stroke(band, 0.022) * inside)
    paint.over(BLACK, s.stroke(outline, 0.02))
    paint.over(WHITE, s.cover(s.disc(-0.66, -0.07, 0.12)))
    small_eye(s, paint, -0.66, -0.07, 0.085)
    return paint.lit(1.1 - 0.35 * smooth(-0.3, 0.4, s.y))


def octopus(s: Frame) -> Paint:
    """Draw an octopus: a round purple head with two white eyes, curling arms with pale suckers."""
    paint = Paint(s.side)
    hue = s.hue(0.84, 0.88, 0.8)
    skin, pale = s.tint(hue, 0.7, 0.7), s.tint(hue, 0.2, 0.95)
    along = np.linspace(0, 1, 28)
    for number in s.rng.permutation(6):
        start = (number - 2.5) * 0.2
        sway = s.between(0.1, 0.2) * np.sin(along * s.between(5, 8) + s.between(0, 6))
        x = start * (1 + 1.2 * along) + sway * along
        arm, share = s.chain(x, 0.05 + 0.85 * along, 0.15 - 0.09 * along)
        paint.over(skin * 0.45, s.cover(arm - 0.03)).over(skin, s.cover(arm))
        beads = smooth(0.15, 0.3, np.abs((share * 6) % 1 - 0.5)) * s.cover(arm + 0.05)
        paint.over(pale, beads * smooth(0.2, 0.35, share))
    paint.over(skin, s.cover(s.oval(0, -0.42, s.between(0.56, 0.66), 0.55)))
    paint.over(pale, 0.6 * smooth(0.1, -0.1, s.oval(-0.2, -0.72, 0.16, 0.1)))
    for side in (-1, 1):
        paint.over(WHITE, s.cover(s.disc(0.24 * side, -0.26, 0.18)))
        paint.over(BLACK, s.cover(s.disc(0.24 * side, -0.23, 0.1)))
    return paint


def jellyfish(s: Frame) -> Paint:
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


def turtle(s: Frame) -> Paint:
    """Draw a sea turtle from above: a domed shell of plates, spotted flippers, a head."""
    paint = Paint(s.side)
    skin = s.tint(s.hue(0.25, 0.3, 0.4), 0.55, 0.62)
    x = np.abs(s.x)
    half = Frame(s.rng, x, s.y, s.pixel)
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


def snake(s: Frame) -> Paint:
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


def bird(s: Frame) -> Paint:
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


def wings(s: Frame) -> Paint:
    """Draw a spread pair of wings: two fans of a few long white or golden feathers."""
    paint = Paint(s.side)
    gold = s.between(0, 1) < 0.4
    body = s.tint(0.12, 0.55, 0.95) if gold else s.tint(0.6, 0.08, 0.97)
    root = Frame(s.rng, np.abs(s.x), s.y, s.pixel).moved(0.05, 0.42)
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


def penguin(s: Frame) -> Paint:
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


def butterfly(s: Frame) -> Paint:
    """Draw a butterfly from above: four coloured wings, dark veins and rims, spots, body."""
    paint = Paint(s.side)
    hue = s.hue(0.07, 0.6, 0.55, 0.13)
    wing, glow = s.tint(hue, 0.9, 0.9), s.tint(hue + 0.04, 0.7, 1.0)
    x = np.abs(s.x)
    fold = s.between(0.8, 1.05)
    upper = Frame(s.rng, x / fold, s.y, s.pixel).moved(0.5, -0.36, 1, -0.6)
    lower = Frame(s.rng, x / fold, s.y, s.pixel).moved(0.38, 0.4, 1, 0.75)
    shape = np.minimum(upper.oval(0, 0, 0.58, 0.36), lower.oval(0, 0, 0.45, 0.32))
    paint.over(BLACK, s.cover(shape))
    root = np.hypot(x, s.y)
    veins = np.abs(np.sin(7 * np.arctan2(s.y, x))) * root
    colours = blend(glow, wing, smooth(0.2, 0.9, root))
    paint.inside(colours, s.cover(shape + 0.08) * (1 - s.cover(veins - 0.045)))
    rim_spots = np.sin(18 * np.arctan2(s.y, x))
    paint.inside(WHITE, s.stroke(shape + 0.055, 0.022) * smooth(0.2, 0.6, rim_spots))
    for spot in (upper.disc(0.2, 0, 0.12), lower.disc(0.1, 0.02, 0.1)):
        paint.inside(BLACK, s.cover(spot))
        paint.inside(s.tint(hue + 0.5, 0.6, 0.9), s.cover(spot + 0.05))
    paint.over(BLACK, s.cover(s.oval(0, 0.02, 0.07, 0.5)))
    feelers = np.abs(x - 0.55 * (-s.y - 0.42)) * s.cover(s.y + 0.45) + (1 - s.cover(s.y + 0.45))
    return paint.over(BLACK, s.cover(feelers - 0.03) * s.cover(-s.y - 0.85))


def ladybird(s: Frame) -> Paint:
    """Draw a ladybird from above: red shell with black spots and a seam, black head, six legs."""
    paint = Paint(s.side)
    legs = np.abs(np.abs(s.y - 0.15 * np.abs(s.x)) - 0.42)
    legs = np.minimum(legs, np.abs(s.y - 0.1))
    paint.over(BLACK, s.cover(legs - 0.045) * s.cover(np.abs(s.x) - 0.92))
    paint.over(BLACK, s.cover(s.oval(0, -0.6, 0.42, 0.32)))
    for side in (-1, 1):
        paint.over(WHITE, s.cover(s.disc(side * 0.24, -0.64, 0.1)))
    shell = s.oval(0, 0.14, 0.74, 0.76)
    red = s.tint(0.0, 0.92, 0.88, 0.03)
    paint.over(red, s.cover(shell))
    spots = [(0.3, -0.22), (0.42, 0.22), (0.24, 0.58)][: s.count(2, 3)]
    for x, y in spots:
        size = s.between(0.11, 0.17)
        paint.inside(BLACK, s.cover(np.hypot(np.abs(s.x) - x, s.y - y) - size) * s.cover(shell))
    paint.over(BLACK, s.cover(np.abs(s.x) - 0.03) * s.cover(shell))
    paint.over(BLACK, s.stroke(shell, 0.03))
    return paint.over(WHITE, 0.75 * smooth(0.1, -0.05, s.oval(-0.25, -0.2, 0.16, 0.1)))


def dragonfly(s: Frame) -> Paint:
    """Draw a dragonfly from above: four long veined wings, a thin banded body, huge eyes."""
    paint = Paint(s.side)
    hue = s.hue(0.55, 0.4, 0.0, 0.6)
    body, glass = s.tint(hue, 0.85, 0.8), s.tint(0.52, 0.15, 0.95)
    half = Frame(s.rng, np.abs(s.x), s.y, s.pixel)
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


def bee(s: Frame) -> Paint:
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


def spider(s: Frame) -> Paint:
    """Draw a spider from above: eight bent legs, a round marked body, a small head with eyes."""
    paint = Paint(s.side)
    hue = s.hue(0.06, 0.0, 0.09)
    dark = s.tint(hue, 0.5, 0.2)
    half = Frame(s.rng, np.abs(s.x), s.y, s.pixel)
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
