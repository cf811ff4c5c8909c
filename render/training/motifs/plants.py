"""Flowers, leaves, trees and a mushroom."""

import numpy as np

from render.training.motifs.drawing import WHITE, Field, Frame, Paint, blend, smooth


def petals(s: Frame, count: int, sharpness: float) -> tuple[Field, Field]:
    """Return (nearly) the signed distance to `count` petals, and -1..1 across each petal."""
    turn = s.angle * count / (2 * np.pi)
    across = (((turn + 0.5) % 1) - 0.5) * 2
    reach = np.clip(np.cos(across * np.pi / 2), 0, 1) ** sharpness
    return (s.radius - 0.3 - 0.68 * reach) * 0.7, across.astype(np.float32)


def daisy(s: Frame) -> Paint:
    """Draw a daisy: separate saturated petals with a fold, a yellow dotted heart."""
    paint = Paint(s.side)
    hue = s.hue(0.93, 0.88, 0.8, 0.0)
    petal = WHITE if s.between(0, 1) < 0.2 else s.tint(hue, 0.7, 0.92)
    for turn, light in ((s.between(0, 6), 0.7), (s.between(0, 6), 1.0)):
        layer = s.moved(0, 0, 1, turn)
        shape, across = petals(layer, s.count(8, 12), s.between(0.5, 0.9))
        paint.over(petal * light, s.cover(shape))
        paint.inside(petal * light * 0.6, 0.8 * s.cover(shape) * smooth(0.75, 1.0, np.abs(across)))
        paint.inside(petal * light * 0.7, 0.7 * s.cover(shape) * smooth(0.16, 0.04, np.abs(across)))
    heart = s.tint(0.13, 0.9, 0.95, 0.02)
    paint.over(heart * 0.6, s.cover(s.radius - 0.32)).over(heart, s.cover(s.radius - 0.27))
    dots = np.sin(34 * s.x) * np.sin(34 * s.y)
    return paint.over(heart * 0.65, s.cover(s.radius - 0.25) * smooth(0.2, 0.6, dots))


def rose(s: Frame) -> Paint:
    """Draw a rose: red or pink overlapping petals winding into the heart."""
    paint = Paint(s.side)
    red = s.tint(s.hue(0.97, 0.94, 0.0), 0.85, 0.85)
    bent = s.warped(0.04)
    rings = s.count(4, 6)
    turn = bent.angle / (2 * np.pi)
    depth = bent.radius * rings
    ring = np.floor(depth + turn)
    lobes = ring * 0.38 + turn * 3
    fold = (depth + turn + 0.32 * np.abs(np.sin(np.pi * lobes))) % 1
    edge = s.radius - 0.9 - 0.07 * np.abs(np.sin(2.5 * s.angle))
    paint.over(red, s.cover(edge))
    shade = 0.42 + 0.75 * fold**1.4
    paint.lit(shade.astype(np.float32))
    paint.inside(blend(red, WHITE, np.full_like(s.x, 0.35)), smooth(0.88, 0.98, fold))
    return paint.lit(1.15 - 0.5 * smooth(0.4, 0.0, s.radius))


def lily(s: Frame) -> Paint:
    """Draw a lily: six pointed petals, paler midribs, freckles, orange stamens."""
    paint = Paint(s.side)
    hue = s.hue(0.08, 0.92, 0.78)
    body, pale = s.tint(hue, 0.8, 0.92), s.tint(hue, 0.25, 1.0)
    freckle = s.noise(0.6)
    for turn in (0.0, np.pi / 3):
        layer = s.moved(0, 0, 1, turn)
        across = ((layer.angle * 3 / (2 * np.pi) + 0.5) % 1 - 0.5) * 2 * np.pi / 3
        along, sideways = s.radius * np.cos(across), s.radius * np.abs(np.sin(across))
        shape = sideways - 0.3 * np.sin(np.pi * np.clip(along, 0, 1) ** 0.8)
        shape = np.maximum(shape, along - 1)
        cover = s.cover(shape)
        paint.over(blend(pale, body, smooth(0.0, 0.22, sideways)), cover)
        paint.over(body * 0.45, cover * smooth(1.0, 1.5, freckle) * smooth(0.75, 0.5, s.radius))
        paint.over(body * 0.5, cover * s.stroke(shape, 0.025))
    paint.over(s.tint(0.25, 0.7, 0.7), s.cover(s.radius - 0.12))
    spoke = np.abs(((s.angle * 6 / (2 * np.pi) + 0.25) % 1) - 0.5) * s.radius
    paint.over(s.tint(0.2, 0.4, 0.9), s.cover(spoke - 0.025) * s.cover(s.radius - 0.42))
    return paint.over(s.tint(0.06, 0.95, 0.6), s.cover(np.hypot(spoke, s.radius - 0.44) - 0.065))


