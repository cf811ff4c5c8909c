"""A tar that is packed anew after a retry, and a holder that leaves in the midst of it."""

import hashlib
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from jobs.dataset.keys import DatasetKeys
from jobs.records.request import retry
from jobs.services.scheduler.coordinator import DONE
from jobs.store.errors import StoreUnreachable
from tests.jobs.dataset.picky import PICKED, Picky
from tests.jobs.dataset.poison import inputs
from tests.jobs.dataset.small import PACKED, Seen, finished, pool_of, seen, submitted
from tests.jobs.holders import claimed
from tests.jobs.lifecycle.memory_store import MemoryStore


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
    return inputs(3, spoilt=0, seed=6).written(tmp_path_factory.mktemp("three"))


def members(found: Seen) -> dict[str, str]:
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
    job = submitted(calm, pictures, weights, PACKED)
    claimed(calm, job, tmp_path / "calm").run()
    whole = finished(calm, job)

    store = MemoryStore()
    submitted(store, pictures, weights, PACKED)
    claimed(store, job, tmp_path, pool=pool_of(Picky)).run()
    assert finished(store, job).failed.keys() == {PICKED}
    retry(store, job)
    view = Cut(store, word, is_away=is_away)
    second = claimed(store, job, tmp_path, view)
    view.act = lambda: second.control.ask("drain")
    second.run()
    left = seen(store, job)
    assert left.job.state == "queued"
    assert left.failed == {}, "the row of what was tried again is written"

    assert claimed(store, job, tmp_path).run() == DONE
    found = finished(store, job)
    assert found.files == {"shard-000000@1.tar": whole.files["shard-000000.tar"]}
    assert {row.output for row in found.rows.values()} == {"shard-000000@1.tar"}
    assert {str(row.member): row.output_sha256 for row in found.rows.values()} == members(found)
    assert list(store.entries(DatasetKeys(job).all_parts)) == []
