"""Motifs of creatures: eye, face, dog, owl, cat, fish, butterfly, ladybird, octopus."""

import numpy as np

from render.training.motifs.drawing import Colour, Field, Paint, Sheet, blend, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)
WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)


def iris(s: Sheet, paint: Paint, x: float, y: float, size: float, within: Field) -> None:
    """Paint a coloured iris with fibres, a dark pupil and a highlight, clipped by `within`."""
    eye = s.moved(x, y, size)
    r, a = eye.radius, eye.angle
    hue = s.hue(0.58, 0.55, 0.33, 0.11, 0.08)
    bright, deep = s.tint(hue, 0.75, 0.85), s.tint(hue, 0.9, 0.4)
    fibres = 0.5 + 0.5 * np.sin(s.count(9, 16) * a + 1.5 * s.noise(2.0))
    body = blend(deep, bright, smooth(0.95, 0.45, r) * (0.55 + 0.45 * fibres))
    paint.over(body, eye.cover(r - 1) * within)
    paint.over(BLACK, eye.stroke(r - 0.97, 0.07) * within)
    paint.over(BLACK, eye.cover(r - s.between(0.36, 0.52)) * within)
    side = s.hue(-1.0, 1.0)
    paint.over(WHITE, eye.cover(eye.disc(0.3 * side, -0.33, s.between(0.17, 0.25))) * within)


def eye(s: Sheet) -> Paint:
    """Draw an eye: lids, white, coloured iris, dark pupil, highlight; or a round animal eye."""
    paint = Paint(s.side)
    everywhere = np.ones_like(s.x)
    if s.between(0, 1) < 0.35:
        rim = s.tint(s.hue(0.08, 0.12, 0.3, 0.6), 0.5, 0.5)
        paint.over(rim, s.cover(s.radius - 0.98)).lit(1 - 0.35 * smooth(0.9, 0.7, s.radius))
        iris(s, paint, 0, 0, s.between(0.66, 0.78), everywhere)
        return paint
    opening = s.between(0.42, 0.68)
    lids = np.abs(s.y) - opening * (1 - s.x**2)
    lids = lids / np.sqrt(1 + (2 * opening * s.x) ** 2)
    skin = s.tint(0.06, 0.45, 0.68, 0.02)
    paint.over(skin, smooth(0.32, 0.12, lids) * smooth(1.5, 1.0, s.radius))
    paint.inside(skin * 0.5, s.stroke(lids - 0.16, 0.03))
    white = s.cover(lids)
    paint.over(WHITE * s.between(0.85, 1.0), white)
    iris(s, paint, s.between(-0.25, 0.25), s.between(-0.06, 0.06), opening * 0.92, white)
    paint.over(BLACK, s.stroke(lids, 0.05))
    lashes = smooth(0.2, 0.7, np.sin(s.x * 34 + s.y * 6)) * smooth(0.26, 0.1, lids)
    return paint.over(BLACK, lashes * s.cover(-lids) * s.cover(s.y + 0.08) * s.cover(s.radius - 1))


def small_eye(s: Sheet, paint: Paint, x: float, y: float, size: float) -> None:
    """Paint a dark eye with a highlight."""
    paint.over(BLACK, s.cover(s.disc(x, y, size)))
    paint.over(WHITE, s.cover(s.disc(x + 0.3 * size, y - 0.35 * size, 0.36 * size)))


