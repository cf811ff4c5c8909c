"""The merged ledger as Parquet, read back by another library."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.dataset.ledger.parquet import JOB, SCHEMA, merge_ledger, read_done_rows
from jobs.dataset.ledger.rows import LedgerRow
from jobs.records.keys import MAX_NUMBER
from jobs.text.errors import InvalidRecord
from tests.support.ledger_rows import LEDGER_KEYS, encode_rows, ledger_row
from tests.support.memory_store import MemoryStore


def row_values(one: LedgerRow) -> dict[str, object]:
    return one.model_dump(exclude={"version"})


def test_columns_match_the_fields_of_a_row() -> None:
    fields = {name: field for name, field in LedgerRow.model_fields.items() if name != "version"}

    assert SCHEMA.names == list(fields)
    for name, field in fields.items():
        assert SCHEMA.field(name).nullable == (not field.is_required() and field.default is None)


texts = st.text(st.characters(codec="utf-8"), max_size=8)
amounts = st.integers(0, 2**31 - 1)
large = st.integers(0, 10**15)
numbers = st.integers(0, MAX_NUMBER)
full_rows = st.builds(
    LedgerRow,
    number=large,
    key=texts,
    variant=amounts,
    name=texts,
    state=st.sampled_from(["done", "failed"]),
    input=texts,
    output=st.none() | texts,
    bytes=st.none() | large,
    width=st.none() | amounts,
    failure=st.sampled_from(["infra", "memory", "input", "bug"]) | st.none(),
    message=st.none() | texts,
    attempts=amounts,
    seconds=st.floats(0, 1e30),
    seed=st.none() | st.integers(0, 2**63 - 1),
    lease=numbers,
    generation=numbers,
)


@settings(max_examples=40)
@given(st.lists(full_rows, max_size=3, unique_by=lambda one: one.number))
def test_rows_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, some: list[LedgerRow]
) -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.partial(0, 1), encode_rows(*some))
    path = tmp_path_factory.mktemp("ledger") / "ledger.parquet"

    merge_ledger(store, LEDGER_KEYS, [0], path)

    ordered = sorted(some, key=lambda one: one.number)
    assert pq.read_table(path).to_pylist() == [row_values(one) for one in ordered]


def test_each_file_is_a_row_group_and_the_metadata_name_the_job(tmp_path: Path) -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.complete(0, 1), encode_rows(ledger_row(0), ledger_row(1), ledger_row(2)))
    store.put(LEDGER_KEYS.partial(2, 1), encode_rows(ledger_row(4), ledger_row(3)))
    path = tmp_path / "ledger.parquet"

    merge_ledger(store, LEDGER_KEYS, range(3), path)

    with pq.ParquetFile(path) as file:
        about = file.metadata
        assert [about.row_group(n).num_rows for n in range(about.num_row_groups)] == [3, 2]
        assert about.row_group(0).column(0).compression == "ZSTD"
        assert file.schema_arrow.metadata[JOB.encode()] == LEDGER_KEYS.job.encode()
    assert pq.read_table(path)["number"].to_pylist() == [0, 1, 2, 3, 4]


def test_an_empty_ledger_has_all_columns(tmp_path: Path) -> None:
    path = tmp_path / "ledger.parquet"
    merge_ledger(MemoryStore(), LEDGER_KEYS, [], path)

    table = pq.read_table(path)
    assert (table.num_rows, table.column_names) == (0, SCHEMA.names)


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.complete(0, 1), encode_rows(ledger_row(0), ledger_row(1)))
    for name in "ab":
        merge_ledger(store, LEDGER_KEYS, [0], tmp_path / name)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_damaged_row_is_an_error_with_its_line(tmp_path: Path) -> None:
    store = MemoryStore()
    store.put(LEDGER_KEYS.complete(0, 1), b"{}\n")

    with pytest.raises(InvalidRecord, match="line 1"):
        merge_ledger(store, LEDGER_KEYS, [0], tmp_path / "ledger.parquet")


def test_done_rows_are_read_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, path = MemoryStore(), tmp_path / "ledger.parquet"
    rows = [ledger_row(number) for number in range(10)]
    store.put(LEDGER_KEYS.complete(0, 1), encode_rows(*rows))
    merge_ledger(store, LEDGER_KEYS, [0], path)
    sizes: list[int] = []
    whole = pq.ParquetFile.iter_batches

    def iterate(self: pq.ParquetFile, size: int) -> Iterator[pa.RecordBatch]:
        for batch in whole(self, size):
            sizes.append(batch.num_rows)
            yield batch

    monkeypatch.setattr("jobs.dataset.ledger.parquet._ROWS_AT_ONCE", 3)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", iterate)
    found = read_done_rows(path, LEDGER_KEYS.job)
    assert next(found).number == 0
    assert sizes == [3]
    assert [row.number for row in found] == list(range(1, 10))
    assert sizes == [3, 3, 3, 1]


def test_a_ledger_of_another_job_has_no_rows_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    store, path = MemoryStore(), tmp_path / "ledger.parquet"
    store.put(LEDGER_KEYS.complete(0, 1), encode_rows(ledger_row(0)))
    merge_ledger(store, LEDGER_KEYS, [0], path)
    assert list(read_done_rows(path, "other-0123456789ab")) == []
    assert list(read_done_rows(tmp_path / "gone", LEDGER_KEYS.job)) == []
    path.write_bytes(b"PAR1")
    with pytest.raises(InvalidRecord, match="is damaged"):
        list(read_done_rows(path, LEDGER_KEYS.job))
