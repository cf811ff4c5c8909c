"""Shells for these tests, which share what is found out about networks."""

import os
from pathlib import Path

import pytest

from tests.golden.shell import Shell, furnished


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all of a run's processes."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "golden-cache"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Shell:
    """In a folder with small pictures, for the tests of one file."""
    return furnished(tmp_path_factory.mktemp("golden") / "place", cache)
