"""An empty store for the tests of lifecycle."""

import pytest

from tests.jobs.lifecycle.memory_store import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
