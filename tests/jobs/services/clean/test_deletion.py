"""A deletion may be interrupted anywhere: no queued job remains, and the next one completes it."""

from collections.abc import Iterable

import pytest

from jobs.records.job import StoredJob, find_job_id, load_job
from jobs.records.keys import ACTIVE, JobKeys
from jobs.records.request import cancel, retry
from jobs.records.state import ENDED, State
from jobs.runtime.checkpoints import Commit, CommitPart
from jobs.services.clean.deletion import check_deletable, delete_job
from jobs.store.errors import StoreError, StoreRefused, StoreUnreachable
from jobs.text.errors import JobNotFound, RequestError
from tests.support.job_states import JOB, claim_next_lease, fail_job, sample_status, write_job
from tests.support.memory_store import Died, MemoryStore, MortalStore

ENDS: tuple[State, ...] = ("succeeded", "failed", "cancelled")
LEASES = 3
OUTPUT = JobKeys(JOB).output(LEASES, "sky.png")


class Store(MortalStore):
    """May die between two objects of one deletion, too."""

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._spend()
            super().delete([key])


def write_ended_job(state: State) -> Store:
    """A store with an ended job, with several leases and retries, and objects of all kinds."""
    store = Store()
    keys = write_job(store)
    for number in range(1, LEASES):
        fail_job(store, claim_next_lease(store, keys), number - 1)
        retry(store, JOB)
    held = claim_next_lease(store, keys)
    for number in range(1, LEASES + 1):
        store.put(keys.status(number), sample_status(LEASES - 1).encode())
        store.put(keys.events(number), b"")
        store.put(keys.log(number), b"")
    for member in range(2):
        store.put(keys.shard(LEASES, 0, member), b"tiles")
    parts = tuple(
        CommitPart(key=keys.shard(LEASES, 0, member), size=5, dtype="float32", tiles=(member,))
        for member in range(2)
    )
    store.put(keys.commit(LEASES, 0), Commit(octave=0, step=1, parts=parts).encode())
    for key in (keys.input, keys.preview(1), keys.plan, OUTPUT):
        store.put(key, b"x")
    match state:
        case "succeeded":
            store.put(keys.manifest, b'{"version": 1}')
        case "failed":
            fail_job(store, held, LEASES - 1)
        case "cancelled":
            cancel(store, JOB)
    held.release()
    assert load_job(store, JOB).state == state
    return store


def load_or_none(store: Store) -> StoredJob | None:
    try:
        return load_job(store, JOB)
    except JobNotFound:
        return None


def objects(store: Store) -> set[str]:
    return {entry.key for entry in store.list_objects(JobKeys(JOB).folder)}


def check_interrupted(store: Store, whole: Store) -> None:
    """Check what others see of a job while it is deleted, or after an interrupted deletion."""
    seen = load_or_none(store)
    if seen is None:
        assert not list(store.list_objects(ACTIVE))
    else:
        assert seen.state in ENDED
        assert objects(store) == objects(whole)

    # Submit the same job again.
    write_job(store)
    again = load_job(store, JOB)
    if any(store.list_objects(JobKeys(JOB).leases)):
        assert again.state in ENDED
    if again.state == "succeeded":
        assert store.get(OUTPUT)


@pytest.mark.parametrize("state", ENDS)
def test_an_interrupted_deletion_is_safe_and_the_next_one_completes_it(state: State) -> None:
    whole = write_ended_job(state)
    for writes in range(len(whole.objects) + 8):
        store = whole.copied()
        store.writes_left = writes
        try:
            delete_job(store, JOB)
        except Died:
            store.writes_left = None
            check_interrupted(store.copied(), whole)
            if objects(store):
                assert find_job_id(store, JOB) == JOB
                delete_job(store, JOB)
        else:
            assert not store.objects
            return
        assert not store.objects
    pytest.fail("the deletion never completed")


class FailsOnce(MemoryStore):
    """Raises `error` at one read; then it answers again."""

    error: StoreError | None = None
    reads_left = 0

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        if self.error is not None and self.reads_left == 0:
            error, self.error = self.error, None
            raise error
        self.reads_left -= 1
        return super().get_with_age(key)


@pytest.mark.parametrize("has_spec", [True, False])
@pytest.mark.parametrize("kind", [StoreUnreachable, StoreRefused])
def test_a_failed_read_makes_no_held_job_deletable(kind: type[StoreError], has_spec: bool) -> None:
    store = FailsOnce()
    keys = write_job(store)
    claim_next_lease(store, keys)
    if not has_spec:
        store.objects[keys.spec] = b"no record", store.now
    for reads in range(20):
        store.error, store.reads_left = kind("a line"), reads
        with pytest.raises((kind, RequestError)) as caught:
            check_deletable(store, JOB)
        if caught.type is RequestError:
            assert "is running" in str(caught.value)
            assert reads >= 2
            return
    pytest.fail("the store never answered")
