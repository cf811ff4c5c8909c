"""What datasets leave in a store beside their results and rows."""

from jobs.dataset.index import listings
from jobs.dataset.keys import DatasetKeys
from jobs.records.job import Job
from jobs.runtime.garbage import Waste, waste_of
from jobs.store.store import Store


def leavings_of_dataset(store: Store, job: Job) -> list[Waste]:
    """All of it, of one dataset. Raises BadRecord."""
    keys = DatasetKeys(job.id)
    found = _unlisted(store, keys)
    if job.manifest is not None:
        # Once packed they lie in a tar as well.
        parts = store.entries(keys.all_parts)
        found += waste_of("packed results", keys.all_parts, parts, aged=False, job=job.id)
        named = f"{keys.folder}{job.manifest.get('ledger')}"
        old = [entry for entry in store.entries(keys.ledgers) if entry.key != named]
        found += waste_of("old ledgers", keys.ledgers, old, aged=True, job=job.id)
    return found


def _unlisted(store: Store, keys: DatasetKeys) -> list[Waste]:
    """Item files of a submit that died before it froze its listing, or is still at it."""
    listed = tuple(keys.item_files(one.nonce) for one in listings(store, keys))
    strays = [one for one in store.entries(keys.all_items) if not one.key.startswith(listed)]
    return waste_of("items of no listing", keys.all_items, strays, aged=True)
