"""Many jobs in a store, without rendering any."""

import json
from functools import cache
from typing import Any

from jobs.records.keys import JobKeys, active_marker
from jobs.records.lease import HeldLease
from jobs.records.state import Intent
from jobs.records.stored_spec import Blobs, StoredSpec
from jobs.spec.kinds import parse_spec
from jobs.store.store import Store
from tests.support.job_states import claim_next_lease, sample_status

SIZE = [400, 600]
"""Height and width of each poster."""


@cache
def poster_spec(look: str = "garden") -> dict[str, Any]:
    """The stored document of a poster of noise."""
    document = {"name": "sea", "input": {"noise": {"seed": 1}}, "size": "600x400", "look": look}
    return parse_spec(document).document()


def write_open_job(store: Store, job: str, document: dict[str, Any] | None = None) -> JobKeys:
    """Write a queued job."""
    keys = JobKeys(job)
    spec = StoredSpec(
        job=job,
        spec=poster_spec() if document is None else document,
        blobs=Blobs(input=None, weights=None),
        identity={},
        nonce="n",
    )
    store.put(keys.spec, spec.encode())
    store.put(keys.intent, Intent().encode())
    store.put(active_marker(job, 0), b"")
    return keys


def run_job(store: Store, keys: JobKeys, progress: float = 0.25) -> HeldLease:
    """Let a job run: a live lease and a status."""
    held = claim_next_lease(store, keys)
    store.put(keys.status(held.number), sample_status(progress=progress).encode())
    return held


def finish_job(store: Store, keys: JobKeys, **more: object) -> None:
    """Let a job succeed. more: further fields of its manifest."""
    manifest = {"version": 1, "plan": {"size": SIZE, "octaves": [[200, 300], SIZE]}, **more}
    store.put(keys.manifest, json.dumps(manifest).encode())
    store.delete([active_marker(keys.job, 0)])


def write_finished_job(store: Store, job: str) -> JobKeys:
    """Write a job that has succeeded."""
    keys = write_open_job(store, job)
    finish_job(store, keys)
    return keys


def job_name(number: int, name: str = "sea") -> str:
    """The id of a job by its number."""
    return f"{name}-{number:012x}"
