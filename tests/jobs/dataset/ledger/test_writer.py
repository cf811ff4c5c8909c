"""Writing a ledger file under a lease, also after other holders have died."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.ledger.reader import complete_files, read_file_rows, read_rows
from jobs.dataset.ledger.writer import LedgerFile
from jobs.store.address import open_store
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord
from tests.support.ledger_rows import LEDGER_KEYS, encode_rows, ledger_row
from tests.support.memory_store import Died, MemoryStore, MortalStore

ITEMS = range(10, 14)


def ledger_file(store: Store, lease: int) -> LedgerFile:
    return LedgerFile(store, LEDGER_KEYS, 0, lease, ITEMS)


def full_file(store: Store, lease: int, *, generation: int = 0) -> LedgerFile:
    """A ledger file with a row for every item."""
    full = ledger_file(store, lease)
    for number in ITEMS:
        full.add(ledger_row(number, lease=lease, generation=generation))
    return full


def test_rows_are_in_order_and_the_other_items_are_missing() -> None:
    mine = ledger_file(MemoryStore(), 1)
    mine.add(ledger_row(12))
    mine.add(ledger_row(10))

    assert [one.number for one in mine.rows] == [10, 12]
    assert mine.missing == [11, 13]


def test_a_later_row_replaces_an_earlier_one() -> None:
    mine = ledger_file(MemoryStore(), 1)
    mine.add(ledger_row(10, state="failed", failure="infra"))
    mine.add(ledger_row(10, attempts=2))

    assert mine.rows == [ledger_row(10, attempts=2)]


def test_a_row_of_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="item 14 is not in item file 0"):
        ledger_file(MemoryStore(), 1).add(ledger_row(14))


def test_a_stored_row_of_another_file_is_an_error() -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(10), ledger_row(3)))

    with pytest.raises(InvalidRecord, match="ledger/000000/: item 3 is not in this file"):
        ledger_file(store, 2).take_over()


def test_flush_without_new_rows_writes_nothing() -> None:
    store = MemoryStore()
    mine = ledger_file(store, 1)
    mine.flush()
    assert not store.objects

    mine.add(ledger_row(10))
    mine.flush()
    store.now += 1
    mine.flush()
    assert store.get_with_age(LEDGER_KEYS.partial(0, 1))[1] == 1


def test_a_successor_continues_with_the_flushed_rows() -> None:
    store = MemoryStore()
    first = ledger_file(store, 1)
    first.add(ledger_row(11))
    first.flush()
    first.add(ledger_row(12))

    second = ledger_file(store, 2)
    second.take_over()

    assert second.rows == [ledger_row(11)]
    assert second.missing == [10, 12, 13]


def test_a_complete_copy_has_each_item_once_and_replaces_older_copies() -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(ledger_row(13), ledger_row(11)))
    second = ledger_file(store, 2)
    second.take_over()
    for number in (12, 10):
        second.add(ledger_row(number, lease=2))
    second.flush()
    second.complete()

    expected = (ledger_row(10, lease=2), ledger_row(11), ledger_row(12, lease=2), ledger_row(13))
    assert {key: content for key, (content, _) in store.objects.items()} == {
        LEDGER_KEYS.complete(0, 2): encode_rows(*expected)
    }


def test_the_complete_copy_of_a_retry_replaces_the_earlier_one() -> None:
    store = MemoryStore()
    full_file(store, 1).complete()
    retry = ledger_file(store, 2)
    retry.take_over()
    retry.add(ledger_row(11, lease=2, generation=1))
    retry.flush()
    assert read_file_rows(store, LEDGER_KEYS, 0)[11].generation == 1
    retry.complete()

    assert list(store.objects) == [LEDGER_KEYS.complete(0, 2)]
    assert read_file_rows(store, LEDGER_KEYS, 0)[11].generation == 1


def test_an_item_without_a_row_prevents_completion() -> None:
    store = MemoryStore()
    mine = ledger_file(store, 1)
    mine.add(ledger_row(10))

    with pytest.raises(ValueError, match="item file 0: 3 items have no row"):
        mine.complete()
    assert not store.objects


def test_a_late_holder_does_not_change_the_rows_of_its_successor() -> None:
    store = MemoryStore()
    full_file(store, 3, generation=1).flush()
    before = read_file_rows(store, LEDGER_KEYS, 0)
    late = full_file(store, 2)
    late.flush()
    late.complete()

    assert LEDGER_KEYS.partial(0, 3) in store.objects
    assert read_file_rows(store, LEDGER_KEYS, 0) == before


def test_other_files_and_unknown_objects_stay() -> None:
    store = MemoryStore()
    others = [LEDGER_KEYS.partial(1, 1), f"{LEDGER_KEYS.file_prefix(0)}notes.txt"]
    for key in others:
        store.put(key, b"")
    full_file(store, 2).complete()

    assert set(store.objects) == {LEDGER_KEYS.complete(0, 2), *others}


def test_a_ledger_in_a_folder_store(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    first = ledger_file(store, 1)
    first.add(ledger_row(11))
    first.flush()
    second = ledger_file(store, 2)
    second.take_over()
    for number in second.missing:
        second.add(ledger_row(number, lease=2))
    second.complete()
    full_file(store, 1).flush()

    assert [entry.key for entry in store.list_objects(LEDGER_KEYS.prefix)] == [
        LEDGER_KEYS.partial(0, 1),
        LEDGER_KEYS.complete(0, 2),
    ]
    assert [
        one.lease for one in read_rows(store, LEDGER_KEYS, complete_files(store, LEDGER_KEYS))
    ] == [
        2,
        1,
        2,
        2,
    ]


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=6))
def test_each_item_has_one_row_after_holders_died_before_any_write(
    deaths: list[tuple[int, bool]],
) -> None:
    store = MortalStore()
    for lease, (writes, is_eager) in enumerate([*deaths, (-1, True)], start=1):
        store.writes_left = writes if writes >= 0 else None
        try:
            work(store, lease, is_eager=is_eager)
        except Died:
            kept = read_file_rows(store, LEDGER_KEYS, 0)
            assert kept.keys() <= set(ITEMS)

    assert sorted(read_file_rows(store, LEDGER_KEYS, 0)) == list(ITEMS)
    assert list(complete_files(store, LEDGER_KEYS)) == [0]
    assert len(store.objects) == 1


def work(store: MortalStore, lease: int, *, is_eager: bool) -> None:
    """Do a holder's work. is_eager: write after each item instead of at the end."""
    mine = ledger_file(store, lease)
    mine.take_over()
    for number in mine.missing:
        mine.add(ledger_row(number, lease=lease))
        if is_eager:
            mine.flush()
    mine.complete()
