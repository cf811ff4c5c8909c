"""An output as it lies in the store."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """Its name, its digest as `sha256:...`, and the bytes of all its files."""

    name: str
    format: str
    depth: int
    digest: str
    size: int
