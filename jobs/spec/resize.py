"""The size of a result in a dataset, from the size of its picture.

| text           | meaning                                               |
| -------------- | ----------------------------------------------------- |
| `none`         | the size of the picture                               |
| `1024`         | 1024 pixels on the longest side, with the same aspect |
| `fit 800x600`  | the largest size that fits, with the same aspect      |
| `512x384`      | exactly width x height; see `fit` of a dataset        |
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Literal

from render.geometry.rect import Size

ResizeMode = Literal["none", "longest", "fit", "exact"]


_SIDE = r"[1-9]\d{0,7}"

_LONGEST = re.compile(rf"({_SIDE})\s*(?:px)?", re.ASCII)

_BOX = re.compile(rf"(?P<fit>fit\s+)?(?P<width>{_SIDE})\s*[x×]\s*(?P<height>{_SIDE})", re.ASCII)


_ALLOWED = "write none, 1024 (the longest side), fit 800x600, or 512x384"


@dataclass(frozen=True)
class Resize:
    """A rule for the size of a result.

    width, height: in pixels. Mode `longest` uses only the width; `none` uses neither.
    """

    mode: ResizeMode = "none"
    width: int = 0
    height: int = 0

    def __str__(self) -> str:
        if self.mode == "none":
            return "none"
        if self.mode == "longest":
            return str(self.width)
        return f"{'fit ' if self.mode == 'fit' else ''}{self.width}x{self.height}"

    def size(self, height: int, width: int) -> Size:
        """Height and width of the result for a picture of that size, in pixels, each at least 1."""
        if self.mode == "none":
            return height, width
        if self.mode == "exact":
            return self.height, self.width
        if self.mode == "longest":
            factor = Fraction(self.width, max(height, width))
        else:
            factor = min(Fraction(self.height, height), Fraction(self.width, width))
        return _round_half_up(height * factor), _round_half_up(width * factor)


def parse_resize(text: str) -> Resize:
    """Parse a text from the table above. Raises ValueError, which lists the valid forms."""
    normalized = " ".join(text.lower().split())
    if normalized == "none":
        return Resize()
    if longest := _LONGEST.fullmatch(normalized):
        return Resize("longest", int(longest[1]))
    if box := _BOX.fullmatch(normalized):
        return Resize("fit" if box["fit"] else "exact", int(box["width"]), int(box["height"]))
    raise ValueError(f"'{text}' is not a valid resize; {_ALLOWED}")


def _round_half_up(value: Fraction) -> int:
    return max(1, floor(value + Fraction(1, 2)))
