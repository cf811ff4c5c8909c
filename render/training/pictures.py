"""Draws one training picture: a motif with a random pose and light on a 1/f background.

Backgrounds follow Baradad et al., "Learning to See by Looking at Noise" (NeurIPS 2021): natural
pictures have 1/f spectra, and a network that has to ignore such noise learns better features.
"""

import numpy as np
from numpy.typing import NDArray

from render.training.motifs import MOTIFS, Motif
from render.training.motifs.drawing import Colour, Frame, Paint, blend, noise, smooth

SIDE = 80
"""Side of a drawn picture in pixels; training crops it slightly."""


def pose_frame(
    rng: np.random.Generator, side: int, motif: Motif, scale: float, off: float
) -> Frame:
    """Return a frame with a random pose: size `scale`, centre within `off` of the middle."""
    steps = (np.arange(side, dtype=np.float32) + 0.5) * 2 / side - 1
    x, y = np.meshgrid(steps, steps)
    flat = Frame(rng, x, y, 2 / side)
    squeeze = np.float32(np.exp(rng.uniform(-0.12, 0.12)))
    posed = flat.moved(
        float(rng.uniform(-off, off)),
        float(rng.uniform(-off, off)),
        scale,
        float(rng.uniform(-motif.lean, motif.lean)),
    )
    return Frame(rng, posed.x * squeeze, posed.y / squeeze, posed.pixel)


def draw_background(rng: np.random.Generator, side: int) -> Colour:
    """Draw a background that does not depend on the class, (side, side, 3) in [0, 1].

    Most are coloured 1/f noise with a gradient of light. One in three is a sky with clouds: people
    dream on skies, and blue alone must not mean water.
    """
    if rng.random() < 0.35:
        return draw_sky(rng, side)
    value, saturation = rng.uniform(0.1, 0.9), rng.beta(1.2, 2.0)
    base = value * (1 - saturation * rng.permutation((0.0, 1.0, rng.uniform(0, 1))))
    slope = rng.uniform(0.9, 2.4)
    shared = noise(rng, side, slope)[..., None]
    own = np.stack([noise(rng, side, slope + 0.4) for _ in range(3)], -1)
    light = np.linspace(-1, 1, side)[:, None, None] * rng.normal(0, 0.12, 3)
    field = base + rng.uniform(0.02, 0.2) * shared + rng.uniform(0.01, 0.09) * own + light
    clipped: Colour = np.clip(field, 0, 1).astype(np.float32)
    return clipped


def draw_sky(rng: np.random.Generator, side: int) -> Colour:
    """Draw a blue sky with a vertical gradient and soft white clouds, (side, side, 3)."""
    deep = np.array([0.16, 0.38, 0.66]) * rng.uniform(0.5, 1.3) + rng.normal(0, 0.04, 3)
    fall = np.linspace(-1, 1, side)[:, None, None] * rng.normal(0, 0.15)
    blue = np.clip(deep * (1 + fall), 0, 1) * np.ones((side, side, 1))
    cover = float(rng.uniform(-0.5, 2.2))
    clouds = smooth(cover - 0.8, cover + 1.2, noise(rng, side, float(rng.uniform(1.6, 2.3))))
    white = np.full((side, side, 3), rng.uniform(0.75, 1.0))
    return blend(blue, white, clouds * np.float32(rng.uniform(0.5, 1.0)))


def composite(ground: Colour, paint: Paint, cover: float) -> Colour:
    """Composite a paint over a background at this opacity."""
    weight = paint.cover[..., None] * cover
    laid: Colour = ground * (1 - weight) + paint.colour * cover
    return laid


def draw_picture(seed: int, index: int, side: int = SIDE) -> tuple[NDArray[np.uint8], int]:
    """Draw picture `index` of a seed. Return it, (side, side, 3), and its class.

    The class is the index modulo the number of classes. The same seed and index always give the
    same picture.
    """
    rng = np.random.default_rng((seed, index))
    label = index % len(MOTIFS)
    motif = MOTIFS[label]
    image = draw_background(rng, side)
    if motif.fills:
        paint = motif.draw(pose_frame(rng, side, motif, float(rng.uniform(0.6, 1.3)), 0.5))
        if rng.random() < 0.6:
            patch = smooth(-0.2, 0.1, noise(rng, side, 2.2) + float(rng.uniform(-0.2, 0.7)))
            paint.colour, paint.cover = paint.colour * patch[..., None], paint.cover * patch
        image = composite(image, paint, 1.0)
    else:
        crowd = 1 if rng.random() < 0.6 else int(rng.integers(2, 4))
        for _ in range(crowd):
            scale = rng.uniform(0.6, 1.1) if crowd == 1 else rng.uniform(0.34, 0.62)
            off = 0.3 if crowd == 1 else 0.6
            posed = pose_frame(rng, side, motif, float(scale), off)
            image = composite(image, motif.draw(posed), float(rng.uniform(0.85, 1.0)))
    if rng.random() < 0.25:
        hidden = smooth(1.0, 1.2, noise(rng, side, 2.2))[..., None]
        image = image * (1 - hidden) + draw_background(rng, side) * hidden
    ways = np.linspace(-1, 1, side, dtype=np.float32)
    light = 1 + rng.normal(0, 0.12) * ways[:, None] + rng.normal(0, 0.12) * ways[None, :]
    image = (image * light[..., None] - 0.5) * rng.uniform(0.75, 1.15) + rng.uniform(0.42, 0.56)
    image = image + rng.normal(0, rng.uniform(0.0, 0.03), image.shape)
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8), label