def sunflower(s: Frame) -> Paint:
    """Draw a sunflower: yellow pointed rays round a brown head of seeds in Fibonacci spirals."""
    paint = Paint(s.side)
    yellow = s.tint(0.135, 0.95, 0.98, 0.015)
    for turn, light in ((0.0, 0.72), (0.17, 1.0)):
        layer = s.moved(0, 0, 1, turn)
        shape, across = petals(layer, s.count(15, 19), 1.1)
        paint.over(yellow * light, s.cover(shape))
        paint.over(yellow * light * 0.55, s.cover(shape) * smooth(0.7, 1.0, np.abs(across)))
    size = s.between(0.45, 0.58)
    brown = s.tint(0.07, 0.7, 0.32, 0.02)
    paint.over(brown, s.cover(s.radius - size))
    spiral = np.log(s.radius + 0.06)
    seeds = np.sin(13 * s.angle + 14 * spiral) + np.sin(13 * s.angle - 14 * spiral)
    paint.over(s.tint(0.1, 0.7, 0.75), s.cover(s.radius - size + 0.04) * smooth(0.5, 1.3, seeds))
    return paint.over(brown * 0.6, 0.8 * smooth(0.2, 0.05, s.radius))


def tulip(s: Frame) -> Paint:
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


def succulent(s: Frame) -> Paint:
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


def leaf(s: Frame) -> Paint:
    """Draw a leaf: a broad pointed green blade, a pale midrib, a few bold side veins, a stalk."""
    paint = Paint(s.side)
    hue = s.hue(0.3, 0.27, 0.33)
    green = s.tint(hue, 0.8, 0.6)
    x = s.x + 0.08 * np.sin(2 * s.y + s.between(0, 6))
    share = np.clip((s.y + 0.95) / 1.6, 0, 1)
    half = s.between(0.5, 0.66) * np.clip(np.sin(np.pi * share**0.75), 0, 1) ** 0.8
    shape = np.maximum(np.abs(x) - half, np.abs(s.y + 0.15) - 0.8)
    pale = s.tint(hue, 0.35, 0.92)
    paint.over(pale * 0.6, s.cover(np.abs(x) - 0.05) * s.cover(np.abs(s.y - 0.8) - 0.2))
    paint.over(green * 0.4, s.cover(shape - 0.02)).over(green, s.cover(shape + 0.02))
    veins = ((s.y + 0.8 * np.abs(x)) * s.between(2.6, 3.4)) % 1
    paint.lit((0.75 + 0.45 * veins).astype(np.float32))
    paint.inside(pale, smooth(0.8, 0.9, veins) * s.cover(shape + 0.05))
    return paint.inside(pale, s.cover(np.abs(x) - 0.055))


def fern(s: Frame) -> Paint:
    """Draw a fern frond: a curving stem with rows of narrow green leaflets that shrink upwards."""
    paint = Paint(s.side)
    green = s.tint(0.3, 0.8, 0.62, 0.05)
    bend = s.between(-0.35, 0.35)
    x = s.x - bend * (s.y - 1) ** 2 * 0.4
    along = (s.y + 1) / 2
    half = s.between(0.55, 0.75) * np.clip(along, 0, 1) ** 0.7 * smooth(1.05, 0.85, along)
    count = s.count(8, 12)
    leaflet = ((s.y + 0.55 * np.abs(x)) * count / 2 + 0.25 * (x > 0)) % 1
    width = 0.36 * (1 - np.clip(np.abs(x) / (half + 1e-3), 0, 1)) ** 0.5
    shape = np.maximum((np.abs(leaflet - 0.5) - width) * 2 / count, np.abs(x) - half)
    cover = s.cover(shape) * s.cover(np.abs(s.y) - 1)
    paint.over(green, cover)
    paint.inside(green * 1.45, 0.9 * smooth(0.14, 0.05, np.abs(leaflet - 0.5)))
    paint.lit(1.1 - 0.5 * smooth(0.2, 0, np.abs(x)))
    stem = s.cover(np.abs(x) - 0.03 - 0.02 * along) * s.cover(np.abs(s.y) - 1)
    return paint.over(s.tint(0.24, 0.6, 0.45), stem)