def face(s: Sheet) -> Paint:
    """Draw a human face: skin, hair, two eyes with brows, nose, red mouth."""
    paint = Paint(s.side)
    hue = s.between(0.05, 0.08)
    skin = s.tint(hue, 0.42, 0.82, 0.01)
    hair = s.tint(s.hue(0.06, 0.1, 0.03), 0.6, 0.25)
    paint.over(hair, s.cover(s.oval(0, -0.12, 0.78, 0.88)))
    paint.inside(hair * 1.7, s.cover(np.sin(s.x * 26 + 2 * s.noise(2.2)) - 0.6))
    head = s.oval(0, 0.12, s.between(0.58, 0.66), 0.84)
    paint.over(skin, s.cover(head))
    paint.inside(
        skin * np.array([1.1, 0.75, 0.7], np.float32), 0.6 * smooth(0.2, 0, s.disc(0.35, 0.3, 0.1))
    )
    paint.inside(
        skin * np.array([1.1, 0.75, 0.7], np.float32), 0.6 * smooth(0.2, 0, s.disc(-0.35, 0.3, 0.1))
    )
    for side in (-1, 1):
        opened = s.cover(s.oval(side * 0.27, -0.02, 0.18, 0.11))
        paint.over(WHITE, opened)
        iris(s, paint, side * 0.27, -0.02, 0.105, opened)
        brow = s.moved(side * 0.27, -0.2, 1, 0.15 * side)
        paint.over(hair, brow.cover(brow.oval(0, 0, 0.2, 0.045)))
    paint.over(
        skin * 0.72,
        s.cover(np.maximum(np.abs(s.x) - 0.05 - 0.08 * (s.y), np.abs(s.y - 0.2) - 0.14)),
    )
    lips = s.tint(0.98, 0.65, 0.7, 0.02)
    paint.over(lips, s.cover(s.oval(0, 0.58, 0.24, s.between(0.07, 0.13))))
    paint.over(
        BLACK,
        s.stroke(s.y - 0.58 - 0.08 * np.cos(6 * s.x) + 0.07, 0.018) * s.cover(np.abs(s.x) - 0.2),
    )
    return paint.lit(1.05 - 0.35 * smooth(0.3, 0.8, np.abs(s.x)))


def dog(s: Sheet) -> Paint:
    """Draw a dog's head: brown fur, hanging ears, dark eyes, light muzzle, black nose, tongue."""
    paint = Paint(s.side)
    fur = s.tint(s.hue(0.07, 0.09), 0.6, 0.62, 0.02)
    dark = fur * s.between(0.4, 0.6)
    pale = s.tint(0.1, 0.22, 0.88, 0.02)
    for side in (-1, 1):
        ear = s.moved(side * 0.68, 0.0, 1, -0.28 * side)
        paint.over(dark, ear.cover(ear.oval(0, 0, 0.27, 0.66)))
    paint.over(fur, s.cover(s.oval(0, -0.08, 0.64, 0.76)))
    paint.over(pale, smooth(0.06, -0.06, s.oval(0, -0.3, 0.12, 0.6)))
    strands = np.sin(30 * s.angle + 3 * s.noise(1.8)) * 0.5 + 0.5
    paint.lit(0.78 + 0.4 * strands)
    paint.over(pale, smooth(0.04, -0.08, s.oval(0, 0.36, 0.42, 0.36)))
    if s.between(0, 1) < 0.5:
        paint.over(s.tint(0.97, 0.6, 0.85), s.cover(s.oval(0, 0.78, 0.14, 0.24)))
    paint.over(
        BLACK,
        s.stroke(np.abs(s.x) - 0.14, 0.14)
        * s.stroke(s.y - 0.56 + 0.25 * (np.abs(s.x) - 0.14) ** 2 * 20, 0.03),
    )
    paint.over(BLACK, s.cover(s.oval(0, 0.2, 0.22, 0.15)))
    paint.over(WHITE, 0.8 * s.cover(s.oval(-0.06, 0.14, 0.07, 0.03)))
    for side in (-1, 1):
        paint.over(dark, smooth(0.06, -0.02, s.disc(side * 0.3, -0.2, 0.17)))
        small_eye(s, paint, side * 0.3, -0.2, 0.14)
    return paint


def owl(s: Sheet) -> Paint:
    """Draw an owl's head: feathered, ear tufts, two huge amber eyes in pale discs, a beak."""
    paint = Paint(s.side)
    body = s.tint(0.08, 0.45, 0.42, 0.02)
    tufts = np.maximum(np.abs(np.abs(s.x) - 0.6) * 2.4 - (s.y + 0.98), s.y + 0.2)
    outline = np.minimum(s.oval(0, 0.1, 0.88, 0.85), tufts)
    paint.over(body, s.cover(outline))
    flecks = np.sin(24 * s.y + 3 * np.sin(16 * s.x))
    paint.inside(body * 1.7, 0.8 * smooth(0.2, 0.7, flecks))
    pale, amber = s.tint(0.1, 0.25, 0.9), s.tint(0.12, 0.9, 0.95, 0.02)
    for side in (-1, 1):
        eye_at = s.moved(side * 0.4, -0.05, 0.44)
        r = eye_at.radius
        paint.over(pale, eye_at.cover(r - 1))
        paint.inside(body, 0.6 * eye_at.cover(r - 1) * smooth(0.3, 0.9, np.sin(18 * eye_at.angle)))
        paint.over(BLACK, eye_at.cover(r - 0.74))
        paint.over(amber, eye_at.cover(r - 0.64))
        paint.over(BLACK, eye_at.cover(r - s.between(0.32, 0.4)))
        paint.over(WHITE, eye_at.cover(eye_at.disc(0.2, -0.22, 0.15)))
    beak = np.abs(s.x) * 2.2 + (s.y - 0.1) - 0.42
    return paint.over(s.tint(0.1, 0.6, 0.35), s.cover(np.maximum(beak, 0.08 - s.y)))


