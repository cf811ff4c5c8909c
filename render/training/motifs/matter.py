"""Materials and light: ripples, wood, honeycomb, flame, lightning, crystal, and more."""

import numpy as np

from render.training.motifs.drawing import WHITE, Frame, Paint, blend, filled, smooth


def ripples(s: Frame) -> Paint:
    """Draw rings round a drop on water: sea-green to blue waves with bright crests, fading out."""
    blue = s.tint(s.hue(0.56, 0.5, 0.6), 0.65, 0.6, 0.03)
    wave = np.sin(s.radius * s.between(13, 18) + 0.25 * s.noise(2.0) + s.between(0, 6))
    body = blend(blue * 0.4, blue * 1.3, smooth(-0.9, 0.7, wave))
    paint = Paint(s.side).over(body, smooth(1.1, 0.8, s.radius + 0.06 * s.noise(1.8)))
    return paint.inside(WHITE, 0.9 * smooth(0.5, 0.85, wave))


def wood(s: Frame) -> Paint:
    """Draw a plank: brown grain that flows round one or two dark knots."""
    brown, dark = s.tint(0.08, 0.55, 0.68, 0.02), s.tint(0.06, 0.65, 0.3, 0.02)
    bent = s.warped(0.05, 2.4)
    height = bent.x * s.between(5, 8)
    knots = np.zeros_like(s.x)
    for _ in range(s.count(1, 2)):
        far = np.hypot(bent.x - s.between(-0.6, 0.6), (bent.y - s.between(-0.6, 0.6)) * 0.5)
        bump = np.exp(-((far / s.between(0.2, 0.3)) ** 2))
        height, knots = height + 4.5 * bump, np.maximum(knots, bump)
    grain = height % 1
    paint = filled(s, blend(brown, dark, smooth(0.25, 1.0, grain) * 0.8))
    paint.over(dark * 0.5, smooth(0.75, 0.95, knots))
    return paint.lit((1 + 0.09 * np.sin(bent.x * 70)).astype(np.float32))


def honeycomb(s: Frame) -> Paint:
    """Draw a honeycomb: hexagons of wax with glowing amber honey, some capped, some dark."""
    density = s.between(1.5, 2.4)
    bent = s.warped(0.02)
    u, v = bent.x * density, bent.y * density
    root = np.sqrt(3.0)
    best, name = np.full_like(s.x, 9.0), np.zeros(s.x.shape, np.int64)
    for shift in (0.0, 0.5):
        column, row = np.floor(u - shift), np.floor((v - shift * root) / root)
        dx, dy = u - shift - column - 0.5, v - shift * root - (row + 0.5) * root
        hexagon = np.maximum(np.abs(dx), 0.5 * np.abs(dx) + root / 2 * np.abs(dy))
        closer = hexagon < best
        best = np.where(closer, hexagon, best)
        name = np.where(closer, (column * 7 + row * 13 + shift * 10).astype(np.int64), name)
    gold, wax = s.tint(0.11, 0.95, 0.95, 0.015), s.tint(0.12, 0.5, 0.98, 0.01)
    level = s.rng.choice(np.array([0.35, 0.8, 1.0], np.float32), 64)[name % 64]
    cell = (gold * level[..., None]) * (1.05 - 1.1 * np.clip(best, 0, 0.5))[..., None]
    paint = filled(s, wax)
    paint.over(gold * 0.3, smooth(0.47, 0.43, best))
    return paint.over(np.clip(cell, 0, 1).astype(np.float32), smooth(0.42, 0.36, best))


def flame(s: Frame) -> Paint:
    """Draw a fire: tongues from deep red through orange to a yellow-white heart."""
    paint = Paint(s.side)
    bent = s.warped(0.1, 1.9)
    height = (1 - bent.y) / 2
    tongues = 0.24 * np.abs(np.sin(bent.x * s.between(3.5, 6) + 2 * height + s.between(0, 6)))
    body = (
        np.abs(bent.x) * 0.75 + height * 1.05 - 0.85 + tongues + 0.2 * np.clip(0.2 - height, 0, 1)
    )
    for low, hue, saturation, value in (
        (0.18, 0.0, 0.95, 0.7),
        (0.06, 0.05, 0.95, 0.98),
        (-0.14, 0.12, 0.9, 1.0),
        (-0.36, 0.15, 0.35, 1.0),
    ):
        paint.over(s.tint(hue, saturation, value, 0.012), smooth(low, low - 0.12, body))
    return paint


