"""Many objects brought into a folder, whole each, and only those that are not there."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jobs.store.errors import Missing, StoreRefused
from jobs.store.store import Store

_AT_ONCE = 16


_LARGE = 32 << 20
"""Bytes from which on a store brings an object in parallel parts by itself. Such are fetched one
after the other in the caller's thread, which Ctrl-C interrupts."""


@dataclass(frozen=True)
class Piece:
    """An object, its bytes, and its file's path in the folder."""

    key: str
    size: int
    path: str

    def is_in(self, folder: Path) -> bool:
        """Whether it has been brought: what is there is whole."""
        path = folder / self.path
        return path.is_file() and path.stat().st_size == self.size


def download(store: Store, waiting: Iterable[Piece], folder: Path) -> None:
    """Bring pieces into a folder. Raises StoreRefused for one that is gone."""
    wanted = list(waiting)
    for parent in sorted({(folder / piece.path).parent for piece in wanted}):
        parent.mkdir(parents=True, exist_ok=True)

    def bring(piece: Piece) -> None:
        try:
            store.download(piece.key, folder / piece.path)
        except Missing as gone:
            raise missing(store, piece.key) from gone

    for piece in (one for one in wanted if one.size >= _LARGE):
        bring(piece)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # Who leaves the loop by an error leaves behind what has not been begun.
        for _ in pool.map(bring, (one for one in wanted if one.size < _LARGE)):
            pass


def missing(store: Store, key: str) -> StoreRefused:
    """The error for an object that should be in the store."""
    return StoreRefused(f"{key}: is not in {store.address} any more; has the job been deleted?")
