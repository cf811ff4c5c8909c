"""A folder of pictures as a dataset, dreamed in a store, for the tests of the command line."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from jobs.dataset.keys import DatasetKeys
from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from tests.jobs.cli.shell import Ended
from tests.jobs.dataset.poison import picture
from tests.jobs.dataset.small import document, submitted
from tests.jobs.holders import claimed

GOOD = {"a/b/y.png", "a/x.jpg", "z.png"}
BAD = "a/bad.jpg"
RESULTS = {"a/b/y.png", "a/x.png", "z.png"}
COUNTS = {"items": 4, "done": 3, "failed": {"infra": 0, "memory": 0, "input": 1, "bug": 0}}
BESIDE = {"contact-sheet.jpg", "ledger.parquet", "manifest.json"}


def photos(folder: Path, *more: str) -> Path:
    """A folder of three pictures, one that is none, and a file that is not meant."""
    for name in (*GOOD, *more):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = "png" if path.suffix == ".png" else "jpeg"
        path.write_bytes(picture(np.random.default_rng(list(name.encode())), kind))
    (folder / BAD).write_text("hello")
    (folder / "notes.txt").write_text("not meant")
    return folder


def spec_file(place: Path, inputs: Path, weights: Path, *settings: str) -> Path:
    path = place / "spec.yaml"
    path.write_text(yaml.safe_dump(document(inputs, weights, *settings)))
    return path


@dataclass(frozen=True)
class Dreamed:
    """A dataset that has been dreamed, in a store that is a folder."""

    store: Path
    job: str

    @property
    def keys(self) -> DatasetKeys:
        return DatasetKeys(self.job)

    def result(self, name: str) -> Path:
        return self.store / self.keys.result(name)

    def copied(self, folder: Path) -> "Dreamed":
        """The same in a folder of its own, to be changed."""
        return Dreamed(Path(shutil.copytree(self.store, folder / "store")), self.job)


def dreamed_in(place: Path, weights: Path) -> Dreamed:
    """An album, submitted to a store beside it and dreamed by one holder."""
    store = FolderStore(place / "store")
    job = submitted(store, photos(place / "photos"), weights)
    assert claimed(store, job, place).run() == DONE
    return Dreamed(place / "store", job)


def files_in(folder: Path) -> set[str]:
    """What people see there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if not path.parts[0].startswith(".")}


def told(ended: Ended) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def check_one_line(ended: Ended, said: str) -> None:
    """What is said where the store stays as it is, which has its own hidden files."""
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"dreamfarm: {said}")
    assert len(ended.err.splitlines()) == 1
