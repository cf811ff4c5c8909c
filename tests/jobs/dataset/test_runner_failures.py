"""Failure classes: errors that are not the picture's fault do not fail it as bad input."""

from pathlib import Path

import pytest

from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.item_setup import ItemSetup
from jobs.dataset.worker import Worker
from jobs.records.request import retry
from jobs.records.state import Redo
from jobs.runtime.lease_renewer import EXIT_STOPPED
from jobs.services.scheduler.coordinator import DONE
from jobs.store.errors import StoreUnreachable
from jobs.text.errors import RequestError
from render.errors import WeightsError
from tests.support.bad_pictures import mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import (
    ObservedStore,
    pool_of,
    read_dataset,
    read_finished_dataset,
    submit_small_dataset,
)

ONE = "1/0001.jpg"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of four pictures."""
    return mixed_pictures(4, bad=0, seed=9).write_to(tmp_path_factory.mktemp("four"))


class OneUnreachable(Worker):
    """Cannot reach one picture."""

    def dream(self, line: bytes, file: int) -> bytes:
        if f'"key":"{ONE}"'.encode() in line:
            raise StoreUnreachable("the bucket is unreachable")
        return super().dream(line, file)


class AllUnreachable(Worker):
    """Cannot reach any picture."""

    def dream(self, line: bytes, file: int) -> bytes:
        raise StoreUnreachable("the bucket is unreachable")


def test_an_unreachable_picture_fails_and_a_retry_runs_only_that(
    pictures: Path, weights: Path, tmp_path: Path
) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, pictures, weights)
    assert claim_job(store, job, tmp_path, pool=pool_of(OneUnreachable)).run() == DONE
    before = read_finished_dataset(store, job)
    assert {key: row.failure for key, row in before.failed.items()} == {ONE: "infra"}
    assert before.failed[ONE].message == "the bucket is unreachable"
    assert before.items["done"] == 3

    retry(store, job, Redo(failure="infra"))
    again = ObservedStore(store)
    assert claim_job(store, job, tmp_path, again).run() == DONE
    assert again.results == ["1/0001.png"]
    after = read_finished_dataset(store, job)
    assert after.failed == {}
    assert {key for key, row in after.rows.items() if row != before.rows[key]} == {(ONE, 0)}


def test_a_job_is_queued_again_if_no_input_can_be_reached(
    pictures: Path, weights: Path, tmp_path: Path
) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, pictures, weights)
    assert claim_job(store, job, tmp_path, pool=pool_of(AllUnreachable)).run() == EXIT_STOPPED
    found = read_dataset(store, job)
    assert found.job.state == "queued"
    assert found.rows == {}
    assert found.job.status is not None
    assert found.job.status.reason == "the bucket is unreachable"

    assert claim_job(store, job, tmp_path).run() == DONE
    assert read_finished_dataset(store, job).failed == {}


class MissingWeightsWorker(Worker):
    """Finds no weights at one picture."""

    def dream(self, line: bytes, file: int) -> bytes:
        if f'"key":"{ONE}"'.encode() in line:
            raise WeightsError("seeded.safetensors: is gone")
        return super().dream(line, file)


@pytest.mark.parametrize(
    "error", [WeightsError("seeded.safetensors: is gone"), RequestError("cache: no room")]
)
def test_missing_weights_do_not_fail_items(
    pictures: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def gone(*_: object) -> Path:
        raise error

    store = MemoryStore()
    job = submit_small_dataset(store, pictures, weights)
    monkeypatch.setattr(ItemSetup, "weights", gone)
    claim_job(store, job, tmp_path).run()
    found = read_dataset(store, job)
    assert found.job.state != "succeeded"
    assert found.rows == {}


def test_missing_weights_during_one_item_are_an_infra_failure(
    pictures: Path, weights: Path, tmp_path: Path
) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, pictures, weights)
    assert claim_job(store, job, tmp_path, pool=pool_of(MissingWeightsWorker)).run() == DONE
    failed = read_finished_dataset(store, job).failed
    assert {key: row.failure for key, row in failed.items()} == {ONE: "infra"}


class FailingSheetWorker(Worker):
    """Cannot draw the contact sheet."""

    def write_sheet(self, *_: object) -> None:
        raise KeyError("a bug in the sheet")


def test_a_failed_contact_sheet_does_not_fail_the_job(
    pictures: Path, weights: Path, tmp_path: Path
) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, pictures, weights)
    assert claim_job(store, job, tmp_path, pool=pool_of(FailingSheetWorker)).run() == DONE
    assert read_finished_dataset(store, job).items["done"] == 4
    keys = DatasetKeys(job)
    assert keys.sheet not in store.objects
    assert "the contact sheet was not written" in store.get(keys.log(1)).decode()