def lightning(s: Frame) -> Paint:
    """Draw lightning: a white jagged bolt with forks and a violet or orange glow on a dark sky."""
    glow = s.tint(s.hue(0.72, 0.68, 0.78), 0.6, 0.95)
    paint = filled(s, blend(glow * 0.1, glow * 0.35, smooth(-1.5, 1.5, s.noise(2.0))))
    knots = np.linspace(-1.6, 1.6, 14)
    near = np.full_like(s.x, 9.0)
    for branch in range(s.count(2, 4)):
        walk = np.cumsum(s.rng.normal(0, 0.17, knots.size))
        lean = 0.0 if branch == 0 else s.between(-0.7, 0.7)
        start = s.between(-0.9, 0.3)
        path = np.interp(s.y, knots, walk - walk[7]) + lean * np.clip(s.y - start, 0, 2)
        away = np.abs(s.x - path) * 0.75
        if branch:
            away = away + 2.0 * np.clip(start - s.y, 0, 9) + 0.02
        near = np.minimum(near, away)
    paint.over(glow, np.exp(-(near / 0.13)) * 0.95)
    return paint.over(WHITE, smooth(0.075, 0.02, near))


def crystal(s: Frame) -> Paint:
    """Draw crystals: pointed six-sided prisms, violet or cyan, with lit and dark facets."""
    paint = Paint(s.side)
    hue = s.hue(0.76, 0.78, 0.5)
    light, mid, deep = s.tint(hue, 0.2, 0.98), s.tint(hue, 0.55, 0.8), s.tint(hue, 0.8, 0.4)
    turns = np.linspace(-0.9, 0.9, s.count(3, 5)) + s.between(-0.15, 0.15)
    for turn in s.rng.permutation(turns):
        prism = s.moved(0.25 * turn, 0.85, 1, float(turn))
        half, tall = s.between(0.16, 0.25), s.between(1.1, 1.8)
        up = -prism.y
        shape = np.maximum(np.abs(prism.x) - half, np.abs(prism.x) * 1.3 + up - tall)
        shape = np.maximum(shape, -up)
        cover = s.cover(shape) * s.cover(s.radius - 1.15)
        paint.over(mid, cover)
        paint.over(light, cover * s.cover(prism.x + half * 0.35))
        paint.over(deep, cover * s.cover(half * 0.4 - prism.x))
        tip = np.abs(prism.x) * 0.5 + tall - half * 1.5 - up
        paint.over(light, cover * 0.6 * s.cover(tip))
        paint.over(deep * 0.5, cover * s.stroke(shape, 0.02))
    return paint


def bubbles(s: Frame) -> Paint:
    """Draw soap bubbles: a few see-through spheres, rims from pink to cyan, white highlights."""
    paint = Paint(s.side)
    for _ in range(s.count(2, 4)):
        size = s.between(0.34, 0.6)
        ball = s.moved(s.between(-0.5, 0.5), s.between(-0.5, 0.5), size)
        r = ball.radius
        inside = ball.cover(r - 1)
        turn = smooth(-0.8, 0.8, np.sin(ball.angle + s.between(0, 6)))
        rim = blend(s.tint(0.52, 0.5, 1.0), s.tint(0.9, 0.5, 1.0), turn)
        paint.over(rim, inside * (0.1 + 0.9 * smooth(0.6, 0.9, r)))
        paint.over(WHITE, inside * 0.8 * smooth(0.92, 0.98, r))
        paint.over(WHITE, ball.cover(ball.oval(-0.36, -0.42, 0.26, 0.17)))
        paint.over(WHITE, 0.8 * ball.cover(ball.disc(0.42, 0.46, 0.12)))
    return paint


def shell(s: Frame) -> Paint:
    """Draw a snail shell: a logarithmic spiral of cream and brown bands with a shaded whorl."""
    paint = Paint(s.side)
    growth = s.between(0.16, 0.22)
    turn = s.angle / (2 * np.pi)
    whorl = np.log(np.maximum(s.radius, 0.02)) / (growth * 2 * np.pi) - turn
    fold = (whorl - np.log(0.95) / (growth * 2 * np.pi)) % 1
    outer = s.radius - 0.95 * np.exp(growth * 2 * np.pi * (turn - 0.5))
    cream, brown = s.tint(0.1, 0.3, 0.95), s.tint(0.06, 0.65, 0.5, 0.02)
    paint.over(cream, s.cover(outer))
    ribs = smooth(0.2, 0.9, np.sin(s.angle * s.count(14, 24) + 3 * fold))
    paint.inside(brown, 0.6 * ribs)
    paint.lit((0.5 + 0.75 * np.sin(np.pi * np.clip(fold, 0, 1)) ** 0.6).astype(np.float32))
    paint.inside(brown * 0.35, np.maximum(smooth(0.1, 0.03, fold), smooth(0.92, 0.98, fold)))
    return paint


