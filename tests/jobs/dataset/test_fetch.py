"""Fetching tars again after a retry has packed some of them again."""

import hashlib
import shutil
import tarfile
from pathlib import Path

import pytest

from jobs.dataset.fetch import fetch_dataset
from jobs.planning.identity import file_digest
from jobs.records.job import load_job
from jobs.records.request import retry
from jobs.runtime.publish import Target
from tests.support.bad_pictures import mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import (
    PACKED,
    FailingWorker,
    pool_of,
    read_finished_dataset,
    submit_small_dataset,
)


def test_a_tar_replaces_the_one_packed_before_a_retry(weights: Path, tmp_path: Path) -> None:
    store, out = MemoryStore(), tmp_path / "out"
    folder = mixed_pictures(3, bad=0, seed=6).write_to(tmp_path / "in")
    job = submit_small_dataset(store, folder, weights, PACKED)
    claim_job(store, job, tmp_path, pool=pool_of(FailingWorker)).run()
    fetch_dataset(store, load_job(store, job), Target(out))
    assert {path.name for path in out.glob("*.tar")} == {"shard-000000.tar"}
    (out / "shard-000001.tar").write_bytes(b"other samples")
    (out / "shard-0000001.tar").write_bytes(b"other tar")
    # The same samples, or none, but no fetch made these.
    shutil.copy(out / "shard-000000.tar", out / "shard-000000@mine.tar")
    tarfile.open(out / "shard-000000@empty.tar", "w").close()

    retry(store, job)
    claim_job(store, job, tmp_path).run()
    fetch_dataset(store, load_job(store, job), Target(out))
    others = {
        "shard-000001.tar",
        "shard-0000001.tar",
        "shard-000000@mine.tar",
        "shard-000000@empty.tar",
    }
    assert {path.name for path in out.glob("*.tar")} == {"shard-000000@1.tar"} | others
    with tarfile.open(out / "shard-000000@1.tar") as tar:
        for row in read_finished_dataset(store, job).rows.values():
            file = tar.extractfile(str(row.member))
            assert file is not None
            assert f"sha256:{hashlib.sha256(file.read()).hexdigest()}" == row.output_sha256


def test_a_repeated_fetch_hashes_each_file_once(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, out = MemoryStore(), tmp_path / "out"
    folder = mixed_pictures(3, bad=0, seed=6).write_to(tmp_path / "in")
    job = submit_small_dataset(store, folder, weights)
    claim_job(store, job, tmp_path).run()
    fetch_dataset(store, load_job(store, job), Target(out))
    hashed: list[Path] = []

    def digest(path: Path) -> str:
        hashed.append(path)
        return file_digest(path)

    monkeypatch.setattr("jobs.dataset.published.file_digest", digest)
    lost = next(out.rglob("*.png"))
    lost.unlink()
    fetch_dataset(store, load_job(store, job), Target(out))
    published = {path for path in out.rglob("*.png") if path.is_file()}
    assert sorted(path for path in hashed if path in published) == sorted(published - {lost})
    assert len(hashed) == len(published)  # the lost one, once, where it was downloaded to
