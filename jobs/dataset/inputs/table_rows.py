"""The rows and columns of an input table: CSV, JSON Lines or Parquet."""

import csv
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from jobs.text.errors import RequestError
from jobs.text.yaml_json import parse_json, parse_yaml
from render.errors import close_matches

KEY = "key"
"""The column with the key of a picture. The default key is its path."""


_SETTABLE = frozenset({"dream", "fit", "focus", "name", "objectives", "resize"})

_SHARED = frozenset(
    {"crew", "input", "inputs", "kind", "limits", "network"}
    | {"output", "precision", "priority", "sweep", "tiles"}
)
"""Fields of the spec that are the same for all pictures of a job."""


_PARQUET_BATCH = 1000
"""Rows that are read at a time."""


_CELL = re.compile(r"^line 1, ")
"""What the line of an error in a single cell is."""


_MAX_LINE = 64 << 20
"""The maximum length of a line in bytes."""


def row_may_set(name: str) -> bool:
    """Whether a row may set a field of the spec. name: dotted, such as `dream.steps`."""
    return name.partition(".")[0] in _SETTABLE


@dataclass(frozen=True)
class Columns:
    """The meaning of a table's columns.

    table: its address. picture: the column with the pictures' paths.
    """

    table: str
    picture: str

    def check(self, names: Iterable[str]) -> None:
        """Check the columns of a table, or the fields of its first row.

        Raises RequestError for a missing picture column, for two columns with one name, and for
        fields that a row may not set.
        """
        known = list(names)
        if self.picture not in known:
            close = close_matches(self.picture, known)
            raise RequestError(
                f"{self.table}: no column {self.picture}; "
                + (f"nearest: {', '.join(close)}; " if close else "")
                + f"it has {', '.join(known)}; set inputs.column"
            )
        for name in known:
            if self.is_read(name) and known.count(name) > 1:
                raise RequestError(f"{self.table}: two columns are named {name}; rename one")
        self.check_settings(known)

    def check_settings(self, names: Iterable[str]) -> None:
        """Raises RequestError for a field that is the same for all pictures."""
        for name in names:
            field = name.partition(".")[0]
            if field in _SHARED and name not in {self.picture, KEY}:
                raise RequestError(
                    f"{self.table}: column {name}: {field} is the same for all pictures of a "
                    "job; set it in the spec, or rename the column"
                )

    def is_setting(self, name: str) -> bool:
        """Whether a column sets a field of the spec."""
        return row_may_set(name) and name not in {self.picture, KEY}

    def is_read(self, name: str) -> bool:
        """Whether a column is used. Other columns are ignored."""
        return name in {self.picture, KEY} or self.is_setting(name)


@dataclass(frozen=True)
class TableRow:
    """A row that is not empty.

    number: from 1. fields: the values of the used columns. error: why its reader rejects it, if so.
    line: where it begins in the file, from 1; None in Parquet, which has no lines.
    """

    number: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    line: int | None = None

    @property
    def place(self) -> str:
        """What messages call the row."""
        return f"row {self.number}{'' if self.line is None else f' (line {self.line})'}"


def csv_rows(file: BinaryIO, columns: Columns) -> Iterator[TableRow]:
    """Yield the rows of CSV below its header. Settings are parsed as YAML; names stay text.

    Raises RequestError for wrong columns, and for a header that is not CSV.
    """
    # Without strict, a quote that is never closed would silently swallow rows.
    reader = csv.reader(_lines(file, columns.table), strict=True)
    try:
        header = next((cells for cells in reader if cells), [])
    except csv.Error as error:
        raise RequestError(
            f"{columns.table}: the header is not CSV ({error}); correct its quotes"
        ) from error
    if header:
        columns.check(header)
    number = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            number += 1
            yield TableRow(number, error=f"not CSV ({error})", line=line)
            continue
        if cells is None:
            return
        if cells:
            number += 1
            yield replace(_csv_row(number, header, cells, columns), line=line)


def jsonl_rows(file: BinaryIO, columns: Columns) -> Iterator[TableRow]:
    """Yield the objects of JSON Lines. The first row must have the picture column.

    Raises RequestError for wrong columns.
    """
    lines = enumerate(_lines(file, columns.table), 1)
    texts = ((line, text) for line, text in lines if text.strip())
    check = columns.check
    for number, (line, text) in enumerate(texts, 1):
        try:
            value = parse_json(text.rstrip("\r\n"))
        except RequestError as error:
            problem = f"not JSON ({str(error).removeprefix('line 1, ')})"
            yield TableRow(number, error=problem, line=line)
            continue
        if not isinstance(value, dict):
            yield TableRow(number, error="not a JSON object", line=line)
            continue
        check(value)
        check = columns.check_settings
        fields = _flatten_dream(value)
        read = {name: fields[name] for name in fields if columns.is_read(name)}
        yield TableRow(number, read, line=line)


def parquet_rows(file: BinaryIO, columns: Columns) -> Iterator[TableRow]:
    """Yield the rows of Parquet, batch by batch. It reads only the used columns.

    Raises RequestError for wrong columns, and for a file that is not Parquet.
    """
    # Arrow takes a while to load, and only Parquet needs it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(file) as parquet:
            names = parquet.schema_arrow.names
            columns.check(names)
            used = [name for name in names if columns.is_read(name)]
            # Threads would read ahead, and use memory for rows that nobody needs yet.
            for batch in parquet.iter_batches(_PARQUET_BATCH, columns=used, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield TableRow(number, _undo_pandas_conversion(_flatten_dream(row)))
    except pa.ArrowException as error:
        raise RequestError(
            f"{columns.table}: not Parquet, or damaged after row {number}; write it again"
        ) from error


def _lines(file: BinaryIO, address: str) -> Iterator[str]:
    """Yield lines with their ends. Bytes that are not UTF-8 become lone surrogates.

    Raises RequestError for a line that is too long.
    """
    encoding = "utf-8-sig"
    while line := file.readline(_MAX_LINE + 1):
        if len(line) > _MAX_LINE:
            raise RequestError(
                f"{address}: a line is longer than 64 MiB; write each row on a line of its own"
            )
        yield line.decode(encoding, "surrogateescape")
        encoding = "utf-8"


def _csv_row(number: int, header: list[str], cells: list[str], columns: Columns) -> TableRow:
    if len(cells) != len(header):
        return TableRow(number, error=f"has {len(cells)} cells, and the header {len(header)}")
    fields: dict[str, Any] = {}
    message = None
    for name, text in zip(header, cells, strict=True):
        if not columns.is_read(name):
            continue
        try:
            is_value = columns.is_setting(name) and name != "name"
            fields[name] = parse_yaml(text) if is_value else text
        except RequestError as error:
            message = f"{name}: {_CELL.sub('', str(error))}"
    return TableRow(number, fields, message)


def _flatten_dream(value: dict[str, Any]) -> dict[str, Any]:
    """Replace a mapping `dream` by fields with dotted names."""
    fields = dict(value)
    nested = fields.get("dream")
    if isinstance(nested, dict):
        del fields["dream"]
        fields |= {f"dream.{name}": entry for name, entry in nested.items()}
    return fields


def _undo_pandas_conversion(fields: dict[str, Any]) -> dict[str, Any]:
    """Drop NaN, and turn whole floats into integers.

    pandas writes integers as floats, and empty cells as NaN, if a column has an empty cell.
    """
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in fields.items()
        if not (isinstance(value, float) and math.isnan(value))
    }
