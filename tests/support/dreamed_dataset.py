"""A dreamed dataset in a store, for the commands that read jobs."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from jobs.dataset.inputs.index import DatasetKeys
from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from tests.support.bad_pictures import picture_bytes
from tests.support.coordinators import claim_job
from tests.support.small_dataset import dataset_document, submit_small_dataset

GOOD_INPUTS = {"a/b/y.png", "a/x.jpg", "z.png"}


BAD_INPUT = "a/bad.jpg"


RESULTS = {"a/b/y.png", "a/x.png", "z.png"}


COUNTS = {"items": 4, "done": 3, "failed": {"infra": 0, "memory": 0, "input": 1, "bug": 0}}


JOB_FILES = {"contact-sheet.jpg", "ledger.parquet", "manifest.json"}


def write_photos(folder: Path, *more: str) -> Path:
    """Write good pictures, a text file named like a picture, and a plain text file.

    more: the names of further pictures. Returns the folder.
    """
    for name in (*GOOD_INPUTS, *more):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = "png" if path.suffix == ".png" else "jpeg"
        path.write_bytes(picture_bytes(np.random.default_rng(list(name.encode())), kind))
    (folder / BAD_INPUT).write_text("hello")
    (folder / "notes.txt").write_text("not a picture")
    return folder


def write_dataset_spec(folder: Path, inputs: Path, weights: Path, *settings: str) -> Path:
    """Write the spec of a small dataset; returns its path."""
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(dataset_document(inputs, weights, *settings)))
    return path


@dataclass(frozen=True)
class DreamedDataset:
    """A dataset that has been dreamed; its store is the folder `store`."""

    store: Path
    job: str

    @property
    def keys(self) -> DatasetKeys:
        return DatasetKeys(self.job)

    def result(self, name: str) -> Path:
        return self.store / self.keys.result(name)

    def copied(self, folder: Path) -> "DreamedDataset":
        """A copy of the store in another folder, which a test may change."""
        copy = shutil.copytree(self.store, folder / "store", dirs_exist_ok=True)
        return DreamedDataset(Path(copy), self.job)


def dream_dataset(folder: Path, weights: Path) -> DreamedDataset:
    """Submit a folder of photos as a dataset and dream it."""
    store = FolderStore(folder / "store")
    job = submit_small_dataset(store, write_photos(folder / "photos"), weights)
    assert claim_job(store, job, folder).run() == DONE
    return DreamedDataset(folder / "store", job)
