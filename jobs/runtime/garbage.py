"""What can be removed from a store without loss: found by one, shown to users, removed."""

from collections.abc import Iterable
from dataclasses import dataclass

from jobs.records.job import look
from jobs.records.state import ENDED
from jobs.store.store import Entry, Store, Unfinished
from jobs.text.errors import BadRecord, NoSuchJob


@dataclass(frozen=True)
class Waste:
    """Objects of one kind at one place, in the order in which they are removed.

    what: for people.
    newest: when the youngest was written, by the store's clock; None where age is no matter.
    job: the one that must still have ended when they are removed.
    """

    what: str
    where: str
    keys: tuple[str, ...] = ()
    uploads: tuple[Unfinished, ...] = ()
    bytes: int = 0
    newest: float | None = None
    job: str | None = None

    @property
    def objects(self) -> int:
        """How many there are."""
        return len(self.keys) + len(self.uploads)

    def is_older(self, than: float) -> bool:
        """Whether nothing of it was written after a time, or age is no matter."""
        return self.newest is None or self.newest <= than


def waste_of(
    what: str, where: str, entries: Iterable[Entry], *, aged: bool, job: str | None = None
) -> list[Waste]:
    """The entries as waste, which is none without any. aged: whether only old ones may go."""
    found = list(entries)
    if not found:
        return []
    return [
        Waste(
            what,
            where,
            tuple(entry.key for entry in found),
            bytes=sum(entry.size for entry in found),
            newest=max(entry.modified for entry in found) if aged else None,
            job=job,
        )
    ]


def remove(store: Store, waste: Waste) -> bool:
    """Remove it; False where its job is wanted again meanwhile."""
    if waste.job is not None and not _has_ended(store, waste.job):
        return False
    store.delete(waste.keys)
    for upload in waste.uploads:
        store.abort(upload)
    return True


def _has_ended(store: Store, job: str) -> bool:
    try:
        return look(store, job).state in ENDED
    except (BadRecord, NoSuchJob):
        return False
