"""The picture of the demo. `python -m jobs.demo.landscape` writes landscape.jpg beside this file.

Clouds and ridges are noise with a power-law spectrum (Voss 1985, "Random fractal forgeries").
"""

from pathlib import Path

import numpy as np

from render.pictures.output_format import Labels
from render.pictures.write import write_picture

HEIGHT, WIDTH = 800, 1200
SEED = 20

_HORIZON = 0.62
_ZENITH, _GLOW = np.array([0.16, 0.30, 0.58]), np.array([0.98, 0.72, 0.48])
_CLOUD, _SUN = np.array([1.00, 0.93, 0.86]), np.array([1.0, 0.90, 0.62])
_NEAR, _FAR = np.array([0.05, 0.16, 0.13]), np.array([0.46, 0.47, 0.60])
_RIDGES = 5


def _spectral(random: np.random.Generator, shape: tuple[int, int], exponent: float) -> np.ndarray:
    """Noise with an amplitude of frequency to the power `-exponent`; mean 0, deviation 1."""
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    frequency = np.hypot(down * shape[0], across * shape[1])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(random.standard_normal(shape)) * frequency**-exponent
    noise = np.fft.irfft2(spectrum, shape)
    return np.asarray(noise / noise.std())


def landscape() -> np.ndarray:
    """Draw the picture: (HEIGHT, WIDTH, 3) of uint8."""
    random = np.random.default_rng(SEED)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / HEIGHT
    picture = _sky(random, y, x)
    for ridge in range(_RIDGES):
        nearness = ridge / (_RIDGES - 1)
        crest = _HORIZON - 0.13 + 0.30 * nearness
        outline = _spectral(random, (1, WIDTH), 1.25)[0] * (0.035 + 0.02 * nearness)
        depth = y - (crest + outline)
        texture = _spectral(random, (HEIGHT, WIDTH), 0.9) * (0.02 + 0.05 * nearness)
        haze = np.exp(-np.clip(depth, 0, None) * 6)[..., None] * (1 - nearness)
        land = _FAR * (1 - nearness) + _NEAR * nearness + texture[..., None] + 0.25 * haze * _GLOW
        cover = np.clip(depth * HEIGHT, 0, 1)[..., None]
        picture = picture * (1 - cover) + land * cover
    samples: np.ndarray = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return samples


def _sky(random: np.random.Generator, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    height = np.clip(y / _HORIZON, 0, 1)[..., None] ** 1.6
    sky = _ZENITH * (1 - height) + _GLOW * height
    distance = np.hypot(x - 1.05, y - 0.42)[..., None]
    sky = sky + _SUN * 0.5 * np.exp(-distance * 5) + _SUN * np.clip((0.05 - distance) * 90, 0, 1)
    clouds = _spectral(random, (HEIGHT, WIDTH), 1.55) + 0.35 * _spectral(random, y.shape, 0.9)
    cover = np.clip(clouds * 0.55 - 0.1, 0, 0.9)[..., None]
    return np.asarray(sky * (1 - cover) + (_CLOUD * (0.75 + 0.25 * height)) * cover)


if __name__ == "__main__":
    picture = landscape()
    path = Path(__file__).with_name("landscape.jpg")
    write_picture(path, "jpeg", (HEIGHT, WIDTH), 8, [picture], Labels(None, "{}"))
