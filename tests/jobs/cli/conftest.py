"""A shell, and stores, for the tests of the command line."""

from pathlib import Path

import pytest

from jobs.store.folder import FolderStore
from tests.support.dreamed_dataset import DreamedDataset, dream_dataset, write_photos
from tests.support.rendered_poster import OUTPUTS, RenderedPoster, render_poster
from tests.support.shell import Shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell that runs commands in this process."""
    return Shell(monkeypatch, capsys)


@pytest.fixture(scope="session")
def rendered_once(
    tmp_path_factory: pytest.TempPathFactory, picture: Path, weights: Path
) -> RenderedPoster:
    """A rendered job. Tests must not change it."""
    return render_poster(picture, weights, tmp_path_factory.mktemp("farm"), OUTPUTS)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """An empty store in DREAMFARM_STORE."""
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("DREAMFARM_STORE", str(tmp_path / "store"))
    return FolderStore(tmp_path / "store")


@pytest.fixture
def job(rendered_once: RenderedPoster, store: FolderStore, tmp_path: Path) -> RenderedPoster:
    """A rendered job, alone in the store."""
    return rendered_once.copied(tmp_path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of pictures, one of them unreadable."""
    return write_photos(tmp_path / "photos")


@pytest.fixture(scope="session")
def dreamed_once(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> DreamedDataset:
    """A dreamed dataset. Tests must not change it."""
    return dream_dataset(tmp_path_factory.mktemp("album"), weights)


@pytest.fixture
def dreamed(dreamed_once: DreamedDataset, store: FolderStore, tmp_path: Path) -> DreamedDataset:
    """A dreamed dataset, alone in the store."""
    return dreamed_once.copied(tmp_path)
