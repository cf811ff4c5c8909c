"""What can be wrong with what the engine is given.

RenderError               one line for people: what, where, what to do
├── PictureError          a picture that cannot be read, or is too large
├── WeightsError          a weights file that is missing, unsafe, or does not fit the network
├── NetworkError          a network that is not known
├── LayerError            a layer that is not there, or that has no exact tiles
├── OutputError           a file that cannot be written in that format, at that size, at that place
└── DeviceError           a precision or device that this machine does not have
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RenderError(Exception):
    """One line for people: what is wrong, where, and what to do about it."""


class PictureError(RenderError):
    """A picture that cannot be read, or is absurd."""


class WeightsError(RenderError):
    """A weights file that is missing, unsafe, or does not fit the network."""


class NetworkError(RenderError):
    """A network that is not known."""


class LayerError(RenderError):
    """A layer that the network does not have, or that has no exact tiles."""


class OutputError(RenderError):
    """An output that cannot be written: format, size or place."""


class DeviceError(RenderError):
    """A precision or a device that this machine does not have."""


def close_matches(word: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Up to n of the known words that look like `word`, the likest first; case does not count."""
    spelled = {candidate.lower(): candidate for candidate in known}
    return [spelled[match] for match in get_close_matches(word.lower(), spelled, n=n)]


def suggest(word: str, known: Iterable[str]) -> str:
    """What an error adds on an unknown word: the nearest known ones, or all where none is near.

    `nearest: steps`, `nearest: conv1, conv2`, or `known: jitter, octaves, seed`.
    """
    words = list(known)
    close = close_matches(word, words)
    return f"nearest: {', '.join(close)}" if close else f"known: {', '.join(sorted(words))}"
