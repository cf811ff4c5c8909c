"""Leases: one holder at a time by the store's clock, despite lost answers and late writes."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.records.job import load_job
from jobs.records.keys import MAX_NUMBER, JobKeys
from jobs.records.lease import HeldLease, Lease, claim_lease, current_lease, restore_lease
from jobs.records.record import MAX_TTL
from jobs.store.errors import StoreUnreachable
from jobs.store.retrying import RetryingStore
from jobs.store.store import ObjectInfo
from jobs.text.errors import InvalidRecord, LeaseLost
from tests.support.job_states import JOB, TTL, claim_next_lease, write_job
from tests.support.memory_store import ForgetfulStore, MemoryStore

KEYS = JobKeys(JOB)


def lease(store: MemoryStore, number: int = 1) -> Lease:
    return Lease.read(store, KEYS.lease(number))


@pytest.mark.parametrize("kind", [MemoryStore, ForgetfulStore])
def test_exactly_one_of_several_claims_succeeds(kind: type[MemoryStore]) -> None:
    crowd = 8
    for _ in range(20):
        store, start = kind(), threading.Barrier(crowd)

        def attempt(
            one: int, store: MemoryStore = store, start: threading.Barrier = start
        ) -> HeldLease | None:
            start.wait()
            return claim_lease(store, KEYS, 0, f"host:{one}", TTL)

        with ThreadPoolExecutor(crowd) as pool:
            won = [held for held in pool.map(attempt, range(crowd)) if held]
        assert len(won) == 1
        assert lease(store).holder == won[0].holder
        assert lease(store).token == won[0].token


def test_claim_succeeds_only_for_the_next_number(store: MemoryStore) -> None:
    first = claim_lease(store, KEYS, 0, "a", TTL)
    assert first is not None
    assert first.number == 1
    assert claim_lease(store, KEYS, 0, "b", TTL) is None
    second = claim_lease(store, KEYS, 1, "b", TTL)
    assert second is not None
    assert second.number == 2


def test_what_is_not_a_lease_at_its_key_is_named() -> None:
    class WithFolder(MemoryStore):
        def put_if_absent(self, key: str, content: bytes) -> bool:
            return False

    store = WithFolder()
    store.put(KEYS.spec, b"{}")
    with pytest.raises(InvalidRecord, match=r"leases/000001\.json: is taken, but not by a lease"):
        claim_lease(store, KEYS, 0, "a", TTL)


def test_claim_fails_if_the_existing_lease_disappears() -> None:
    class Vanishing(MemoryStore):
        def put_if_absent(self, key: str, content: bytes) -> bool:
            return False

    assert claim_lease(Vanishing(), KEYS, 0, "a", TTL) is None


@given(st.lists(st.integers(1, MAX_NUMBER), unique=True, min_size=1))
def test_highest_number_is_current(numbers: list[int]) -> None:
    store = MemoryStore()
    for number in numbers:
        store.put(KEYS.lease(number), Lease(token=str(number), holder="h", ttl=1).encode())
    store.put(f"{KEYS.leases}notes.txt", b"")

    found = current_lease(store, KEYS)
    assert found is not None
    assert (found.number, found.lease.token) == (max(numbers), str(max(numbers)))


def test_unclaimed_job_has_no_current_lease(store: MemoryStore) -> None:
    assert current_lease(store, KEYS) is None


@given(st.floats(0.001, MAX_TTL), st.floats(0, 1e7))
def test_lease_is_live_for_its_ttl_by_the_store_clock(ttl: float, passed: float) -> None:
    store = MemoryStore()
    store.now = 0
    claim_lease(store, KEYS, 0, "a", ttl)
    store.now = passed

    found = current_lease(store, KEYS)
    assert found is not None
    assert found.age == passed
    assert found.is_live == (passed <= ttl)


def test_renewal_resets_the_age_and_keeps_the_holder(store: MemoryStore) -> None:
    held = claim_next_lease(store, KEYS)
    before = lease(store)
    for _ in range(5):
        store.now += TTL
        held.renew()
    found = current_lease(store, KEYS)

    assert found is not None
    assert (found.number, found.age, found.is_live) == (1, 0, True)
    assert found.lease == before


def test_released_lease_stays_released(store: MemoryStore) -> None:
    held = claim_next_lease(store, KEYS)
    held.release()

    found = current_lease(store, KEYS)
    assert found is not None
    assert not found.is_live
    with pytest.raises(LeaseLost, match="lease 1 was released"):
        held.renew()
    assert lease(store).released


def test_concurrent_renewal_does_not_undo_a_release() -> None:
    class SlowOnce(MemoryStore):
        entered = threading.Event()

        def put(self, key: str, content: bytes) -> None:
            if not self.entered.is_set():
                self.entered.set()
                threading.Event().wait(0.2)
            super().put(key, content)

    store = SlowOnce()
    held = claim_next_lease(store, KEYS)
    with ThreadPoolExecutor(1) as pool:
        renewal = pool.submit(held.renew)
        assert store.entered.wait(5)
        held.release()
        renewal.result()
    assert lease(store).released


def test_a_check_during_a_renewal_is_no_false_alarm() -> None:
    class Rewriting(MemoryStore):
        """Lists no object while it is being rewritten, like some file systems."""

        entered = threading.Event()

        def put(self, key: str, content: bytes) -> None:
            self.delete([key])
            self.entered.set()
            threading.Event().wait(0.1)
            super().put(key, content)

    store = Rewriting()
    held = claim_next_lease(store, KEYS)
    with ThreadPoolExecutor(1) as pool:
        renewal = pool.submit(held.renew)
        assert store.entered.wait(5)
        held.check()
        renewal.result()


def test_a_check_that_waits_for_the_store_holds_up_no_renewal() -> None:
    store = MemoryStore()
    failures = [StoreUnreachable("down"), StoreUnreachable("down")]
    lists = store.list_objects

    def list_objects(prefix: str) -> Iterator[ObjectInfo]:
        if failures:
            raise failures.pop()
        return iter(lists(prefix))

    store.list_objects = list_objects  # type: ignore[method-assign]

    def pause(_seconds: float) -> None:
        renewal = threading.Thread(target=held.renew, daemon=True)
        renewal.start()
        renewal.join(5)
        assert not renewal.is_alive()

    retrying = RetryingStore(store, 60, sleep=pause)
    found = claim_lease(retrying, KEYS, 0, "a", TTL)
    assert found is not None
    held = found
    held.check()


def test_old_holder_notices_a_new_lease(store: MemoryStore) -> None:
    held = claim_next_lease(store, KEYS)
    held.check()
    store.now += TTL + 1
    follower = claim_next_lease(store, KEYS)

    for act in (held.check, held.renew):
        with pytest.raises(LeaseLost, match="lease 1 is lost: 2 has been claimed"):
            act()
    follower.check()


def test_holder_notices_a_deleted_job(store: MemoryStore) -> None:
    held = claim_next_lease(store, KEYS)
    store.delete([KEYS.lease(1)])

    with pytest.raises(LeaseLost, match="the job was deleted"):
        held.check()


@pytest.mark.parametrize("released", [False, True])
def test_late_renewal_does_not_affect_the_new_holder(store: MemoryStore, released: bool) -> None:
    write_job(store)
    held = claim_next_lease(store, KEYS)
    store.now += TTL + 1
    follower = claim_next_lease(store, KEYS)
    if released:
        follower.release()
    before = load_job(store, JOB)
    with pytest.raises(LeaseLost):
        held.renew()

    assert load_job(store, JOB) == before
    assert before.state == ("queued" if released else "running")


def test_late_renewal_without_new_holder_succeeds(store: MemoryStore) -> None:
    write_job(store)
    held = claim_next_lease(store, KEYS)
    store.now += TTL + 1
    assert load_job(store, JOB).state == "queued"
    held.renew()

    assert load_job(store, JOB).state == "running"


def test_another_process_restores_a_lease(store: MemoryStore) -> None:
    parent = claim_next_lease(store, KEYS)
    child = restore_lease(store, KEYS, parent.number, parent.token, parent.holder, parent.ttl)
    store.now += TTL
    child.renew()

    assert lease(store) == Lease(token=parent.token, holder=parent.holder, ttl=TTL)
    child.release()
    assert lease(store).token == parent.token


def test_invalid_lease_object_is_an_error(store: MemoryStore) -> None:
    store.put(KEYS.lease(1), b"{}")

    for act in (lambda: current_lease(store, KEYS), lambda: claim_lease(store, KEYS, 0, "a", TTL)):
        with pytest.raises(InvalidRecord, match=r"leases/000001.json: token: is missing"):
            act()
