"""How large an item's result shall be, from how large its picture is.

| text           | meaning                                               |
| -------------- | ----------------------------------------------------- |
| `none`         | as the picture                                        |
| `1024`         | the longest side has 1024 pixels, the aspect is kept  |
| `fit 800x600`  | the largest that fits, the aspect is kept             |
| `512x384`      | width x height exactly, whatever the aspect           |
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Literal

from render.geometry.rect import Size

Way = Literal["none", "longest", "fit", "exact"]


_SIDE = r"[1-9]\d{0,7}"

_LONGEST = re.compile(rf"({_SIDE})\s*(?:px)?", re.ASCII)

_BOX = re.compile(rf"(?P<fit>fit\s+)?(?P<width>{_SIDE})\s*[x×]\s*(?P<height>{_SIDE})", re.ASCII)


_ALLOWED = "write none, 1024 (the longest side), fit 800x600, or 512x384"


@dataclass(frozen=True)
class Resize:
    """A way to size pictures; width and height in pixels, of which `longest` has only the width."""

    way: Way = "none"
    width: int = 0
    height: int = 0

    def __str__(self) -> str:
        if self.way == "none":
            return "none"
        if self.way == "longest":
            return str(self.width)
        return f"{'fit ' if self.way == 'fit' else ''}{self.width}x{self.height}"

    def size(self, height: int, width: int) -> Size:
        """Height and width of the result for a picture of that size, each at least 1."""
        if self.way == "none":
            return height, width
        if self.way == "exact":
            return self.height, self.width
        if self.way == "longest":
            factor = Fraction(self.width, max(height, width))
        else:
            factor = min(Fraction(self.height, height), Fraction(self.width, width))
        return _whole(height * factor), _whole(width * factor)


def parse_resize(text: str) -> Resize:
    """The way that a text stands for (see the table above). ValueError, saying what is allowed."""
    words = " ".join(text.lower().split())
    if words == "none":
        return Resize()
    if longest := _LONGEST.fullmatch(words):
        return Resize("longest", int(longest[1]))
    if box := _BOX.fullmatch(words):
        return Resize("fit" if box["fit"] else "exact", int(box["width"]), int(box["height"]))
    raise ValueError(f"'{text}' is no way to resize; {_ALLOWED}")


def _whole(value: Fraction) -> int:
    return max(1, floor(value + Fraction(1, 2)))
