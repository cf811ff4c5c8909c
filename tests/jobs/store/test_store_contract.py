"""The contract of a store: on a folder, and on the S3 of moto, Ceph and SeaweedFS."""

import os
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Barrier, Event

import pytest

from jobs.store.address import open_store
from jobs.store.conditional_write import check_conditional_writes
from jobs.store.errors import ObjectNotFound, ObjectTooLarge
from jobs.store.retrying import RetryingStore
from jobs.store.store import MAX_READ_BYTES, Store

ALL_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@=+,"
INVALID_KEYS = ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "ä", "a;b", "a\n", "x" * 221]
BIG = 30 << 20


def keys(store: Store, prefix: str = "") -> list[str]:
    return [entry.key for entry in store.list_objects(prefix)]


def by_folder(key: str) -> list[str]:
    """The order of stores that keep folders: each folder is listed whole."""
    return key.split("/")


def check_order(kind: str, listed: list[str], expected: list[str]) -> None:
    """Check that these keys were listed, by key or folder by folder."""
    assert listed == sorted(expected, key=by_folder if kind == "seaweedfs" else None)


def fill(store: Store, names: list[str]) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: store.put(name, b"x"), names))


def test_get_returns_the_last_put(store: Store) -> None:
    for content in (b"first", b"", b"second" * 1000):
        store.put("a/b", content)
        assert store.get("a/b") == content
        assert store.get_with_age("a/b")[0] == content


def test_missing_objects(store: Store, tmp_path: Path) -> None:
    store.put("a/b", b"x")
    for key in ("a", "a/c", "a/b/c", "b"):
        for request in (
            store.get,
            lambda key: store.get_range(key, 0, 1),
            store.get_with_age,
            lambda key: store.download(key, tmp_path / "file"),
        ):
            with pytest.raises(ObjectNotFound) as caught:
                request(key)
            assert caught.value.key == key
    assert not list(tmp_path.glob("*file*"))


def test_new_store_is_empty(store: Store) -> None:
    with pytest.raises(ObjectNotFound):
        store.get("a")
    assert keys(store) == []
    assert list(store.list_folders("")) == list(store.list_folders("a")) == []
    assert list(store.unfinished_uploads("")) == []
    store.delete(["a", "b/c"])


def test_one_of_several_writers_creates_an_object(store: Store) -> None:
    writers = 16
    start = Barrier(writers)

    def write(writer: int) -> bool:
        start.wait()
        return store.put_if_absent("claim", b"%d" % writer)

    with ThreadPoolExecutor(writers) as pool:
        won = list(pool.map(write, range(writers)))
    assert won.count(True) == 1
    assert store.get("claim") == b"%d" % won.index(True)

    assert not store.put_if_absent("claim", b"late")
    assert store.get("claim") == b"%d" % won.index(True)
    store.delete(["claim"])
    assert store.put_if_absent("claim", b"again")


def test_ranges_are_exact(store: Store) -> None:
    content = bytes(range(256))
    store.put("a", content)
    for start, length in ((0, 1), (0, 256), (17, 100), (255, 1)):
        assert store.get_range("a", start, length) == content[start : start + length]
    for start, length in ((0, 257), (255, 2), (256, 1), (1000, 5), (0, 0), (-1, 3)):
        with pytest.raises(ValueError, match="range"):
            store.get_range("a", start, length)


def test_age_grows_with_time(store: Store) -> None:
    """The clock of a bucket has whole seconds, so an age may be wrong by one second."""
    before = time.monotonic()
    store.put("a", b"12345")
    after = time.monotonic()
    first = next(store.list_objects("a"))
    time.sleep(1.3)
    requested = time.monotonic()
    content, age = store.get_with_age("a")
    assert content == b"12345"
    assert requested - after - 1 <= age <= time.monotonic() - before + 1

    again = time.monotonic()
    store.put("a", b"")
    assert store.get_with_age("a")[1] <= time.monotonic() - again + 1
    second = next(store.list_objects("a"))
    assert (first.size, second.size) == (5, 0)
    assert again - after - 1 <= second.modified - first.modified <= time.monotonic() - before + 1


