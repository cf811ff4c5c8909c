"""Coordinators in this process, on a store whose clock stands still until it is moved."""

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from jobs.poster.submit import submit
from jobs.records.keys import JobKeys
from jobs.records.lease import claim, standing
from jobs.runtime.backend import Ground, Start, StartPool, in_process, pool_in_process
from jobs.runtime.control import Control
from jobs.runtime.elastic_sizing import StartReserve
from jobs.services.scheduler.coordinator import Coordinator
from jobs.services.scheduler.coordinator_process import Errand
from jobs.spec.base import MAX_PIXELS
from jobs.spec.document import spec_of
from jobs.store.store import Store
from tests.jobs.lifecycle.memory_store import MemoryStore
from tests.jobs.small import document
from tests.jobs.store.s3 import BUCKET

ANYTHING = ("/", f"s3://{BUCKET}")
"""What operators allow here, unless it is their caution that is tested."""

TTL = 1.5
"""Seconds: of the store's clock, which stands still; holders look at intents as often, by ours."""

VIEWS: dict[str, Store] = {}
"""What holders see of their store, by a name: a store cannot be pickled, nor need be here."""


@dataclass(frozen=True)
class View:
    """A holder's way to what it sees."""

    name: str

    def __call__(self) -> Store:
        return VIEWS[self.name]


@dataclass
class Holder:
    """A coordinator that has claimed its lease, and what it is asked to do."""

    coordinator: Coordinator
    control: Control = field(repr=False)

    def run(self) -> int:
        """Hold the job; returns the exit code."""
        return self.coordinator.run()


def submitted(shared: MemoryStore, picture: Path, weights: Path, *settings: str) -> str:
    """A small job of two octaves and two workers."""
    usual = ("crew.workers=2", "size=70x50", "dream.octaves=2")
    return submit(shared, spec_of(document(picture, weights, *usual, *settings))).job


def claimed(
    shared: Store,
    job: str,
    scratch: Path,
    view: Store | None = None,
    start: Start = in_process,
    pool: StartPool = pool_in_process,
    checkpoint_seconds: float = 0,
    reserve: StartReserve | None = None,
    cores: int = 1,
    gpus: int = 0,
    allow: tuple[str, ...] = ANYTHING,
    mouth: int | None = None,
    regroup: float = 3,
) -> Holder:
    """The next holder of a job, which sees the store itself or a view of it."""
    keys = JobKeys(job)
    before = standing(shared, keys)
    held = claim(shared, keys, before.number if before else 0, "here:1", TTL)
    assert held is not None
    name = str(scratch / str(held.number))
    errand = Errand(
        store=shared.address,
        job=job,
        number=held.number,
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
        regroup=regroup,
        scratch=Path(name),
        log="text",
        mouth=mouth,
    )
    VIEWS[name] = view or shared
    control, ground = Control(), Ground(start, pool, reserve)
    return Holder(Coordinator(errand, control, View(name), lambda: nullcontext(ground)), control)
