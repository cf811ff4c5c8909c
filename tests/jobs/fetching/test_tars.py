"""Tars that were fetched before some of their samples were tried again."""

import hashlib
import tarfile
from pathlib import Path

from jobs.dataset.fetch import fetch_dataset
from jobs.records.job import look
from jobs.records.request import retry
from tests.jobs.dataset.picky import Picky
from tests.jobs.dataset.poison import inputs
from tests.jobs.dataset.small import PACKED, finished, pool_of, submitted
from tests.jobs.holders import claimed
from tests.jobs.lifecycle.memory_store import MemoryStore


def test_a_tar_takes_the_place_of_the_one_that_was_packed_before(
    weights: Path, tmp_path: Path
) -> None:
    store, out = MemoryStore(), tmp_path / "out"
    folder = inputs(3, spoilt=0, seed=6).written(tmp_path / "in")
    job = submitted(store, folder, weights, PACKED)
    claimed(store, job, tmp_path, pool=pool_of(Picky)).run()
    fetch_dataset(store, look(store, job), out)
    assert {path.name for path in out.glob("*.tar")} == {"shard-000000.tar"}
    (out / "shard-000001.tar").write_bytes(b"of other samples")
    (out / "shard-0000001.tar").write_bytes(b"of others")

    retry(store, job)
    claimed(store, job, tmp_path).run()
    fetch_dataset(store, look(store, job), out)
    others = {"shard-000001.tar", "shard-0000001.tar"}
    assert {path.name for path in out.glob("*.tar")} == {"shard-000000@1.tar"} | others
    with tarfile.open(out / "shard-000000@1.tar") as tar:
        for row in finished(store, job).rows.values():
            file = tar.extractfile(str(row.member))
            assert file is not None
            assert f"sha256:{hashlib.sha256(file.read()).hexdigest()}" == row.output_sha256
