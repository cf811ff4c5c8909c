"""Patterns: skin, plumage, coral, fractals, contours and spirals.

The fractal is a Julia set (z -> z² + c), similar to FractalDB (Kataoka et al., ACCV 2020). The
contours follow Kataoka et al., "Replacing Labeled Real-image Datasets with Auto-generated
Contours" (CVPR 2022).
"""

import numpy as np

from render.training.motifs.drawing import BLACK, WHITE, Frame, Paint, blend, filled, smooth

CONSTANTS = (-0.8 + 0.156j, -0.727 + 0.189j, 0.285 + 0.01j, 0.355 + 0.355j, -0.4 + 0.59j)
"""Values of c whose Julia sets have arms and whorls."""


def scales(s: Frame) -> Paint:
    """Draw dragon scales: rows of overlapping rounded plates, green to teal, gold-edged."""
    bent = s.warped(0.05)
    density = s.between(1.8, 2.8)
    u, v = bent.x * density, bent.y * density * 1.5
    hue = s.hue(0.4, 0.47, 0.36, 0.5)
    body, deep, gold = (
        s.tint(hue, 0.8, 0.75),
        s.tint(hue + 0.05, 0.9, 0.25),
        s.tint(0.13, 0.7, 0.95),
    )
    paint = filled(s, deep)
    top = np.floor(v)
    for row in (1, 0, -1):
        line = top + row
        shift = (line % 2) * 0.5
        across = (u + shift) % 1 - 0.5
        down = v - line
        plate = np.hypot(across, np.maximum(down - 0.35, 0) * 0.62) - 0.5
        cover = np.clip(0.5 - plate / (s.pixel * density), 0, 1) * (down > 0)
        shade = blend(deep, body, smooth(0.05, 1.1, down) * (1 - 0.5 * np.abs(across)))
        paint.over(shade, cover)
        paint.over(gold, cover * smooth(-0.14, -0.05, plate) * 0.9)
    return paint


def fur(s: Frame) -> Paint:
    """Draw fur: rows of long pointed locks, each dark at its root and cream at its tip."""
    flow = s.warped(0.1, 2.5)
    density = s.between(2.4, 3.4)
    u, v = flow.x * density, flow.y * density * 0.7
    hue = s.hue(0.06, 0.09, 0.58)
    brown, cream = s.tint(hue, 0.55, 0.4, 0.015), s.tint(0.1, 0.2, 0.97)
    paint = filled(s, brown * 0.4)
    top = np.floor(v)
    for row in range(3):
        line = top - row
        across = (u + 0.5 * (line % 2) + 0.12 * np.sin(4 * v)) % 1 - 0.5
        down = (v - line) / 2.6
        lock = np.abs(across) - 0.62 * np.clip(1 - down, 0, 1) ** 0.75
        cover = smooth(0.04, -0.04, lock) * (down > 0)
        strands = 0.85 + 0.2 * np.sin(across * 30)
        shade = blend(brown, cream, smooth(0.3, 0.95, down)) * strands[..., None]
        paint.over(brown * 0.3, smooth(0.12, 0.02, lock) * (down > 0) * 0.8)
        paint.over(np.clip(shade, 0, 1).astype(np.float32), cover)
    return paint


def tiger(s: Frame) -> Paint:
    """Draw tiger stripes: black forked bands on orange that pales to cream."""
    bent = s.warped(0.16, 2.3)
    orange, cream = s.tint(0.075, 0.85, 0.95, 0.015), s.tint(0.1, 0.25, 0.95)
    paint = filled(s, blend(orange, cream, smooth(0.3, 1.3, s.noise(2.6))))
    wave = np.sin(bent.y * s.between(9, 13) + 1.5 * np.sin(bent.x * 2.2))
    gap = 0.35 + 0.5 * np.abs(np.sin(bent.x * 1.7 + s.between(0, 6)))
    return paint.over(BLACK, smooth(-0.12, 0.12, wave - gap + 0.15))


