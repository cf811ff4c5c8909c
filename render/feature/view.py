"""How a step looks at the picture: a little shifted, nearer or further, turned; needs no torch.

What stays the same under such changes is what a network sees in pictures that are not made for it;
without them, steps find patterns that only one position of its grid answers to (Olah et al. 2017,
"Feature Visualization", "Transformation robustness").
"""

import hashlib
from dataclasses import dataclass

from render.rect import Size

# Lucid's standard set (tensorflow/lucid, `optvis/transform.py`): pad, jitter, scale, turn, jitter.
_PAD = 12
_FIRST_JITTER, _SECOND_JITTER = 8, 4
_SCALES = tuple(1 + step / 50 for step in range(-5, 6))
_TURNS = tuple(turn / 10 for turn in (*range(-10, 11), 0, 0, 0, 0, 0))


@dataclass(frozen=True)
class View:
    """One look at a picture.

    scale: above 1 enlarges. degrees: turns the picture, clockwise. down, right: where its middle
    lies from the view's, in pixels of the view.
    """

    scale: float
    degrees: float
    down: float
    right: float

    def size(self, picture: Size, least: int) -> Size:
        """Height and width of what is seen, each at least `least`: the picture and some pixels
        around it, but for what jitter cuts off."""
        height, width = (
            max(least, round((side + 2 * _PAD - _FIRST_JITTER) * self.scale) - _SECOND_JITTER)
            for side in picture
        )
        return height, width


def view(seed: int, step: int, turn: float) -> View:
    """The look of one step: a hash, so it is known without those before (`render.lattice`).

    `turn` is the most that it is turned, in degrees, either way.
    """
    digest = hashlib.sha256(f"view/{seed}/{step}".encode()).digest()

    def drawn(place: int, count: int) -> int:
        return int.from_bytes(digest[4 * place : 4 * place + 4], "big") % count

    scale = _SCALES[drawn(0, len(_SCALES))]
    down, right = (
        (drawn(first, _FIRST_JITTER + 1) - _FIRST_JITTER / 2) * scale
        + drawn(second, _SECOND_JITTER + 1)
        - _SECOND_JITTER / 2
        for first, second in ((2, 4), (3, 5))
    )
    return View(scale, _TURNS[drawn(1, len(_TURNS))] * turn, down, right)


def largest_view(picture: Size, least: int) -> Size:
    """The size of the largest look at a picture."""
    return View(max(_SCALES), 0, 0, 0).size(picture, least)
