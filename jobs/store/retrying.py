"""A store that waits for another one that does not answer."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from jobs.store.errors import StoreUnreachable
from jobs.store.store import Entry, Store, Unfinished, batches

Answer = TypeVar("Answer")

Asked = ParamSpec("Asked")

Item = TypeVar("Item")


_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0

_DELETED_AT_ONCE = 1000


class Patient(Store):
    """The same store, each of whose requests is repeated while the store cannot be reached.

    A request gives up, with its last error, `patience` seconds after it first failed. The pauses
    grow from 0.2 to 10 s, shortened at random so that many who wait do not come back at once.
    """

    def __init__(
        self,
        store: Store,
        patience: float,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(store.address)
        self._store = store
        self._patience = patience
        self._sleep = sleep
        self._clock = clock

    def put(self, key: str, content: bytes) -> None:
        self._repeated(self._store.put, key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._repeated(self._store.put_if_absent, key, content)

    def get(self, key: str) -> bytes:
        return self._repeated(self._store.get, key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self._repeated(self._store.get_range, key, start, length)

    def aged(self, key: str) -> tuple[bytes, float]:
        return self._repeated(self._store.aged, key)

    def entries(self, prefix: str) -> Iterator[Entry]:
        return self._stream(lambda: self._store.entries(prefix), lambda entry: (entry.key,))

    def folders(self, prefix: str) -> Iterator[str]:
        return self._stream(lambda: self._store.folders(prefix), lambda name: (f"{name}/",))

    def delete(self, keys: Iterable[str]) -> None:
        for batch in batches(keys, _DELETED_AT_ONCE):
            self._repeated(self._store.delete, batch)

    def upload(self, path: Path, key: str) -> None:
        self._repeated(self._store.upload, path, key)

    def give(self, path: Path, key: str) -> None:
        self._repeated(self._store.give, path, key)

    def download(self, key: str, path: Path) -> None:
        self._repeated(self._store.download, key, path)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        return self._stream(
            lambda: self._store.unfinished(prefix), lambda upload: (upload.key, upload.upload)
        )

    def abort(self, upload: Unfinished) -> None:
        self._repeated(self._store.abort, upload)

    def impatient(self) -> Store:
        return self._store

    def local(self, key: str) -> Path | None:
        return self._store.local(key)

    def _repeated(
        self, ask: Callable[Asked, Answer], *args: Asked.args, **kwargs: Asked.kwargs
    ) -> Answer:
        wait = self._wait()
        while True:
            try:
                return ask(*args, **kwargs)
            except StoreUnreachable as error:
                wait.after(error)

    def _stream(
        self, ask: Callable[[], Iterator[Item]], place: Callable[[Item], tuple[str, ...]]
    ) -> Iterator[Item]:
        """A listing that starts again where it breaks off, and goes on behind what it has shown."""
        shown: tuple[str, ...] = ()
        wait = self._wait()
        while True:
            try:
                for item in ask():
                    if place(item) > shown:
                        shown = place(item)
                        wait.progress()
                        yield item
            except StoreUnreachable as error:
                wait.after(error)
            else:
                return

    def _wait(self) -> "_Wait":
        return _Wait(self._patience, self._sleep, self._clock)


class _Wait:
    """The pauses of one request."""

    def __init__(
        self, patience: float, sleep: Callable[[float], object], clock: Callable[[], float]
    ) -> None:
        self._patience = patience
        self._sleep = sleep
        self._clock = clock
        self.progress()

    def progress(self) -> None:
        """The next failure is the first again."""
        self._deadline: float | None = None
        self._pause = _FIRST_PAUSE

    def after(self, error: StoreUnreachable) -> None:
        """Pause. Raises the error where patience is at its end."""
        now = self._clock()
        if self._deadline is None:
            self._deadline = now + self._patience
        if now >= self._deadline:
            raise error
        self._sleep(min(self._pause * random.uniform(0.5, 1), self._deadline - now))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
