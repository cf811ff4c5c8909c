"""A store in memory that counts its requests."""

from collections import Counter
from collections.abc import Iterator

from jobs.store.errors import StoreUnreachable
from jobs.store.store import ObjectInfo
from tests.support.memory_store import MemoryStore


class CountingStore(MemoryStore):
    """Counts listings by their prefix, and all reads. is_down: it answers nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.listings: Counter[str] = Counter()
        self.reads: Counter[str] = Counter()
        self.is_down = False

    def forget(self) -> None:
        """Count from 0 again."""
        self.listings.clear()
        self.reads.clear()

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        self._check()
        self.reads[key] += 1
        return super().get_with_age(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self._check()
        self.reads[key] += 1
        content = super().get_range(key, start, length)
        if len(content) != length:
            raise ValueError(f"{key} is shorter than the requested range")
        return content

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        self._check()
        self.listings[prefix] += 1
        return super().list_objects(prefix)

    def list_folders(self, prefix: str, start: str = "") -> Iterator[str]:
        self._check()
        self.listings[prefix] += 1
        rests = (key.removeprefix(prefix) for key in sorted(self.objects) if key.startswith(prefix))
        names = dict.fromkeys(rest.partition("/")[0] for rest in rests if "/" in rest)
        return (name for name in names if name.startswith(start))

    def _check(self) -> None:
        if self.is_down:
            raise StoreUnreachable("memory: does not answer")
