"""A shell, and stores, for the tests of the command line."""

from pathlib import Path

import pytest

from jobs.store.folder import FolderStore
from tests.jobs.cli.album import Dreamed, dreamed_in, photos
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


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of pictures, one of which is none."""
    return photos(tmp_path / "photos")


@pytest.fixture(scope="session")
def dreamed_once(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Dreamed:
    """A dreamed dataset, to be looked at only."""
    return dreamed_in(tmp_path_factory.mktemp("album"), weights)


@pytest.fixture
def dreamed(dreamed_once: Dreamed, store: FolderStore, tmp_path: Path) -> Dreamed:
    """A dreamed dataset, alone in the store."""
    return dreamed_once.copied(tmp_path)
