"""The whole ledger as one Parquet file, for those who look into it with their own tools."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from jobs.dataset.ledger.reading import LedgerKeys, rows
from jobs.store.store import Store

JOB = "dreamfarm.job"
"""The metadata that names the job."""


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
"""The columns, as Row describes them; null: nobody got to know."""


def merge(store: Store, keys: LedgerKeys, pages: Iterable[int], path: Path) -> None:
    """Write the rows that count into a Parquet file, in the order of the pages, a row group each.

    Holds one page at a time. Raises BadRecord; what lies at the path then is to be thrown away.
    """
    schema = SCHEMA.with_metadata({JOB: keys.job})
    with ParquetWriter(path, schema, compression="zstd") as writer:
        for n in pages:
            found = [row.model_dump(exclude={"version"}) for row in rows(store, keys, [n])]
            if found:
                writer.write_table(pa.Table.from_pylist(found, schema=schema))
