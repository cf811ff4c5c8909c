"""Downloads of many objects at once are complete, or an error names the missing object."""

from pathlib import Path

import pytest

from jobs.runtime import staging
from jobs.runtime.staging import RemoteFile, download
from jobs.store.errors import StoreRefused
from jobs.store.folder import FolderStore

SIZES = (0, 1, 99, 100, 5000)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """A store with an object of each size. From 100 bytes on, an object counts as large."""
    monkeypatch.setattr(staging, "_LARGE_BYTES", 100)
    store = FolderStore(tmp_path / "store")
    for size in SIZES:
        store.put(f"a/{size}", bytes(size))
    return store


def remote_files() -> list[RemoteFile]:
    return [RemoteFile(f"a/{size}", size, f"{size}/file") for size in SIZES]


def test_every_file_is_downloaded_to_its_path(store: FolderStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not any(file.is_downloaded(out) for file in remote_files())
    download(store, remote_files(), out)

    assert all(file.is_downloaded(out) for file in remote_files())
    found = {path.relative_to(out): path.stat().st_size for path in out.rglob("*/*")}
    assert found == {Path(f"{size}/file"): size for size in SIZES}


@pytest.mark.parametrize("size", SIZES)
def test_an_error_names_a_missing_object_and_complete_files_stay(
    store: FolderStore, tmp_path: Path, size: int
) -> None:
    store.delete([f"a/{size}"])
    with pytest.raises(StoreRefused, match=f"a/{size}: is not in .* any more"):
        download(store, remote_files(), tmp_path / "out")
    assert not (tmp_path / "out" / str(size) / "file").exists()
    for path in (tmp_path / "out").rglob("*/*"):
        assert path.stat().st_size == int(path.parent.name)
