"""Successors of a holder: they repeat no item, and make the same bytes."""

import time
from pathlib import Path

import pytest

from jobs.dataset.index_builder import build_index
from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.inputs.listing import list_images
from jobs.dataset.submit import Uploader
from jobs.records.request import cancel, pause, resume, retry
from jobs.records.state import Redo
from jobs.runtime.upload import upload_blob
from jobs.services.scheduler.coordinator import DONE
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from jobs.store.folder import FolderStore
from tests.support.bad_pictures import MixedPictures, mixed_pictures
from tests.support.coordinators import ClaimedJob, claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import (
    DatasetResult,
    ObservedStore,
    dataset_document,
    read_dataset,
    read_finished_dataset,
    submit_small_dataset,
)

STOPPED = {"pause": "paused", "yield": "queued", "shutdown": "queued", "cancel": "cancelled"}


def make_request(action: str, store: MemoryStore, job: str, holder: ClaimedJob) -> None:
    """Make a request, and wait until the holder knows it."""
    if action == "pause":
        pause(store, job)
    elif action == "cancel":
        cancel(store, job)
    else:
        holder.control.request("yield" if action == "yield" else "shutdown")
    deadline = time.monotonic() + 30
    while not holder.control.requested:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("action", STOPPED)
def test_a_successor_finishes_a_stopped_run_and_repeats_no_item(
    folder: Path, weights: Path, tmp_path: Path, baseline: DatasetResult, action: str
) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, folder, weights)
    first = ObservedStore(store, at=4)
    holder = claim_job(store, job, tmp_path, first)
    first.act = lambda: make_request(action, store, job, holder)
    holder.run()

    stopped = read_dataset(store, job)
    assert stopped.job.state == STOPPED[action]
    done = {str(row.output) for row in stopped.rows.values() if row.state == "done"}
    assert 0 < len(done) < len(baseline.files)
    if action == "cancel":
        retry(store, job)
    else:
        resume(store, job)
    second = ObservedStore(store)
    assert claim_job(store, job, tmp_path, second).run() == DONE

    assert sorted(second.results) == sorted(baseline.files.keys() - done)
    found = read_finished_dataset(store, job)
    assert found.files == baseline.files
    assert found.reproducible_rows == baseline.reproducible_rows
    leases = {row.lease for row in found.rows.values() if str(row.output) in done}
    assert leases == {1}


def test_a_retry_runs_failed_items_again(
    mixed: MixedPictures, weights: Path, tmp_path: Path, baseline: DatasetResult
) -> None:
    folder = mixed.write_to(tmp_path / "in")
    store = FolderStore(tmp_path / "store")
    job = submit_small_dataset(store, folder, weights)
    claim_job(store, job, tmp_path).run()
    before = read_finished_dataset(store, job)
    assert before.failed.keys() == mixed.reasons.keys()

    good = mixed_pictures(2, bad=0, seed=5)
    repaired = sorted(before.failed)[:2]
    for key, content in zip(repaired, good.content.values(), strict=True):
        (folder / key).write_bytes(content)
    retry(store, job, Redo(failure="memory"))
    claim_job(store, job, tmp_path).run()
    same = read_finished_dataset(store, job)
    assert same.job.manifest is not None
    assert same.job.manifest["generation"] == 1
    assert {row.generation for row in same.rows.values()} == {0}, "no item failed for memory"
    assert same.rows == before.rows

    retry(store, job, Redo(failure="input"))
    claim_job(store, job, tmp_path).run()
    after = read_finished_dataset(store, job)
    assert after.failed.keys() == before.failed.keys() - set(repaired)
    assert after.items["done"] == before.items["done"] + len(repaired)
    assert after.items["failed"]["input"] == len(mixed.reasons) - len(repaired)
    assert before.files.items() <= after.files.items()
    again = {row.key for row in after.rows.values() if row.generation == 2}
    assert again == mixed.reasons.keys()


def test_a_new_submit_runs_only_new_pictures(weights: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    folder = mixed_pictures(4, bad=1, seed=1).write_to(tmp_path / "in")
    job = submit_small_dataset(store, folder, weights)
    claim_job(store, job, tmp_path).run()
    before = read_finished_dataset(store, job)

    assert submit_small_dataset(store, folder, weights) == job
    assert read_dataset(store, job).job.state == "succeeded", "no picture is new"
    more = MixedPictures(
        {f"new/{k}": v for k, v in mixed_pictures(3, 1, seed=2).content.items()}, {}
    )
    more.write_to(folder)
    assert submit_small_dataset(store, folder, weights) == job
    assert read_dataset(store, job).job.state == "queued"
    second = ObservedStore(store)
    assert claim_job(store, job, tmp_path, second).run() == DONE

    after = read_finished_dataset(store, job)
    assert after.items["items"] == 7
    assert after.items["done"] == 5
    assert all(name.startswith("new/") for name in second.results)
    assert len(second.results) == 2
    assert before.files.items() <= after.files.items()
    assert before.rows.items() <= after.rows.items()
    assert store.get(DatasetKeys(job).manifest) != store.get(DatasetKeys(job).manifest_of(1))


@pytest.mark.parametrize("at", [1, 3])
def test_a_holder_runs_items_that_are_listed_while_it_works(
    weights: Path, tmp_path: Path, at: int
) -> None:
    store = MemoryStore()
    folder = mixed_pictures(4, bad=1, seed=1).write_to(tmp_path / "in")
    job = submit_small_dataset(store, folder, weights)
    spec = parse_spec(dataset_document(folder, weights))
    assert isinstance(spec, DatasetSpec)

    def list_more() -> None:
        more = mixed_pictures(3, 1, seed=2).content
        MixedPictures({f"new/{key}": content for key, content in more.items()}, {}).write_to(folder)
        sender = Uploader(store, lambda path, digest: upload_blob(store, path, digest))
        assert build_index(store, DatasetKeys(job), spec, list_images(spec.inputs), sender)

    view = ObservedStore(store, at)
    view.act = list_more
    assert claim_job(store, job, tmp_path, view).run() == DONE

    found = read_finished_dataset(store, job)
    assert found.items == {
        "items": 7,
        "done": 5,
        "failed": {"infra": 0, "memory": 0, "input": 2, "bug": 0},
    }
    assert {row.lease for row in found.rows.values()} == {1}
    assert sorted(view.results) == sorted(found.files)
