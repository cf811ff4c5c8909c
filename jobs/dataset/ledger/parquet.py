"""The whole ledger as one Parquet file, for analysis with other tools."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetFile, ParquetWriter
from pydantic import ValidationError

from jobs.dataset.ledger.reader import LedgerKeys, read_rows
from jobs.dataset.ledger.rows import LedgerRow
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord

JOB = "dreamfarm.job"
"""The metadata key of the job's id."""


SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("variant", pa.int32(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("input", pa.string(), nullable=False),
        pa.field("input_sha256", pa.string()),
        pa.field("output", pa.string()),
        pa.field("member", pa.string()),
        pa.field("output_sha256", pa.string()),
        pa.field("bytes", pa.int64()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("failure", pa.string()),
        pa.field("message", pa.string()),
        pa.field("attempts", pa.int32(), nullable=False),
        pa.field("seconds", pa.float64(), nullable=False),
        pa.field("worker", pa.string()),
        pa.field("seed", pa.int64()),
        pa.field("lease", pa.int32(), nullable=False),
        pa.field("generation", pa.int32(), nullable=False),
    ]
)
"""The columns. LedgerRow describes them; null means unknown."""


def merge_ledger(store: Store, keys: LedgerKeys, files: Iterable[int], path: Path) -> None:
    """Write the rows that count into a Parquet file, with one row group for each ledger file.

    It holds one ledger file in memory. Raises InvalidRecord; the file at `path` is then incomplete.
    """
    schema = SCHEMA.with_metadata({JOB: keys.job})
    with ParquetWriter(path, schema, compression="zstd") as writer:
        for file in files:
            rows = [row.model_dump(exclude={"version"}) for row in read_rows(store, keys, [file])]
            if rows:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))


_ROWS_AT_ONCE = 4096


def read_done_rows(path: Path, job: str) -> Iterator[LedgerRow]:
    """Yield the rows of done items of a merged ledger, with few of them in memory.

    Yields none if there is no such file, or if it is not a ledger of this job. Raises InvalidRecord
    if the file is damaged.
    """
    if not path.is_file():
        return
    try:
        with ParquetFile(path) as file:
            if (file.schema_arrow.metadata or {}).get(JOB.encode()) != job.encode():
                return
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                rows = batch.to_pylist()
                yield from (LedgerRow.model_validate(row) for row in rows if row["state"] == "done")
    except (OSError, pa.ArrowException, LookupError, ValidationError) as error:
        raise InvalidRecord(f"{path}: is damaged; remove it, and run the command again") from error