def mushroom(s: Frame) -> Paint:
    """Draw a fly agaric: red cap with white warts, pale gills and stem with a ring."""
    paint = Paint(s.side)
    stem = s.tint(0.11, 0.15, 0.92)
    paint.over(
        stem, s.cover(np.maximum(np.abs(s.x) - 0.17 - 0.06 * s.y, np.abs(s.y - 0.45) - 0.52))
    )
    paint.lit(1.05 - 0.5 * smooth(0.0, 0.25, s.x))
    paint.over(stem * 0.85, s.cover(s.oval(0, 0.3, 0.3, 0.08)))
    cap = np.maximum(s.oval(0, 0.05, s.between(0.85, 0.98), s.between(0.8, 0.98)), s.y - 0.08)
    gills = np.maximum(s.oval(0, 0.06, 0.84, 0.16), 0.02 - s.y)
    paint.over(stem * 0.75, s.cover(gills))
    paint.over(stem * 0.45, s.cover(gills) * smooth(0.0, 0.6, np.sin(30 * s.x)))
    red = s.tint(0.01, 0.92, 0.85, 0.02)
    paint.over(red, s.cover(cap))
    paint.over(red * 0.55, s.cover(cap) * smooth(-0.25, 0.08, s.y))
    near, _, _ = s.cells(s.between(2.6, 3.6))
    return paint.over(WHITE, s.cover(near - 0.1) * s.cover(cap + 0.03))


def tree(s: Frame) -> Paint:
    """Draw a tree: brown trunk and branches under a round crown of green clumps."""
    paint = Paint(s.side)
    bark = s.tint(0.07, 0.55, 0.38, 0.02)
    x = s.x + 0.05 * np.sin(4 * s.y)
    trunk = np.maximum(np.abs(x) - 0.09 - 0.12 * np.clip(s.y - 0.6, 0, 1), np.abs(s.y - 0.5) - 0.5)
    limbs = np.maximum(np.abs(np.abs(x) - 0.55 * (0.35 - s.y)) - 0.05, np.abs(s.y) - 0.35)
    paint.over(bark, s.cover(np.minimum(trunk, limbs)))
    paint.inside(bark * 0.6, smooth(0.2, 0.8, np.sin(40 * x + s.noise(2))))
    green = s.tint(s.hue(0.28, 0.33, 0.3), 0.75, 0.5)
    crown = s.oval(0, -0.35, 0.85, 0.62) + 0.09 * s.noise(1.6)
    _, border, _ = s.cells(3.2)
    lumps = smooth(0.0, 0.22, border)
    paint.over(green, s.cover(crown) * smooth(0.02, 0.1, border + 0.06))
    body = blend(green * 0.5, green * 1.5, lumps * (0.6 - 0.4 * np.clip(s.y + 0.35, -1, 1)))
    return paint.over(np.clip(body, 0, 1), s.cover(crown) * (0.5 + 0.5 * lumps))


def palm(s: Frame) -> Paint:
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


def pine(s: Frame) -> Paint:
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


def cactus(s: Frame) -> Paint:
    """Draw a round cactus: green ribs with pale spines and a pink flower on top."""
    paint = Paint(s.side)
    green = s.tint(0.37, 0.6, 0.52, 0.04)
    shape = s.oval(0, 0.12, s.between(0.6, 0.85), 0.85)
    paint.over(green, s.cover(shape))
    width = np.sqrt(np.clip(1 - ((s.y - 0.12) / 0.87) ** 2, 0.02, 1))
    longitude = np.arcsin(np.clip(s.x / (0.75 * width), -1, 1))
    ribs = np.cos(longitude * s.count(6, 9))
    paint.lit((0.8 + 0.4 * ribs).astype(np.float32))
    spines = smooth(0.75, 0.95, ribs) * smooth(0.3, 0.8, np.sin(22 * s.y))
    paint.inside(WHITE, spines)
    bloom = s.moved(0, -0.72, 0.36)
    bud, _ = petals(bloom, 7, 0.8)
    paint.over(s.tint(0.92, 0.75, 0.95), bloom.cover(bud))
    return paint.over(s.tint(0.14, 0.9, 0.95), bloom.cover(bloom.radius - 0.28))