def test_listings_are_sorted_by_key(store: Store, kind: str) -> None:
    names = ["a-b", "a.b", "a/b-c", "a/b.c", "a/b/c", "a/b/d", "a/b0", "a/c", "a0", "a=", "aA", "b"]
    assert names == sorted(names)
    fill(store, names[::-1])
    check_order(kind, keys(store), names)
    for prefix in ("a", "a/", "a/b", "a/b/", "a/b/c", "a/b0", "a-", "b", "c", "a/b/c/d"):
        check_order(kind, keys(store, prefix), [name for name in names if name.startswith(prefix)])


def test_list_folders(store: Store, kind: str) -> None:
    fill(store, ["a/b/c", "a/b/d/e", "a/b-1/c", "a/f", "a0/x", "z"])
    assert list(store.list_folders("")) == ["a", "a0"]
    for prefix in ("a", "a/"):
        assert list(store.list_folders(prefix)) == (
            ["b", "b-1"] if kind == "seaweedfs" else ["b-1", "b"]
        )
    assert list(store.list_folders("a/b")) == ["d"]
    assert list(store.list_folders("a", "b-")) == ["b-1"]
    assert list(store.list_folders("", "a")) == ["a", "a0"]
    assert list(store.list_folders("a", "c")) == []
    assert list(store.list_folders("z")) == list(store.list_folders("nowhere")) == []
    store.delete(["a/b/d/e", "a0/x"])
    assert list(store.list_folders("")) == ["a"]
    assert list(store.list_folders("a/b")) == []


def test_more_than_one_page_of_objects(store: Store) -> None:
    names = [f"many/{number:04}/x" for number in range(1003)]
    fill(store, [*names, "other"])
    assert keys(store, "many/") == names
    assert list(store.list_folders("many")) == [f"{number:04}" for number in range(1003)]
    # As a stream: the listing continues while its objects are deleted.
    store.delete(entry.key for entry in store.list_objects("many/"))
    assert keys(store) == ["other"]


def test_deleting_missing_objects_is_ignored(store: Store) -> None:
    fill(store, ["a/b", "a/c"])
    store.delete(["a/b", "a/b", "a/nothing", "a", "nowhere/at/all"])
    assert keys(store) == ["a/c"]
    store.delete([])
    assert keys(store) == ["a/c"]


def test_large_file_round_trip(store: Store, tmp_path: Path) -> None:
    content = os.urandom(BIG + 1)
    source, target = tmp_path / "source", tmp_path / "down" / "target"
    source.write_bytes(content)
    target.parent.mkdir()
    target.write_bytes(b"what was there before")

    store.upload(source, "big")
    assert [(entry.key, entry.size) for entry in store.list_objects("")] == [("big", BIG + 1)]
    assert store.get_range("big", BIG - 4, 5) == content[-5:]
    store.download("big", target)
    assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]
    assert list(store.unfinished_uploads("")) == []


@pytest.mark.parametrize("move", [False, True], ids=["upload", "move"])
def test_small_and_empty_file_round_trip(store: Store, tmp_path: Path, move: bool) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for content in (b"", b"small"):
        source.write_bytes(content)
        (store.move_file if move else store.upload)(source, "a/b")
        assert store.get("a/b") == content
        store.download("a/b", target)
        assert target.read_bytes() == content


def test_missing_local_file_is_an_os_error(store: Store, tmp_path: Path) -> None:
    for send in (store.upload, store.move_file):
        with pytest.raises(FileNotFoundError):
            send(tmp_path / "nothing", "a")
    store.put("a", b"x")
    with pytest.raises(FileNotFoundError):
        store.download("a", tmp_path / "no folder" / "file")


def test_concurrent_reads_see_one_complete_version(store: Store, tmp_path: Path) -> None:
    """Also if a download takes several ranges."""
    size = 9 << 20
    sources = [tmp_path / "a", tmp_path / "b"]
    for source in sources:
        source.write_bytes(source.name.encode() * size)
    store.upload(sources[0], "x")
    stop = Event()

    def write() -> int:
        for count, source in enumerate(cycle(sources)):
            if stop.is_set():
                return count
            store.upload(source, "x")
        return 0

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write)
        try:
            for _ in range(4):
                target = tmp_path / "target"
                # The object may change faster than a download; then the download is retried.
                RetryingStore(store, 30).download("x", target)
                read = (target.read_bytes(), store.get("x"))
                for content in read:
                    assert len(content) == size
                    assert content.count(content[:1]) == size
        finally:
            stop.set()
        assert written.result() > 1


