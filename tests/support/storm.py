"""Renders a poster while faults happen at seeded moments, and checks the result."""

import random
import statistics
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from jobs.poster.submit import submit_poster
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import JobKeys
from jobs.records.spending import SPENDING
from jobs.spec.document import parse_poster_spec
from jobs.store.store import Store
from tests.support.work_processes import CHECKPOINT, KINDS, Kind, Supervisor, noise_job

_TIMEOUT = 400.0
"""Seconds for a poster with its faults."""

_LAG = 3.0
"""Seconds by which the observed progress may be late: one status a second, and polling."""


@dataclass
class Track:
    """The observed progress: megapixel-steps, and megapixel-steps a second."""

    done: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def note(self, job: StoredJob) -> None:
        if job.status is None or not job.status.octave:
            return
        self.done.append(job.status.done)
        if job.status.rate:
            self.rates.append(job.status.rate)

    def longest_step(self) -> float:
        """Seconds of the largest observed step, at the median rate."""
        steps = [after - before for before, after in pairwise(self.done) if after > before]
        return max(steps, default=0.0) / statistics.median(self.rates)

    def redone(self) -> float:
        """The most work repeated after a fault, in seconds at the median rate."""
        steps_back = [before - after for before, after in pairwise(self.done) if after < before]
        return max(steps_back, default=0.0) / statistics.median(self.rates)


def storm_job(seed: int, size: str, steps: int) -> dict[str, Any]:
    """A poster of noise for two workers."""
    return noise_job(
        seed,
        size,
        name="storm",
        dream={"octaves": 3, "steps": steps},
        crew={"workers": 2},
        outputs=["png"],
    )


def fault_kinds(seed: int, count: int) -> list[Kind]:
    """The faults of a run; several runs together have all kinds."""
    start = seed * count
    return [KINDS[(start + at) % len(KINDS)] for at in range(count)]


def render_in_storm(
    store: Store, document: dict[str, Any], supervisor: Supervisor, faults: list[Kind], seed: int
) -> tuple[StoredJob, Track]:
    """Render a job while the faults happen, each at a random moment after the last."""
    job = submit_poster(store, parse_poster_spec(document)).job
    draw, left = random.Random(seed), list(faults)
    track, begun = Track(), time.monotonic()
    fault_at: float | None = None
    while not supervisor.restart_ended():
        assert time.monotonic() - begun < _TIMEOUT, load_job(store, job)
        now = load_job(store, job)
        track.note(now)
        if fault_at is None and now.state == "running" and now.status and now.status.octave:
            fault_at = time.monotonic() + draw.uniform(0, 2)
        if left and fault_at and time.monotonic() >= fault_at and supervisor.inject(left[0]):
            left.pop(0)
            fault_at = None
        time.sleep(0.1)
    assert left == [], "the poster was finished before all faults had happened"
    return load_job(store, job), track


def check_work_redone(track: Track, details: str) -> None:
    """Check that a fault repeats at most one checkpoint interval and one step."""
    assert track.redone() <= CHECKPOINT + track.longest_step() + _LAG, details


def unknown_objects(store: Store, job: str) -> list[str]:
    """The keys in the store that belong neither to the job, to the blobs nor to what was spent."""
    keys = JobKeys(job)
    known = (keys.folder, "blobs/", SPENDING)
    return [entry.key for entry in store.list_objects("") if not entry.key.startswith(known)]


def describe_jobs(log: Path, store: Store) -> str:
    """Text for a failed assertion: the schedulers' log and the events of all leases."""
    lines = [
        line
        for job in store.list_folders("jobs/")
        for entry in store.list_objects(f"{JobKeys(job).folder}events/")
        for line in store.get(entry.key).decode().splitlines()
    ]
    return "\n".join([log.read_text(), *lines])
