"""Which rows count, out of whatever copies holders have left."""

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
def test_the_highest_lease_s_row_counts_then_the_highest_generation_s(
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


def test_who_made_a_row_matters_less_than_who_wrote_it_down_last() -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.partial(0, 3), encode_rows(ledger_row(1, lease=1, message="taken over")))
    store.put(LEDGER_KEYS.partial(0, 2), encode_rows(ledger_row(1, lease=2, message="late")))

    assert read_file_rows(store, LEDGER_KEYS, 0)[1].message == "taken over"


def test_rows_come_in_order_each_once_of_the_pages_asked_for() -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(2), ledger_row(0)))
    store.put(LEDGER_KEYS.partial(0, 2), encode_rows(ledger_row(0), ledger_row(1)))
    store.put(LEDGER_KEYS.complete(1, 1), encode_rows(ledger_row(3), ledger_row(4)))
    store.put(LEDGER_KEYS.complete(2, 1), encode_rows(ledger_row(5)))

    assert [one.number for one in read_rows(store, LEDGER_KEYS, [0, 1])] == [0, 1, 2, 3, 4]


def test_one_page_is_read_at_a_time() -> None:
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
def test_a_damaged_line_is_named(line: bytes) -> None:
    store = MemoryStore()
    store.put(
        LEDGER_KEYS.partial(0, 1), ledger_row(0).encode() + line + b"\n" + ledger_row(2).encode()
    )

    with pytest.raises(InvalidRecord, match=r"ledger/000000/000001\.jsonl, line 2: "):
        read_file_rows(store, LEDGER_KEYS, 0)


def test_what_else_lies_among_the_copies_is_left_alone() -> None:
    store = MemoryStore()
    store.put(f"{LEDGER_KEYS.file_prefix(0)}notes.txt", b"not a row")
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(0)))

    assert list(read_file_rows(store, LEDGER_KEYS, 0)) == [0]


class Finishing(MemoryStore):
    """A holder completes the page just after the reader's first listing."""

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        listed = list(super().list_objects(prefix))
        if self.objects.pop(LEDGER_KEYS.partial(0, 1), None):
            self.put(LEDGER_KEYS.complete(0, 1), encode_rows(ledger_row(0), ledger_row(1)))
        return iter(listed)


def test_a_copy_that_goes_while_it_is_read_has_a_successor() -> None:
    store = Finishing()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(0)))

    assert list(read_file_rows(store, LEDGER_KEYS, 0)) == [0, 1]


class Lying(MemoryStore):
    """Lists what is not there."""

    def get(self, key: str) -> bytes:
        raise ObjectNotFound(key)


def test_a_store_that_goes_on_listing_what_is_not_there_ends_the_search() -> None:
    store = Lying()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(0)))

    with pytest.raises(ObjectNotFound):
        read_file_rows(store, LEDGER_KEYS, 0)


class Counting(MemoryStore):
    """Counts its listings."""

    listings = 0

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        self.listings += 1
        return super().list_objects(prefix)


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_complete_pages_are_found_in_one_listing_each_once(
    complete: set[int], begun: set[int]
) -> None:
    store = Counting()
    for n in complete:
        store.put(LEDGER_KEYS.complete(n, 1), b"")
        store.put(LEDGER_KEYS.complete(n, 3), b"")
    for n in begun:
        store.put(LEDGER_KEYS.partial(n, 2), b"")

    assert list(complete_files(store, LEDGER_KEYS)) == sorted(complete)
    assert store.listings == 1


@pytest.mark.parametrize(
    ("complete", "partial", "pages"), [(1, 2, []), (2, 1, [0]), (2, 2, [0]), (9, 10, [])]
)
def test_a_page_that_a_later_holder_writes_again_is_complete_no_more(
    complete: int, partial: int, pages: list[int]
) -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.complete(0, complete), encode_rows(ledger_row(0), ledger_row(1)))
    store.put(LEDGER_KEYS.partial(0, partial), encode_rows(ledger_row(0)))

    assert list(complete_files(store, LEDGER_KEYS)) == pages


def test_a_row_reads_back_whatever_is_in_it() -> None:
    store = MemoryStore()
    strange: LedgerRow = ledger_row(
        0, key="a\u2028b\x85c\r/日本.jpg", message="line\u2028separator\x0c"
    )
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(strange, ledger_row(1)))

    assert read_file_rows(store, LEDGER_KEYS, 0)[0] == strange