def test_unfinished_uploads_are_listed_and_aborted(
    store: Store, crashed_upload: Callable[[str], None]
) -> None:
    for key in ("a/b", "a/c", "d"):
        crashed_upload(key)
    assert keys(store) == []
    assert [upload.key for upload in store.unfinished_uploads("")] == ["a/b", "a/c", "d"]
    found = list(store.unfinished_uploads("a/"))
    assert [upload.key for upload in found] == ["a/b", "a/c"]
    for upload in (*found, found[0]):
        store.abort_upload(upload)
    assert [upload.key for upload in store.unfinished_uploads("")] == ["d"]


def test_long_keys_and_all_characters(store: Store, kind: str) -> None:
    names = [
        ALL_CHARACTERS,
        f"a/{ALL_CHARACTERS}/b",
        "k" * 220,
        f"{'k' * 109}/{'k' * 110}",
        ".hidden/x",
        "a.b/...",
        "-",
        "~"[:0] + "=",
    ]
    fill(store, names)
    check_order(kind, keys(store), names)
    assert all(store.get(name) == b"x" for name in names)
    store.delete(names)
    assert keys(store) == []


@pytest.mark.parametrize("key", INVALID_KEYS)
def test_invalid_keys_are_rejected(store: Store, tmp_path: Path, key: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    for request in (
        lambda: store.put(key, b""),
        lambda: store.put_if_absent(key, b""),
        lambda: store.get(key),
        lambda: store.get_range(key, 0, 1),
        lambda: store.get_with_age(key),
        lambda: store.delete([key]),
        lambda: store.upload(file, key),
        lambda: store.move_file(file, key),
        lambda: store.download(key, file),
    ):
        with pytest.raises(ValueError, match="not a valid key"):
            request()


def test_listings_reject_prefixes_outside_the_store(store: Store) -> None:
    for prefix in ("../", "a/../", "/"):
        with pytest.raises(ValueError, match="not a valid key"):
            next(store.list_objects(prefix))
        with pytest.raises(ValueError, match="not a valid key"):
            next(store.unfinished_uploads(prefix))
    with pytest.raises(ValueError, match="not a valid key"):
        next(store.list_folders("a/.."))


def test_conditional_write_check_leaves_no_objects(store: Store) -> None:
    check_conditional_writes(store)
    assert keys(store) == []


def test_address_opens_the_same_store(store: Store) -> None:
    again = open_store(store.address)
    assert (type(again), again.address) == (type(store), store.address)


def test_too_large_objects_are_not_read(store: Store, tmp_path: Path) -> None:
    large, largest = tmp_path / "large", tmp_path / "largest"
    for path, size in ((large, MAX_READ_BYTES + 1), (largest, MAX_READ_BYTES)):
        with path.open("wb") as file:
            file.truncate(size)
        store.upload(path, path.name)
    tracemalloc.start()
    try:
        for request in (store.get, store.get_with_age):
            with pytest.raises(ObjectTooLarge) as refused:
                request("large")
            message = str(refused.value)
            assert message.startswith(f"large: has {MAX_READ_BYTES + 1} bytes, but at most ")
            assert len(message.splitlines()) == 1
        assert tracemalloc.get_traced_memory()[1] < MAX_READ_BYTES // 4
    finally:
        tracemalloc.stop()
    # Ranges and downloads have no such limit, and the store stays usable.
    assert store.get_range("large", MAX_READ_BYTES - 1, 2) == bytes(2)
    assert store.get("largest") == store.get_with_age("largest")[0] == bytes(MAX_READ_BYTES)
    store.download("large", tmp_path / "back")
    assert (tmp_path / "back").stat().st_size == MAX_READ_BYTES + 1
