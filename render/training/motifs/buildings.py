"""Motifs that people made: arches, pagoda, brick, window, wheel, mandala, castle."""

import numpy as np

from render.training.motifs.drawing import Colour, Paint, Sheet, blend, smooth

BLACK: Colour = np.array([0.05, 0.04, 0.05], np.float32)
WHITE: Colour = np.array([0.97, 0.96, 0.93], np.float32)


def arches(s: Sheet) -> Paint:
    """Draw an arcade: sandstone arches with dark openings and a cornice; one or two tiers."""
    stone = s.tint(0.09, 0.42, 0.85, 0.02)
    paint = Paint(s.side).over(stone, np.ones_like(s.x))
    count, tiers = s.between(1.2, 2.2), s.count(1, 2)
    u = (s.x * count + s.between(0, 1)) % 1 - 0.5
    v = ((s.y + 1) / 2 * tiers) % 1
    tall = 2 * count / tiers
    spring = 0.45
    rise = (v - spring) * tall
    opening = np.hypot(u, np.minimum(rise, 0)) - 0.32
    opening = np.where(rise > 0, np.abs(u) - 0.32, opening)
    unit = s.pixel * count
    cover = np.clip(0.5 - opening / unit, 0, 1)
    ring = np.clip(0.5 - (opening - 0.11) / unit, 0, 1) - cover
    joints = smooth(0.55, 0.9, np.sin(14 * np.arctan2(np.minimum(rise, 0), u)))
    paint.over(stone * 1.15, ring)
    paint.over(stone * 0.55, ring * joints)
    deep = s.tint(s.hue(0.05, 0.62), 0.6, 0.2)
    paint.over(blend(deep * 0.4, deep * 1.5, smooth(spring - 0.2, 1.0, v)), cover)
    ledge = np.clip(1 - np.abs(v - 0.05) / 0.04, 0, 1)
    paint.over(stone * 0.5, ledge)
    return paint.lit((1 + 0.1 * s.noise(0.8)).astype(np.float32))


def pagoda(s: Sheet) -> Paint:
    """Draw a pagoda: tiers of red walls with dark windows under sweeping teal or grey roofs."""
    paint = Paint(s.side)
    red = s.tint(0.01, 0.8, 0.72, 0.02)
    roof = s.tint(s.hue(0.48, 0.55, 0.38), 0.5, 0.4)
    gold = s.tint(0.13, 0.8, 0.95)
    tiers = 3
    height = 1.7 / tiers
    paint.over(gold, s.cover(np.maximum(np.abs(s.x) - 0.03, np.abs(s.y + 0.85) - 0.15)))
    for tier in range(tiers):
        y = -0.72 + tier * height
        half = 0.34 + 0.34 * tier / (tiers - 1)
        wall = s.box(0, y + height * 0.6, half * 0.72, height * 0.45)
        paint.over(red, s.cover(wall))
        window = np.maximum(
            np.abs((s.x / (half * 0.48) + 0.5) % 1 - 0.5) * half * 0.48 - half * 0.1,
            np.abs(s.y - y - height * 0.7) - height * 0.17,
        )
        paint.over(
            gold if s.between(0, 1) < 0.4 else BLACK,
            s.cover(np.maximum(window, np.abs(s.x) - half * 0.6)),
        )
    for tier in reversed(range(tiers)):
        y = -0.72 + tier * height
        half = 0.34 + 0.34 * tier / (tiers - 1)
        reach = np.abs(s.x) / (half * 1.25)
        sweep = y + height * (
            0.1 + 0.34 * np.clip(reach, 0, 1) ** 0.6 - 0.25 * np.clip(reach, 0, 1.2) ** 4
        )
        slab = np.maximum(np.abs(s.y - sweep) - height * 0.13, np.abs(s.x) - half * 1.25)
        paint.over(roof, s.cover(slab))
        paint.over(
            gold,
            s.cover(np.abs(s.y - sweep - height * 0.13) - 0.02)
            * s.cover(np.abs(s.x) - half * 1.25),
        )
    return paint.lit(1.1 - 0.35 * smooth(-0.2, 0.5, s.x))


def brick(s: Sheet) -> Paint:
    """Draw a brick wall: terracotta bricks of differing fire, pale mortar, running bond."""
    bent = s.warped(0.012)
    rows = s.between(3.2, 5.5)
    v = bent.y * rows
    line = np.floor(v).astype(np.int64)
    u = bent.x * rows * 0.45 + 0.5 * (line % 2)
    column = np.floor(u).astype(np.int64)
    edge = np.minimum((0.5 - np.abs(u % 1 - 0.5)) / 0.45, 0.5 - np.abs(v % 1 - 0.5))
    fire = s.rng.uniform(0.65, 1.2, (32, 32)).astype(np.float32)[column % 32, line % 32]
    clay = s.tint(0.03, 0.65, 0.68, 0.02)
    mortar = s.tint(0.1, 0.12, 0.8)
    paint = Paint(s.side).over(mortar, np.ones_like(s.x))
    body = (clay * fire[..., None]).astype(np.float32) * (1 + 0.1 * s.noise(0.5))[..., None]
    return paint.over(
        np.clip(body, 0, 1), smooth(0.05, 0.13, edge) * (0.75 + 0.25 * smooth(0.1, 0.3, edge))
    )


