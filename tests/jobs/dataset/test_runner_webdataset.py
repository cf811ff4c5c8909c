"""WebDataset tars as inputs and outputs, read back by the webdataset package."""

import io
import json
import tarfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.tar_shards import published_tar_name
from jobs.dataset.worker import Worker
from jobs.records.request import retry
from jobs.services.scheduler.coordinator import DONE
from tests.support.bad_pictures import picture_bytes
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import (
    PACKED,
    ObservedStore,
    pool_of,
    read_dataset,
    read_finished_dataset,
    submit_small_dataset,
)

with warnings.catch_warnings():
    # webdataset warns about its own imports.
    warnings.simplefilter("ignore")
    import webdataset

Samples = dict[str, dict[str, bytes]]

FIRST = ("0001", "0002", "a/0003")
SECOND = ("0001", "0009")
"""The keys of two tars, which share one key."""


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tars. One has a sample without a picture and one with a bad picture."""
    folder = tmp_path_factory.mktemp("shards")
    draw = np.random.default_rng(2)
    for name, keys in (("train-0", FIRST), ("train-1", SECOND)):
        with webdataset.TarWriter(str(folder / f"{name}.tar")) as writer:
            for number, key in enumerate(keys):
                content = picture_bytes(draw, "jpeg")
                about = {"label": number, "of": name}
                writer.write({"__key__": key, "jpg": content, "cls": number, "json": about})
            if name == "train-1":
                writer.write({"__key__": "blind", "cls": 5})
                writer.write({"__key__": "broken", "jpg": b"no picture", "cls": 6})
    return folder


def read_tar(content: bytes, folder: Path) -> Samples:
    """The samples that webdataset reads from a tar, by key."""
    path = folder / "read.tar"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(webdataset.WebDataset(str(path), shardshuffle=False))
    return {
        one["__key__"]: {name: part for name, part in one.items() if not name.startswith("__")}
        for one in found
    }


def check_samples(samples: Samples) -> dict[str, Any]:
    """The labels by key. Checks that each sample has a picture of the right size."""
    labels = {}
    for key, sample in samples.items():
        assert sample.keys() == {"png", "cls", "json"}
        with Image.open(io.BytesIO(sample["png"])) as image:
            assert image.size == (64, 64)
        labels[key] = (int(sample["cls"]), json.loads(sample["json"])["of"])
    return labels


def test_tars_become_tars_with_the_same_keys_and_labels(
    shards: Path, weights: Path, tmp_path: Path
) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, f"{shards}/train-{{0..1}}.tar", weights, PACKED)
    assert claim_job(store, job, tmp_path).run() == DONE

    found = read_finished_dataset(store, job)
    assert found.files.keys() == {"shard-000000.tar", "shard-000001.tar"}
    first, second = (read_tar(found.files[name], tmp_path) for name in sorted(found.files))
    assert list(first) == list(FIRST)
    assert list(second) == list(SECOND)
    assert check_samples(first) == {key: (n, "train-0") for n, key in enumerate(FIRST)}
    assert check_samples(second) == {key: (n, "train-1") for n, key in enumerate(SECOND)}
    assert {key: row.failure for key, row in found.failed.items()} == {
        "train-1/blind": "input",
        "train-1/broken": "input",
    }
    assert found.failed["train-1/blind"].message == (
        "no picture in this sample; add one, or leave the sample out"
    )
    assert str(found.failed["train-1/broken"].message).startswith("train-1/broken: not a picture")
    assert not list(store.list_objects(f"{DatasetKeys(job).folder}parts/"))
    for row in found.rows.values():
        if row.state == "done":
            with tarfile.open(fileobj=io.BytesIO(found.files[str(row.output)])) as tar:
                member = tar.extractfile(str(row.member))
                assert member is not None
                assert len(member.read()) == row.bytes


class OneSampleFails(Worker):
    """Raises at one sample."""

    def dream(self, line: bytes, file: int) -> bytes:
        if b'"key":"train-0/0002"' in line:
            raise KeyError("a bug")
        return super().dream(line, file)


def test_a_retry_packs_its_tar_again(shards: Path, weights: Path, tmp_path: Path) -> None:
    baseline = MemoryStore()
    job = submit_small_dataset(baseline, f"{shards}/*.tar", weights, PACKED)
    claim_job(baseline, job, tmp_path / "baseline").run()
    whole = read_finished_dataset(baseline, job).files

    store = MemoryStore()
    assert submit_small_dataset(store, f"{shards}/*.tar", weights, PACKED) == job
    claim_job(store, job, tmp_path, pool=pool_of(OneSampleFails)).run()
    before = read_finished_dataset(store, job)
    assert list(read_tar(before.files["shard-000000.tar"], tmp_path)) == ["0001", "a/0003"]
    assert before.failed["train-0/0002"].failure == "bug"

    retry(store, job)
    assert claim_job(store, job, tmp_path).run() == DONE
    after = read_finished_dataset(store, job)
    assert after.failed.keys() == {"train-1/blind", "train-1/broken"}
    assert after.files["shard-000000@1.lease2.tar"] == whole["shard-000000.tar"]
    outputs = {row.output for key, row in after.rows.items() if key[0].startswith("train-0/")}
    assert outputs == {"shard-000000@1.lease2.tar"}


def test_a_successor_packs_the_tar_of_a_stopped_run(
    shards: Path, weights: Path, tmp_path: Path
) -> None:
    baseline = MemoryStore()
    job = submit_small_dataset(baseline, f"{shards}/*.tar", weights, PACKED)
    claim_job(baseline, job, tmp_path / "baseline").run()
    whole = read_finished_dataset(baseline, job)

    store = MemoryStore()
    submit_small_dataset(store, f"{shards}/*.tar", weights, PACKED)
    first = ObservedStore(store, at=1)
    holder = claim_job(store, job, tmp_path, first)
    first.act = lambda: holder.control.request("shutdown")
    holder.run()
    assert read_dataset(store, job).job.state == "queued"
    assert claim_job(store, job, tmp_path).run() == DONE
    after = read_finished_dataset(store, job)
    files = {published_tar_name(name): content for name, content in after.files.items()}
    assert files == whole.files
    assert after.reproducible_rows == whole.reproducible_rows
