"""A manifest in JSON Lines."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from jobs.dataset.sources.columns import Columns
from jobs.dataset.sources.line import Line
from jobs.dataset.sources.lines import lines
from jobs.errors import RequestError
from jobs.reading import read_json


def rows(file: BinaryIO, columns: Columns) -> Iterator[Line]:
    """The objects, one a line; the first decides whether there is a picture's column.

    Raises RequestError for columns that do not do.
    """
    texts = (text for text in lines(file, columns.manifest) if text.strip())
    check = columns.check
    for number, text in enumerate(texts, 1):
        try:
            value = read_json(text)
        except RequestError as error:
            yield Line(number, complaint=f"no JSON ({str(error).removeprefix('line 1: ')})")
            continue
        if not isinstance(value, dict):
            yield Line(number, complaint="no JSON object")
            continue
        check(value)
        check = columns.check_settings
        fields = flattened(value)
        yield Line(number, {name: fields[name] for name in fields if columns.is_read(name)})


def flattened(value: dict[str, Any]) -> dict[str, Any]:
    """The same with `dream`, where it is a mapping, by dotted names."""
    fields = dict(value)
    nested = fields.get("dream")
    if isinstance(nested, dict):
        del fields["dream"]
        fields |= {f"dream.{name}": entry for name, entry in nested.items()}
    return fields
