"""States: a pure function of what lies in the store, and the table of what may follow what."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

import pytest

from jobs.records import request
from jobs.records.job import Job, load_job
from jobs.records.keys import JobKeys
from jobs.records.lease import CurrentLease, HeldLease, Lease
from jobs.records.state import ENDED, TRANSITIONS, Intent, State, UserRequest, Want, state_of
from jobs.records.status import Status
from jobs.records.stored_spec import StoredSpec
from jobs.store.store import Store
from jobs.text.errors import RequestError
from tests.support.job_states import JOB, TTL, claim_next_lease, fail_job, sample_status, write_job
from tests.support.memory_store import MemoryStore

LEASE = Lease(token="t", holder="h", ttl=TTL)
STANDINGS = (
    None,
    CurrentLease(1, LEASE, TTL),
    CurrentLease(1, LEASE, TTL + 0.1),
    CurrentLease(1, LEASE.model_copy(update={"released": True}), 0),
)
STATUSES = (None, sample_status(), sample_status(0, "bug"), sample_status(1, "bug"))
INTENTS = tuple(
    Intent(want=want, generation=generation) for want, generation in product(get_args(Want), (0, 1))
)

Row = tuple[State, State, str, str]


def test_every_combination_of_records_has_a_state() -> None:
    everything = product((False, True), STANDINGS, STATUSES, INTENTS)

    assert {state_of(*one) for one in everything} == set(get_args(State))


@pytest.mark.parametrize(
    ("has_manifest", "current_lease", "of_status", "intent", "state"),
    [
        (False, None, None, Intent(), "queued"),
        (True, STANDINGS[1], sample_status(0, "bug"), Intent(want="cancel"), "succeeded"),
        (False, STANDINGS[1], sample_status(0, "bug"), Intent(want="cancel"), "running"),
        (False, STANDINGS[2], sample_status(), Intent(), "queued"),
        (False, STANDINGS[3], sample_status(), Intent(), "queued"),
        (False, STANDINGS[3], sample_status(), Intent(want="pause"), "paused"),
        (False, STANDINGS[3], sample_status(0, "bug"), Intent(want="cancel"), "cancelled"),
        (False, STANDINGS[3], sample_status(0, "bug"), Intent(want="pause"), "failed"),
        (False, STANDINGS[3], sample_status(0, "bug"), Intent(generation=1), "queued"),
        (
            False,
            STANDINGS[3],
            sample_status(0, "bug"),
            Intent(want="pause", generation=1),
            "paused",
        ),
    ],
)
def test_precedence_of_records(
    has_manifest: bool,
    current_lease: CurrentLease | None,
    of_status: Status | None,
    intent: Intent,
    state: State,
) -> None:
    assert state_of(has_manifest, current_lease, of_status, intent) == state


@dataclass(frozen=True)
class World:
    """A store with one job, its last holder, and the generation that this one works for."""

    store: MemoryStore
    held: HeldLease | None = None
    works_for: int = 0

    def seen(self) -> Job:
        return load_job(self.store, JOB)

    def essence(self) -> object:
        job = self.seen()
        stands = job.current_lease and (
            job.current_lease.number,
            job.current_lease.is_live,
            job.current_lease.lease.released,
        )
        return job.manifest is None, stands, job.status, job.intent, self.works_for

    def copied(self) -> "World":
        store = self.store.copied()
        old = self.held
        held = old and HeldLease(store, old.keys, old.number, old.token, old.holder, old.ttl)
        return replace(self, store=store, held=held)


REQUESTS: dict[UserRequest, Callable[[Store, str], State]] = {
    "pause": request.pause,
    "resume": request.resume,
    "cancel": request.cancel,
    "retry": request.retry,
}

WHEN_LET_GO: dict[State, tuple[str, str]] = {
    "queued": ("scheduler", "let go"),
    "paused": ("user", "pause"),
    "cancelled": ("user", "cancel"),
    "failed": ("scheduler", "fail"),
    "succeeded": ("scheduler", "finish"),
}
"""To whose doing the table puts a state in which a holder leaves a job."""


def after_users(world: World) -> Iterator[tuple[World, tuple[str, str]]]:
    """Where a world goes by each request that is not refused."""
    for name, ask in REQUESTS.items():
        after = world.copied()
        try:
            ask(after.store, JOB)
        except RequestError:
            continue
        if after.seen().intent.generation <= 2:
            yield after, ("user", name)


def after_schedulers(world: World) -> Iterator[tuple[World, tuple[str, str]]]:
    """Where a world goes by what schedulers do, and by time."""
    job = world.seen()
    if job.state == "queued" and (job.current_lease is None or job.current_lease.number < 3):
        after = world.copied()
        held = claim_next_lease(after.store, JobKeys(JOB))
        yield replace(after, held=held, works_for=job.intent.generation), ("scheduler", "claim")
    if world.held is None or job.current_lease is None or job.current_lease.lease.released:
        return
    if not job.current_lease.is_live:
        if job.state != "succeeded":
            after = world.copied()
            assert after.held is not None
            after.held.renew()
            yield after, ("scheduler", "come back")
        return
    for leave in (died, gave_back, failed, finished):
        after = world.copied()
        leave(after)
        yield after, WHEN_LET_GO.get(after.seen().state, ("nobody", "knows"))


def died(world: World) -> None:
    world.store.now += TTL + 1


def gave_back(world: World) -> None:
    assert world.held is not None
    world.held.release()


def failed(world: World) -> None:
    assert world.held is not None
    fail_job(world.store, world.held, world.works_for)


def finished(world: World) -> None:
    assert world.held is not None
    keys = world.held.keys
    place = keys.manifest_of(world.works_for) if world.seen().has_items else keys.manifest
    world.store.put(place, b"{}")
    world.held.release()


def all_changes(kind: str) -> set[Row]:
    """Every change of state in every world that users and schedulers can bring about."""
    store = MemoryStore()
    keys = write_job(store)
    spec = StoredSpec.read(store, keys.spec).model_copy(update={"spec": {"kind": kind}})
    store.put(keys.spec, spec.encode())
    worlds, known, changes = [World(store)], set[object](), set[Row]()
    while worlds:
        world = worlds.pop()
        if world.essence() in known:
            continue
        known.add(world.essence())
        before = world.seen().state
        for after, (who, by) in (*after_users(world), *after_schedulers(world)):
            worlds.append(after)
            state = after.seen().state
            if state != before:
                changes.add((before, state, who, by))
    return changes


@pytest.mark.parametrize("kind", ["poster", "dataset"])
def test_table_lists_exactly_the_possible_transitions(kind: str) -> None:
    rows = [row for row in TRANSITIONS if row.only in (None, kind)]
    table = {(row.before, row.after, row.who, row.by) for row in rows}

    assert len(table) == len(rows)
    assert all_changes(kind) == {row for row in table if row[0] != row[1]}


def test_only_users_and_late_holders_leave_ended_states() -> None:
    leaving = [row for row in TRANSITIONS if row.before in ENDED]

    assert {row.by for row in leaving} == {"retry", "come back"}
    assert {row.only for row in leaving if row.before == "succeeded"} == {"dataset"}
