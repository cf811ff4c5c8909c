"""Small good and bad inputs, and their results without faults."""

from pathlib import Path

import pytest

from tests.support.bad_pictures import BAD_PICTURES, MixedPictures, mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import DatasetResult, read_finished_dataset, submit_small_dataset


@pytest.fixture(scope="session")
def mixed() -> MixedPictures:
    """Eight good pictures, and one of each kind of bad picture."""
    return mixed_pictures(len(BAD_PICTURES) + 8, bad=len(BAD_PICTURES))


@pytest.fixture(scope="session")
def folder(mixed: MixedPictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pictures. Tests must not change it."""
    return mixed.write_to(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="session")
def baseline(
    folder: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> DatasetResult:
    """Their results from one worker without faults."""
    store = MemoryStore()
    job = submit_small_dataset(store, folder, weights)
    claim_job(store, job, tmp_path_factory.mktemp("baseline")).run()
    return read_finished_dataset(store, job)
