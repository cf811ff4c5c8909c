"""A file system that reads and writes less than it is asked for, and is interrupted in between."""

import errno
import io
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.store.errors import StoreUnreachable
from jobs.store.folder import FolderStore
from jobs.store.retrying import RetryingStore
from jobs.store.store import Store
from tests.support.coordinators import claim_job
from tests.support.small_dataset import submit_small_dataset

CONTENT = bytes(range(256)) * 5000
"""More than the buffer of a file, and than a chunk of an upload."""

SHARE = 7919
"""Bytes that one call reads or writes at most; no divisor of anything."""


class ShortFile(io.FileIO):
    """Reads and writes at most SHARE bytes at once, and is interrupted at every third call."""

    calls = itertools.count(1)

    def readinto(self, buffer: Any) -> int | None:
        self._meet()
        return super().readinto(memoryview(buffer)[:SHARE])

    def write(self, content: Any, /) -> int:
        self._meet()
        return super().write(memoryview(content)[:SHARE]) or 0

    def _meet(self) -> None:
        if next(self.calls) % 3 == 0:
            raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))


class BrokenFile(ShortFile):
    """Writes SHARE bytes, and then fails. number: of the error."""

    number = errno.EIO

    def write(self, content: Any, /) -> int:
        if self.tell():
            raise OSError(self.number, os.strerror(self.number))
        return io.FileIO.write(self, memoryview(content)[:SHARE]) or 0


def replace_files(patch: pytest.MonkeyPatch, folder: Path, kind: type[io.FileIO]) -> None:
    """Let files below a folder be opened as files of this kind."""
    whole = io.open

    def opened(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        path = f"/proc/self/fd/{file}" if isinstance(file, int) else file
        if "b" not in mode or not os.path.realpath(path).startswith(str(folder)):
            return whole(file, mode, *arguments, **options)
        raw = kind(file, mode.replace("b", ""))
        return io.BufferedReader(raw) if mode == "rb" else io.BufferedWriter(raw)

    patch.setattr(io, "open", opened)


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FolderStore]:
    """A store in a folder of such a file system."""
    with monkeypatch.context() as patch:
        replace_files(patch, tmp_path, ShortFile)
        yield FolderStore(tmp_path / "store")


def test_short_reads_and_writes_lose_nothing(short: FolderStore, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(CONTENT)
    short.put("a", CONTENT)
    assert short.put_if_absent("b", CONTENT)
    short.upload(source, "c")
    for key in "abc":
        assert short.get(key) == CONTENT
        assert short.get_with_age(key)[0] == CONTENT
        assert short.get_range(key, 12_345, 200_000) == CONTENT[12_345:212_345]
        short.download(key, target)
        assert target.read_bytes() == CONTENT
    assert {entry.key: entry.size for entry in short.list_objects("")} == dict.fromkeys(
        "abc", len(CONTENT)
    )
    assert next(ShortFile.calls) > 100


WRITES: dict[str, Callable[[Store, Path], object]] = {
    "put": lambda store, _: store.put("a", CONTENT),
    "put if absent": lambda store, _: store.put_if_absent("b", CONTENT),
    "upload": lambda store, source: store.upload(source, "a"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_that_ends_half_way_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Store, Path], object]
) -> None:
    source, store = tmp_path / "source", FolderStore(tmp_path / "store")
    source.write_bytes(CONTENT)
    store.put("a", b"before")
    with monkeypatch.context() as patch:
        replace_files(patch, tmp_path / "store", BrokenFile)
        with pytest.raises(StoreUnreachable, match="check the disk"):
            write(store, source)
    assert store.get("a") == b"before"
    assert [entry.key for entry in store.list_objects("")] == ["a"]
    assert list((tmp_path / "store" / ".partial").iterdir()) == []
    # The same call then succeeds, as that of a store that retries does.
    write(RetryingStore(store, 60), source)
    assert store.get("b" if write is WRITES["put if absent"] else "a") == CONTENT


def test_a_dataset_on_such_a_file_system_has_the_same_results(
    picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(picture.read_bytes())

    def results(folder: Path) -> dict[str, bytes]:
        store = FolderStore(folder)
        job = submit_small_dataset(store, tmp_path / "in", weights, "dream.octaves=1")
        claim_job(store, job, tmp_path / "scratch").run()
        found = store.list_objects(f"jobs/{job}/outputs/")
        return {entry.key: store.get(entry.key) for entry in found}

    whole = results(tmp_path / "whole")
    assert whole
    with monkeypatch.context() as patch:
        replace_files(patch, tmp_path / "short", ShortFile)
        assert results(tmp_path / "short") == whole
