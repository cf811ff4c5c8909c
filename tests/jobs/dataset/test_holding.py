"""A dataset in its holder's hands: what can be dreamed is dreamed, and the rest has its reason."""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.dataset.keys import DatasetKeys
from jobs.dataset.worker import Worker
from jobs.records.job import look
from jobs.records.report import report
from jobs.records.request import retry
from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from jobs.store.store import Store
from tests.jobs.dataset.poison import Inputs, inputs, picture, spoil_folder
from tests.jobs.dataset.small import Seen, finished, pool_of, seen, submitted
from tests.jobs.holders import claimed
from tests.jobs.lifecycle.memory_store import MemoryStore
from tests.jobs.small import held, planned

COUNTS = {"infra": 0, "memory": 0, "input": 0, "bug": 0}


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store that holds results itself, or one to which they are moved."""
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path / "store")


def test_poison_has_rows_and_the_rest_has_outputs(calm: Seen, mixed: Inputs) -> None:
    assert calm.items == {
        "items": len(mixed.content),
        "done": len(mixed.whole),
        "failed": {**COUNTS, "input": len(mixed.reasons)},
    }
    assert calm.failed.keys() == mixed.reasons.keys()
    for key, row in calm.failed.items():
        assert row.failure == "input"
        assert mixed.reasons[key] in str(row.message), row
        assert key in str(row.message)
        assert len(str(row.message).splitlines()) == 1
    done = [row for row in calm.rows.values() if row.state == "done"]
    assert {row.key for row in done} == mixed.whole
    assert {str(row.output) for row in done} == calm.files.keys()
    for row in done:
        content = calm.files[str(row.output)]
        given = mixed.content[row.key]
        assert row.output == f"{row.key.partition('.')[0]}.png"
        assert row.output_sha256 == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert row.input_sha256 == f"sha256:{hashlib.sha256(given).hexdigest()}"
        assert row.bytes == len(content)
        with Image.open(BytesIO(content)) as after, Image.open(BytesIO(given)) as before:
            assert after.size == before.size == (row.width, row.height)
            assert np.asarray(after).std() > 0
            assert np.any(np.asarray(after) != np.asarray(before))


def test_what_only_disks_have_is_poison_too(store: Store, weights: Path, tmp_path: Path) -> None:
    few = inputs(2, spoilt=0)
    folder = few.written(tmp_path / "in")
    reasons = spoil_folder(folder)
    job = submitted(store, folder, weights)
    assert claimed(store, job, tmp_path).run() == DONE

    found = finished(store, job)
    assert {row.key for row in found.rows.values() if row.state == "done"} == few.whole
    assert found.failed.keys() == reasons.keys()
    for key, reason in reasons.items():
        assert found.failed[key].failure == "input"
        assert reason in str(found.failed[key].message)


def test_a_summary_counts_them(
    store: Store, folder: Path, mixed: Inputs, weights: Path, tmp_path: Path, calm: Seen
) -> None:
    job = submitted(store, folder, weights)
    assert claimed(store, job, tmp_path).run() == DONE

    told = report(store, job)
    assert told.state == "succeeded"
    assert told.progress == 1
    assert told.items == calm.items
    assert DatasetKeys(job).sheet in told.previews
    found = finished(store, job)
    assert found.timeless == calm.timeless
    assert found.files == calm.files


@pytest.mark.parametrize(("workers", "batch"), [(1, 8), (3, 1), (3, 8)])
def test_neither_workers_nor_batches_change_a_byte(
    folder: Path, weights: Path, tmp_path: Path, calm: Seen, workers: int, batch: int
) -> None:
    store = MemoryStore()
    job = submitted(store, folder, weights, f"crew.workers={workers}", f"batch={batch}")
    assert claimed(store, job, tmp_path).run() == DONE
    found = finished(store, job)
    assert found.files == calm.files
    assert found.timeless == calm.timeless


def test_neither_does_the_company(mixed: Inputs, weights: Path, tmp_path: Path, calm: Seen) -> None:
    store = MemoryStore()
    some = sorted(mixed.whole)[::3]
    folder = Inputs({key: mixed.content[key] for key in some}, {}).written(tmp_path / "some")
    job = submitted(store, folder, weights)
    assert claimed(store, job, tmp_path).run() == DONE
    found = finished(store, job)
    assert len(found.files) == len(some)
    assert found.files.items() <= calm.files.items()


def test_an_item_is_the_poster_of_its_picture(weights: Path, tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    content = {
        "small.png": picture(draw),
        "a/wide.jpg": picture(draw, "jpeg", (64, 96)),
        "b/high.tif": picture(draw, "tiff", (128, 72)),
    }
    folder = Inputs(content, {}).written(tmp_path / "in")
    settings = ("dream={octaves: 3, steps: 2, jitter: 6, seed: 11}", "tiles=32")
    store = MemoryStore()
    job = submitted(store, folder, weights, "resize=90", *settings)
    claimed(store, job, tmp_path).run()
    found = finished(store, job)

    assert len(found.rows) == len(content)
    assert len({row.seed for row in found.rows.values()}) == len(content)
    for row in found.rows.values():
        assert max(row.width or 0, row.height or 0) == 90
        plan = planned(
            folder / row.key,
            weights,
            *settings,
            f"dream.seed={row.seed}",
            f"size={row.width}x{row.height}",
        )
        poster = held(plan, tmp_path / row.name)
        (output,) = poster.run()["outputs"]
        item = BytesIO(found.files[str(row.output)])
        with Image.open(poster.path(output)) as alone, Image.open(item) as among:
            assert np.array_equal(np.asarray(alone), np.asarray(among))


class Deadly(Worker):
    """Dies of one picture, runs out of memory with another, and has a bug at a third."""

    def dream(self, line: bytes, file: int) -> bytes:
        if b'"key":"0/deadly.png"' in line:
            raise SystemExit(9)
        if b'"key":"1/heavy.png"' in line:
            raise MemoryError
        if b'"key":"2/odd.png"' in line:
            raise KeyError("a bug")
        return super().dream(line, file)


@pytest.mark.parametrize("workers", [1, 3])
def test_what_kills_workers_is_quarantined_and_the_others_pass(
    mixed: Inputs, weights: Path, tmp_path: Path, calm: Seen, workers: int
) -> None:
    draw = np.random.default_rng(4)
    deadly = {key: picture(draw) for key in ("0/deadly.png", "1/heavy.png", "2/odd.png")}
    content = {key: mixed.content[key] for key in sorted(mixed.whole)} | deadly
    folder = Inputs(content, {}).written(tmp_path / "in")
    store = MemoryStore()
    job = submitted(store, folder, weights, f"crew.workers={workers}")
    assert claimed(store, job, tmp_path, pool=pool_of(Deadly)).run() == DONE

    found = finished(store, job)
    assert found.files == calm.files
    assert {key: row.failure for key, row in found.failed.items()} == {
        "0/deadly.png": "input",
        "1/heavy.png": "memory",
        "2/odd.png": "bug",
    }
    assert "exit code 9" in str(found.failed["0/deadly.png"].message)
    assert "send it as a poster" in str(found.failed["1/heavy.png"].message)
    assert "KeyError: 'a bug'" in str(found.failed["2/odd.png"].message)
    assert found.failed["0/deadly.png"].attempts > 1
    assert "KeyError: 'a bug'" in store.get(DatasetKeys(job).log(1)).decode()


def test_more_failures_than_are_allowed_fail_the_job(
    folder: Path, mixed: Inputs, weights: Path, tmp_path: Path, calm: Seen
) -> None:
    store = MemoryStore()
    most = len(mixed.reasons) - 1
    job = submitted(store, folder, weights, f"limits.max_failures={most}")
    assert claimed(store, job, tmp_path).run() == DONE

    failed = seen(store, job)
    assert failed.job.state == "failed"
    assert failed.job.status is not None
    assert failed.job.status.failure == "input"
    assert f"limits.max_failures is {most}" in str(failed.job.status.reason)
    assert len(failed.failed) == most + 1

    assert submitted(store, folder, weights, f"limits.max_failures={most + 1}") == job
    retry(store, job)
    assert claimed(store, job, tmp_path).run() == DONE
    assert finished(store, job).files == calm.files


def test_where_nothing_could_be_dreamed_the_job_fails(
    mixed: Inputs, weights: Path, tmp_path: Path
) -> None:
    store = MemoryStore()
    spoilt = Inputs({key: mixed.content[key] for key in mixed.reasons}, {})
    job = submitted(store, spoilt.written(tmp_path / "in"), weights)
    assert claimed(store, job, tmp_path).run() == DONE

    found = look(store, job)
    assert found.state == "failed"
    assert found.status is not None
    assert found.status.failure == "input"
    assert f"none of {len(mixed.reasons)} items" in str(found.status.reason)
    assert seen(store, job).failed.keys() == mixed.reasons.keys()
