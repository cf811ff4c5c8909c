"""A tar that is packed again after a retry, by a holder that stops during it."""

import hashlib
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.tar_shards import published_tar_name
from jobs.records.request import retry
from jobs.services.scheduler.coordinator import DONE
from jobs.store.errors import StoreUnreachable
from tests.support.bad_pictures import mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import (
    FAILING_KEY,
    PACKED,
    DatasetResult,
    FailingWorker,
    pool_of,
    read_dataset,
    read_finished_dataset,
    submit_small_dataset,
)


class InterruptingStore(MemoryStore):
    """One holder's view of a store: calls `act` before each write to a key with `word`.

    fails: whether these writes fail.
    """

    def __init__(self, shared: MemoryStore, word: str, *, fails: bool) -> None:
        super().__init__()
        self.objects, self._lock = shared.objects, shared._lock
        self.word, self.fails = word, fails
        self.act: Callable[[], object] = lambda: None

    def put(self, key: str, content: bytes) -> None:
        if self.word in key:
            self.act()
            if self.fails:
                raise StoreUnreachable("the store is unreachable")
        super().put(key, content)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three pictures."""
    return mixed_pictures(3, bad=0, seed=6).write_to(tmp_path_factory.mktemp("three"))


def members(found: DatasetResult) -> dict[str, str]:
    """The digests of all members of all tars, by name."""
    digests = {}
    for content in found.files.values():
        with tarfile.open(fileobj=BytesIO(content)) as tar:
            for one in tar:
                file = tar.extractfile(one)
                assert file is not None
                digests[one.name] = f"sha256:{hashlib.sha256(file.read()).hexdigest()}"
    return digests


@pytest.mark.parametrize(
    ("word", "fails"),
    [
        pytest.param("/parts/", False, id="before the tar"),
        pytest.param("/outputs/", True, id="tar not written"),
        pytest.param(".complete.jsonl", True, id="rows not written"),
    ],
)
def test_a_successor_packs_a_tar_again_after_an_interrupted_retry(
    pictures: Path, weights: Path, tmp_path: Path, word: str, fails: bool
) -> None:
    baseline = MemoryStore()
    job = submit_small_dataset(baseline, pictures, weights, PACKED)
    claim_job(baseline, job, tmp_path / "baseline").run()
    whole = read_finished_dataset(baseline, job)

    store = MemoryStore()
    submit_small_dataset(store, pictures, weights, PACKED)
    claim_job(store, job, tmp_path, pool=pool_of(FailingWorker)).run()
    assert read_finished_dataset(store, job).failed.keys() == {FAILING_KEY}
    retry(store, job)
    view = InterruptingStore(store, word, fails=fails)
    second = claim_job(store, job, tmp_path, view)
    view.act = lambda: second.control.request("shutdown")
    second.run()
    left = read_dataset(store, job)
    assert left.job.state == "queued"
    assert left.failed == {}, "the retried item has its row"

    assert claim_job(store, job, tmp_path).run() == DONE
    found = read_finished_dataset(store, job)
    (name,) = found.files
    assert published_tar_name(name) == "shard-000000@1.tar"
    assert found.files[name] == whole.files["shard-000000.tar"]
    assert {row.output for row in found.rows.values()} == {name}
    assert {str(row.member): row.output_sha256 for row in found.rows.values()} == members(found)
    assert list(store.list_objects(DatasetKeys(job).all_parts)) == []


def test_the_tar_of_a_late_holder_replaces_no_tar_of_its_successor(
    pictures: Path, weights: Path, tmp_path: Path
) -> None:
    """An item failed for the late holder only, so its tar lacks a sample."""
    baseline, store = MemoryStore(), MemoryStore()
    job = submit_small_dataset(baseline, pictures, weights, PACKED)
    claim_job(baseline, job, tmp_path / "baseline").run()
    whole = read_finished_dataset(baseline, job)
    submit_small_dataset(store, pictures, weights, PACKED)
    view = InterruptingStore(store, "/outputs/shard", fails=False)
    late = claim_job(store, job, tmp_path / "late", view, pool=pool_of(FailingWorker))
    codes = []

    def succeed() -> None:
        view.act = lambda: None
        codes.append(claim_job(store, job, tmp_path / "next").run())

    view.act = succeed
    late.run()
    assert codes == [DONE]
    found = read_finished_dataset(store, job)
    assert found.failed == {}
    (name,) = {row.output for row in found.rows.values()}
    assert name is not None
    assert found.files[name] == whole.files["shard-000000.tar"]
    assert published_tar_name(name) == "shard-000000.tar"
