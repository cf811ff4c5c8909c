"""A file that a folder or a bucket lists."""

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """key: its path below the folder. address: where it lies. complaint: why it cannot be read."""

    key: str
    address: str
    complaint: str | None = None
