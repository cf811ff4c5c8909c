"""The interface of a store: objects by key, each written completely or not at all."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from jobs.store.errors import ObjectTooLarge

MAX_READ_BYTES = 32 << 20
"""The most bytes of an object that is read whole into memory.

The largest records are commits, which list all tiles: 16 MiB for 2 gigapixels in tiles of 32.
A ledger of 1,000 items takes about one MiB.
"""


def check_read_size(key: str, size: int) -> None:
    """Raise ObjectTooLarge for an object of more than MAX_READ_BYTES bytes."""
    if size > MAX_READ_BYTES:
        raise ObjectTooLarge(
            f"{key}: has {size} bytes, but at most {MAX_READ_BYTES} are allowed there; "
            "find the program that wrote it, and delete the object"
        )


@dataclass(frozen=True)
class ObjectInfo:
    """An object in a listing.

    size: in bytes.
    modified: time of the last write by the store's clock, in seconds since 1970.
    """

    key: str
    size: int
    modified: float


@dataclass(frozen=True)
class UnfinishedUpload:
    """An upload that was started, and neither finished nor aborted.

    id: the store's name for the upload.
    started: the start time by the store's clock, in seconds since 1970.
    """

    key: str
    id: str
    started: float


class Store(ABC):
    """Objects of bytes by key, in a folder or in a bucket.

    Keys are relative paths of at most 220 characters. Their parts consist of letters, digits and
    `._-@=+,`, with `/` between them. No key is a parent folder of another key.

    Every method may raise:
    - StoreUnreachable or StoreRefused, for errors of the store;
    - ObjectNotFound, where its docstring says so;
    - ValueError, for an invalid key;
    - OSError, for an error of a local file.

    A store is thread-safe. Another process may open it again by its address.

    A listing contains every object that exists throughout the listing. Objects that are written or
    deleted during the listing may be missing.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    @abstractmethod
    def put(self, key: str, content: bytes) -> None:
        """Write an object; replace it if it exists."""

    @abstractmethod
    def put_if_absent(self, key: str, content: bytes) -> bool:
        """Write an object if its key is free; one of several simultaneous writers succeeds.

        Returns False if the object exists. The caller itself may have written it: a request is
        sent again when its answer is lost. A caller that must know reads the object.
        """

    @abstractmethod
    def get(self, key: str) -> bytes:
        """Read a whole object.

        Raises ObjectNotFound, and ObjectTooLarge for more than MAX_READ_BYTES bytes. The store
        checks the size before it reads: anybody with write access may have written the object.
        """

    @abstractmethod
    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Read exactly `length` bytes (at least 1) of an object from offset `start`.

        Raises ObjectNotFound, and ValueError if the object is too short.
        """

    @abstractmethod
    def get_with_age(self, key: str) -> tuple[bytes, float]:
        """Read a whole object like `get`, and return it with its age in seconds.

        The age is measured by the store's own clock. In a bucket its resolution is one second.
        """

    @abstractmethod
    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        """List the objects that have a key prefix, sorted by key, lazily.

        Stores that keep folders may list each folder whole: `a/b/c` before `a/b-1/c`. Within one
        folder without subfolders, the order is the same.
        """

    @abstractmethod
    def list_folders(self, prefix: str, start: str = "") -> Iterator[str]:
        """List the names of the folders directly below `prefix/`: `b` for `a/b/c` below `a/`.

        start: only names that start with it.

        They are sorted by key with its slash: `b-1/` comes before `b/`, so `b-1` before `b`. Stores
        that keep folders may sort them by name.
        """

    def blocked_keys(self, prefix: str) -> Iterator[str]:  # noqa: ARG002 - subclasses use it
        """List the keys with a prefix, in one folder, where no object can be: a folder is there.

        Only a store that is a folder has any; no request is sent to others.
        """
        return iter(())

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Delete any number of objects; ignore missing ones."""

    @abstractmethod
    def upload(self, path: Path, key: str) -> None:
        """Upload a local file; large files are sent in parallel parts."""

    def move_file(self, path: Path, key: str) -> None:
        """Upload a local file that is no longer needed; a store may move it instead of copying."""
        self.upload(path, key)

    @abstractmethod
    def download(self, key: str, path: Path) -> None:
        """Download an object into a local file; large objects are read in parallel ranges.

        The file appears only when it is complete. Raises ObjectNotFound.
        """

    @abstractmethod
    def unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        """List the unfinished uploads to keys that start with a prefix, sorted by key.

        Some of them may still be in progress; the caller judges by their age.
        """

    @abstractmethod
    def abort_upload(self, upload: UnfinishedUpload) -> None:
        """Abort an unfinished upload and free its space; ignore one that no longer exists."""

    def without_retries(self) -> "Store":
        """The same store, without retries after errors."""
        return self

    def local_path(self, key: str) -> Path | None:  # noqa: ARG002 - subclasses use it
        """The file of an object, if the store is a local folder; otherwise None."""
        return None


INTERNAL_PREFIX = ".dreamfarm/"
"""The prefix of small objects that belong to no job: they measure the store's clock, or test it."""


def store_time(store: Store) -> float:
    """The time by the store's clock, in seconds since 1970; writes and deletes a small object."""
    key = f"{INTERNAL_PREFIX}clock/{uuid.uuid4().hex}"
    store.put(key, b"")
    try:
        return max(entry.modified for entry in store.list_objects(key))
    finally:
        store.delete([key])


T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Split items into lists of `size`; the last list may be shorter, but is never empty."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
