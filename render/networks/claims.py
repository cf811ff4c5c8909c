"""What a .safetensors file claims of its header, judged before anybody parses it.

The file begins with the header's length, in 8 bytes, and the header, in JSON
(https://github.com/huggingface/safetensors#format). Whether its tensors lie within the file, each
in a place of its own, is checked by the library.
"""

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
