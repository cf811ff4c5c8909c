"""Reading the rows that count from the copies of several leases."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.ledger.reader import complete_files, read_file_rows, read_rows
from jobs.dataset.ledger.rows import LedgerRow
from jobs.store.errors import ObjectNotFound
from jobs.store.store import ObjectInfo
from jobs.text.errors import InvalidRecord
from tests.support.ledger_rows import LEDGER_KEYS, encode_rows, ledger_row
from tests.support.memory_store import MemoryStore

ITEMS = range(4)
generations = st.integers(0, 2)
partial_copies = st.dictionaries(
    st.integers(1, 4), st.dictionaries(st.sampled_from(ITEMS), generations)
)
complete_copies = st.dictionaries(
    st.integers(1, 4), st.fixed_dictionaries(dict.fromkeys(ITEMS, generations)), max_size=2
)


@given(partial_copies, complete_copies)
def test_the_highest_lease_wins_then_the_highest_generation(
    partial: dict[int, dict[int, int]], complete: dict[int, dict[int, int]]
) -> None:
    store = MemoryStore()
    ranks: dict[int, set[tuple[int, int]]] = {}
    for key_of, copies in ((LEDGER_KEYS.partial, partial), (LEDGER_KEYS.complete, complete)):
        for lease, held in copies.items():
            found = [
                ledger_row(item, generation=age, message=str(lease)) for item, age in held.items()
            ]
            store.put(key_of(0, lease), encode_rows(*found))
            for item, age in held.items():
                ranks.setdefault(item, set()).add((lease, age))

    counting = read_file_rows(store, LEDGER_KEYS, 0)

    assert counting.keys() == ranks.keys()
    for item, one in counting.items():
        assert (int(one.message or 0), one.generation) == max(ranks[item])


def test_the_lease_of_the_copy_wins_over_the_lease_in_the_row() -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.partial(0, 3), encode_rows(ledger_row(1, lease=1, message="taken over")))
    store.put(LEDGER_KEYS.partial(0, 2), encode_rows(ledger_row(1, lease=2, message="late")))

    assert read_file_rows(store, LEDGER_KEYS, 0)[1].message == "taken over"


def test_rows_of_the_given_files_are_in_order_without_duplicates() -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(2), ledger_row(0)))
    store.put(LEDGER_KEYS.partial(0, 2), encode_rows(ledger_row(0), ledger_row(1)))
    store.put(LEDGER_KEYS.complete(1, 1), encode_rows(ledger_row(3), ledger_row(4)))
    store.put(LEDGER_KEYS.complete(2, 1), encode_rows(ledger_row(5)))

    assert [one.number for one in read_rows(store, LEDGER_KEYS, [0, 1])] == [0, 1, 2, 3, 4]


def test_one_file_is_read_at_a_time() -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.complete(0, 1), encode_rows(ledger_row(0)))
    store.put(LEDGER_KEYS.complete(1, 1), b"damaged")
    found = read_rows(store, LEDGER_KEYS, [0, 1])

    assert next(found).number == 0
    with pytest.raises(InvalidRecord):
        next(found)


@pytest.mark.parametrize(
    "line", [b"{}", b"\xff", b'{"number": 1', b"", ledger_row(1).encode()[:-9]]
)
def test_a_damaged_line_is_an_error_with_its_number(line: bytes) -> None:
    store = MemoryStore()
    store.put(
        LEDGER_KEYS.partial(0, 1), ledger_row(0).encode() + line + b"\n" + ledger_row(2).encode()
    )

    with pytest.raises(InvalidRecord, match=r"ledger/000000/000001\.jsonl, line 2: "):
        read_file_rows(store, LEDGER_KEYS, 0)


def test_unknown_objects_among_the_copies_are_ignored() -> None:
    store = MemoryStore()
    store.put(f"{LEDGER_KEYS.file_prefix(0)}notes.txt", b"not a row")
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(0)))

    assert list(read_file_rows(store, LEDGER_KEYS, 0)) == [0]


class CompletingStore(MemoryStore):
    """Replaces the partial copy by the complete one after the first listing."""

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        listed = list(super().list_objects(prefix))
        if self.objects.pop(LEDGER_KEYS.partial(0, 1), None):
            self.put(LEDGER_KEYS.complete(0, 1), encode_rows(ledger_row(0), ledger_row(1)))
        return iter(listed)


def test_a_copy_deleted_during_a_read_is_found_in_its_replacement() -> None:
    store = CompletingStore()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(0)))

    assert list(read_file_rows(store, LEDGER_KEYS, 0)) == [0, 1]


class StaleListingStore(MemoryStore):
    """Lists objects that do not exist."""

    def get(self, key: str) -> bytes:
        raise ObjectNotFound(key)


def test_a_read_ends_if_listed_objects_stay_missing() -> None:
    store = StaleListingStore()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(0)))

    with pytest.raises(ObjectNotFound):
        read_file_rows(store, LEDGER_KEYS, 0)


class CountingStore(MemoryStore):
    """Counts its listings."""

    listings = 0

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        self.listings += 1
        return super().list_objects(prefix)


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_complete_files_are_found_with_one_listing(complete: set[int], begun: set[int]) -> None:
    store = CountingStore()
    for n in complete:
        store.put(LEDGER_KEYS.complete(n, 1), b"")
        store.put(LEDGER_KEYS.complete(n, 3), b"")
    for n in begun:
        store.put(LEDGER_KEYS.partial(n, 2), b"")

    assert list(complete_files(store, LEDGER_KEYS)) == sorted(complete)
    assert store.listings == 1


@pytest.mark.parametrize(
    ("complete", "partial", "files"), [(1, 2, []), (2, 1, [0]), (2, 2, [0]), (9, 10, [])]
)
def test_a_file_written_again_by_a_later_lease_is_not_complete(
    complete: int, partial: int, files: list[int]
) -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.complete(0, complete), encode_rows(ledger_row(0), ledger_row(1)))
    store.put(LEDGER_KEYS.partial(0, partial), encode_rows(ledger_row(0)))

    assert list(complete_files(store, LEDGER_KEYS)) == files


def test_a_row_with_special_characters_reads_back() -> None:
    store = MemoryStore()
    special: LedgerRow = ledger_row(
        0, key="a\u2028b\x85c\r/日本.jpg", message="line\u2028separator\x0c"
    )
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(special, ledger_row(1)))

    assert read_file_rows(store, LEDGER_KEYS, 0)[0] == special
