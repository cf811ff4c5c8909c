"""What a listing finds, for tests to look at."""

from pathlib import Path

from jobs.dataset.inputs.item import Found
from jobs.dataset.inputs.listing import listing
from jobs.spec.inputs import Inputs


def found(path: Path | str, column: str = "picture") -> list[Found]:
    """The whole listing, in the order of keys."""
    inputs = Inputs(path=str(path), column=column)
    return sorted(listing(inputs), key=lambda one: one.key)


def keys(path: Path | str) -> list[str]:
    return [one.key for one in found(path)]


def plant(root: Path, *names: str) -> None:
    """Small files below a folder."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
