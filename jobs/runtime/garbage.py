"""Objects that can be removed from a store without loss."""

from collections.abc import Iterable
from dataclasses import dataclass

from jobs.records.job import attempt_job, load_job
from jobs.records.state import ENDED
from jobs.store.store import ObjectInfo, Store, UnfinishedUpload


@dataclass(frozen=True)
class Garbage:
    """Objects of one kind at one key or prefix, in the order of their removal.

    description: of the kind, for people. prefix: the key or prefix. bytes: the total size. newest:
    the time of the last write, by the store's clock; None if the age does not matter. job: a job
    that must have ended before the objects are removed.
    """

    description: str
    prefix: str
    keys: tuple[str, ...] = ()
    uploads: tuple[UnfinishedUpload, ...] = ()
    bytes: int = 0
    newest: float | None = None
    job: str | None = None

    @property
    def count(self) -> int:
        """The number of objects and unfinished uploads."""
        return len(self.keys) + len(self.uploads)

    def is_older(self, than: float) -> bool:
        """Whether the last write was not after `than`, or the age does not matter."""
        return self.newest is None or self.newest <= than


def as_garbage(
    description: str,
    prefix: str,
    entries: Iterable[ObjectInfo],
    *,
    only_if_old: bool,
    job: str | None = None,
) -> list[Garbage]:
    """Return the entries as one `Garbage`, or an empty list if there are none.

    only_if_old: remove them only if their last write is long ago.
    """
    objects = list(entries)
    if not objects:
        return []
    return [
        Garbage(
            description,
            prefix,
            tuple(entry.key for entry in objects),
            bytes=sum(entry.size for entry in objects),
            newest=max(entry.modified for entry in objects) if only_if_old else None,
            job=job,
        )
    ]


def remove_garbage(store: Store, garbage: Garbage) -> bool:
    """Remove the objects. Returns False, and removes none, if their job has not ended."""
    if garbage.job is not None and not _has_ended(store, garbage.job):
        return False
    store.delete(garbage.keys)
    for upload in garbage.uploads:
        store.abort_upload(upload)
    return True


def _has_ended(store: Store, job: str) -> bool:
    return attempt_job(store, job, lambda: load_job(store, job).state) in ENDED
