"""Stores in memory whose clock the test moves; some of them fail on purpose."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import copy
from pathlib import Path
from typing import Self

from jobs.store.errors import ObjectNotFound
from jobs.store.store import ObjectInfo, Store, UnfinishedUpload, check_read_size


class MemoryStore(Store):
    """A store in memory; set `now` to move its clock."""

    def __init__(self) -> None:
        super().__init__("memory")
        self.now = 1000.0
        self.objects: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def copied(self) -> Self:
        """A copy of the store as it is now."""
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
        return self.get_with_age(key)[0]

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with self._lock:
            if key not in self.objects:
                raise ObjectNotFound(key)
            return self.objects[key][0][start : start + length]

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        with self._lock:
            if key not in self.objects:
                raise ObjectNotFound(key)
            content, written = self.objects[key]
        check_read_size(key, len(content))
        return content, self.now - written

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._lock:
            found = sorted((k, v) for k, v in self.objects.items() if k.startswith(prefix))
        for key, (content, written) in found:
            yield ObjectInfo(key, len(content), written)

    def list_folders(self, prefix: str, start: str = "") -> Iterator[str]:
        rests = (entry.key.removeprefix(prefix) for entry in self.list_objects(prefix))
        names = dict.fromkeys(rest.partition("/")[0] for rest in rests if "/" in rest)
        yield from (name for name in names if name.startswith(start))

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
                raise ObjectNotFound(key)
            content, _ = self.objects[key]
        path.write_bytes(content)

    def unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        return iter(())

    def abort_upload(self, upload: UnfinishedUpload) -> None:
        raise NotImplementedError


class ForgetfulStore(MemoryStore):
    """Loses the first answer to each conditional write, as if the client had sent it again."""

    def put_if_absent(self, key: str, content: bytes) -> bool:
        super().put_if_absent(key, content)
        return super().put_if_absent(key, content)


class Died(Exception):  # noqa: N818 - it is no error here
    """Stands for the end of a process."""


class MortalStore(MemoryStore):
    """Raises `Died` before a write, after `writes_left` of them; None: never."""

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


class SleepyStore(MemoryStore):
    """One holder's view of a store. The holder sleeps before one write, named `key#number`."""

    def __init__(self, shared: MemoryStore, sleeps_before: str | None) -> None:
        super().__init__()
        self.objects, self.shared = shared.objects, shared
        self._sleeps_before = sleeps_before
        self._count: Counter[str] = Counter()
        self.writes: list[str] = []
        self.is_asleep, self.may_wake = threading.Event(), threading.Event()

    def put(self, key: str, content: bytes) -> None:
        self._before(key)
        self.shared.put(key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._before(key)
        return self.shared.put_if_absent(key, content)

    def delete(self, keys: Iterable[str]) -> None:
        listed = list(keys)
        if listed:
            self._before(f"delete {listed[0]}")
            self.shared.delete(listed)

    def _before(self, what: str) -> None:
        # How often the keeper writes is a matter of time; its renewals have tests of their own.
        if threading.current_thread().name == "lease renewer":
            return
        self._count[what] += 1
        self.writes.append(f"{what}#{self._count[what]}")
        if self.writes[-1] == self._sleeps_before:
            self.is_asleep.set()
            self.may_wake.wait()


def wait_until_asleep(sleeper: SleepyStore, thread: threading.Thread) -> bool:
    """Whether the holder falls asleep before its thread ends."""
    while thread.is_alive():
        if sleeper.is_asleep.wait(0.1):
            return True
    return sleeper.is_asleep.is_set()
