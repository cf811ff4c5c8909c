"""Buckets with inputs: their client, what lies in them, and what their errors mean."""

import functools
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from jobs.dataset.inputs.item import ListedFile
from jobs.dataset.inputs.patterns import Pattern
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


_DENIED = "access denied, or not there; let these credentials list and read there"

_NO_OBJECT = "no such object; check the address"


_FAULTS = {
    "403": _DENIED,
    "404": _NO_OBJECT,
    "AccessDenied": _DENIED,
    "InvalidObjectState": "is archived; restore it first",
    "InvalidRange": "is shorter than when it was listed; copy it again",
    "KeyTooLongError": _NO_OBJECT,
    "NoSuchBucket": "no such bucket; check the address",
    "NoSuchKey": _NO_OBJECT,
}
"""Codes that speak of an address and not of the store. What HEAD answers bears a status only."""


def split_address(address: str) -> tuple[str, str]:
    """The bucket and the raw key, or prefix, of an `s3://` address.

    Raises RequestError for what is no bucket's name.
    """
    bucket, _, key = address.removeprefix(S3_SCHEME).partition("/")
    open_store(f"{S3_SCHEME}{bucket}")
    return bucket, key


@functools.cache
def s3_client() -> "S3Client":
    """One for all inputs of this process, by the environment. Raises StoreRefused."""
    with translate_errors("the inputs' bucket"):
        return make_client()


@contextmanager
def translate_errors(address: str) -> Iterator[None]:
    """Asks for what lies at an address.

    Raises RequestError where the address is at fault, and StoreError where the store is.
    """
    try:
        yield
    except BOTO3_ERRORS as error:
        words = _FAULTS.get(error_code(error))
        # The chain ends here: what boto3 says may name an endpoint with its password.
        if words is not None:
            raise RequestError(f"{address}: {words}") from None
        raise store_error(error, _where(address)) from None


def list_objects(pattern: Pattern) -> Iterator[ListedFile]:
    """The objects that a pattern means, in the order of their keys, page by page.

    Raises RequestError for no such bucket or no permission, and StoreError.
    """
    bucket, folder = split_address(pattern.base)
    above = f"{folder}/" if folder else ""
    with translate_errors(pattern.base):
        pages = s3_client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=above + pattern.literal_prefix):
            for entry in page.get("Contents", ()):
                key = entry["Key"].removeprefix(above)
                # What ends in a slash stands for a folder.
                if not key.endswith("/") and pattern.matches(key):
                    yield ListedFile(key, f"{S3_SCHEME}{bucket}/{entry['Key']}")


def _where(address: str) -> str:
    if not s3_client.cache_info().currsize:
        return address
    # An endpoint's URL may hold a password.
    host = urlsplit(s3_client().meta.endpoint_url).netloc.rpartition("@")[2]
    return f"{address} at {host}"


Answer = TypeVar("Answer")


_ATTEMPTS = 3

_CHUNK = 1 << 20


def object_size(address: str) -> int:
    """Bytes. Raises RequestError where there is no such object, and StoreError."""
    bucket, key = _object(address)
    with translate_errors(address):
        return s3_client().head_object(Bucket=bucket, Key=key)["ContentLength"]


def read_range(address: str, start: int, length: int) -> bytes:
    """The bytes of an object from `start` on, `length` or as many as there are, at least 1.

    Raises RequestError where there is none such, and StoreError.
    """
    with translate_errors(address):
        return _repeated(lambda: _body(address, start, length).read())


def save_range(address: str, start: int, length: int | None, path: Path) -> None:
    """Write an object's bytes from `start` on into a file: `length`, or as many as there are.

    Raises RequestError where there is none such, StoreError, and OSError for the file.
    """

    def write() -> None:
        with path.open("wb") as file:
            for chunk in _body(address, start, length).iter_chunks(_CHUNK):
                file.write(chunk)

    with translate_errors(address):
        _repeated(write)


def _body(address: str, start: int, length: int | None) -> "StreamingBody":
    bucket, key = _object(address)
    asked: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
    if start or length is not None:
        asked["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
    return s3_client().get_object(**asked)["Body"]


def _object(address: str) -> tuple[str, str]:
    bucket, key = split_address(address)
    if not key:
        raise RequestError(f"{address}: a bucket, and no object in it; check the address")
    return bucket, key


def _repeated(ask: Callable[[], Answer]) -> Answer:
    """An answer, asked for again where it broke off, of which botocore knows nothing."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return ask()
        except TRUNCATION_ERRORS:
            time.sleep(0.1 * 2**attempt)
    return ask()


class ObjectReader(io.RawIOBase):
    """The object at an `s3://` address; each read is a request, so that it wants a large buffer.

    All methods raise RequestError where there is no such object, and StoreError.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._size = object_size(address)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        with memoryview(buffer) as view:
            length = min(len(view), self._size - self._at)
            if length <= 0:
                return 0
            content = read_range(self._address, self._at, length)
            view[: len(content)] = content
        self._at += len(content)
        return len(content)
