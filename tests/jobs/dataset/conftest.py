"""Small inputs of which some are spoilt in every way, and what becomes of them on a calm day."""

from pathlib import Path

import pytest

from tests.support.bad_pictures import BAD_PICTURES, MixedPictures, mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.memory_store import MemoryStore
from tests.support.small_dataset import DatasetResult, read_finished_dataset, submit_small_dataset


@pytest.fixture(scope="session")
def mixed() -> MixedPictures:
    """A few pictures, and one of each poison."""
    return mixed_pictures(len(BAD_PICTURES) + 8, bad=len(BAD_PICTURES))


@pytest.fixture(scope="session")
def folder(mixed: MixedPictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where they lie; to be looked at only."""
    return mixed.write_to(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="session")
def calm(folder: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> DatasetResult:
    """They, dreamed by one worker whom nothing disturbs."""
    store = MemoryStore()
    job = submit_small_dataset(store, folder, weights)
    claim_job(store, job, tmp_path_factory.mktemp("calm")).run()
    return read_finished_dataset(store, job)
