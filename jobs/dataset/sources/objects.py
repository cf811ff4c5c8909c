"""One object of a bucket: its size, and its bytes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from jobs.dataset.sources.bucket import client, failures, split
from jobs.errors import RequestError
from jobs.store.s3_failure import BROKEN_OFF

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

Answer = TypeVar("Answer")

_ATTEMPTS = 3
_CHUNK = 1 << 20


def size(address: str) -> int:
    """Bytes. Raises RequestError where there is no such object, and StoreError."""
    bucket, key = _object(address)
    with failures(address):
        return client().head_object(Bucket=bucket, Key=key)["ContentLength"]


def get(address: str, start: int, length: int) -> bytes:
    """The bytes of an object from `start` on, `length` or as many as there are, at least 1.

    Raises RequestError where there is none such, and StoreError.
    """
    with failures(address):
        return _repeated(lambda: _body(address, start, length).read())


def save(address: str, start: int, length: int | None, path: Path) -> None:
    """Write an object's bytes from `start` on into a file: `length`, or as many as there are.

    Raises RequestError where there is none such, StoreError, and OSError for the file.
    """

    def write() -> None:
        with path.open("wb") as file:
            for chunk in _body(address, start, length).iter_chunks(_CHUNK):
                file.write(chunk)

    with failures(address):
        _repeated(write)


def _body(address: str, start: int, length: int | None) -> "StreamingBody":
    bucket, key = _object(address)
    asked: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
    if start or length is not None:
        asked["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
    return client().get_object(**asked)["Body"]


def _object(address: str) -> tuple[str, str]:
    bucket, key = split(address)
    if not key:
        raise RequestError(f"{address}: a bucket, and no object in it; check the address")
    return bucket, key


def _repeated(ask: Callable[[], Answer]) -> Answer:
    """An answer, asked for again where it broke off, of which botocore knows nothing."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return ask()
        except BROKEN_OFF:
            time.sleep(0.1 * 2**attempt)
    return ask()
