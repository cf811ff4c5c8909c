"""A manifest: one row a picture, which may set fields of the spec for that picture."""

import json
import posixpath
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from jobs.dataset.inputs.content import open_stream
from jobs.dataset.inputs.files import escape_non_utf8
from jobs.dataset.inputs.item import ByteRange, ListedImage
from jobs.dataset.inputs.table_rows import KEY, Columns, TableRow, csv_rows, jsonl_rows
from jobs.spec.inputs import S3_SCHEME, folder_of, is_in_bucket

TABLE_SUFFIXES = frozenset({".csv", ".jsonl", ".parquet"})


_Rows = Callable[[BinaryIO, Columns], Iterator[TableRow]]


def read_input_table(address: str, kind: str, picture: str) -> Iterator[ListedImage]:
    """The rows of a manifest, as a stream. kind: one of MANIFESTS. picture: the column.

    A row that cannot be used is one with a complaint, and with its number for a key where it
    names no picture. Raises RequestError for a manifest that cannot be read, or whose columns do
    not do, and StoreError.
    """
    columns = Columns(address, picture)
    with open_stream(address) as file:
        for line in _reader(kind)(file, columns):
            yield _found(line, columns)


def _reader(kind: str) -> _Rows:
    if kind == ".parquet":
        # Arrow takes a while to load, which only Parquet is worth.
        from jobs.dataset.inputs.parquet_rows import parquet_rows

        return parquet_rows
    return csv_rows if kind == ".csv" else jsonl_rows


def _found(line: TableRow, columns: Columns) -> ListedImage:
    text = line.fields.get(columns.picture)
    complaint = line.complaint or _unspeakable(line) or _unreadable(text)
    if isinstance(text, str) and _is_elsewhere(text):
        text = None
    key, wrong = _key(line.fields.get(KEY), text)
    if not isinstance(text, str) or not text.strip() or not key:
        key, text = f"row {line.number}", None
    settings = {
        name: value
        for name, value in line.fields.items()
        if columns.is_setting(name) and value not in (None, "")
    }
    complaint = complaint or wrong
    return ListedImage(
        key=escape_non_utf8(key),
        place=ByteRange(
            address=columns.manifest if text is None else escape_non_utf8(_address(text, columns))
        ),
        settings={} if complaint else settings,
        complaint=None if complaint is None else f"row {line.number}: {complaint}",
    )


def _unspeakable(line: TableRow) -> str | None:
    """Why a row cannot be written down as JSON."""
    for name, value in line.fields.items():
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:
            return f"{name}: is not UTF-8; save the manifest as UTF-8"
        except (TypeError, ValueError):
            return f"{name}: must be text, a number, a list or a mapping"
    return None


def _is_elsewhere(text: str) -> bool:
    return "://" in text and not is_in_bucket(text)


def _unreadable(text: Any) -> str | None:
    """Why what names a picture does not."""
    if text is None or text == "":
        return "names no picture"
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        return "the picture must be a path or an s3:// address"
    if _is_elsewhere(text):
        # The rest may hold a password, or a signature.
        scheme = text.partition("://")[0]
        return f"{scheme}:// is not supported; fetch the file and give its path"
    return None


def _key(chosen: Any, text: Any) -> tuple[str, str | None]:
    """The key, empty where there is none, and what is wrong with the one chosen."""
    if isinstance(chosen, int) and not isinstance(chosen, bool):
        return str(chosen), None
    if isinstance(chosen, str) and chosen.strip():
        return chosen.strip(), None
    wrong = None if chosen is None or isinstance(chosen, str) else "key: must be text"
    if not isinstance(text, str):
        return "", wrong
    return text if is_in_bucket(text) else posixpath.normpath(text), wrong


def _address(text: str, columns: Columns) -> str:
    if is_in_bucket(text) or text.startswith("/"):
        return text
    folder = folder_of(columns.manifest)
    if not is_in_bucket(folder):
        return f"{folder}/{text}"
    # A bucket takes dots for names.
    return S3_SCHEME + posixpath.normpath(f"{folder.removeprefix(S3_SCHEME)}/{text}")
