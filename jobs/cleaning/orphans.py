"""What no job in a store has any more: blobs, uploads that broke off, what probes left."""

from collections.abc import Iterator

from jobs.cleaning.blobs import BLOBS, unreferred
from jobs.cleaning.waste import Waste, waste_of
from jobs.store.clock import OURS
from jobs.store.store import Store


def orphans(store: Store) -> Iterator[Waste]:
    """All of it; of each only what is old may be removed, since somebody may be at work."""
    for entry in unreferred(store, store.entries(BLOBS)):
        yield from waste_of("blob without a job", entry.key, [entry], aged=True)
    for entry in store.entries(OURS):
        yield from waste_of("probe", entry.key, [entry], aged=True)
    for upload in store.unfinished(""):
        yield Waste("unfinished upload", upload.key, uploads=(upload,), newest=upload.begun)
