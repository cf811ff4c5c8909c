"""A manifest or a tar, wherever it lies, as a file in which one can jump."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jobs.dataset.sources.address import is_in_bucket
from jobs.errors import RequestError

_BUFFER = 2 << 20
"""Bytes a request: small members of a tar come many at once, large ones are jumped over."""


@contextmanager
def opened(address: str) -> Iterator[BinaryIO]:
    """The file at a path or an `s3://` address, to be read.

    Raises RequestError where it cannot be opened, or read while it is open, and StoreError.
    """
    if is_in_bucket(address):
        # boto3 takes a third of a second, which who has a folder need not wait for.
        from jobs.dataset.sources.ranged import Ranged

        with io.BufferedReader(Ranged(address), _BUFFER) as file:
            yield file
        return
    try:
        with Path(address).open("rb") as file:
            yield file
    except OSError as error:
        raise RequestError(
            f"{address}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
