"""Input tables: one row for each picture, which may set fields of the spec for that picture."""

import json
import posixpath
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from jobs.dataset.inputs.content import open_stream
from jobs.dataset.inputs.files import escape_non_utf8
from jobs.dataset.inputs.item import InputPlace, ListedImage
from jobs.dataset.inputs.table_rows import (
    KEY,
    Columns,
    TableRow,
    csv_rows,
    jsonl_rows,
    parquet_rows,
)
from jobs.spec.inputs import S3_SCHEME, folder_of, is_in_bucket

_READERS: dict[str, Callable[[BinaryIO, Columns], Iterator[TableRow]]] = {
    ".csv": csv_rows,
    ".jsonl": jsonl_rows,
    ".parquet": parquet_rows,
}


TABLE_SUFFIXES = frozenset(_READERS)
"""The suffixes of input tables."""


def read_input_table(address: str, kind: str, picture: str) -> Iterator[ListedImage]:
    """Yield the pictures of an input table, as a stream.

    An invalid row gives a picture with an error. If the row has no path, its number is the key.

    Args:
        address: The path or `s3://` address of the table.
        kind: One of TABLE_SUFFIXES.
        picture: The column with the pictures' paths.

    Raises:
        RequestError: The table cannot be read, or its columns are wrong.
        StoreError: A bucket failed.
    """
    columns = Columns(address, picture)
    with open_stream(address) as file:
        for row in _READERS[kind](file, columns):
            yield _listed_image(row, columns)


def _listed_image(row: TableRow, columns: Columns) -> ListedImage:
    text = row.fields.get(columns.picture)
    error = row.error or _json_error(row) or _picture_error(text)
    if isinstance(text, str) and _has_unknown_scheme(text):
        text = None
    key, key_error = _key(row.fields.get(KEY), text)
    if not isinstance(text, str) or not text.strip() or not key:
        key, text = f"row {row.number}", None
    settings = {
        name: value
        for name, value in row.fields.items()
        if columns.is_setting(name) and value not in (None, "")
    }
    error = error or key_error
    address = columns.table if text is None else escape_non_utf8(_address(text, columns))
    return ListedImage(
        key=escape_non_utf8(key),
        place=InputPlace(address=address),
        settings={} if error else settings,
        error=None if error is None else f"{row.place}: {error}",
    )


def _json_error(row: TableRow) -> str | None:
    """Why a row's fields cannot be stored as JSON; None if they can."""
    for name, value in row.fields.items():
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:
            return f"{name}: is not UTF-8; save the table as UTF-8"
        except (TypeError, ValueError):
            return f"{name}: must be text, a number, a list or a mapping"
    return None


def _has_unknown_scheme(text: str) -> bool:
    return "://" in text and not is_in_bucket(text)


def _picture_error(text: Any) -> str | None:
    """Why a value of the picture column is not a path or address; None if it is."""
    if text is None or text == "":
        return "has no picture; write a path or an s3:// address"
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        return "the picture must be a path or an s3:// address"
    if _has_unknown_scheme(text):
        # The rest may contain a password or a signature.
        scheme = text.partition("://")[0]
        return f"{scheme}:// is not supported; download the file, and give its path"
    return None


def _key(chosen: Any, text: Any) -> tuple[str, str | None]:
    """Return the key of a row, and an error if the chosen one is invalid.

    chosen: the value of the key column. text: that of the picture column, whose path is the default
    key. The key is empty if the row has neither.
    """
    if isinstance(chosen, int) and not isinstance(chosen, bool):
        return str(chosen), None
    if isinstance(chosen, str) and chosen.strip():
        return chosen.strip(), None
    error = None if chosen is None or isinstance(chosen, str) else "key: must be text"
    if not isinstance(text, str):
        return "", error
    return text if is_in_bucket(text) else posixpath.normpath(text), error


def _address(text: str, columns: Columns) -> str:
    """The address of a picture. Relative paths start at the table's folder."""
    if is_in_bucket(text) or text.startswith("/"):
        return text
    folder = folder_of(columns.table)
    if not is_in_bucket(folder):
        return f"{folder}/{text}"
    # In a bucket, `.` and `..` would be parts of the key.
    return S3_SCHEME + posixpath.normpath(f"{folder.removeprefix(S3_SCHEME)}/{text}")
