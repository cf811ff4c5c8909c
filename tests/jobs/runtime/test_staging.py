"""Many objects at once, large ones and small ones, come whole or are said to be gone."""

from pathlib import Path

import pytest

from jobs.runtime import staging as downloading
from jobs.runtime.staging import RemoteFile, download
from jobs.store.errors import StoreRefused
from jobs.store.folder import FolderStore

SIZES = (0, 1, 99, 100, 5000)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """A store with an object of each size, of which those from 100 bytes on are large."""
    monkeypatch.setattr(downloading, "_LARGE_BYTES", 100)
    store = FolderStore(tmp_path / "store")
    for size in SIZES:
        store.put(f"a/{size}", bytes(size))
    return store


def pieces() -> list[RemoteFile]:
    return [RemoteFile(f"a/{size}", size, f"{size}/file") for size in SIZES]


def test_every_piece_comes_to_its_path(store: FolderStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert not any(piece.is_downloaded(out) for piece in pieces())
    download(store, pieces(), out)

    assert all(piece.is_downloaded(out) for piece in pieces())
    found = {path.relative_to(out): path.stat().st_size for path in out.rglob("*/*")}
    assert found == {Path(f"{size}/file"): size for size in SIZES}


@pytest.mark.parametrize("size", SIZES)
def test_one_that_is_gone_is_said_and_the_whole_ones_stay(
    store: FolderStore, tmp_path: Path, size: int
) -> None:
    store.delete([f"a/{size}"])
    with pytest.raises(StoreRefused, match=f"a/{size}: is not in .* any more"):
        download(store, pieces(), tmp_path / "out")
    assert not (tmp_path / "out" / str(size) / "file").exists()
    for path in (tmp_path / "out").rglob("*/*"):
        assert path.stat().st_size == int(path.parent.name)