def galaxy(s: Frame) -> Paint:
    """Draw a spiral galaxy: blue and violet arms of stars round a warm bright core, in the dark."""
    tilted = s.moved(0, 0, 1, s.between(0, 3))
    r = np.hypot(tilted.x, tilted.y * s.between(1.0, 1.8))
    a = np.arctan2(tilted.y, tilted.x)
    night = s.tint(0.68, 0.6, 0.12)
    paint = Paint(s.side).over(night, smooth(1.35, 0.95, r))
    arms = np.cos(s.count(2, 3) * (a - s.hue(-1.0, 1.0) * s.between(1.6, 2.6) * np.log(r + 0.1)))
    dust = np.clip(0.6 * arms + 0.35 * s.noise(1.0) + 0.2, 0, 1) * smooth(1.1, 0.25, r)
    paint.over(
        blend(s.tint(0.62, 0.7, 0.95), s.tint(0.83, 0.6, 0.95), smooth(-1, 1, s.noise(2.0))), dust
    )
    stars = s.rng.random(s.x.shape) > 0.985
    paint.inside(WHITE, stars.astype(np.float32))
    return paint.over(s.tint(0.12, 0.35, 1.0), np.exp(-((r / 0.2) ** 2)).astype(np.float32))


def web(s: Frame) -> Paint:
    """Draw a spider's web: bold pale threads, sagging rings between them, in the dark."""
    paint = Paint(s.side).over(s.tint(0.62, 0.45, 0.14), 0.85 * smooth(1.25, 0.95, s.radius))
    count = s.count(7, 9)
    turn = s.angle * count / (2 * np.pi)
    across = np.abs(turn % 1 - 0.5)
    thread = (0.5 - across) * 2 * np.pi / count * s.radius
    sag = s.radius * (1.16 - 0.64 * (0.5 - across) * (0.5 + across))
    rings = s.between(3.4, 4.6)
    ring = np.abs((sag * rings) % 1 - 0.5) / rings
    silk = s.tint(0.58, 0.06, 0.97)
    paint.over(silk, s.cover(thread - 0.03) * s.cover(s.radius - 1.1))
    return paint.over(silk, s.cover(ring - 0.026) * s.cover(s.radius - 1.0))


def star(s: Frame) -> Paint:
    """Draw a starfish: five thick rounded arms, orange to red, a row of pale dots along each."""
    paint = Paint(s.side)
    skin = s.tint(s.hue(0.04, 0.06, 0.02), 0.85, 0.92, 0.015)
    across = np.abs(((s.angle * 5 / (2 * np.pi)) + 0.5) % 1 - 0.5) * 2 * np.pi / 5
    along, aside = s.radius * np.cos(across), s.radius * np.sin(across)
    shape = aside - 0.34 * np.clip(1 - along, 0, 1) ** 0.75 - 0.05 * smooth(1.0, 0.8, along)
    arms = np.maximum(shape, s.radius - 0.97)
    paint.over(skin * 0.4, s.cover(arms - 0.03)).over(skin, s.cover(arms))
    paint.lit((1.15 - 1.5 * np.clip(aside, 0, 0.35)).astype(np.float32))
    dots = np.hypot(aside, ((along * 4.5) % 1 - 0.5) / 4.5)
    return paint.inside(s.tint(0.12, 0.3, 0.99), s.cover(dots - 0.06) * s.cover(along - 0.9))


def marble(s: Frame) -> Paint:
    """Draw marble: white to rose stone with grey veins (Perlin, SIGGRAPH 1985: bent sines)."""
    white, grey = s.tint(s.hue(0.1, 0.95, 0.45), 0.1, 0.93), s.tint(0.6, 0.15, 0.35)
    paint = filled(s, white)
    for weight in (1.0, 0.6):
        turned = s.moved(0, 0, 1, s.between(0, 3))
        vein = np.abs(np.sin(turned.x * s.between(2.5, 5) + 1.1 * s.noise(1.9)))
        paint.over(grey, weight * smooth(0.24, 0.02, vein))
    return paint.lit((1 + 0.05 * s.noise(1.0)).astype(np.float32))
