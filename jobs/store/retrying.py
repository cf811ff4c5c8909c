"""A store that retries requests while the underlying store cannot be reached."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from jobs.store.errors import StoreUnreachable
from jobs.store.store import ObjectInfo, Store, UnfinishedUpload, batches

T = TypeVar("T")

P = ParamSpec("P")

Item = TypeVar("Item")


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

    def list_folders(self, prefix: str) -> Iterator[str]:
        return self._list(lambda: self._store.list_folders(prefix), lambda name: (f"{name}/",))

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
        self, request: Callable[[], Iterator[Item]], position: Callable[[Item], tuple[str, ...]]
    ) -> Iterator[Item]:
        """List items; after an error, list them again, and continue after the last item."""
        last: tuple[str, ...] = ()
        backoff = self._backoff()
        while True:
            try:
                for item in request():
                    if position(item) > last:
                        last = position(item)
                        backoff.reset()
                        yield item
            except StoreUnreachable as error:
                backoff.pause(error)
            else:
                return

    def _backoff(self) -> "_Backoff":
        return _Backoff(self._retry_seconds, self._sleep, self._clock)


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