def cat(s: Sheet) -> Paint:
    """Draw a cat's head: pointed ears, green slit eyes, pink nose, whiskers, tabby bands."""
    paint = Paint(s.side)
    fur = s.tint(s.hue(0.08, 0.07, 0.6), s.hue(0.65, 0.1), 0.65, 0.02)
    head = s.oval(0, 0.15, 0.82, 0.68)
    for side in (-1, 1):
        ear = s.moved(side * 0.52, -0.5, 1, 0.3 * side)
        wedge = np.maximum(np.abs(ear.x) * 1.6 - (ear.y + 0.48), ear.y - 0.4)
        paint.over(fur * 0.8, s.cover(wedge))
        paint.over(s.tint(0.98, 0.35, 0.8), s.cover(wedge + 0.16))
    paint.over(fur, s.cover(head))
    bands = np.sin(11 * np.abs(s.x) + 5 * np.minimum(s.y, 0) + 0.5 * s.noise(2))
    paint.inside(
        fur * 0.4,
        0.85 * smooth(0.3, 0.7, bands) * smooth(0.1, 0.35, np.hypot(s.x, 0.7 * (s.y - 0.3))),
    )
    paint.over(WHITE * 0.95, smooth(0.05, -0.05, s.oval(0, 0.48, 0.36, 0.24)))
    green = s.tint(s.hue(0.24, 0.3, 0.16), 0.8, 0.85)
    for side in (-1, 1):
        tilted = s.moved(side * 0.36, 0.02, 1, 0.25 * side)
        paint.over(BLACK, tilted.cover(tilted.oval(0, 0, 0.25, 0.19)))
        paint.over(green, tilted.cover(tilted.oval(0, 0, 0.21, 0.155)))
        paint.over(BLACK, s.cover(s.oval(side * 0.36, 0.02, 0.06, 0.155)))
        paint.over(WHITE, s.cover(s.disc(side * 0.36 + 0.07, -0.04, 0.045)))
    paint.over(
        s.tint(0.98, 0.5, 0.8), s.cover(np.maximum(np.abs(s.x) * 1.2 + s.y - 0.48, 0.32 - s.y))
    )
    paint.over(
        BLACK,
        s.stroke(s.y - 0.58 + 0.12 * np.cos(np.abs(s.x) * 14), 0.022) * s.cover(np.abs(s.x) - 0.22),
    )
    rays = np.abs(np.sin(np.arctan2(s.y - 0.44, np.abs(s.x)) * 9)) * np.abs(s.x)
    whiskers = (
        s.cover(rays - 0.03)
        * s.cover(np.abs(s.y - 0.44) - 0.35 * np.abs(s.x))
        * s.cover(0.25 - np.abs(s.x))
    )
    return paint.over(WHITE, whiskers * s.cover(np.abs(s.x) - 1.0))


def fish(s: Sheet) -> Paint:
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


def butterfly(s: Sheet) -> Paint:
    """Draw a butterfly from above: four coloured wings, dark veins and rims, spots, body."""
    paint = Paint(s.side)
    hue = s.hue(0.07, 0.6, 0.55, 0.13)
    wing, glow = s.tint(hue, 0.9, 0.9), s.tint(hue + 0.04, 0.7, 1.0)
    x = np.abs(s.x)
    fold = s.between(0.8, 1.05)
    upper = Sheet(s.rng, x / fold, s.y, s.pixel).moved(0.5, -0.36, 1, -0.6)
    lower = Sheet(s.rng, x / fold, s.y, s.pixel).moved(0.38, 0.4, 1, 0.75)
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


def ladybird(s: Sheet) -> Paint:
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


def octopus(s: Sheet) -> Paint:
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
