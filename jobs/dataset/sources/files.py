"""The files that a path with or without wildcards means, wherever they lie."""

from collections.abc import Iterator

from jobs.dataset.sources import folder
from jobs.dataset.sources.address import is_in_bucket
from jobs.dataset.sources.file import File
from jobs.dataset.sources.here import is_there
from jobs.dataset.sources.pattern import Pattern, is_glob


def has_wildcards(path: str) -> bool:
    """Whether a path means what fits it, and not what bears that very name."""
    return is_glob(path) and (is_in_bucket(path) or not is_there(path))


def files(pattern: Pattern) -> Iterator[File]:
    """The files that a pattern means, as a stream. Raises RequestError and StoreError."""
    if not is_in_bucket(pattern.base):
        return folder.files(pattern)
    # boto3 takes a third of a second, which who has a folder need not wait for.
    from jobs.dataset.sources import bucket

    return bucket.files(pattern)
