"""What a member says of an output that it has written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Encoded:
    """An output in the store: its digest as `sha256:...`, and the bytes of all its files."""

    digest: str
    size: int
