"""The records of a job in a store.

keys            the keys of all objects
job             load_job, find_job_id, and the boundary around each job, attempt_job
stored_spec     the spec as submitted, and the settings that a later submit may change
lease           the right to run the job, with its lease number
state           the intent of users, the states and their transitions
status          progress and events, written by the holder of the lease
manifest        the manifest's file, and the outputs that it lists
job_summary     what `show` and `list` print
request         pause, resume, cancel, retry
record          the base class, and reading of JSON objects

Names load on first use, so that commands without a job do not load pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.records.job import StoredJob, find_job_id, list_job_ids, load_job
    from jobs.records.job_summary import JobSummary, load_summaries, load_summary
    from jobs.records.keys import JobKeys
    from jobs.records.lease import (
        CurrentLease,
        HeldLease,
        Lease,
        claim_lease,
        current_lease,
        restore_lease,
    )
    from jobs.records.manifest import JobOutput, job_outputs
    from jobs.records.record import Record
    from jobs.records.request import cancel, pause, resume, retry
    from jobs.records.state import Intent, State, state_of
    from jobs.records.status import Status
    from jobs.records.stored_spec import RunSettings, StoredSpec

__all__ = [
    "CurrentLease",
    "HeldLease",
    "Intent",
    "JobKeys",
    "JobOutput",
    "JobSummary",
    "Lease",
    "Record",
    "RunSettings",
    "State",
    "Status",
    "StoredJob",
    "StoredSpec",
    "cancel",
    "claim_lease",
    "current_lease",
    "find_job_id",
    "job_outputs",
    "list_job_ids",
    "load_job",
    "load_summaries",
    "load_summary",
    "pause",
    "restore_lease",
    "resume",
    "retry",
    "state_of",
]

_MODULES = {
    "CurrentLease": "lease",
    "HeldLease": "lease",
    "Intent": "state",
    "JobKeys": "keys",
    "JobOutput": "manifest",
    "JobSummary": "job_summary",
    "Lease": "lease",
    "Record": "record",
    "RunSettings": "stored_spec",
    "State": "state",
    "Status": "status",
    "StoredJob": "job",
    "StoredSpec": "stored_spec",
    "cancel": "request",
    "claim_lease": "lease",
    "current_lease": "lease",
    "find_job_id": "job",
    "job_outputs": "manifest",
    "list_job_ids": "job",
    "load_job": "job",
    "load_summaries": "job_summary",
    "load_summary": "job_summary",
    "pause": "request",
    "restore_lease": "lease",
    "resume": "request",
    "retry": "request",
    "state_of": "state",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
