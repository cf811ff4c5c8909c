"""Retries while a store does not answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from jobs.store.errors import NotAnObject, ObjectNotFound, StoreUnreachable
from jobs.store.folder import FolderStore
from jobs.store.folder_files import PartialFiles
from jobs.store.key import PARTIAL
from jobs.store.retrying import RetryingStore
from jobs.store.store import ObjectInfo, UnfinishedUpload

Item = TypeVar("Item")


class Clock:
    """A clock that only `sleep` advances."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.pauses.append(seconds)
        self.now += seconds

    def time(self) -> float:
        return self.now


class FlakyStore(FolderStore):
    """A folder store with failures.

    failures: how many of the next requests fail.
    breaks: after how many entries each of the next listings fails.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.failures = 0
        self.breaks: list[int] = []
        self.requests = 0

    def _answer(self) -> None:
        self.requests += 1
        if self.failures:
            self.failures -= 1
            raise StoreUnreachable(f"not now, {self.failures} to go")

    def put(self, key: str, content: bytes) -> None:
        self._answer()
        super().put(key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._answer()
        return super().put_if_absent(key, content)

    def get(self, key: str) -> bytes:
        self._answer()
        return super().get(key)

    def delete(self, keys: object) -> None:
        assert isinstance(keys, list)
        self._answer()
        super().delete(keys)

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        yield from self._interrupted(super().list_objects(prefix))

    def list_folders(self, prefix: str, start: str = "") -> Iterator[str]:
        yield from self._interrupted(super().list_folders(prefix, start))

    def unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        yield from self._interrupted(super().unfinished_uploads(prefix))

    def _interrupted(self, items: Iterator[Item]) -> Iterator[Item]:
        self._answer()
        end = self.breaks.pop(0) if self.breaks else None
        for count, item in enumerate(items):
            if count == end:
                raise StoreUnreachable("broke off")
            yield item


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def flaky(tmp_path: Path) -> FlakyStore:
    return FlakyStore(tmp_path / "store")


@pytest.fixture
def store(flaky: FlakyStore, clock: Clock) -> RetryingStore:
    return RetryingStore(flaky, 60, clock.sleep, clock.time)


def test_request_is_repeated_until_it_succeeds(
    store: RetryingStore, flaky: FlakyStore, clock: Clock
) -> None:
    flaky.failures = 3
    store.put("a", b"x")
    flaky.failures = 2
    assert store.get("a") == b"x"
    flaky.failures = 1
    assert not store.put_if_absent("a", b"y")
    assert len(clock.pauses) == 6
    assert flaky.requests == 9


def test_pauses_grow_randomly_within_bounds(
    store: RetryingStore, flaky: FlakyStore, clock: Clock
) -> None:
    flaky.failures = 8
    store.put("a", b"x")
    for pause, longest in zip(clock.pauses, (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10), strict=True):
        assert longest / 2 <= pause <= longest
    assert len({pause / 2**count for count, pause in enumerate(clock.pauses[:6])}) > 1


def test_retries_end_with_the_last_error(
    store: RetryingStore, flaky: FlakyStore, clock: Clock
) -> None:
    """The retry time starts with the first failure; the last attempt is at its end."""
    flaky.failures = 1000
    with pytest.raises(StoreUnreachable) as caught:
        store.get("a")
    assert str(caught.value) == f"not now, {flaky.failures} to go"
    assert clock.now == pytest.approx(160)


def test_refused_request_is_not_repeated(
    store: RetryingStore, flaky: FlakyStore, clock: Clock
) -> None:
    with pytest.raises(ObjectNotFound):
        store.get("a")
    store.put("a", b"x")
    with pytest.raises(NotAnObject):
        store.put("a/b", b"x")
    assert clock.pauses == []


def test_interrupted_listing_continues(
    store: RetryingStore, flaky: FlakyStore, clock: Clock
) -> None:
    keys = [f"{name}/x" for name in ("a", "a-b", "b", "c", "d")]
    for key in keys:
        store.put(key, b"")
    for breaks in ([0], [2], [5], [1, 1, 3, 4], [4, 2, 0]):
        flaky.breaks = list(breaks)
        assert [entry.key for entry in store.list_objects("")] == sorted(keys)
        flaky.breaks = list(breaks)
        assert list(store.list_folders("")) == ["a-b", "a", "b", "c", "d"]


def test_unfinished_uploads_are_listed_once(store: RetryingStore, flaky: FlakyStore) -> None:
    partial_files = PartialFiles(Path(flaky.address) / PARTIAL)
    with partial_files.create("a"), partial_files.create("a"), partial_files.create("b"):
        flaky.breaks = [1, 2]
        found = list(store.unfinished_uploads(""))
        assert [upload.key for upload in found] == ["a", "a", "b"]
        assert len({upload.id for upload in found}) == 3


def test_progress_resets_the_retry_time(
    store: RetryingStore, flaky: FlakyStore, clock: Clock
) -> None:
    for number in range(30):
        store.put(f"{number:02}", b"")
    flaky.breaks = list(range(1, 30))
    seen = []
    for entry in store.list_objects(""):
        seen.append(entry.key)
        clock.now += 50
    assert seen == [f"{number:02}" for number in range(30)]

    flaky.breaks = [3] * 1000
    before = clock.now
    with pytest.raises(StoreUnreachable, match="broke off"):
        list(store.list_objects(""))
    assert clock.now == pytest.approx(before + 60)


def test_delete_accepts_a_generator(store: RetryingStore, flaky: FlakyStore) -> None:
    for number in range(5):
        store.put(f"a/{number}", b"")
    flaky.failures = 2
    store.delete(entry.key for entry in store.list_objects("a/"))
    assert list(store.list_objects("")) == []


def test_wraps_address_and_local_path(store: RetryingStore, flaky: FlakyStore) -> None:
    assert store.address == flaky.address
    assert store.local_path("a/b") == flaky.local_path("a/b")
