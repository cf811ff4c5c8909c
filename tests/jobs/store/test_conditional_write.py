"""The check for conditional writes detects stores that must not be shared."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.store.conditional_write import check_conditional_writes
from jobs.store.errors import StoreRefused
from jobs.store.folder import FolderStore

Claim = Callable[[FolderStore, str, bytes], bool]


class BrokenStore(FolderStore):
    """A folder store with another put_if_absent, which gets the number of earlier calls."""

    def __init__(self, root: Path, claim: Callable[["BrokenStore", int, str, bytes], bool]) -> None:
        super().__init__(root)
        self._claim = claim
        self._lock = threading.Lock()
        self._calls = 0

    def put_if_absent(self, key: str, content: bytes) -> bool:
        with self._lock:
            self._calls += 1
            return self._claim(self, self._calls - 1, key, content)


def every_writer_wins(store: BrokenStore, calls: int, key: str, content: bytes) -> bool:
    store.put(key, content)
    return True


def every_writer_writes(store: BrokenStore, calls: int, key: str, content: bytes) -> bool:
    store.put(key, content)
    return calls == 0


def later_writers_win(store: BrokenStore, calls: int, key: str, content: bytes) -> bool:
    if calls < 8:
        return FolderStore.put_if_absent(store, key, content)
    store.put(key, content)
    return True


def later_writers_write(store: BrokenStore, calls: int, key: str, content: bytes) -> bool:
    return later_writers_win(store, calls, key, content) and calls < 8


def no_writer_wins(store: BrokenStore, calls: int, key: str, content: bytes) -> bool:
    return False


@pytest.mark.parametrize(
    ("claim", "failure"),
    [
        (every_writer_wins, "8 of 8 simultaneous writers won"),
        (every_writer_writes, "a simultaneous writer lost, but wrote anyway"),
        (later_writers_win, "a later writer won too"),
        (later_writers_write, "a later writer was refused, but wrote anyway"),
        (no_writer_wins, "no simultaneous writer wrote anything"),
    ],
)
def test_store_without_conditional_writes_is_refused(
    tmp_path: Path, claim: Callable[[BrokenStore, int, str, bytes], bool], failure: str
) -> None:
    store = BrokenStore(tmp_path, claim)
    with pytest.raises(StoreRefused, match="cannot be shared") as caught:
        check_conditional_writes(store)
    assert failure in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert list(store.list_objects("")) == []


def test_lost_answers_are_not_a_failure(tmp_path: Path) -> None:
    """If the answer to the winner is lost, its request is sent again, and refused."""

    def lost(store: BrokenStore, calls: int, key: str, content: bytes) -> bool:
        FolderStore.put_if_absent(store, key, content)
        return False

    check_conditional_writes(BrokenStore(tmp_path, lost))
