"""The poster that the hosts render, and its progress."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.records.job import StoredJob, load_job
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.store.store import Store
from tests.support.job_states import lease_events
from tests.support.small_poster import poster_document

HOSTS, STEPS = 3, 120

OPTIONS = ("--until-idle", "--lease", "6", "--checkpoint", "3")
"""Options of `work`. Holders check intents and report progress three times a lease."""

_TIMEOUT = 400.0
"""Seconds."""


def poster(weights: Path, workers: int = HOSTS) -> PosterSpec:
    """A small poster with many quick steps, so that faults can happen in between."""
    settings = (
        "input.noise.seed=6",
        "size=400x280",
        "fit=stretch",
        "precision=float32",  # hosts do not inherit the limit of `tests/conftest.py`
        f"dream.steps={STEPS}",
        "tiles=64",
        f"crew.workers={workers}",
    )
    return parse_poster_spec(poster_document(None, weights, *settings))


def wait_until(
    condition: Callable[[StoredJob], Any], store: Store, job: str, log: Path
) -> StoredJob:
    """Wait until a job fulfils a condition. log: of `work`, for the message of a failure."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        found = load_job(store, job)
        if condition(found):
            return found
        details = (log.read_text(), found.status)
        assert found.state in ("queued", "running"), details
        assert time.monotonic() < deadline, details
        time.sleep(0.2)


def has_succeeded(job: StoredJob) -> bool:
    """Whether the poster is finished."""
    return job.state == "succeeded"


def has_reached(step: int) -> Callable[[StoredJob], bool]:
    """A condition: so many steps of the largest octave are done."""

    def condition(job: StoredJob) -> bool:
        assert not has_succeeded(job), "the poster was finished before anything could happen to it"
        status = job.status
        return status is not None and status.octave == status.octaves and status.step >= step

    return condition


def crew_sizes(store: Store, job: str) -> list[Any]:
    """The size of each crew of the first lease."""
    return [one["workers"] for one in lease_events(store, job, 1) if one["event"] == "crew"]


def lost_crews(store: Store, job: str) -> int:
    """The number of crews that the first lease lost."""
    return sum(one["event"] == "crew lost" for one in lease_events(store, job, 1))
