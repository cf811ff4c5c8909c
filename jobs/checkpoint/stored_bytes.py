"""Tiles that lie in a store, read by range, and from this machine where they were made here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jobs.store.store import Store

Opener = Callable[[], Store]
"""Gives a process its connection to a store; travels to workers, which a connection cannot."""


@dataclass(frozen=True)
class StoredBytes:
    """An object, and the file that it was made from, which only the machine that made it has."""

    opener: Opener
    key: str
    near: Path

    def read(self, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start` on. Raises Missing, StoreError."""
        store = self.opener()
        try:
            with (store.local(self.key) or self.near).open("rb") as file:
                file.seek(start)
                return file.read(length)
        except FileNotFoundError:
            return store.get_range(self.key, start, length)
