"""The poster that the hosts render, and how it stands."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.records.job import Job, load_job
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.store.store import Store
from tests.support.job_states import lease_events
from tests.support.small_poster import poster_document

HOSTS, STEPS = 3, 60

OPTIONS = ("--until-idle", "--lease", "6", "--checkpoint", "3")
"""Of `work`, whose holders look round, and tell of their progress, three times in each lease."""

_TIMEOUT = 400.0
"""Seconds for anything to come about."""


def poster(weights: Path, workers: int = HOSTS) -> PosterSpec:
    """Quickly dreamed, but in so many steps that much can happen to it."""
    settings = (
        "input.noise.seed=6",
        "size=400x280",
        f"dream.steps={STEPS}",
        "tiles=64",
        f"crew.workers={workers}",
    )
    return parse_poster_spec(poster_document(None, weights, *settings))


def until(is_so: Callable[[Job], Any], store: Store, job: str, log: Path) -> Job:
    """The job, once something is so. log: of `work`, for whoever asks why it never was."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        found = load_job(store, job)
        if is_so(found):
            return found
        told = (log.read_text(), found.status)
        assert found.state in ("queued", "running"), told
        assert time.monotonic() < deadline, told
        time.sleep(0.2)


def is_made(job: Job) -> bool:
    """Whether the poster is there."""
    return job.state == "succeeded"


def has_dreamed(step: int) -> Callable[[Job], bool]:
    """Whether that many steps of the largest octave are done, whose loss is no small one."""

    def is_so(job: Job) -> bool:
        assert not is_made(job), "the poster was finished before anything could happen to it"
        status = job.status
        return status is not None and status.octave == status.octaves and status.step >= step

    return is_so


def crews(store: Store, job: str) -> list[Any]:
    """How large each crew of the first lease was."""
    return [one["workers"] for one in lease_events(store, job, 1) if one["event"] == "crew"]


def losses(store: Store, job: str) -> int:
    """How many of them were lost."""
    return sum(one["event"] == "crew lost" for one in lease_events(store, job, 1))
