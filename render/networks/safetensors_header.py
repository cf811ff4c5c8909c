"""What a .safetensors file says of itself: in its header, read without its tensors."""

import json
from dataclasses import dataclass
from pathlib import Path

from render.errors import WeightsError

MAX_HEADER = 16 << 20
"""Bytes. A header of ten thousand tensors has a tenth of it."""


_LENGTH = 8


def check_claims(path: Path) -> None:
    """WeightsError for a header that the file cannot hold, or that is absurdly long.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
    room = path.stat().st_size - _LENGTH
    claim = f"weights {path}: cannot be read (its header claims {length} bytes, and "
    if length > room:
        raise WeightsError(f"{claim}the file has {max(0, room)}); is it a whole weights file?")
    if length > MAX_HEADER:
        raise WeightsError(f"{claim}at most {MAX_HEADER} are read); save the tensors alone")


@dataclass(frozen=True)
class Metadata:
    """`architecture`, the network's name; `classes` in order of its scores; `licence`.

    Whatever the file does not say, or not in these words, is empty.
    """

    architecture: str = ""
    classes: tuple[str, ...] = ()
    licence: str = ""


def read_metadata(path: Path) -> Metadata:
    """What a weights file says; nothing where it is no .safetensors file.

    WeightsError where it cannot be read.
    """
    if path.suffix != ".safetensors":
        return Metadata()
    from safetensors import SafetensorError, safe_open

    try:
        check_claims(path)
        with safe_open(path, framework="np") as opened:
            said = opened.metadata() or {}
    except (SafetensorError, OSError) as why:
        raise WeightsError(
            f"weights {path}: cannot be read ({why}); is it a whole weights file?"
        ) from why
    return Metadata(
        said.get("architecture", "").removeprefix("torchvision "),
        _names(said.get("classes", "")),
        said.get("licence", ""),
    )


def _names(text: str) -> tuple[str, ...]:
    """The words of a JSON list; none where it is anything else, as other people's files may say."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return ()
    return tuple(words)
