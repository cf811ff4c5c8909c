"""The store's own clock, by which ages count: that of who cleans may be wrong by days."""

import uuid

from jobs.store.store import Store

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
