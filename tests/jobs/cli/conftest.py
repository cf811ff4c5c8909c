"""A shell, and stores, for the tests of the command line."""

from pathlib import Path

import pytest

from jobs.store.folder import FolderStore
from tests.jobs.cli.farm import OUTPUTS, Rendered, rendered
from tests.jobs.cli.shell import Shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs commands in this process."""
    return Shell(monkeypatch, capsys)


@pytest.fixture(scope="session")
def rendered_once(
    tmp_path_factory: pytest.TempPathFactory, picture: Path, weights: Path
) -> Rendered:
    """A rendered job, to be looked at only."""
    return rendered(picture, weights, tmp_path_factory.mktemp("farm"), OUTPUTS)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """An empty store, which the commands find by their environment."""
    monkeypatch.setenv("DREAMFARM_STORE", str(tmp_path / "store"))
    return FolderStore(tmp_path / "store")


@pytest.fixture
def job(rendered_once: Rendered, store: FolderStore, tmp_path: Path) -> Rendered:
    """A rendered job, alone in the store."""
    return rendered_once.copied(tmp_path)
