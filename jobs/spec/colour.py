"""Colours in specs: `#rrggbb`, or one of the sixteen names of HTML."""

import re
from typing import NamedTuple

from render.errors import suggest

_NAMES = {
    "aqua": "#00ffff",
    "black": "#000000",
    "blue": "#0000ff",
    "fuchsia": "#ff00ff",
    "gray": "#808080",
    "green": "#008000",
    "lime": "#00ff00",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "white": "#ffffff",
    "yellow": "#ffff00",
}


class Colour(NamedTuple):
    """An sRGB colour; each channel is 0 to 255. `str` gives `#rrggbb`."""

    red: int
    green: int
    blue: int

    def __str__(self) -> str:
        return f"#{bytes(self).hex()}"


def parse_colour(text: str) -> Colour:
    """Parse a colour. Raises ValueError, which lists the valid forms."""
    code = _NAMES.get(text.lower(), text)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        raise ValueError(
            f"'{text}' is not a colour; write '#rrggbb' or a name; {suggest(text, _NAMES)}"
        )
    return Colour(*bytes.fromhex(code[1:]))
