"""Buildings and other things that people make."""

import numpy as np

from render.training.motifs.drawing import BLACK, WHITE, Frame, Paint, blend, smooth


def arches(s: Frame) -> Paint:
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


def pagoda(s: Frame) -> Paint:
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


def castle(s: Frame) -> Paint:
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


def temple(s: Frame) -> Paint:
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


def lighthouse(s: Frame) -> Paint:
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


def brick(s: Frame) -> Paint:
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


def window(s: Frame) -> Paint:
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


def glass(s: Frame) -> Paint:
    """Draw stained glass: panes of ruby, cobalt, emerald, gold and violet between dark leads."""
    _, border, name = s.cells(s.between(1.8, 2.8))
    hues = (0.99, 0.62, 0.38, 0.13, 0.78, 0.08)
    table = np.stack([s.tint(hues[number % 6], 0.9, 0.9) for number in range(24)])
    panes = table[s.rng.integers(0, 24, 4096)[name]]
    paint = Paint(s.side).over(BLACK, np.ones_like(s.x))
    paint.over(panes, smooth(0.06, 0.1, border))
    return paint.lit((1 + 0.22 * s.noise(1.0)).astype(np.float32))


def wheel(s: Frame) -> Paint:
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


def mandala(s: Frame) -> Paint:
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


def ship(s: Frame) -> Paint:
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


def balloon(s: Frame) -> Paint:
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
