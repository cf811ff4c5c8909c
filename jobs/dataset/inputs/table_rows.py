"""What the columns of a manifest mean."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from jobs.text.errors import RequestError
from jobs.text.yaml_json import parse_json, parse_yaml
from render.errors import close_matches

KEY = "key"
"""The column that names a picture otherwise than by where it lies."""


_SETTABLE = frozenset({"dream", "name", "objectives", "resize"})

_FIXED = frozenset(
    {"crew", "input", "inputs", "kind", "limits", "network"}
    | {"output", "precision", "priority", "sweep", "tiles"}
)
"""Fields of the spec that are the same for all pictures of a job."""


def row_may_set(name: str) -> bool:
    """Whether a row may set a field of the spec, by its dotted name."""
    return name.partition(".")[0] in _SETTABLE


@dataclass(frozen=True)
class Columns:
    """manifest: its address. picture: the column that says where the picture lies."""

    manifest: str
    picture: str

    def check(self, names: Iterable[str]) -> None:
        """Raises RequestError where the picture's column is missing, or a row sets too much."""
        known = list(names)
        if self.picture not in known:
            close = close_matches(self.picture, known)
            raise RequestError(
                f"{self.manifest}: no column {self.picture}; "
                + (f"nearest: {', '.join(close)}; " if close else "")
                + f"it has {', '.join(known)}; set inputs.column"
            )
        for name in known:
            if self.is_read(name) and known.count(name) > 1:
                raise RequestError(f"{self.manifest}: column {name} is there twice; rename one")
        self.check_settings(known)

    def check_settings(self, names: Iterable[str]) -> None:
        """Raises RequestError for a column that would set what all pictures share."""
        for name in names:
            field = name.partition(".")[0]
            if field in _FIXED and name not in {self.picture, KEY}:
                raise RequestError(
                    f"{self.manifest}: column {name}: {field} is the same for all pictures of a "
                    "job; set it in the spec, or rename the column"
                )

    def is_setting(self, name: str) -> bool:
        """Whether a column overrides a field of the spec."""
        return row_may_set(name) and name not in {self.picture, KEY}

    def is_read(self, name: str) -> bool:
        """Whether a column matters at all."""
        return name in {self.picture, KEY} or self.is_setting(name)


@dataclass(frozen=True)
class TableRow:
    """number: from 1, over the rows with something in them. fields: plain values by column, as
    far as they matter. complaint: why the row cannot be used, where its reader knows."""

    number: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    complaint: str | None = None


_LONGEST = 64 << 20


def lines(file: BinaryIO, address: str) -> Iterator[str]:
    """The lines with their ends; bytes that are no UTF-8 become lone surrogates.

    Raises RequestError for a line of more than 64 MiB.
    """
    encoding = "utf-8-sig"
    while line := file.readline(_LONGEST + 1):
        if len(line) > _LONGEST:
            raise RequestError(f"{address}: a line is longer than 64 MiB; write one row a line")
        yield line.decode(encoding, "surrogateescape")
        encoding = "utf-8"


def jsonl_rows(file: BinaryIO, columns: Columns) -> Iterator[TableRow]:
    """The objects, one a line; the first decides whether there is a picture's column.

    Raises RequestError for columns that do not do.
    """
    texts = (text for text in lines(file, columns.manifest) if text.strip())
    check = columns.check
    for number, text in enumerate(texts, 1):
        try:
            value = parse_json(text)
        except RequestError as error:
            yield TableRow(number, complaint=f"no JSON ({str(error).removeprefix('line 1: ')})")
            continue
        if not isinstance(value, dict):
            yield TableRow(number, complaint="no JSON object")
            continue
        check(value)
        check = columns.check_settings
        fields = flatten_dream(value)
        yield TableRow(number, {name: fields[name] for name in fields if columns.is_read(name)})


def flatten_dream(value: dict[str, Any]) -> dict[str, Any]:
    """The same with `dream`, where it is a mapping, by dotted names."""
    fields = dict(value)
    nested = fields.get("dream")
    if isinstance(nested, dict):
        del fields["dream"]
        fields |= {f"dream.{name}": entry for name, entry in nested.items()}
    return fields


def csv_rows(file: BinaryIO, columns: Columns) -> Iterator[TableRow]:
    """The rows below the header; settings are read as YAML, and names are text.

    Raises RequestError for a header that does not do.
    """
    # Strict, since a quote that is never closed would else swallow rows without a word.
    reader = csv.reader(lines(file, columns.manifest), strict=True)
    try:
        header = next((cells for cells in reader if cells), [])
    except csv.Error as error:
        raise RequestError(f"{columns.manifest}: its header is no CSV ({error})") from error
    if header:
        columns.check(header)
    number = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            number += 1
            yield TableRow(number, complaint=f"no CSV ({error})")
            continue
        if cells is None:
            return
        if cells:
            number += 1
            yield _line(number, header, cells, columns)


def _line(number: int, header: list[str], cells: list[str], columns: Columns) -> TableRow:
    if len(cells) != len(header):
        return TableRow(number, complaint=f"has {len(cells)} cells, and the header {len(header)}")
    fields: dict[str, Any] = {}
    complaint = None
    for name, text in zip(header, cells, strict=True):
        if not columns.is_read(name):
            continue
        try:
            is_value = columns.is_setting(name) and name != "name"
            fields[name] = parse_yaml(text) if is_value else text
        except RequestError as error:
            complaint = f"{name}: {error}"
    return TableRow(number, fields, complaint)
