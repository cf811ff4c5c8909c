"""Running datasets: good pictures are dreamed, and bad ones get a reason."""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.worker import Worker
from jobs.records.job import load_job
from jobs.records.job_summary import load_summary
from jobs.records.request import retry
from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from jobs.store.store import Store
from tests.support.bad_pictures import (
    MixedPictures,
    add_unreadable_files,
    mixed_pictures,
    picture_bytes,
)
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import (
    DatasetResult,
    pool_of,
    read_dataset,
    read_finished_dataset,
    submit_small_dataset,
)
from tests.support.small_poster import claim_poster, plan_poster

COUNTS = {"infra": 0, "memory": 0, "input": 0, "bug": 0}


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store: one that copies results, or one into which files are moved."""
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path / "store")


def test_bad_pictures_have_failed_rows_and_good_ones_have_outputs(
    baseline: DatasetResult, mixed: MixedPictures
) -> None:
    assert baseline.items == {
        "items": len(mixed.content),
        "done": len(mixed.good),
        "failed": {**COUNTS, "input": len(mixed.reasons)},
    }
    assert baseline.failed.keys() == mixed.reasons.keys()
    for key, row in baseline.failed.items():
        assert row.failure == "input"
        assert mixed.reasons[key] in str(row.message), row
        assert key in str(row.message)
        assert len(str(row.message).splitlines()) == 1
    done = [row for row in baseline.rows.values() if row.state == "done"]
    assert {row.key for row in done} == mixed.good
    assert {str(row.output) for row in done} == baseline.files.keys()
    for row in done:
        content = baseline.files[str(row.output)]
        given = mixed.content[row.key]
        assert row.output == f"{row.key.partition('.')[0]}.png"
        assert row.output_sha256 == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert row.input_sha256 == f"sha256:{hashlib.sha256(given).hexdigest()}"
        assert row.bytes == len(content)
        with Image.open(BytesIO(content)) as after, Image.open(BytesIO(given)) as before:
            assert after.size == before.size == (row.width, row.height)
            assert np.asarray(after).std() > 0
            assert np.any(np.asarray(after) != np.asarray(before))


def test_unreadable_files_have_failed_rows(store: Store, weights: Path, tmp_path: Path) -> None:
    few = mixed_pictures(2, bad=0)
    folder = few.write_to(tmp_path / "in")
    reasons = add_unreadable_files(folder)
    job = submit_small_dataset(store, folder, weights)
    assert claim_job(store, job, tmp_path).run() == DONE

    found = read_finished_dataset(store, job)
    assert {row.key for row in found.rows.values() if row.state == "done"} == few.good
    assert found.failed.keys() == reasons.keys()
    for key, reason in reasons.items():
        assert found.failed[key].failure == "input"
        assert reason in str(found.failed[key].message)


def test_the_report_counts_items(
    store: Store,
    folder: Path,
    mixed: MixedPictures,
    weights: Path,
    tmp_path: Path,
    baseline: DatasetResult,
) -> None:
    job = submit_small_dataset(store, folder, weights)
    assert claim_job(store, job, tmp_path).run() == DONE

    summary = load_summary(store, job)
    assert summary.state == "succeeded"
    assert summary.progress == 1
    assert summary.items == baseline.items
    assert DatasetKeys(job).sheet in summary.previews
    found = read_finished_dataset(store, job)
    assert found.reproducible_rows == baseline.reproducible_rows
    assert found.files == baseline.files


@pytest.mark.parametrize(("workers", "batch"), [(1, 8), (3, 1), (3, 8)])
def test_the_number_of_workers_and_the_batch_size_change_no_byte(
    folder: Path, weights: Path, tmp_path: Path, baseline: DatasetResult, workers: int, batch: int
) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, folder, weights, f"crew.workers={workers}", f"batch={batch}")
    assert claim_job(store, job, tmp_path).run() == DONE
    found = read_finished_dataset(store, job)
    assert found.files == baseline.files
    assert found.reproducible_rows == baseline.reproducible_rows


def test_the_other_items_change_no_byte(
    mixed: MixedPictures, weights: Path, tmp_path: Path, baseline: DatasetResult
) -> None:
    store = MemoryStore()
    some = sorted(mixed.good)[::3]
    folder = MixedPictures({key: mixed.content[key] for key in some}, {}).write_to(
        tmp_path / "some"
    )
    job = submit_small_dataset(store, folder, weights)
    assert claim_job(store, job, tmp_path).run() == DONE
    found = read_finished_dataset(store, job)
    assert len(found.files) == len(some)
    assert found.files.items() <= baseline.files.items()


def test_an_item_equals_a_poster_of_its_picture(weights: Path, tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    content = {
        "small.png": picture_bytes(draw),
        "a/wide.jpg": picture_bytes(draw, "jpeg", (64, 96)),
        "b/high.tif": picture_bytes(draw, "tiff", (128, 72)),
    }
    folder = MixedPictures(content, {}).write_to(tmp_path / "in")
    settings = ("dream={octaves: 3, steps: 2, jitter: 6, seed: 11}", "tiles=32")
    store = MemoryStore()
    job = submit_small_dataset(store, folder, weights, "resize=90", *settings)
    claim_job(store, job, tmp_path).run()
    found = read_finished_dataset(store, job)

    assert len(found.rows) == len(content)
    assert len({row.seed for row in found.rows.values()}) == len(content)
    for row in found.rows.values():
        assert max(row.width or 0, row.height or 0) == 90
        plan = plan_poster(
            folder / row.key,
            weights,
            *settings,
            f"dream.seed={row.seed}",
            f"size={row.width}x{row.height}",
        )
        poster = claim_poster(plan, tmp_path / row.name)
        (output,) = poster.run()["outputs"]
        item = BytesIO(found.files[str(row.output)])
        with Image.open(poster.path(output)) as alone, Image.open(item) as among:
            assert np.array_equal(np.asarray(alone), np.asarray(among))


class LethalWorker(Worker):
    """Dies at one picture, runs out of memory at another, and raises at a third."""

    def dream(self, line: bytes, file: int) -> bytes:
        if b'"key":"0/lethal.png"' in line:
            raise SystemExit(9)
        if b'"key":"1/heavy.png"' in line:
            raise MemoryError
        if b'"key":"2/odd.png"' in line:
            raise KeyError("a bug")
        return super().dream(line, file)


@pytest.mark.parametrize("workers", [1, 3])
def test_items_that_kill_workers_fail_and_the_others_succeed(
    mixed: MixedPictures, weights: Path, tmp_path: Path, baseline: DatasetResult, workers: int
) -> None:
    draw = np.random.default_rng(4)
    lethal = {key: picture_bytes(draw) for key in ("0/lethal.png", "1/heavy.png", "2/odd.png")}
    content = {key: mixed.content[key] for key in sorted(mixed.good)} | lethal
    folder = MixedPictures(content, {}).write_to(tmp_path / "in")
    store = MemoryStore()
    job = submit_small_dataset(store, folder, weights, f"crew.workers={workers}")
    assert claim_job(store, job, tmp_path, pool=pool_of(LethalWorker)).run() == DONE

    found = read_finished_dataset(store, job)
    assert found.files == baseline.files
    assert {key: row.failure for key, row in found.failed.items()} == {
        "0/lethal.png": "input",
        "1/heavy.png": "memory",
        "2/odd.png": "bug",
    }
    assert "exit code 9" in str(found.failed["0/lethal.png"].message)
    assert "submit it as a poster" in str(found.failed["1/heavy.png"].message)
    assert "KeyError: 'a bug'" in str(found.failed["2/odd.png"].message)
    assert found.failed["0/lethal.png"].attempts > 1
    assert "KeyError: 'a bug'" in store.get(DatasetKeys(job).log(1)).decode()


def test_more_failures_than_allowed_fail_the_job(
    folder: Path, mixed: MixedPictures, weights: Path, tmp_path: Path, baseline: DatasetResult
) -> None:
    store = MemoryStore()
    most = len(mixed.reasons) - 1
    job = submit_small_dataset(store, folder, weights, f"limits.max_failures={most}")
    assert claim_job(store, job, tmp_path).run() == DONE

    failed = read_dataset(store, job)
    assert failed.job.state == "failed"
    assert failed.job.status is not None
    assert failed.job.status.failure == "input"
    assert f"limits.max_failures is {most}" in str(failed.job.status.reason)
    assert len(failed.failed) == most + 1

    assert submit_small_dataset(store, folder, weights, f"limits.max_failures={most + 1}") == job
    retry(store, job)
    assert claim_job(store, job, tmp_path).run() == DONE
    assert read_finished_dataset(store, job).files == baseline.files


def test_a_job_fails_if_all_its_items_fail(
    mixed: MixedPictures, weights: Path, tmp_path: Path
) -> None:
    store = MemoryStore()
    bad = MixedPictures({key: mixed.content[key] for key in mixed.reasons}, {})
    job = submit_small_dataset(store, bad.write_to(tmp_path / "in"), weights)
    assert claim_job(store, job, tmp_path).run() == DONE

    found = load_job(store, job)
    assert found.state == "failed"
    assert found.status is not None
    assert found.status.failure == "input"
    assert f"none of {len(mixed.reasons)} items" in str(found.status.reason)
    assert read_dataset(store, job).failed.keys() == mixed.reasons.keys()
