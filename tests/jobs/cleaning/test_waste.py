"""What was waste when it was found, and is none any more when it is removed."""

from jobs.records.request import retry
from jobs.runtime.garbage import remove
from jobs.services.clean.deletion import delete
from jobs.services.clean.garbage import find_waste
from tests.jobs.lifecycle.memory_store import MemoryStore
from tests.jobs.lifecycle.scene import JOB, brought_to


def test_a_job_that_is_wanted_again_keeps_its_checkpoints() -> None:
    store = MemoryStore()
    keys = brought_to(store, "failed")
    shard = keys.shard(1, 0, 0)
    store.put(shard, b"tiles")
    (found,) = find_waste(store, 0, of_all=True)
    assert found.keys == (shard,)

    retry(store, JOB)
    assert not remove(store, found)
    assert shard in store.objects


def test_a_job_that_is_deleted_meanwhile_is_no_matter() -> None:
    store = MemoryStore()
    keys = brought_to(store, "succeeded")
    store.put(keys.input, b"tiles")
    (found,) = find_waste(store, 0, of_all=False)
    delete(store, JOB)
    assert not remove(store, found)
