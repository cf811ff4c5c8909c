"""States: a pure function of the records in a store, and the table of transitions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import get_args

import pytest

from jobs.records import request
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import JobKeys
from jobs.records.lease import CurrentLease, HeldLease, Lease
from jobs.records.spending import ReachedLimit
from jobs.records.state import ENDED, TRANSITIONS, Intent, State, UserRequest, Want, state_of
from jobs.records.status import Status
from jobs.records.stored_spec import StoredSpec
from jobs.store.store import Store
from jobs.text.errors import RequestError
from tests.support.job_states import JOB, TTL, claim_next_lease, fail_job, sample_status, write_job
from tests.support.memory_store import MemoryStore

LEASE = Lease(token="t", holder="h", ttl=TTL)
LEASES = (
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
    everything = product((False, True), LEASES, STATUSES, INTENTS)

    assert {state_of(*one) for one in everything} == set(get_args(State))


@pytest.mark.parametrize(
    ("has_manifest", "current_lease", "of_status", "intent", "state"),
    [
        (False, None, None, Intent(), "queued"),
        (True, LEASES[1], sample_status(0, "bug"), Intent(want="cancel"), "succeeded"),
        (False, LEASES[1], sample_status(0, "bug"), Intent(want="cancel"), "running"),
        (False, LEASES[2], sample_status(), Intent(), "queued"),
        (False, LEASES[3], sample_status(), Intent(), "queued"),
        (False, LEASES[3], sample_status(), Intent(want="pause"), "paused"),
        (False, LEASES[3], sample_status(0, "bug"), Intent(want="cancel"), "cancelled"),
        (False, LEASES[3], sample_status(0, "bug"), Intent(want="pause"), "failed"),
        (False, LEASES[3], sample_status(0, "bug"), Intent(generation=1), "queued"),
        (
            False,
            LEASES[3],
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
    """A store with one job.

    held: the lease of its last holder.
    generation: the generation of the intent that this holder works for.
    """

    store: MemoryStore
    held: HeldLease | None = None
    generation: int = 0

    def load(self) -> StoredJob:
        return load_job(self.store, JOB)

    def content(self) -> object:
        job = self.load()
        stands = job.current_lease and (
            job.current_lease.number,
            job.current_lease.is_live,
            job.current_lease.lease.released,
        )
        return job.manifest is None, stands, job.status, job.intent, self.generation

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

CAUSES: dict[State, tuple[str, str]] = {
    "queued": ("scheduler", "let go"),
    "paused": ("user", "pause"),
    "cancelled": ("user", "cancel"),
    "failed": ("scheduler", "fail"),
    "succeeded": ("scheduler", "finish"),
}
"""The actor and the action in the table, by the state after a holder has left a job."""


def user_steps(world: World) -> Iterator[tuple[World, tuple[str, str]]]:
    """The worlds after each request that is not refused, with actor and action."""
    for name, send in REQUESTS.items():
        after = world.copied()
        try:
            send(after.store, JOB)
        except RequestError:
            continue
        if after.load().intent.generation <= 2:
            yield after, ("user", name)


def scheduler_steps(world: World) -> Iterator[tuple[World, tuple[str, str]]]:
    """The worlds after each action of a scheduler, and after time, with actor and action."""
    job = world.load()
    if job.state == "queued" and (job.current_lease is None or job.current_lease.number < 3):
        after = world.copied()
        held = claim_next_lease(after.store, JobKeys(JOB))
        yield replace(after, held=held, generation=job.intent.generation), ("scheduler", "claim")
    if world.held is None or job.current_lease is None or job.current_lease.lease.released:
        return
    if not job.current_lease.is_live:
        if job.state != "succeeded":
            after = world.copied()
            assert after.held is not None
            after.held.renew()
            yield after, ("scheduler", "renew late")
        return
    is_of_now = world.generation == job.intent.generation
    for act in (expire, release, fail, finish):
        after = world.copied()
        act(after)
        yield after, CAUSES.get(after.load().state, ("nobody", "knows"))
    if job.intent.want == "run" and is_of_now:
        after = world.copied()
        reach_limit(after)
        yield after, ("scheduler", "limit")
    if not job.has_items and job.intent.want == "run" and is_of_now:
        after = world.copied()
        draft(after)
        yield after, ("scheduler", "draft")


def expire(world: World) -> None:
    world.store.now += TTL + 1


def release(world: World) -> None:
    assert world.held is not None
    world.held.release()


def fail(world: World) -> None:
    assert world.held is not None
    fail_job(world.store, world.held, world.generation)


def draft(world: World) -> None:
    """Stop after the octaves that the user wanted."""
    assert world.held is not None
    request.limit(world.store, world.load(), 1)
    status = sample_status(world.generation).model_copy(update={"drafted": 1})
    world.store.put(world.held.keys.status(world.held.number), status.encode())
    world.held.release()


def reach_limit(world: World) -> None:
    """Stop because the job has spent what it may."""
    assert world.held is not None
    limit = ReachedLimit(unit="usd", limit=40)
    status = sample_status(world.generation).model_copy(update={"limit": limit})
    world.store.put(world.held.keys.status(world.held.number), status.encode())
    world.held.release()


def finish(world: World) -> None:
    assert world.held is not None
    keys = world.held.keys
    place = keys.manifest_of(world.generation) if world.load().has_items else keys.manifest
    world.store.put(place, b"{}")
    world.held.release()


def all_transitions(kind: str) -> set[Row]:
    """Every change of state in all worlds that users and schedulers can reach."""
    store = MemoryStore()
    keys = write_job(store)
    spec = StoredSpec.read(store, keys.spec).model_copy(update={"spec": {"kind": kind}})
    store.put(keys.spec, spec.encode())
    worlds, known, changes = [World(store)], set[object](), set[Row]()
    while worlds:
        world = worlds.pop()
        if world.content() in known:
            continue
        known.add(world.content())
        before = world.load().state
        for after, (actor, action) in (*user_steps(world), *scheduler_steps(world)):
            worlds.append(after)
            state = after.load().state
            if state != before:
                changes.add((before, state, actor, action))
    return changes


@pytest.mark.parametrize("kind", ["poster", "dataset"])
def test_table_lists_exactly_the_possible_transitions(kind: str) -> None:
    rows = [row for row in TRANSITIONS if row.only_kind in (None, kind)]
    table = {(row.before, row.after, row.actor, row.action) for row in rows}

    assert len(table) == len(rows)
    assert all_transitions(kind) == {row for row in table if row[0] != row[1]}


def test_only_users_and_late_holders_leave_ended_states() -> None:
    leaving = [row for row in TRANSITIONS if row.before in ENDED]

    assert {row.action for row in leaving} == {"retry", "renew late"}
    assert {row.only_kind for row in leaving if row.before == "succeeded"} == {"dataset"}
