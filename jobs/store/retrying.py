"""A store that retries requests while the underlying store cannot be reached."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from jobs.store.errors import StoreUnreachable
from jobs.store.store import ObjectInfo, Store, UnfinishedUpload, batches

T = TypeVar("T")

P = ParamSpec("P")

Item = TypeVar("Item")

Position = tuple[str, ...]
"""What a listing is sorted by: the key, and more for unfinished uploads."""


_FIRST_PAUSE, _MAX_PAUSE = 0.2, 10.0

_DELETE_BATCH = 1000


class RetryingStore(Store):
    """Wraps a store, and repeats each request that raises StoreUnreachable.

    A request raises its last error `retry_seconds` after its first failure. The pauses grow from
    0.2 to 10 s, with random jitter, so that many clients do not retry at the same time.

    Args:
        store: the store that sends the requests.
        retry_seconds: seconds from the first failure of a request until its last attempt.
        sleep: pauses for a number of seconds.
        clock: returns a monotonic time in seconds.
    """

    def __init__(
        self,
        store: Store,
        retry_seconds: float,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(store.address)
        self._store = store
        self._retry_seconds = retry_seconds
        self._sleep = sleep
        self._clock = clock

    def put(self, key: str, content: bytes) -> None:
        self._retry(self._store.put, key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._retry(self._store.put_if_absent, key, content)

    def get(self, key: str) -> bytes:
        return self._retry(self._store.get, key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self._retry(self._store.get_range, key, start, length)

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        return self._retry(self._store.get_with_age, key)

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._list(lambda: self._store.list_objects(prefix), lambda entry: (entry.key,))

    def list_folders(self, prefix: str, start: str = "") -> Iterator[str]:
        return self._list(
            lambda: self._store.list_folders(prefix, start), lambda name: (f"{name}/",)
        )

    def blocked_keys(self, prefix: str) -> Iterator[str]:
        # Short, and of a folder only: begun again after an error, it may repeat a key.
        return iter(self._retry(lambda: list(self._store.blocked_keys(prefix))))

    def delete(self, keys: Iterable[str]) -> None:
        for batch in batches(keys, _DELETE_BATCH):
            self._retry(self._store.delete, batch)

    def upload(self, path: Path, key: str) -> None:
        self._retry(self._store.upload, path, key)

    def move_file(self, path: Path, key: str) -> None:
        self._retry(self._store.move_file, path, key)

    def download(self, key: str, path: Path) -> None:
        self._retry(self._store.download, key, path)

    def unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        return self._list(
            lambda: self._store.unfinished_uploads(prefix),
            lambda upload: (upload.key, upload.id),
        )

    def abort_upload(self, upload: UnfinishedUpload) -> None:
        self._retry(self._store.abort_upload, upload)

    def without_retries(self) -> Store:
        return self._store

    def local_path(self, key: str) -> Path | None:
        return self._store.local_path(key)

    def _retry(self, request: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        backoff = self._backoff()
        while True:
            try:
                return request(*args, **kwargs)
            except StoreUnreachable as error:
                backoff.pause(error)

    def _list(
        self, request: Callable[[], Iterator[Item]], position: Callable[[Item], Position]
    ) -> Iterator[Item]:
        """List items; after an error, list them again, and continue after the last item."""
        seen = _SeenItems()
        backoff = self._backoff()
        while True:
            try:
                for item in request():
                    if seen.is_new(position(item)):
                        backoff.reset()
                        yield item
            except StoreUnreachable as error:
                if not seen.has_order:
                    raise
                backoff.pause(error)
                seen.restart()
            else:
                return

    def _backoff(self) -> "_Backoff":
        return _Backoff(self._retry_seconds, self._sleep, self._clock)


def _by_key(position: Position) -> tuple[str, ...]:
    return position


def _by_folder(position: Position) -> tuple[list[str], ...]:
    return tuple(part.split("/") for part in position)


class _SeenItems:
    """The items of a listing so far, known by the last of them and by the order of the store.

    S3 lists by key. Stores that keep folders, such as SeaweedFS, list each folder whole: `a/b/c`
    before `a/b-1/c`.
    """

    def __init__(self) -> None:
        self._orders: tuple[Callable[[Position], Any], ...] = (_by_key, _by_folder)
        self._previous: Position | None = None
        self._last: Position | None = None
        self._is_resumed = False

    @property
    def has_order(self) -> bool:
        """Whether the items came in a known order, so that a listing can be resumed."""
        return bool(self._orders)

    def restart(self) -> None:
        """The listing begins again."""
        self._previous, self._is_resumed = None, True

    def is_new(self, position: Position) -> bool:
        """Whether the next item of the store's listing was not listed before the restart."""
        previous, self._previous = self._previous, position
        if previous is not None:
            self._orders = tuple(one for one in self._orders if one(previous) <= one(position))
        if self._is_resumed and self._last is not None:
            last = self._last
            if all(order(position) <= order(last) for order in self._orders):
                return False
        self._last = position
        return True


class _Backoff:
    """The pauses between the attempts of one request."""

    def __init__(
        self, retry_seconds: float, sleep: Callable[[float], object], clock: Callable[[], float]
    ) -> None:
        self._retry_seconds = retry_seconds
        self._sleep = sleep
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget earlier failures."""
        self._deadline: float | None = None
        self._pause = _FIRST_PAUSE

    def pause(self, error: StoreUnreachable) -> None:
        """Pause after a failure. Raises the error once `retry_seconds` have passed."""
        now = self._clock()
        if self._deadline is None:
            self._deadline = now + self._retry_seconds
        if now >= self._deadline:
            raise error
        self._sleep(min(self._pause * random.uniform(0.5, 1), self._deadline - now))
        self._pause = min(2 * self._pause, _MAX_PAUSE)
