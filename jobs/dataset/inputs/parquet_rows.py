"""A manifest in Parquet."""

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.dataset.inputs.table_rows import Columns, TableRow, flatten_dream
from jobs.text.errors import RequestError

_AT_ONCE = 1000


def parquet_rows(file: BinaryIO, columns: Columns) -> Iterator[TableRow]:
    """The rows, read some at a time, and only the columns that matter.

    Raises RequestError for columns that do not do, and for what is no Parquet.
    """
    number = 0
    try:
        with pq.ParquetFile(file) as parquet:
            names = parquet.schema_arrow.names
            columns.check(names)
            read = [name for name in names if columns.is_read(name)]
            # Threads would ask for columns ahead, and hold what nobody has wanted yet.
            for batch in parquet.iter_batches(_AT_ONCE, columns=read, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield TableRow(number, _plain(flatten_dream(row)))
    except pa.ArrowException as error:
        raise RequestError(
            f"{columns.manifest}: no Parquet, or damaged after row {number}; write it again"
        ) from error


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """The same without what pandas makes of a column of numbers with an empty cell: floats, and
    NaN."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in fields.items()
        if not (isinstance(value, float) and math.isnan(value))
    }
