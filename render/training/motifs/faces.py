"""Faces and heads: eye, face, dog, owl, cat, lion, fox, frog, pig, panda, skull."""

import numpy as np

from render.training.motifs.drawing import BLACK, WHITE, Field, Frame, Paint, blend, smooth


def iris(s: Frame, paint: Paint, x: float, y: float, size: float, within: Field) -> None:
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


def eye(s: Frame) -> Paint:
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


def small_eye(s: Frame, paint: Paint, x: float, y: float, size: float) -> None:
    """Paint a dark eye with a highlight."""
    paint.over(BLACK, s.cover(s.disc(x, y, size)))
    paint.over(WHITE, s.cover(s.disc(x + 0.3 * size, y - 0.35 * size, 0.36 * size)))


def face(s: Frame) -> Paint:
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


def dog(s: Frame) -> Paint:
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


def owl(s: Frame) -> Paint:
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


def cat(s: Frame) -> Paint:
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


def lion(s: Frame) -> Paint:
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


def fox(s: Frame) -> Paint:
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


def frog(s: Frame) -> Paint:
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


def pig(s: Frame) -> Paint:
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


def panda(s: Frame) -> Paint:
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


def skull(s: Frame) -> Paint:
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
