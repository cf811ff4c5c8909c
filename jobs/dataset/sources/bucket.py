"""Buckets with inputs: their client, what lies in them, and what their errors mean."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jobs.dataset.sources.address import SCHEME
from jobs.dataset.sources.file import File
from jobs.dataset.sources.pattern import Pattern
from jobs.errors import RequestError
from jobs.store.address import open_store
from jobs.store.s3_client import make_client
from jobs.store.s3_failure import FAILURES, code, failure

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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


def split(address: str) -> tuple[str, str]:
    """The bucket and the raw key, or prefix, of an `s3://` address.

    Raises RequestError for what is no bucket's name.
    """
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    open_store(f"{SCHEME}{bucket}")
    return bucket, key


@functools.cache
def client() -> "S3Client":
    """One for all inputs of this process, by the environment. Raises StoreRefused."""
    with failures("the inputs' bucket"):
        return make_client()


@contextmanager
def failures(address: str) -> Iterator[None]:
    """Asks for what lies at an address.

    Raises RequestError where the address is at fault, and StoreError where the store is.
    """
    try:
        yield
    except FAILURES as error:
        words = _FAULTS.get(code(error))
        # The chain ends here: what boto3 says may name an endpoint with its password.
        if words is not None:
            raise RequestError(f"{address}: {words}") from None
        raise failure(error, _where(address)) from None


def files(pattern: Pattern) -> Iterator[File]:
    """The objects that a pattern means, in the order of their keys, page by page.

    Raises RequestError for no such bucket or no permission, and StoreError.
    """
    bucket, folder = split(pattern.base)
    above = f"{folder}/" if folder else ""
    with failures(pattern.base):
        pages = client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=bucket, Prefix=above + pattern.beginning):
            for entry in page.get("Contents", ()):
                key = entry["Key"].removeprefix(above)
                # What ends in a slash stands for a folder.
                if not key.endswith("/") and pattern.fits(key):
                    yield File(key, f"{SCHEME}{bucket}/{entry['Key']}")


def _where(address: str) -> str:
    if not client.cache_info().currsize:
        return address
    # An endpoint's URL may hold a password.
    host = urlsplit(client().meta.endpoint_url).netloc.rpartition("@")[2]
    return f"{address} at {host}"
