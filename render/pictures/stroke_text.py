"""Draws the names of panels with seven lines a letter, as on a clock.

PDF/X asks for every font to be in the file; lines need none.
"""

from render.pictures.pdf_objects import number_text

_SEGMENTS = {
    "a": (0, 2, 1, 2),
    "b": (1, 1, 1, 2),
    "c": (1, 0, 1, 1),
    "d": (0, 0, 1, 0),
    "e": (0, 0, 0, 1),
    "f": (0, 1, 0, 2),
    "g": (0, 1, 1, 1),
}
"""The ends of each line (x, y, x, y), in halves of a letter's height."""

_LETTERS = {
    "0": "abcdef",
    "1": "bc",
    "2": "abged",
    "3": "abgcd",
    "4": "fgbc",
    "5": "afgcd",
    "6": "afgedc",
    "7": "abc",
    "8": "abcdefg",
    "9": "abcdfg",
    "-": "g",
    "c": "ged",
    "r": "eg",
}

_ADVANCE = 1.6
"""From one letter to the next, in halves of a letter's height."""


def stroke_text(text: str, left: float, bottom: float, height: float) -> str:
    """The operators of PDF that draw a text of digits, `r`, `c` and `-`, in points.

    Raises KeyError for other letters.
    """
    half, drawn = height / 2, []
    for place, letter in enumerate(text):
        x = left + place * _ADVANCE * half
        for segment in _LETTERS[letter]:
            x1, y1, x2, y2 = (one * half for one in _SEGMENTS[segment])
            begin = f"{number_text(x + x1)} {number_text(bottom + y1)} m"
            drawn.append(f"{begin} {number_text(x + x2)} {number_text(bottom + y2)} l S\n")
    return "".join(drawn)
