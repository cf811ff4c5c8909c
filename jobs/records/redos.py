"""Which jobs dream a picture again: marks in the folder of the job that made it.

A redo reads the checkpoints of its older pictures. So `clean` and `delete` leave those jobs alone
while it has not ended.
"""

from collections.abc import Sequence

from jobs.records.job import attempt_job, load_job
from jobs.records.keys import JobKeys, is_job_id
from jobs.records.state import ENDED
from jobs.store.store import Store
from jobs.text.errors import JobNotFound


def mark_redo(store: Store, job: str, parents: Sequence[str]) -> None:
    """Leave the mark of a redo with each of its older jobs that is in the store."""
    for parent in parents:
        keys = JobKeys(parent)
        if any(entry.key == keys.spec for entry in store.list_objects(keys.spec)):
            store.put(keys.redo(job), b"")


def open_redos(store: Store, job: str) -> list[str]:
    """The redos of a job that have not ended. An unreadable one counts as open. Takes one listing.

    Raises StoreError.
    """
    prefix = JobKeys(job).redos
    names = [entry.key.removeprefix(prefix) for entry in store.list_objects(prefix)]
    return [name for name in names if is_job_id(name) and _is_open(store, name)]


def _is_open(store: Store, job: str) -> bool:
    found = attempt_job(store, job, lambda: load_job(store, job).state)
    return not isinstance(found, JobNotFound) and found not in ENDED
