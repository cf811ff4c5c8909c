"""Small inputs of which some are spoilt in every way, and what becomes of them on a calm day."""

from pathlib import Path

import pytest

from tests.jobs.dataset.poison import POISONS, Inputs, inputs
from tests.jobs.dataset.small import Seen, finished, submitted
from tests.jobs.holders import claimed
from tests.jobs.lifecycle.memory_store import MemoryStore


@pytest.fixture(scope="session")
def mixed() -> Inputs:
    """A few pictures, and one of each poison."""
    return inputs(len(POISONS) + 8, spoilt=len(POISONS))


@pytest.fixture(scope="session")
def folder(mixed: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where they lie; to be looked at only."""
    return mixed.written(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(scope="session")
def calm(folder: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """They, dreamed by one worker whom nothing disturbs."""
    store = MemoryStore()
    job = submitted(store, folder, weights)
    claimed(store, job, tmp_path_factory.mktemp("calm")).run()
    return finished(store, job)
