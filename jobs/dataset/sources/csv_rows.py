"""A manifest in CSV, with a header."""

import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from jobs.dataset.sources.columns import Columns
from jobs.dataset.sources.line import Line
from jobs.dataset.sources.lines import lines
from jobs.errors import RequestError
from jobs.reading import read_value


def rows(file: BinaryIO, columns: Columns) -> Iterator[Line]:
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
            yield Line(number, complaint=f"no CSV ({error})")
            continue
        if cells is None:
            return
        if cells:
            number += 1
            yield _line(number, header, cells, columns)


def _line(number: int, header: list[str], cells: list[str], columns: Columns) -> Line:
    if len(cells) != len(header):
        return Line(number, complaint=f"has {len(cells)} cells, and the header {len(header)}")
    fields: dict[str, Any] = {}
    complaint = None
    for name, text in zip(header, cells, strict=True):
        if not columns.is_read(name):
            continue
        try:
            is_value = columns.is_setting(name) and name != "name"
            fields[name] = read_value(text) if is_value else text
        except RequestError as error:
            complaint = f"{name}: {error}"
    return Line(number, fields, complaint)