def leopard(s: Frame) -> Paint:
    """Draw leopard rosettes: broken dark rings with a tawny middle on yellow-tan fur."""
    tan, tawny = s.tint(0.11, 0.55, 0.9, 0.015), s.tint(0.075, 0.7, 0.65, 0.015)
    paint = filled(s, tan)
    density = s.between(2.0, 3.2)
    near, _, _ = s.warped(0.04).cells(density, 0.55)
    near = near * density
    ring = np.abs(near - 0.3) - 0.07 - 0.05 * s.noise(1.2)
    paint.over(tawny, smooth(0.34, 0.26, near))
    return paint.over(BLACK, smooth(0.05, -0.03, ring))


def feather(s: Frame) -> Paint:
    """Draw a feather: pale quill, slanted barbs, a blue, red or green vane with dark bands."""
    paint = Paint(s.side)
    hue = s.hue(0.6, 0.0, 0.55, 0.08)
    vane = s.tint(hue, 0.8, 0.85)
    x = s.x - 0.12 * np.sin(1.6 * s.y + s.between(0, 6))
    half = s.between(0.28, 0.42) * np.clip(1 - ((s.y + 0.12) / 0.86) ** 4, 0, 1) ** 0.6
    half = half * (0.65 + 0.35 * smooth(-1.0, 0.2, s.y))
    shape = np.abs(x) - half + 0.03 * np.sin(26 * s.y) * (np.abs(x) > 0.1)
    shape = np.maximum(shape, np.abs(s.y + 0.12) - 0.86)
    paint.over(vane, s.cover(shape))
    slant = s.y + 0.8 * np.abs(x)
    bands = smooth(0.1, 0.5, np.sin(s.between(8, 12) * slant))
    paint.inside(vane * 0.4, 0.8 * bands)
    paint.lit((1 + 0.35 * np.sin(44 * slant)).astype(np.float32))
    return paint.over(
        s.tint(0.11, 0.15, 0.95), s.cover(np.abs(x) - 0.035) * s.cover(np.abs(s.y) - 1.0)
    )


def peacock(s: Frame) -> Paint:
    """Draw a peacock feather's eye: green barbs, bronze, turquoise, then an indigo heart."""
    paint = Paint(s.side)
    barbs = 0.7 + 0.4 * np.sin(46 * s.angle + 5 * s.radius)
    drop = np.hypot(s.x, s.y * 0.85 - 0.05) + 0.08 * s.y
    green = s.tint(0.32, 0.8, 0.6)
    frayed = drop - 0.92 - 0.05 * np.sin(46 * s.angle)
    paint.over(green, s.cover(frayed)).lit(barbs.astype(np.float32))
    paint.over(s.tint(0.2, 0.7, 0.8), s.cover(drop - 0.74))
    paint.over(s.tint(0.08, 0.75, 0.6, 0.02), s.cover(drop - 0.64))
    paint.inside(BLACK, 0.3 * smooth(0.2, 0.9, np.sin(46 * s.angle)))
    paint.over(s.tint(0.5, 0.85, 0.85, 0.02), s.cover(drop - 0.45))
    heart = np.maximum(np.hypot(s.x, s.y - 0.06) - 0.28, -(np.hypot(s.x, s.y - 0.36) - 0.17))
    return paint.over(s.tint(0.7, 0.9, 0.35, 0.02), s.cover(heart))


def coral(s: Frame) -> Paint:
    """Draw a coral: thick red or pink branches that fork three times, with pale round tips."""
    paint = Paint(s.side)
    body, tip = s.tint(s.hue(0.985, 0.96, 0.01), 0.72, 0.88), s.tint(0.03, 0.2, 0.99)
    along = np.linspace(0, 1, 6)
    stems = [(0.0, 0.98, 0.0)]
    for length, size in ((0.62, 0.16), (0.5, 0.125), (0.42, 0.1)):
        grown = []
        for x, y, turn in stems:
            to_x, to_y = x + length * np.sin(turn), y - length * np.cos(turn)
            branch, _ = s.chain(x + (to_x - x) * along, y + (to_y - y) * along, 0 * along + size)
            paint.over(body * 0.45, s.cover(branch - 0.03)).over(body, s.cover(branch))
            grown += [(to_x, to_y, turn + side * s.between(0.35, 0.65)) for side in (-1, 1)]
        stems = grown
    for x, y, _ in stems:
        paint.over(body * 0.45, s.cover(s.disc(x, y, 0.15)))
        paint.over(tip, s.cover(s.disc(x, y, 0.12)))
    return paint.lit((1 + 0.1 * s.noise(1.0)).astype(np.float32))


