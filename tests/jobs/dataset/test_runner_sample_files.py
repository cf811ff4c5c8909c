"""The files beside a picture in its sample are packed with the result."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.dataset.fetch import fetch_dataset
from jobs.dataset.inputs.index import DatasetKeys, ItemIndex, read_listings
from jobs.dataset.inputs.item import InputPlace, Item
from jobs.records.job import load_job
from jobs.runtime.publish import Target
from jobs.services.scheduler.coordinator import DONE
from tests.support.bad_pictures import picture_bytes
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import PACKED, read_finished_dataset, submit_small_dataset

with warnings.catch_warnings():
    # webdataset warns about its own imports.
    warnings.simplefilter("ignore")
    import webdataset


@pytest.fixture(scope="module")
def mask() -> bytes:
    """A mask in the format of the results."""
    return picture_bytes(np.random.default_rng(1))


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory, mask: bytes) -> Path:
    """A tar of two samples, each with a mask and an empty text."""
    path = tmp_path_factory.mktemp("shard") / "train.tar"
    with webdataset.TarWriter(str(path)) as writer:
        for number, key in enumerate(("first", "second")):
            content = picture_bytes(np.random.default_rng(number), "jpeg")
            beside = {"png": mask, "txt": ""}
            writer.write({"__key__": key, "jpg": content} | beside)
    return path


def samples(path: Path) -> dict[str, dict[str, Any]]:
    """The samples that webdataset reads from a tar, by key."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = list(webdataset.WebDataset(str(path), shardshuffle=False))
    return {one["__key__"]: one for one in found}


def test_masks_in_the_results_format_and_empty_files_are_packed(
    shard: Path, weights: Path, tmp_path: Path, mask: bytes
) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, shard, weights, PACKED)
    assert claim_job(store, job, tmp_path).run() == DONE
    assert read_finished_dataset(store, job).failed == {}

    fetch_dataset(store, load_job(store, job), Target(tmp_path / "out"))
    found = samples(tmp_path / "out/shard-000000.tar")
    assert list(found) == ["first", "second"]
    for sample in found.values():
        assert {name for name in sample if not name.startswith("__")} == {"dream.png", "png", "txt"}
        assert sample["png"] == mask
        assert sample["dream.png"].startswith(b"\x89PNG") and sample["dream.png"] != mask
        assert sample["txt"] == b""


def test_a_missing_extra_fails_its_item(shard: Path, weights: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    job = submit_small_dataset(store, shard, weights, PACKED)
    misplace_extra(store, job, tmp_path / "gone.txt")
    assert claim_job(store, job, tmp_path).run() == DONE

    found = read_finished_dataset(store, job)
    assert {key: row.failure for key, row in found.failed.items()} == {"train/first": "input"}
    assert "No such file" in str(found.failed["train/first"].message)
    assert found.items["done"] == 1


def misplace_extra(store: MemoryStore, job: str, path: Path) -> None:
    """Change the address of the first item's last extra to a missing file."""
    keys = DatasetKeys(job)
    first, *others = ItemIndex(store, keys).read(0)
    *kept, last = first.found.extras
    moved = last.model_copy(update={"place": InputPlace(address=str(path))})
    changed = first.found.model_copy(update={"extras": (*kept, moved)})
    items: list[Item] = [first.model_copy(update={"found": changed}), *others]
    (listing,) = read_listings(store, keys)
    store.put(keys.item_file(listing.nonce, 0), b"".join(item.encode() for item in items))
