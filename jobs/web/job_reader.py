"""Reads single jobs for the index, by as few requests as their state allows."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.records.job import StoredJob, load_finished_job, load_job_lightly
from jobs.records.keys import JobKeys
from jobs.records.record import read_json_object
from jobs.records.state import ENDED
from jobs.store.store import Store
from jobs.web.job_views import submitted_at, view_job
from jobs.web.models import JobView


@dataclass(frozen=True)
class Entry:
    """What is known about one job.

    submitted: in seconds since 1970. view: without its age. problem: the reason, for a job that
    cannot be read; then there is no view. loaded: the records of an open job; an ended one needs
    none. plan: the pinned plan, once there is one.
    """

    job: str
    submitted: float
    view: JobView | None = None
    problem: str | None = None
    loaded: StoredJob | None = None
    plan: Mapping[str, Any] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the job may change by itself."""
        return self.loaded is not None

    def current(self) -> JobView:
        """The view with the age of now. Only for an entry with a view."""
        assert self.view is not None
        age = max(0, round(time.time() - self.submitted))
        return self.view.model_copy(update={"age_seconds": age})


def read_entry(store: Store, job: str, before: Entry | None = None) -> Entry:
    """Read a job, or read it again. Raises JobNotFound, InvalidRecord and StoreError.

    Of an open job that is known, only what may have changed is read.
    """
    known = before.loaded if before else None
    return entry_of(store, load_job_lightly(store, job, known), before)


def read_whole_entry(store: Store, job: str, before: Entry | None = None) -> Entry:
    """Read all records of a job again, and so notice that it was deleted. Raises the same."""
    return entry_of(store, load_job_lightly(store, job), before)


def read_old_entry(store: Store, job: str, before: Entry | None = None) -> Entry:
    """Read a job that has probably ended. Raises like `read_entry`.

    A poster that has succeeded takes two reads.
    """
    finished = load_finished_job(store, job)
    if finished is None:
        return read_whole_entry(store, job, before)
    return entry_of(store, finished, before)


def entry_of(store: Store, loaded: StoredJob, before: Entry | None = None) -> Entry:
    """The entry of a loaded job. before: the earlier one, which knows when it was submitted."""
    submitted = before.submitted if before and before.view else submitted_at(loaded)
    plan = before.plan if before else None
    if plan is None and loaded.manifest is None and loaded.status and not loaded.has_items:
        plan = _pinned_plan(store, loaded.id)
    view = view_job(loaded, submitted, plan).model_copy(update={"age_seconds": 0})
    is_open = loaded.state not in ENDED
    return Entry(
        loaded.id,
        submitted,
        view,
        loaded=loaded if is_open else None,
        plan=plan if is_open else None,
    )


def _pinned_plan(store: Store, job: str) -> Mapping[str, Any] | None:
    document = read_json_object(store, JobKeys(job).plan)
    plan = (document or {}).get("plan")
    return plan if isinstance(plan, Mapping) else None
