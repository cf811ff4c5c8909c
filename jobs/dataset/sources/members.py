"""The files in a tar, and where their bytes lie in it."""

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from jobs.errors import RequestError


@dataclass(frozen=True)
class Member:
    """A regular file: its name, and its `length` bytes from `start` of the tar on."""

    name: str
    start: int
    length: int


@dataclass(frozen=True)
class Damage:
    """The place after which nothing can be found, and why."""

    reason: str


def members(file: BinaryIO, address: str) -> Iterator[Member | Damage]:
    """The members in their order, without their bytes; of a tar that is damaged, that at last.

    Raises RequestError for a sparse member, whose bytes do not lie together.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for found in _headers(tar):
                if found.issparse():
                    raise RequestError(
                        f"{address}: {found.name} is sparse; make the tar anew, without --sparse"
                    )
                if found.offset_data + found.size > size:
                    yield Damage(f"ends at byte {size}, within {found.name}")
                    return
                if found.isreg():
                    yield Member(found.name, found.offset_data, found.size)
            end = tar.offset
    except (tarfile.TarError, ValueError) as error:
        yield Damage(f"not a tar, or damaged ({error})")
        return
    file.seek(end)
    # To tarfile, and to many tools, what makes no sense is an end like any other.
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        yield Damage(f"has no end mark at byte {end}, where its last member ends")


def _headers(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (found := tar.next()) is not None:
        # It keeps all that it has seen.
        tar.members.clear()  # type: ignore[attr-defined]
        yield found