def window(s: Sheet) -> Paint:
    """Draw a rose window: stained glass in rings of saturated panes, dark lead, stone rim."""
    paint = Paint(s.side)
    paint.over(s.tint(0.1, 0.2, 0.6), s.cover(s.radius - 1)).over(BLACK, s.cover(s.radius - 0.87))
    count = s.count(6, 10)
    r = s.radius
    hues = [s.hue(0.6, 0.0, 0.65), s.hue(0.0, 0.13, 0.78), s.hue(0.58, 0.37, 0.13)]
    for ring, (low, high) in enumerate(((0.2, 0.5), (0.53, 0.83))):
        parts = count * (ring + 1)
        turn = s.angle * parts / (2 * np.pi) + 0.5 * ring
        across = np.abs(turn % 1 - 0.5)
        edge = np.minimum((0.5 - across) * 2 * np.pi / parts * r, np.minimum(r - low, high - r))
        odd = (np.floor(turn).astype(np.int64) % 2 == 0).astype(np.float32)
        panes = blend(s.tint(hues[ring], 0.9, 0.9), s.tint(hues[ring + 1], 0.9, 0.9), odd)
        paint.over(panes, s.cover(0.035 - edge))
    paint.over(s.tint(hues[2], 0.85, 0.95), s.cover(r - 0.16))
    return paint.lit((1 + 0.18 * s.noise(1.2)).astype(np.float32))


def wheel(s: Sheet) -> Paint:
    """Draw a cart wheel: brown wooden rim, hub and spokes, iron tyre; you see through it."""
    paint = Paint(s.side)
    wood, iron = s.tint(0.075, 0.6, 0.55, 0.02), s.tint(0.6, 0.1, 0.3)
    count = s.count(6, 9)
    spoke = np.abs((s.angle * count / (2 * np.pi)) % 1 - 0.5) * 2 * np.pi / count * s.radius
    paint.over(wood, s.cover(np.maximum(spoke - 0.075, s.radius - 0.85)))
    paint.lit(1.1 - 0.5 * smooth(0.02, 0.06, spoke))
    paint.over(wood * 0.85, s.stroke(s.radius - 0.8, 0.1))
    paint.over(wood * 0.45, s.stroke(s.radius - 0.7, 0.02))
    paint.over(iron, s.stroke(s.radius - 0.94, 0.05))
    paint.over(wood * 0.6, s.cover(s.radius - 0.26)).over(wood * 1.2, s.cover(s.radius - 0.2))
    return paint.over(iron, s.cover(s.radius - 0.09))


def mandala(s: Sheet) -> Paint:
    """Draw a mandala: concentric rings of petals, dots and scallops in three saturated colours."""
    paint = Paint(s.side)
    colours = [s.tint(hue, 0.85, 0.95) for hue in s.rng.permutation((0.9, 0.5, 0.13))]
    count = s.count(6, 8)
    paint.over(colours[0] * 0.45, s.cover(s.radius - 0.86 - 0.1 * np.abs(np.cos(count * s.angle))))
    for ring, reach in enumerate((0.9, 0.66, 0.42)):
        turn = s.angle * count / (2 * np.pi) + 0.5 * (ring % 2)
        across = np.abs(turn % 1 - 0.5) * 2
        petal = s.radius - reach * (0.55 + 0.45 * np.clip(np.cos(across * np.pi / 2), 0, 1) ** 0.8)
        paint.over(WHITE, s.cover(petal)).over(colours[ring], s.cover(petal + 0.035))
        dot = np.hypot((turn % 1 - 0.5) * 2 * np.pi / count * s.radius, s.radius - reach * 0.8)
        paint.over(colours[(ring + 1) % 3], s.cover(dot - reach * 0.1))
    paint.over(WHITE, s.cover(s.radius - 0.16)).over(colours[1], s.cover(s.radius - 0.12))
    return paint


def castle(s: Sheet) -> Paint:
    """Draw a castle: grey towers, battlements, cone roofs in blue or red, lit windows, a gate."""
    paint = Paint(s.side)
    stone = s.tint(0.1, 0.12, 0.68)
    roof = s.tint(s.hue(0.62, 0.0), 0.7, 0.6)
    merlon = 0.06 * np.sign(np.sin(s.x * 22))
    paint.over(
        stone * 0.85, s.cover(np.maximum(np.abs(s.x) - 0.75, np.abs(s.y - 0.6 - merlon / 2) - 0.4))
    )
    for x, top, half in (
        (0.0, s.between(-0.45, -0.2), 0.22),
        (-0.72, s.between(-0.2, 0.1), 0.2),
        (0.72, s.between(-0.2, 0.1), 0.2),
    ):
        paint.over(
            stone, s.cover(np.maximum(np.abs(s.x - x) - half, np.maximum(top - s.y, s.y - 1)))
        )
        paint.over(
            stone * 0.6,
            s.cover(
                np.maximum(
                    np.abs(s.x - x - half * 0.6) - half * 0.4, np.maximum(top - s.y, s.y - 1)
                )
            ),
        )
        cone = np.maximum(np.abs(s.x - x) * 2.2 - (s.y - top + 0.62), s.y - top)
        paint.over(roof, s.cover(cone))
        paint.over(roof * 0.6, s.cover(cone) * smooth(0.0, 0.1, s.x - x))
        light = s.oval(x, top + 0.26, 0.06, 0.12)
        paint.over(s.tint(0.13, 0.8, 0.98), s.cover(light))
        paint.over(BLACK, s.stroke(light, 0.02))
    gate = np.where(s.y < 0.7, s.disc(0, 0.7, 0.17), np.maximum(np.abs(s.x) - 0.17, s.y - 1))
    paint.over(BLACK, s.cover(gate.astype(np.float32)))
    courses = smooth(0.8, 1.0, np.sin(s.y * 40))
    return paint.lit((1 - 0.2 * courses).astype(np.float32))
