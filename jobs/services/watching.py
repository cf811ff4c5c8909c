"""Watching several jobs of a store at once, until all have ended."""

import time
from collections.abc import Callable, Iterator, Sequence

from jobs.records.job_summary import JobSummary, load_summaries
from jobs.records.state import ENDED
from jobs.store.errors import StoreUnreachable
from jobs.store.store import Store
from jobs.text.errors import JobsError

Found = tuple[str, JobSummary | JobsError]
"""A job's id, and its summary, or why it cannot be watched any more."""


def watch_jobs(
    store: Store, jobs: Sequence[str], every: float, message: Callable[[str], None]
) -> Iterator[Found]:
    """Yield what each job is at once and every few seconds, until all have ended.

    If the store does not answer, it waits for the store. A job that was deleted meanwhile ends
    with its error.

    every: seconds between two looks. message: called with a line when the store stops to answer,
    and when it answers again.
    """
    left, is_cut_off = list(dict.fromkeys(jobs)), False
    while left:
        try:
            found = list(zip(left, load_summaries(store, left), strict=True))
        except StoreUnreachable as error:
            if not is_cut_off:
                message(f"{error}; trying again")
            is_cut_off = True
        else:
            if is_cut_off:
                message(f"{store.address}: answers again")
            is_cut_off = False
            yield from found
            left = [job for job, one in found if _goes_on(one)]
        if left:
            time.sleep(every)


def _goes_on(found: JobSummary | JobsError) -> bool:
    return isinstance(found, JobSummary) and found.state not in ENDED
