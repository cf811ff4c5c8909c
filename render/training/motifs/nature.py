"""Sky, water and earth: sun, rainbow, lava, waves, snowflake, mountain."""

import colorsys

import numpy as np

from render.training.motifs.drawing import WHITE, Frame, Paint, blend, smooth


def sun(s: Frame) -> Paint:
    """Draw a sun as on old maps: a golden disc in a ring of straight and waving rays."""
    paint = Paint(s.side)
    gold, red = s.tint(0.135, 0.85, 0.98, 0.015), s.tint(0.06, 0.92, 0.92, 0.02)
    count = s.count(7, 10)
    for offset, colour, sway in ((0.5, red, 0.16), (0.0, gold, 0.0)):
        bent = s.angle + sway * np.sin(11 * s.radius)
        across = np.abs((bent * count / (2 * np.pi) + offset) % 1 - 0.5) * 2
        ray = across - 0.62 * np.clip((1.02 - s.radius) / 0.5, 0, 1)
        cover = s.cover(ray * 0.3) * s.cover(s.radius - 1)
        paint.over(colour, cover)
    paint.over(red * 0.8, s.cover(s.radius - 0.5)).over(gold, s.cover(s.radius - 0.45))
    paint.over(blend(gold, WHITE, np.full_like(s.x, 0.6)), smooth(0.35, 0.0, s.radius) * 0.9)
    return paint


def rainbow(s: Frame) -> Paint:
    """Draw a rainbow: seven bands from red to violet in an arch, with clouds at its feet."""
    paint = Paint(s.side)
    radius = np.hypot(s.x, s.y - 0.55)
    low, high = s.between(0.5, 0.62), s.between(1.15, 1.3)
    band = np.clip(np.floor((high - radius) / (high - low) * 7), 0, 6).astype(np.int64)
    hues = (0.99, 0.07, 0.15, 0.34, 0.5, 0.63, 0.78)
    table = np.array([colorsys.hsv_to_rgb(hue, 0.85, 0.95) for hue in hues], np.float32)
    arch = np.maximum(np.abs(radius - (low + high) / 2) - (high - low) / 2, s.y - 0.6)
    paint.over(table[band], s.cover(arch) * s.between(0.85, 1.0))
    for side in (-1, 1):
        cloud = np.full_like(s.x, 9.0)
        for _ in range(5):
            x, y = s.between(0.55, 1.1) * side, s.between(0.5, 0.78)
            cloud = np.minimum(cloud, s.disc(x, y, s.between(0.15, 0.26)))
        shade = blend(WHITE, WHITE * 0.7, smooth(0.5, 0.95, s.y))
        paint.over(shade, s.cover(cloud))
    return paint


def lava(s: Frame) -> Paint:
    """Draw lava: plates of black crust parted by glowing cracks, yellow to deep red."""
    _, border, name = s.warped(0.1, 2.0).cells(s.between(1.5, 2.4))
    crack = border + 0.03 * s.noise(1.2)
    crust = s.rng.uniform(0.06, 0.2, 4096).astype(np.float32)[name]
    rock = crust[..., None] * np.array([1.0, 0.85, 0.8], np.float32)
    paint = Paint(s.side).over(rock, np.ones_like(s.x))
    paint.lit((1 + 0.35 * s.noise(0.9)).astype(np.float32))
    for low, hue, saturation, value in (
        (0.34, 0.995, 0.95, 0.55),
        (0.2, 0.04, 0.97, 0.95),
        (0.1, 0.11, 0.9, 1.0),
    ):
        paint.over(s.tint(hue, saturation, value, 0.01), smooth(low, low * 0.4, crack))
    return paint


def waves(s: Frame) -> Paint:
    """Draw waves as on Japanese prints: rows of overlapping fans, deep blue with white arcs."""
    density = s.between(1.0, 1.5)
    bent = s.warped(0.02)
    u, v = bent.x * density, bent.y * density * 2
    deep, foam = (s.tint(s.hue(0.6, 0.62), 0.85, 0.6, 0.02), s.tint(0.56, 0.06, 0.98))
    paint = Paint(s.side).over(deep, np.ones_like(s.x))
    top = np.floor(v)
    for row in (-1, 0, 1):
        line = top + row
        across = (u + 0.5 * (line % 2)) % 1 - 0.5
        radius = np.hypot(across, (v - line - 1.0) * 0.5)
        cover = np.clip(0.5 - (radius - 0.5) / (s.pixel * density), 0, 1)
        stripe = np.cos(2 * np.pi * 3 * radius / 0.5)
        paint.over(blend(deep, foam, smooth(-0.2, 0.3, stripe)), cover)
        paint.over(foam, cover * smooth(0.42, 0.45, radius))
    return paint


def snowflake(s: Frame) -> Paint:
    """Draw a snow crystal: six arms with slanting twigs round a hexagon, icy on a dark blue."""
    paint = Paint(s.side).over(s.tint(0.61, 0.7, 0.28), 0.85 * smooth(1.25, 0.95, s.radius))
    across = np.abs((s.angle * 3 / np.pi) % 1 - 0.5) * np.pi / 3
    along, aside = s.radius * np.cos(across), s.radius * np.sin(across)
    ice = s.tint(0.54, 0.12, 0.98)
    arm = np.maximum(aside - 0.06, along - 0.98)
    for at in np.linspace(0.36, 0.82, s.count(2, 3)):
        twig = s.between(0.12, 0.4 * (1.05 - at) + 0.14)
        slant = np.abs(along - at - 0.58 * aside) * 0.87
        arm = np.minimum(arm, np.maximum(slant - 0.05, aside - twig))
    hexagon = np.abs(along - s.between(0.18, 0.3)) - 0.035
    paint.over(ice * 0.6, s.cover(np.minimum(arm, hexagon) - 0.025))
    paint.over(ice, s.cover(np.minimum(arm, hexagon)))
    return paint.over(WHITE, s.cover(along - 0.09))


def mountain(s: Frame) -> Paint:
    """Draw snowy peaks: blue-grey rock with lit and shaded flanks, white above a ragged line."""
    paint = Paint(s.side)
    rock = s.tint(0.6, 0.25, 0.5)
    rough = 0.07 * s.noise(1.6)
    peaks = ((-0.5, -0.25, 0.8), (0.55, -0.35, 0.8), (s.between(-0.15, 0.15), -0.9, 1.0))
    for x, top, tone in peaks:
        slope = s.between(1.15, 1.5)
        ridge = s.x - x + 0.5 * rough + 0.06 * np.sin(9 * s.y)
        face = np.abs(s.x - x + 0.4 * rough) * slope + top - s.y
        cover = s.cover(np.maximum(face, s.y - 0.85)) * smooth(0.9, 0.7, s.y)
        paint.over(rock * tone, cover)
        paint.over(rock * 0.5 * tone, cover * smooth(-0.02, 0.04, ridge))
        snow = s.y - top - 0.55 + 0.14 * np.sin(15 * s.x) + 1.2 * rough
        paint.over(WHITE, cover * smooth(0.02, -0.04, snow))
        shadow = np.array([0.6, 0.7, 0.9], np.float32)
        paint.over(shadow, cover * smooth(0.02, -0.04, snow) * smooth(-0.02, 0.04, ridge) * 0.8)
    return paint
