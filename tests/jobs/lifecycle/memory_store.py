"""A store in memory whose clock stands still until it is moved, for exact tests of time."""

import threading
from collections.abc import Iterable, Iterator
from copy import copy
from pathlib import Path
from typing import Self

from jobs.store.errors import Missing
from jobs.store.store import Entry, Store, Unfinished, check_small


class MemoryStore(Store):
    """Move its time by `now`."""

    def __init__(self) -> None:
        super().__init__("memory")
        self.now = 1000.0
        self.objects: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def copied(self) -> Self:
        """Another store that goes on from here."""
        other = copy(self)
        other.objects = dict(self.objects)
        return other

    def put(self, key: str, content: bytes) -> None:
        with self._lock:
            self.objects[key] = content, self.now

    def put_if_absent(self, key: str, content: bytes) -> bool:
        with self._lock:
            if key in self.objects:
                return False
            self.objects[key] = content, self.now
            return True

    def get(self, key: str) -> bytes:
        return self.aged(key)[0]

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with self._lock:
            if key not in self.objects:
                raise Missing(key)
            return self.objects[key][0][start : start + length]

    def aged(self, key: str) -> tuple[bytes, float]:
        with self._lock:
            if key not in self.objects:
                raise Missing(key)
            content, written = self.objects[key]
        check_small(key, len(content))
        return content, self.now - written

    def entries(self, prefix: str) -> Iterator[Entry]:
        with self._lock:
            found = sorted((k, v) for k, v in self.objects.items() if k.startswith(prefix))
        for key, (content, written) in found:
            yield Entry(key, len(content), written)

    def folders(self, prefix: str) -> Iterator[str]:
        rests = (entry.key.removeprefix(prefix) for entry in self.entries(prefix))
        yield from dict.fromkeys(rest.partition("/")[0] for rest in rests if "/" in rest)

    def delete(self, keys: Iterable[str]) -> None:
        # They may come from a listing of this very store.
        gone = list(keys)
        with self._lock:
            for key in gone:
                self.objects.pop(key, None)

    def upload(self, path: Path, key: str) -> None:
        self.put(key, path.read_bytes())

    def download(self, key: str, path: Path) -> None:
        with self._lock:
            if key not in self.objects:
                raise Missing(key)
            content, _ = self.objects[key]
        path.write_bytes(content)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        return iter(())

    def abort(self, upload: Unfinished) -> None:
        raise NotImplementedError


class ForgetfulStore(MemoryStore):
    """Loses its first answer to every condition, so that the request is sent again."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        super().put_if_absent(key, content)
        return super().put_if_absent(key, content)


class Died(Exception):  # noqa: N818 - it is no error here
    """Where a process was ended."""


class MortalStore(MemoryStore):
    """Whoever uses it dies just before a write, after so many of them; None: nobody does."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left: int | None = None

    def put(self, key: str, content: bytes) -> None:
        self._spend()
        super().put(key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._spend()
        return super().put_if_absent(key, content)

    def _spend(self) -> None:
        if self.writes_left == 0:
            raise Died
        if self.writes_left is not None:
            self.writes_left -= 1
