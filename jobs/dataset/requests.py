"""What users may ask of datasets, besides what they ask of all jobs."""

from typing import get_args

from jobs.dataset.index import ItemIndex
from jobs.dataset.keys import DatasetKeys
from jobs.records.job import Job
from jobs.records.status import Failure
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.errors import suggest


def checked_dataset(store: Store, job: Job) -> ItemIndex:
    """What a job consists of. RequestError for one that is no dataset."""
    if not job.has_items:
        raise RequestError(f"{job.id}: is a poster, which has no items; `dreamfarm show` tells of it")
    return ItemIndex(store, DatasetKeys(job.id))


def checked_failure(text: str | None) -> Failure | None:
    """A class of failures. RequestError for what is none."""
    classes: tuple[Failure, ...] = get_args(Failure)
    for one in classes:
        if text == one:
            return one
    if text is None:
        return None
    raise RequestError(f"--class {text}: no such class; {suggest(text, classes)}")
