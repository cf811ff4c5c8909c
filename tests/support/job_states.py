"""Writes a job in any of its states into a store, and reads what became of a job."""

import json
from typing import Any

from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.lease import HeldLease, claim_lease, current_lease
from jobs.records.spending import ReachedLimit, Spent
from jobs.records.state import Intent, State
from jobs.records.status import FailureClass, Status
from jobs.records.stored_spec import Blobs, StoredSpec
from jobs.store.store import Store

JOB = "sky-0123456789ab"


TTL = 60.0


def write_job(store: Store, job: str = JOB) -> JobKeys:
    """Write the one object that every job has: its spec."""
    keys = JobKeys(job)
    spec = StoredSpec(
        job=job, spec={}, blobs=Blobs(input=None, weights=None), identity={}, nonce="n"
    )
    store.put(keys.spec, spec.encode())
    return keys


def claim_next_lease(store: Store, keys: JobKeys) -> HeldLease:
    """Claim the job's next lease."""
    before = current_lease(store, keys)
    held = claim_lease(store, keys, before.number if before else 0, "here:1", TTL)
    assert held is not None
    return held


def sample_status(
    generation: int = 0, failure: FailureClass | None = None, progress: float = 0.25
) -> Status:
    """The status of a running job, or of one that has failed."""
    return Status(
        generation=generation,
        phase="octave 1",
        octave=1,
        octaves=2,
        step=3,
        steps=10,
        done=1.0,
        total=4.0,
        progress=progress,
        rate=0.5,
        eta_seconds=6.0,
        workers=2,
        reason="no memory" if failure else None,
        failure=failure,
    )


def fail_job(store: Store, held: HeldLease, generation: int = 0) -> None:
    """Write the status of a job that has failed for good, and release its lease."""
    store.put(held.keys.status(held.number), sample_status(generation, "memory").encode())
    held.release()


def pause_at_limit(store: Store, job: str = JOB, **limits: float) -> JobKeys:
    """Write a job that USD 40 have paused, after two hours with two workers.

    limits: that it has now, in `usd` and `hours`.
    """
    keys = write_job(store, job)
    settings = {"priority": 50, "crew": {}, "limits": limits}
    store.put(keys.run_settings, json.dumps(settings).encode())
    held = claim_next_lease(store, keys)
    changes = {
        "spent": Spent(seconds=7200, worker_seconds=14400, usd=39.9),
        "limit": ReachedLimit(unit="usd", limit=40),
        "reason": f"spent USD 39.90, and limits.usd is USD 40.00; "
        f"`dreamfarm resume {job} --raise usd=20` goes on",
    }
    store.put(keys.status(held.number), sample_status().model_copy(update=changes).encode())
    held.release()
    return keys


def job_in_state(store: Store, state: State) -> JobKeys:
    """Write a job in this state."""
    keys = write_job(store)
    match state:
        case "running":
            claim_next_lease(store, keys)
        case "succeeded":
            store.put(keys.manifest, b'{"version": 1}')
        case "failed":
            fail_job(store, claim_next_lease(store, keys))
        case "paused":
            store.put(keys.intent, Intent(want="pause").encode())
        case "cancelled":
            store.put(keys.intent, Intent(want="cancel").encode())
    return keys


def output_digests(job: StoredJob) -> list[str]:
    """The checksums of the outputs of a job that has succeeded."""
    assert job.state == "succeeded", job.status
    assert job.manifest is not None
    return [one["sha256"] for one in job.manifest["outputs"]]


def lease_events(store: Store, job: str, number: int) -> list[dict[str, Any]]:
    """The events of one lease."""
    lines = store.get(JobKeys(job).events(number)).decode().splitlines()
    return [json.loads(line) for line in lines]
