"""Where one holder of a job works: its store, its lease's number, a folder on each machine."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jobs.records.keys import JobKeys
from jobs.records.stored_spec import Blobs
from jobs.runtime.access import NOWHERE, Reach
from jobs.runtime.staging import cache_folder, fetched
from jobs.store.address import open_store
from jobs.store.errors import Missing, StoreRefused
from jobs.store.retrying import Patient
from jobs.store.store import Store

Opener = Callable[[], Store]
"""Gives a process its connection to a store; travels to workers, which a connection cannot."""


@dataclass(frozen=True)
class StoredBytes:
    """An object, and the file that it was made from, which only the machine that made it has."""

    opener: Opener
    key: str
    near: Path

    def read(self, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start` on. Raises Missing, StoreError."""
        store = self.opener()
        try:
            with (store.local(self.key) or self.near).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except FileNotFoundError:
            return store.get_range(self.key, start, length)


PATIENCE = 600.0
"""Seconds that work under way waits for a store that does not answer. An outage of minutes delays
and kills nothing; after that the job goes back to the queue."""


@functools.cache
def patient_store(address: str) -> Store:
    """This process's connection to a store, one for each address."""
    return Patient(open_store(address), PATIENCE)


@dataclass(frozen=True)
class Site:
    """The place of the holder of lease `number` of a job.

    scratch: a folder that each machine has for itself, at the same path. blobs: the digests of the
    job's files, for machines on which they do not lie where the coordinator has them; companions:
    those of its masks and guides, by the coordinator's paths. reach: what else may be read.
    """

    opener: Opener
    job: str
    number: int
    scratch: Path
    blobs: Blobs = field(default_factory=lambda: Blobs(input=None, weights=None))
    companions: Mapping[Path, str] = field(default_factory=dict)
    reach: Reach = NOWHERE

    @property
    def keys(self) -> JobKeys:
        """Where the job's objects lie."""
        return JobKeys(self.job)

    @property
    def store(self) -> Store:
        """This process's connection."""
        return self.opener()

    def check_store(self) -> None:
        """See that this machine has the job's store.

        A folder that it does not share would take everything, and nobody would find it. Raises
        StoreRefused.
        """
        try:
            self.store.get(self.keys.lease(self.number))
        except Missing as why:
            raise StoreRefused(
                f"{self.store.address}: a worker's machine does not see this store; use a bucket, "
                "or mount the folder at the same path on every machine"
            ) from why

    def here(self, path: Path, digest: str | None) -> Path:
        """A file that the coordinator has at `path`, on this machine. Raises StoreRefused."""
        if digest is None or path.exists():
            return path
        return fetched(self.store, digest, path.name, cache_folder())

    def companion(self, path: Path) -> Path:
        """A mask or guide that the coordinator has at `path`, on this machine."""
        return self.here(path, self.companions.get(path))

    def kept(self, key: str) -> Path:
        """Where the machine that made an object still has it."""
        path = self.scratch / "kept" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def near(self, key: str) -> Path:
        """Where a file is written that becomes an object; its folder is there."""
        path = self.scratch / "drafts" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def stored(self, key: str) -> StoredBytes:
        """An object, to be read by any worker."""
        return StoredBytes(self.opener, key, self.scratch / "kept" / key)

    def hand_over(self, key: str) -> None:
        """Make an object of the file `near(key)`.

        It is kept where that spares reading, under a name at which readers look.
        """
        draft = self.near(key)
        self.store.give(draft, key)
        if draft.exists():
            draft.replace(self.kept(key))