def zebra(s: Frame) -> Paint:
    """Draw zebra stripes: black bands on white that bend, fork and taper."""
    bent = s.warped(0.1, 2.4)
    fork = 0.9 * np.sin(bent.x * 2.1 + s.between(0, 6)) * np.sin(bent.y * 1.3 + s.between(0, 6))
    wave = np.sin(bent.y * s.between(13, 17) + 2.2 * fork)
    white = s.tint(0.11, 0.06, 0.95)
    return filled(s, white).over(BLACK, smooth(-0.2, 0.2, wave + 0.25 * np.sin(3 * bent.x)))


def fractal(s: Frame) -> Paint:
    """Draw a Julia set: a black body in bands of blue, white and gold, by time of escape."""
    constant = complex(s.rng.choice(np.array(CONSTANTS))) + complex(
        s.between(-0.01, 0.01), s.between(-0.01, 0.01)
    )
    z = ((s.x + 1j * s.y) * 1.35).astype(np.complex64)
    escape = np.full_like(s.x, 40.0)
    alive = np.ones(s.x.shape, bool)
    for step in range(40):
        z = np.where(alive, z * z + np.complex64(constant), z)
        size = np.abs(z)
        gone = alive & (size > 8)
        escape = np.where(gone, step + 1 - np.log2(np.log2(np.maximum(size, 2.1))), escape)
        alive &= ~gone
    phase = np.sqrt(np.maximum(escape, 0)) * 3.2 + s.between(0.0, 0.8)
    bands = np.stack([0.5 + 0.5 * np.cos(phase + shift) for shift in (3.2, 2.4, 1.4)], -1)
    paint = Paint(s.side).over(bands.astype(np.float32), smooth(1.2, 2.0, escape))
    return paint.over(BLACK, alive.astype(np.float32))


def contours(s: Frame) -> Paint:
    """Draw radial contours: nested wavy polygons, each in its own bright colour, dark between."""
    lobes, depth = s.count(3, 7), s.between(0.12, 0.24)
    bent = s.warped(0.03)
    wave = np.cos(lobes * bent.angle) + 0.4 * np.cos((2 * lobes + 1) * bent.angle + s.between(0, 6))
    reach = bent.radius * (1 + depth * wave)
    rings = s.between(5, 7)
    number = np.floor(reach * rings).astype(np.int64)
    hue = s.between(0, 1)
    table = np.stack([s.tint(hue + 0.23 * ring, 0.85, 0.92) for ring in range(12)])
    inside = s.cover(reach - 0.98)
    paint = Paint(s.side).over(BLACK * 2, inside)
    across = np.abs((reach * rings) % 1 - 0.5)
    return paint.over(table[np.clip(number, 0, 11)], inside * smooth(0.38, 0.3, across))


def spiral(s: Frame) -> Paint:
    """Draw a spiral: two or three arms in two strong colours, winding into the middle."""
    paint = Paint(s.side)
    hue = s.between(0, 1)
    first, second = s.tint(hue, 0.85, 0.9), s.tint(hue + s.hue(0.5, 0.3), 0.85, 0.3)
    if s.between(0, 1) < 0.35:
        first, second = WHITE, BLACK
    winding = s.hue(-1.0, 1.0) * s.between(5, 9)
    phase = s.count(1, 3) * s.angle + winding * s.radius**0.75 * 2
    arms = smooth(-0.25, 0.25, np.sin(phase))
    return paint.over(blend(second, first, arms), s.cover(s.radius - 0.97))
