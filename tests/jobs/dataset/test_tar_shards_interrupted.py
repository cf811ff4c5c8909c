"""A tar that is packed anew after a retry, and a holder that leaves in the midst of it."""

import hashlib
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from jobs.dataset.inputs.index import DatasetKeys
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


class Cut(MemoryStore):
    """A holder's view of a store: it does something before keys with a word in them are written,
    and after that does not write those where `is_away`."""

    def __init__(self, shared: MemoryStore, word: str, *, is_away: bool) -> None:
        super().__init__()
        self.objects, self._lock = shared.objects, shared._lock
        self.word, self.is_away = word, is_away
        self.act: Callable[[], object] = lambda: None

    def put(self, key: str, content: bytes) -> None:
        if self.word in key:
            self.act()
            if self.is_away:
                raise StoreUnreachable("the store is away")
        super().put(key, content)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three."""
    return mixed_pictures(3, bad=0, seed=6).write_to(tmp_path_factory.mktemp("three"))


def members(found: DatasetResult) -> dict[str, str]:
    """The digests of all members of all tars, by their names."""
    digests = {}
    for content in found.files.values():
        with tarfile.open(fileobj=BytesIO(content)) as tar:
            for one in tar:
                file = tar.extractfile(one)
                assert file is not None
                digests[one.name] = f"sha256:{hashlib.sha256(file.read()).hexdigest()}"
    return digests


@pytest.mark.parametrize(
    ("word", "is_away"),
    [
        pytest.param("/parts/", False, id="the tar is not begun"),
        pytest.param("/outputs/", True, id="the tar is not written"),
        pytest.param(".complete.jsonl", True, id="the rows do not say so"),
    ],
)
def test_a_tar_that_was_to_be_packed_anew_is_packed_by_who_follows(
    pictures: Path, weights: Path, tmp_path: Path, word: str, is_away: bool
) -> None:
    calm = MemoryStore()
    job = submit_small_dataset(calm, pictures, weights, PACKED)
    claim_job(calm, job, tmp_path / "calm").run()
    whole = read_finished_dataset(calm, job)

    store = MemoryStore()
    submit_small_dataset(store, pictures, weights, PACKED)
    claim_job(store, job, tmp_path, pool=pool_of(FailingWorker)).run()
    assert read_finished_dataset(store, job).failed.keys() == {FAILING_KEY}
    retry(store, job)
    view = Cut(store, word, is_away=is_away)
    second = claim_job(store, job, tmp_path, view)
    view.act = lambda: second.control.request("drain")
    second.run()
    left = read_dataset(store, job)
    assert left.job.state == "queued"
    assert left.failed == {}, "the row of what was tried again is written"

    assert claim_job(store, job, tmp_path).run() == DONE
    found = read_finished_dataset(store, job)
    assert found.files == {"shard-000000@1.tar": whole.files["shard-000000.tar"]}
    assert {row.output for row in found.rows.values()} == {"shard-000000@1.tar"}
    assert {str(row.member): row.output_sha256 for row in found.rows.values()} == members(found)
    assert list(store.list_objects(DatasetKeys(job).all_parts)) == []
