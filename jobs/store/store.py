"""A store: objects by key, whole or not at all."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from jobs.store.errors import Oversized

LARGEST = 32 << 20
"""Bytes of an object that is read whole. The largest records are commits, which name all tiles: two
million, and 16 MiB, for 2 gigapixels in tiles of 32. A dataset's 1,000 items take about one MiB.
"""


def check_small(key: str, size: int) -> None:
    """Raises Oversized for an object that nobody should hold in memory."""
    if size > LARGEST:
        raise Oversized(
            f"{key}: has {size} bytes, and what belongs there at most {LARGEST}; find out who "
            "wrote it, and delete it"
        )


@dataclass(frozen=True)
class Entry:
    """An object as a listing shows it: bytes, and when it was last written, by the store's clock
    in seconds since 1970."""

    key: str
    size: int
    modified: float


@dataclass(frozen=True)
class Unfinished:
    """An upload that was begun and neither finished nor aborted, with the store's name for it."""

    key: str
    upload: str
    begun: float


class Store(ABC):
    """Keys are relative, `/` between their parts, each of letters, digits and `._-@=+`; a key has
    at most 200 characters, and is never the beginning of another up to a `/`.

    Every method raises StoreUnreachable or StoreRefused, Missing where it says so, ValueError for
    what is no key, and OSError where a file of this machine is at fault. A store is safe to use
    from several threads, and may be opened again, from its address, in another process.

    Listings show what lay there all along, and perhaps what comes or goes meanwhile.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    @abstractmethod
    def put(self, key: str, content: bytes) -> None:
        """Write an object, in place of what may be there."""

    @abstractmethod
    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write an object where there is none; of many at once one succeeds.

        False where there is one, which may be this very one: where the answer to a request is
        lost it is sent again. Who must know looks at what is there.
        """

    @abstractmethod
    def get(self, key: str) -> bytes:
        """A whole, small object. Raises Missing, and Oversized before it reads one of more than
        LARGEST bytes: anybody who may write to a bucket may have put it there.
        """

    @abstractmethod
    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Exactly `length` bytes of an object from `start` on, at least 1.

        Raises Missing, and ValueError where it has not so many.
        """

    @abstractmethod
    def aged(self, key: str) -> tuple[bytes, float]:
        """Like `get`, and the seconds since it was written, all by the store's own clock, which in
        a bucket counts whole seconds.
        """

    @abstractmethod
    def entries(self, prefix: str) -> Iterator[Entry]:
        """The objects whose keys begin with a prefix, in the order of their keys, as a stream."""

    @abstractmethod
    def folders(self, prefix: str) -> Iterator[str]:
        """What may be opened further below `prefix/`, each once: `b` for `a/b/c` below `a/`.

        In the order of the keys: `b-1` comes before `b`, as `b-1/` before `b/`.
        """

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, as many as there are; those that are not there are no matter."""

    @abstractmethod
    def upload(self, path: Path, key: str) -> None:
        """Write a file as an object: in parallel parts where large, whole or not at all."""

    def give(self, path: Path, key: str) -> None:
        """Like `upload`, of a file that nobody changes or needs any more; it may be gone then."""
        self.upload(path, key)

    @abstractmethod
    def download(self, key: str, path: Path) -> None:
        """Write an object into a file: in parallel ranges where large, whole or not at all.

        Raises Missing.
        """

    @abstractmethod
    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """Uploads, begun and still open, to keys that begin with a prefix, in the order of keys.

        Some may be in progress: it is their age that tells.
        """

    @abstractmethod
    def abort(self, upload: Unfinished) -> None:
        """End an unfinished upload and free what it holds; no matter if it is gone."""

    def impatient(self) -> "Store":
        """The same store, for those who would rather fail than wait."""
        return self

    def local(self, key: str) -> Path | None:  # noqa: ARG002 - a folder's answer depends on it
        """The file that an object is, where the store is a folder of this machine."""
        return None


OURS = ".dreamfarm/"
"""Where objects lie that are nobody's: written to find something out about the store."""


def store_now(store: Store) -> float:
    """Seconds since 1970, as in Entry.modified; by an object that is there for a moment."""
    key = f"{OURS}clock/{uuid.uuid4().hex}"
    store.put(key, b"")
    try:
        return max(entry.modified for entry in store.entries(key))
    finally:
        store.delete([key])


Thing = TypeVar("Thing")


def batches(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """Lists of `size` things, the last one perhaps shorter; none is empty."""
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch
