"""A poster in a storm: faults at seeded moments, and what is to hold afterwards."""

import random
import statistics
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from jobs.poster.submit import submit_poster
from jobs.records.job import Job, load_job
from jobs.records.keys import JobKeys
from jobs.spec.document import parse_poster_spec
from jobs.store.store import Store
from tests.support.work_processes import CHECKPOINT, KINDS, Kind, Supervisor

_LONGEST = 400.0
"""Seconds for a poster and its faults; nobody waits for ever."""

_LAG = 3.0
"""Seconds by which what is known of the progress may be late: a status each second, and polls."""


@dataclass
class Track:
    """The megapixel-steps that were done, and their rate, as a watcher saw them."""

    done: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def note(self, job: Job) -> None:
        if job.status is None or not job.status.octave:
            return
        self.done.append(job.status.done)
        if job.status.rate:
            self.rates.append(job.status.rate)

    def longest_step(self) -> float:
        """Seconds of the largest step that was seen, at the usual rate."""
        steps = [after - before for before, after in pairwise(self.done) if after > before]
        return max(steps, default=0.0) / statistics.median(self.rates)

    def redone(self) -> float:
        """The most work that was done again after a fault, in seconds at the usual rate."""
        steps_back = [before - after for before, after in pairwise(self.done) if after < before]
        return max(steps_back, default=0.0) / statistics.median(self.rates)


def storm_job(seed: int, size: str, steps: int) -> dict[str, Any]:
    """A job of noise for two workers, with the network that ships with us."""
    return {
        "name": "storm",
        "input": {"noise": {"seed": seed}},
        "size": size,
        "dream": {"octaves": 3, "steps": steps},
        "tiles": 256,
        "crew": {"workers": 2},
        "outputs": ["png"],
    }


def fault_kinds(seed: int, count: int) -> list[Kind]:
    """The faults of a run: any of them, but all of them over some runs."""
    start = seed * count
    return [KINDS[(start + at) % len(KINDS)] for at in range(count)]


def render_in_storm(
    store: Store, document: dict[str, Any], supervisor: Supervisor, faults: list[Kind], seed: int
) -> tuple[Job, Track]:
    """Render a job while the faults happen, each at a random moment after the one before."""
    job = submit_poster(store, parse_poster_spec(document)).job
    draw, left = random.Random(seed), list(faults)
    track, begun = Track(), time.monotonic()
    strikes_at: float | None = None
    while not supervisor.restart_ended():
        assert time.monotonic() - begun < _LONGEST, load_job(store, job)
        now = load_job(store, job)
        track.note(now)
        if strikes_at is None and now.state == "running" and now.status and now.status.octave:
            strikes_at = time.monotonic() + draw.uniform(0, 2)
        if left and strikes_at and time.monotonic() >= strikes_at and supervisor.inject(left[0]):
            left.pop(0)
            strikes_at = None
        time.sleep(0.1)
    assert left == [], "the poster was finished before all faults had happened"
    return load_job(store, job), track


def digests(job: Job) -> list[str]:
    """Of a succeeded job's outputs."""
    assert job.state == "succeeded", job.status
    assert job.manifest is not None
    return [one["sha256"] for one in job.manifest["outputs"]]


def check_work_redone(track: Track, told: str) -> None:
    """At most one interval between checkpoints and one step, as far as a watcher can tell."""
    assert track.redone() <= CHECKPOINT + track.longest_step() + _LAG, told


def unknown_objects(store: Store, job: str) -> list[str]:
    """What lies in a store with one finished job and belongs neither to it nor to nobody."""
    keys = JobKeys(job)
    known = (keys.folder, "blobs/")
    return [entry.key for entry in store.list_objects("") if not entry.key.startswith(known)]


def describe_jobs(log: Path, store: Store) -> str:
    """For a failed assertion: what the schedulers said, and what happened lease by lease."""
    lines = [
        line
        for job in store.list_folders("jobs/")
        for entry in store.list_objects(f"{JobKeys(job).folder}events/")
        for line in store.get(entry.key).decode().splitlines()
    ]
    return "\n".join([log.read_text(), *lines])
