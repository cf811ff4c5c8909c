"""The errors of `render`.

RenderError               base class; the message says what, where, and what to do
├── PictureError          a picture that cannot be read, or is too large
├── WeightsError          a weights file that is missing, unsafe, or does not fit the network
├── NetworkError          a network that is unknown, or cannot be traced
├── LayerError            a layer that does not exist, or has no exact tiles
├── DamagedTiles          a file of tiles that is not as it was written
├── TrainingError         pictures that no network can be trained on
├── OutputError           a file that cannot be written in this format, size or folder
└── DeviceError           a precision or device that this machine lacks
"""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of characters that control a terminal, hide text or end a line."""


_JOINERS = frozenset("\u200c\u200d")
"""Format characters that emoji, and names in Persian and in Indian languages, need."""


_START, _END = 1200, 500
"""How many characters at both ends of a message that is too long stay. The end says what to do."""


def visible(text: str) -> str:
    r"""A text of one line with its control characters shown: an escape character as `\x1b`.

    Line breaks, marks that change the direction of writing, and lone surrogates are shown too. Use
    it for all that a command prints: what comes out of a store may be written to deceive.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(one: str) -> str:
    if unicodedata.category(one) not in _CONTROLS or one in _JOINERS:
        return one
    return one.encode("unicode_escape").decode()


def message_line(text: str) -> str:
    """A message as one visible line of at most 1,701 characters; `…` replaces the middle of others.

    Messages quote what users, files and stores contain: line breaks, control characters, megabytes.
    """
    line = visible(" ".join(_ends(text).splitlines()))
    return _ends(line)


def _ends(text: str) -> str:
    return text if len(text) <= _START + _END else f"{text[:_START]}…{text[-_END:]}"


class RenderError(Exception):
    """Base class. The message is one line: what is wrong, where, and what to do."""

    def __str__(self) -> str:
        return message_line(super().__str__())


class PictureError(RenderError):
    """A picture that cannot be read, or is too large."""


class WeightsError(RenderError):
    """A weights file that is missing, unsafe, or does not fit the network."""


class NetworkError(RenderError):
    """A network that is unknown, or cannot be traced."""


class LayerError(RenderError):
    """A layer that the network lacks, or that has no exact tiles."""


class DamagedTiles(RenderError):  # noqa: N818 - the name says what happened
    """A checkpoint, a decoded input or a decoded mask is not as it was written.

    name: the path or the key of the file. tile: the number of the first damaged tile.
    """

    def __init__(self, name: str, tile: int) -> None:
        super().__init__(name, tile)
        self.name = name
        self.tile = tile

    def __str__(self) -> str:
        return (
            f"{self.name}: tile {self.tile} is not as it was written (its checksum differs); "
            "check the disk or the store"
        )


class TrainingError(RenderError):
    """A folder of pictures that no network can be trained on."""


class OutputError(RenderError):
    """An output that cannot be written: format, size or place."""


class DeviceError(RenderError):
    """A precision or a device that this machine lacks."""


def close_matches(word: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Up to n known words that are similar to `word`, the most similar first. Case is ignored."""
    spelled = {candidate.lower(): candidate for candidate in known}
    return [spelled[match] for match in get_close_matches(word.lower(), spelled, n=n)]


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word: the nearest known words, or all if none is near.

    For example `nearest: conv1, conv2`, or `known: jitter, octaves, seed`.
    """
    words = list(known)
    close = close_matches(word, words)
    return f"nearest: {', '.join(close)}" if close else f"known: {', '.join(sorted(words))}"
