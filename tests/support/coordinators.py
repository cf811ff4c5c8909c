"""Coordinators in the test's process, on a store whose clock the test moves."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from jobs.poster.submit import submit_poster
from jobs.records.keys import JobKeys
from jobs.records.lease import claim_lease, current_lease
from jobs.runtime.backend import Backend, StartCrew, StartPool, crew_in_process, pool_in_process
from jobs.runtime.control import Control
from jobs.runtime.elastic_sizing import StartReservation
from jobs.services.scheduler.coordinator import Coordinator
from jobs.services.scheduler.coordinator_process import CoordinatorConfig
from jobs.spec.base import MAX_PIXELS
from jobs.spec.document import parse_poster_spec
from jobs.store.store import Store
from tests.support.s3_servers import BUCKET
from tests.support.small_poster import poster_document

ALLOW_ALL_PLACES = ("/", f"s3://{BUCKET}")
"""The `--allow` list of most tests: all places."""

TTL = 1.5
"""Seconds of a lease on the store's clock. Holders read intents as often, by the real clock."""

STORES: dict[str, Store] = {}
"""The stores of the holders, by name, because a store cannot be pickled."""


@dataclass(frozen=True)
class OpenStore:
    """Opens a store of `STORES`."""

    name: str

    def __call__(self) -> Store:
        return STORES[self.name]


@dataclass
class ClaimedJob:
    """A coordinator that holds its lease, and its control."""

    coordinator: Coordinator
    control: Control = field(repr=False)

    def run(self) -> int:
        """Run the job; returns the exit code."""
        return self.coordinator.run()


def submit_small_poster(shared: Store, picture: Path, weights: Path, *settings: str) -> str:
    """Submit a small poster of two octaves for two workers; returns the job's id."""
    usual = ("crew.workers=2", "size=70x50", "fit=stretch", "dream.octaves=2")
    return submit_poster(
        shared, parse_poster_spec(poster_document(picture, weights, *usual, *settings))
    ).job


def claim_job(
    shared: Store,
    job: str,
    scratch: Path,
    view: Store | None = None,
    start: StartCrew = crew_in_process,
    pool: StartPool = pool_in_process,
    checkpoint_seconds: float = 0,
    reserve: StartReservation | None = None,
    cores: int = 1,
    gpus: int = 0,
    allow: tuple[str, ...] = ALLOW_ALL_PLACES,
    metrics_pipe: int | None = None,
    min_gain: float = 3,
) -> ClaimedJob:
    """Claim the job's next lease.

    view: the store that the holder uses; by default the shared one.
    """
    keys = JobKeys(job)
    before = current_lease(shared, keys)
    held = claim_lease(shared, keys, before.number if before else 0, "here:1", TTL)
    assert held is not None
    name = str(scratch / str(held.number))
    config = CoordinatorConfig(
        store=shared.address,
        job=job,
        lease_number=held.number,
        token=held.token,
        holder=held.holder,
        ttl=TTL,
        ray=None,
        cores=cores,
        gpus=gpus,
        memory=8 << 30,
        checkpoint_seconds=checkpoint_seconds,
        allow=allow,
        max_pixels=MAX_PIXELS,
        min_gain=min_gain,
        scratch=Path(name),
        log="text",
        metrics_pipe=metrics_pipe,
    )
    STORES[name] = view or shared
    control, backend = Control(), Backend(start, pool, reserve)
    return ClaimedJob(
        Coordinator(config, control, OpenStore(name), lambda: nullcontext(backend)), control
    )
