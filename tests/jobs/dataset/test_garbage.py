"""Garbage of a dataset: what is deleted, and what stays."""

from pathlib import Path

import pytest

from jobs.dataset.inputs.index import DatasetKeys
from jobs.records.request import retry
from jobs.runtime.garbage import Garbage, remove_garbage
from jobs.services.clean.garbage import find_garbage
from tests.support.bad_pictures import mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import PACKED, read_finished_dataset, submit_small_dataset

HOUR = 3600.0


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


@pytest.fixture
def keys(store: MemoryStore, weights: Path, tmp_path: Path) -> DatasetKeys:
    """The keys of a dataset that succeeded twice, before and after a retry, an hour ago."""
    folder = mixed_pictures(3, bad=1, seed=7).write_to(tmp_path / "in")
    job = submit_small_dataset(store, folder, weights, PACKED)
    claim_job(store, job, tmp_path).run()
    retry(store, job)
    claim_job(store, job, tmp_path).run()
    read_finished_dataset(store, job)
    store.now += HOUR
    return DatasetKeys(job)


def found(store: MemoryStore) -> dict[str, Garbage]:
    """The garbage by its description."""
    everything = find_garbage(store, HOUR, include_resumable=True)
    return {garbage.description: garbage for garbage in everything}


def test_garbage_is_deleted_and_everything_else_stays(
    store: MemoryStore, keys: DatasetKeys
) -> None:
    old = keys.merged_ledger(1)
    kept = store.objects.keys() - {old}
    assert {keys.merged_ledger(2), keys.sheet, keys.manifest_of(1)} <= kept
    stray, part = keys.item_file("dead", 0), keys.part(0, 1)
    store.now -= HOUR
    store.put(stray, b"")
    store.now += HOUR
    store.put(part, b"a result")

    garbage = found(store)
    assert {text: one.keys for text, one in garbage.items()} == {
        "items of no listing": (stray,),
        "packed results": (part,),
        "old ledgers": (old,),
    }
    assert all(remove_garbage(store, one) for one in garbage.values())
    assert {key for key in store.objects if key.startswith((keys.folder, "blobs/"))} == {
        key for key in kept if key.startswith((keys.folder, "blobs/"))
    }
    assert found(store) == {}


def test_items_of_a_submit_that_may_still_run_stay(store: MemoryStore, keys: DatasetKeys) -> None:
    store.put(keys.item_file("new", 0), b"")
    assert "items of no listing" not in found(store)


def test_nothing_that_a_resumed_dataset_needs_is_deleted(
    store: MemoryStore, keys: DatasetKeys
) -> None:
    store.put(keys.part(0, 1), b"a result")
    garbage = found(store)
    retry(store, keys.job)
    assert not any(remove_garbage(store, one) for one in garbage.values())
    assert found(store) == {}


def test_a_blob_is_garbage_only_if_no_item_names_it(store: MemoryStore, keys: DatasetKeys) -> None:
    blobs = {entry.key for entry in store.list_objects("blobs/")}
    # Three pictures, and the weights.
    assert len(blobs) == 4
    assert "blob without a job" not in found(store)

    store.delete([entry.key for entry in store.list_objects(keys.items_prefix)])
    garbage = find_garbage(store, HOUR, include_resumable=True)
    pictures = {key for one in garbage for key in one.keys}
    assert len(pictures & blobs) == 3, "all but the weights, which the spec names"
