"""The context of a job in any process: its store, its lease and its scratch folder."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jobs.records.keys import JobKeys
from jobs.records.lease import highest_lease
from jobs.records.stored_spec import Blobs
from jobs.runtime.access import DENY_ALL, AccessPolicy
from jobs.runtime.staging import cache_folder, fetch_blob
from jobs.store.address import open_store
from jobs.store.errors import ObjectNotFound, StoreRefused
from jobs.store.retrying import RetryingStore
from jobs.store.store import Store
from jobs.text.errors import LeaseLost

Opener = Callable[[], Store]
"""Opens the store in any process. Unlike a connection, it can be pickled."""


@dataclass(frozen=True)
class StoredObject:
    """An object, and its local copy, which exists only on the machine that made it."""

    opener: Opener
    key: str
    local_copy: Path

    @property
    def name(self) -> str:
        """The key."""
        return self.key

    def read(self, start: int, length: int) -> bytes:
        """Read `length` bytes from `start` on, or fewer if the object ends there.

        Raises ObjectNotFound, StoreError.
        """
        store = self.opener()
        try:
            with (store.local_path(self.key) or self.local_copy).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except FileNotFoundError:
            return self.read_again(start, length)

    def read_again(self, start: int, length: int) -> bytes:
        """Read the same bytes from the store, after a damaged read. Raises like `read`."""
        try:
            return self.opener().get_range(self.key, start, length)
        except ValueError:  # the object ends before
            return b""


RETRY_SECONDS = 600.0
"""Seconds to retry while the store does not answer. Then the job goes back to the queue."""


@functools.cache
def retrying_store(address: str) -> Store:
    """This process's only connection to the store at an address."""
    return RetryingStore(open_store(address), RETRY_SECONDS)


@dataclass(frozen=True)
class JobContext:
    """The context of the holder of one lease of a job, and of its workers.

    opener: opens the job's store. scratch: a local folder, at the same path on each machine. blobs:
    the digests of the input and the weights, for machines without the coordinator's files.
    attachment_digests: of masks and guides, by the coordinator's paths. access: what else
    workers may read. older: see `JobKeys`. keeps_octaves: keep the last checkpoint of each octave,
    so that the job can be dreamed again from there.
    """

    opener: Opener
    job: str
    lease_number: int
    scratch: Path
    blobs: Blobs = field(default_factory=lambda: Blobs(input=None, weights=None))
    attachment_digests: Mapping[Path, str] = field(default_factory=dict)
    access: AccessPolicy = DENY_ALL
    older: int = 0
    keeps_octaves: bool = True

    @property
    def keys(self) -> JobKeys:
        """The keys of the job's objects."""
        return JobKeys(self.job, self.older)

    @property
    def store(self) -> Store:
        """This process's connection to the store."""
        return self.opener()

    def check_store(self) -> None:
        """Check that this machine sees the job's store.

        Otherwise a worker could write to a folder that is not shared, and its files would be lost.

        Raises:
            StoreRefused: the lease is not in the store.
        """
        try:
            self.store.get(self.keys.lease(self.lease_number))
        except ObjectNotFound as why:
            raise StoreRefused(
                f"{self.store.address}: a worker's machine does not see this store; use a bucket, "
                "or mount the folder at the same path on every machine"
            ) from why

    def check_lease(self) -> None:
        """Check, in any process, that the holder's lease is the current one. Raises LeaseLost."""
        highest = highest_lease(self.store, self.keys)
        if highest != self.lease_number:
            raise LeaseLost(f"{self.job}: lease {self.lease_number} is lost; nothing was written")

    def local_file(self, path: Path, digest: str | None) -> Path:
        """The local path of a file that the coordinator has at `path`. Raises StoreRefused."""
        if digest is None or path.exists():
            return path
        return fetch_blob(self.store, digest, path.name, cache_folder())

    def attachment(self, path: Path) -> Path:
        """The local path of a mask or guide, by the coordinator's path. Raises StoreRefused."""
        return self.local_file(path, self.attachment_digests.get(path))

    def local_copy(self, key: str) -> Path:
        """The path of an object's local copy. Its folder exists."""
        path = self.scratch / "kept" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def draft(self, key: str) -> Path:
        """The path to write a file to before it becomes an object. Its folder exists."""
        path = self.scratch / "drafts" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def stored_object(self, key: str) -> StoredObject:
        """An object that any worker can read."""
        return StoredObject(self.opener, key, self.scratch / "kept" / key)

    def publish_draft(self, key: str) -> None:
        """Move the file `draft(key)` into the store. Raises StoreError.

        If the store copies it, the file stays on this machine as the local copy.
        """
        draft = self.draft(key)
        self.store.move_file(draft, key)
        if draft.exists():
            draft.replace(self.local_copy(key))
