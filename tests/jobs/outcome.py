"""What became of a job, as its store tells it."""

import json
from typing import Any

from jobs.records.job import Job
from jobs.records.keys import JobKeys
from jobs.store.store import Store


def digests(job: Job) -> list[str]:
    """The outputs' checksums of a job that succeeded."""
    assert job.state == "succeeded", job.status
    assert job.manifest is not None
    return [one["sha256"] for one in job.manifest["outputs"]]


def events(store: Store, job: str, number: int) -> list[dict[str, Any]]:
    """What happened under a lease."""
    lines = store.get(JobKeys(job).events(number)).decode().splitlines()
    return [json.loads(line) for line in lines]
