"""The probe for conditional writes finds the stores that must not be shared."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.store.conditional_write import check_conditional_writes
from jobs.store.errors import StoreRefused
from jobs.store.folder import FolderStore

Claim = Callable[[FolderStore, str, bytes], bool]


class Careless(FolderStore):
    """A folder with a put_if_absent of its own, given the count of calls before this one."""

    def __init__(self, root: Path, claim: Callable[["Careless", int, str, bytes], bool]) -> None:
        super().__init__(root)
        self._claim = claim
        self._lock = threading.Lock()
        self._calls = 0

    def put_if_absent(self, key: str, content: bytes) -> bool:
        with self._lock:
            self._calls += 1
            return self._claim(self, self._calls - 1, key, content)


def always(store: Careless, calls: int, key: str, content: bytes) -> bool:
    store.put(key, content)
    return True


def at_first_only(store: Careless, calls: int, key: str, content: bytes) -> bool:
    store.put(key, content)
    return calls == 0


def afterwards(store: Careless, calls: int, key: str, content: bytes) -> bool:
    if calls < 8:
        return FolderStore.put_if_absent(store, key, content)
    store.put(key, content)
    return True


def afterwards_in_silence(store: Careless, calls: int, key: str, content: bytes) -> bool:
    return afterwards(store, calls, key, content) and calls < 8


def never(store: Careless, calls: int, key: str, content: bytes) -> bool:
    return False


@pytest.mark.parametrize(
    ("claim", "failure"),
    [
        (always, "8 of 8 simultaneous writers won"),
        (at_first_only, "a simultaneous writer lost, but wrote anyway"),
        (afterwards, "a later writer won too"),
        (afterwards_in_silence, "a later writer was refused, but wrote anyway"),
        (never, "no simultaneous writer wrote anything"),
    ],
)
def test_store_without_conditional_writes_is_refused(
    tmp_path: Path, claim: Callable[[Careless, int, str, bytes], bool], failure: str
) -> None:
    store = Careless(tmp_path, claim)
    with pytest.raises(StoreRefused, match="cannot be shared") as caught:
        check_conditional_writes(store)
    assert failure in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}: ")
    assert list(store.list_objects("")) == []


def test_lost_answers_are_not_a_failure(tmp_path: Path) -> None:
    """Where the answer to the winner is lost, its request is sent again, and refused."""

    def lost(store: Careless, calls: int, key: str, content: bytes) -> bool:
        FolderStore.put_if_absent(store, key, content)
        return False

    check_conditional_writes(Careless(tmp_path, lost))
