"""Listing inputs, and the folders and S3 prefixes to list."""

import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobs.dataset.inputs.item import ListedImage
from jobs.dataset.inputs.listing import list_images
from jobs.dataset.inputs.s3 import s3_client
from jobs.spec.inputs import Inputs
from tests.support.s3_servers import BUCKET


def list_inputs(path: Path | str, column: str = "picture") -> list[ListedImage]:
    """The listed images, sorted by key."""
    inputs = Inputs(path=str(path), column=column)
    return sorted(list_images(inputs), key=lambda one: one.key)


def list_keys(path: Path | str) -> list[str]:
    """The sorted keys of the listed images."""
    return [one.key for one in list_inputs(path)]


def peak_memory(path: Path, count: int) -> int:
    """The peak memory of listing `count` images, in bytes: the least of three listings.

    What grows with the inputs grows in each. Imports, and a larger table of Python's interned
    strings, cost memory once.
    """
    peaks = []
    for _ in range(3):
        tracemalloc.start()
        try:
            assert sum(1 for _ in list_images(Inputs(path=str(path)))) == count
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)


def write_files(root: Path, *names: str) -> None:
    """Write small files below a folder."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@dataclass(frozen=True)
class S3Prefix:
    """A part of a bucket for one test. The address ends without a slash."""

    name: str

    @property
    def address(self) -> str:
        return f"s3://{BUCKET}/{self.name}"

    def put(self, key: str, content: bytes = b"x") -> str:
        """Write an object; returns its address."""
        s3_client().put_object(Bucket=BUCKET, Key=f"{self.name}/{key}", Body=content)
        return f"{self.address}/{key}"


_NOBODY = 65534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run as a user without privileges, because root may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(before)
