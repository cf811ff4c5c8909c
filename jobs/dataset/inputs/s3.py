"""Inputs in S3 buckets: listing and reading objects, and translating errors."""

import functools
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from jobs.dataset.inputs.files import Pattern
from jobs.dataset.inputs.item import ListedFile, is_mac_metadata
from jobs.spec.inputs import S3_SCHEME
from jobs.store.address import open_store
from jobs.store.s3_client import make_client
from jobs.store.s3_errors import BOTO3_ERRORS, TRUNCATION_ERRORS, error_code, store_error
from jobs.text.errors import RequestError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

T = TypeVar("T")


_ATTEMPTS = 3

_CHUNK = 1 << 20
"""Bytes that are written to a file at a time."""


_DENIED = "access denied, or not found; give these credentials permission to list and read it"

_NOT_FOUND = "no such object; check the address"


_ADDRESS_ERRORS = {
    "400": _DENIED,
    "401": _DENIED,
    "403": _DENIED,
    "404": _NOT_FOUND,
    "AccessDenied": _DENIED,
    "InvalidObjectState": "is archived; restore it first",
    "InvalidRange": "is shorter than when it was listed; copy it again",
    "KeyTooLongError": _NOT_FOUND,
    "NoSuchBucket": "no such bucket; check the address",
    "NoSuchKey": _NOT_FOUND,
}
"""Error codes caused by an address, not by the service. Answers to HEAD have only a status."""


def split_address(address: str) -> tuple[str, str]:
    """Return the bucket, and the key or prefix, of an `s3://` address.

    Raises RequestError for an invalid bucket name.
    """
    bucket, _, key = address.removeprefix(S3_SCHEME).partition("/")
    open_store(f"{S3_SCHEME}{bucket}")
    return bucket, key


@functools.cache
def s3_client() -> "S3Client":
    """The client for all inputs of this process, from the environment. Raises StoreRefused."""
    with translate_errors("the inputs' bucket"):
        return make_client()


@contextmanager
def translate_errors(address: str) -> Iterator[None]:
    """Translate errors of boto3 while an address is listed or read.

    Raises RequestError for errors of the address, and StoreError for errors of the service.
    """
    try:
        yield
    except BOTO3_ERRORS as error:
        reason = _ADDRESS_ERRORS.get(error_code(error))
        # Drop the cause: its text may contain an endpoint with its password.
        if reason is not None:
            raise RequestError(f"{address}: {reason}") from None
        raise store_error(error, _with_host(address)) from None


def list_objects(pattern: Pattern) -> Iterator[ListedFile]:
    """Yield the matching objects in the order of their keys, page by page.

    Raises RequestError if the bucket is missing or access is denied, and StoreError.
    """
    bucket, folder = split_address(pattern.base)
    prefix = f"{folder}/" if folder else ""
    with translate_errors(pattern.base):
        pages = s3_client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=prefix + pattern.literal_prefix):
            for entry in page.get("Contents", ()):
                key = entry["Key"].removeprefix(prefix)
                # A key that ends in a slash stands for a folder.
                is_file = not (key.endswith("/") or is_mac_metadata(key))
                if is_file and pattern.matches(key):
                    yield ListedFile(key, f"{S3_SCHEME}{bucket}/{entry['Key']}")


def object_size(address: str) -> int:
    """Return the size of an object in bytes. Raises RequestError and StoreError."""
    bucket, key = _bucket_and_key(address)
    with translate_errors(address):
        return s3_client().head_object(Bucket=bucket, Key=key)["ContentLength"]


def object_version(address: str) -> str:
    """A text that changes with the content of an object, with its service. Raises as its size."""
    bucket, key = _bucket_and_key(address)
    with translate_errors(address):
        client = s3_client()
        found = client.head_object(Bucket=bucket, Key=key)
    return f"{client.meta.endpoint_url} {found['ETag']} {found['ContentLength']}"


def read_range(address: str, start: int, length: int) -> bytes:
    """Return at most `length` bytes of an object from `start` on.

    Raises RequestError if there is not at least one byte, or no object, and StoreError.
    """
    with translate_errors(address):
        return _retry_truncated(lambda: _body(address, start, length).read())


def save_range(address: str, start: int, length: int | None, path: Path) -> None:
    """Write at most `length` bytes of an object from `start` on into a file. None: to the end.

    Raises RequestError if there is not at least one byte, or no object, StoreError, and OSError if
    the file cannot be written.
    """

    def write() -> None:
        with path.open("wb") as file:
            for chunk in _body(address, start, length).iter_chunks(_CHUNK):
                file.write(chunk)

    with translate_errors(address):
        _retry_truncated(write)


class ObjectReader(io.RawIOBase):
    """A seekable file with the content of an object. Each read is a request: wrap it in a buffer.

    All methods raise RequestError if there is no such object, and StoreError.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._size = object_size(address)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        with memoryview(buffer) as view:
            length = min(len(view), self._size - self._position)
            if length <= 0:
                return 0
            content = read_range(self._address, self._position, length)
            view[: len(content)] = content
        self._position += len(content)
        return len(content)


def _with_host(address: str) -> str:
    """The address with the host of the service, once the client is known."""
    if not s3_client.cache_info().currsize:
        return address
    # An endpoint's URL may contain a password.
    host = urlsplit(s3_client().meta.endpoint_url).netloc.rpartition("@")[2]
    return f"{address} at {host}"


def _body(address: str, start: int, length: int | None) -> "StreamingBody":
    bucket, key = _bucket_and_key(address)
    request: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
    if start or length is not None:
        request["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
    return s3_client().get_object(**request)["Body"]


def _bucket_and_key(address: str) -> tuple[str, str]:
    bucket, key = split_address(address)
    if not key:
        raise RequestError(f"{address}: names a bucket, but no object in it; check the address")
    return bucket, key


def _retry_truncated(read: Callable[[], T]) -> T:
    """Repeat a read if its answer breaks off. botocore does not retry that."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return read()
        except TRUNCATION_ERRORS:
            time.sleep(0.1 * 2**attempt)
    return read()
