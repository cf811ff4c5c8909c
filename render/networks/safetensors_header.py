"""The header of a safetensors file: how it is known, its size check, and its metadata.

A file is safetensors by its first bytes, whatever its name: the length of the header in eight
bytes, and then the header, a JSON object.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from render.errors import WeightsError
from render.input_file import open_input_file, read_problem

MAX_HEADER_BYTES = 16 << 20
"""Ten times the size of a header for ten thousand tensors."""


_LENGTH_BYTES = 8


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do. Raises OSError if it cannot be read."""
    with open_input_file(path) as file:
        return file.read(_LENGTH_BYTES + 1)[_LENGTH_BYTES:] == b"{"


def check_header(path: Path) -> None:
    """Check the length of the header before anything is allocated for it.

    Raises WeightsError if the header is longer than the file or than MAX_HEADER_BYTES, and OSError
    if the file cannot be read.
    """
    with open_input_file(path) as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    available = path.stat().st_size - _LENGTH_BYTES
    problem = f"weights {path}: cannot be read (its header claims {length} bytes, and "
    if length > available:
        raise WeightsError(
            f"{problem}the file has {max(0, available)}); is it a whole weights file?"
        )
    if length > MAX_HEADER_BYTES:
        raise WeightsError(f"{problem}at most {MAX_HEADER_BYTES} are read); save the tensors alone")


@dataclass(frozen=True)
class WeightsMetadata:
    """What a weights file states about its network. A missing or malformed entry is empty.

    classes: names in the order of the scores.
    input_convention: the name of one (`networks.normalisation`); empty means the network's own.
    """

    architecture: str = ""
    classes: tuple[str, ...] = ()
    licence: str = ""
    input_convention: str = ""


def read_metadata(path: Path) -> WeightsMetadata:
    """Read the metadata of a weights file. It is empty for files other than safetensors.

    Raises WeightsError if the file cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if not is_safetensors(path):
            return WeightsMetadata()
        check_header(path)
        with safe_open(path, framework="np") as opened:
            metadata = opened.metadata() or {}
    except OSError as error:
        raise WeightsError(f"weights {path}: {read_problem(error)}") from error
    except SafetensorError as error:
        raise WeightsError(
            f"weights {path}: cannot be read ({error}); is it a whole weights file?"
        ) from error
    return WeightsMetadata(
        metadata.get("architecture", "").removeprefix("torchvision "),
        _parse_class_names(metadata.get("classes", "")),
        metadata.get("licence", ""),
        metadata.get("input_convention", ""),
    )


def _parse_class_names(text: str) -> tuple[str, ...]:
    """Parse a JSON list of strings. Return an empty tuple for anything else."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return ()
    return tuple(words)
