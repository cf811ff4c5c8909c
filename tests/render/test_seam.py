"""Copies of a picture that wraps show no seam: it is as smooth across its edge as inside."""

import numpy as np
import pytest

import render
from render.geometry.edges import Edges

SMALL = (96, 128)
"""Multiples of the stride of the layer, 8 pixels."""


def clouds() -> np.ndarray:
    """A smooth picture that repeats: noise, blurred round its edges."""
    rows, columns = (np.fft.fftfreq(side) for side in SMALL)
    blur = np.exp(-((rows[:, None] ** 2 + columns**2) / (2 * 0.06**2)))[..., None]
    noise = np.fft.fft2(np.random.default_rng(5).random((*SMALL, 3)), axes=(0, 1))
    found: np.ndarray = np.fft.ifft2(noise * blur, axes=(0, 1)).real
    level: np.ndarray = 0.5 + 0.25 * (found - found.mean()) / found.std()
    return level.clip(0, 1)


def seam(picture: np.ndarray, axis: int) -> float:
    """How rough it is across an edge, in standard deviations of the other lines from their mean.

    Roughness is the third difference of four lines, of which two lie on each side.
    """
    lines = [np.roll(picture, shift, axis) for shift in (1, 0, -1, -2)]
    rough = np.abs(lines[0] - 3 * lines[1] + 3 * lines[2] - lines[3]).mean((1 - axis, 2))
    inside = rough[1:-3]
    return float((rough[-1] - inside.mean()) / inside.std())


@pytest.mark.parametrize(("edges", "seams"), [("wrap", (False, False)), ("wrap-x", (True, False))])
def test_what_wraps_has_no_seam(edges: Edges, seams: tuple[bool, bool]) -> None:
    found = render.deepdream(
        clouds(), "pareidolia", "mixed3a.cat", octaves=2, steps=6, edges=edges, tile=64
    )
    for axis, has_seam in enumerate(seams):
        excess = seam(found, axis)
        assert excess > 8 if has_seam else excess < 2, (axis, excess)
