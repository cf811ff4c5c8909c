"""The header of a safetensors file: how it is known, and its size check.

A file is safetensors by its first bytes, whatever its name: the length of the header in eight
bytes, and then the header, a JSON object.
"""

from pathlib import Path

from render.errors import WeightsError
from render.input_file import open_input_file

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
