"""A store in a bucket of S3, or of what speaks like it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from s3transfer.exceptions import S3DownloadFailedError
from s3transfer.manager import TransferConfig, TransferManager

from jobs.store.errors import Missing, StoreRefused
from jobs.store.key import checked, checked_range, folder_named, folder_of, is_key
from jobs.store.s3_client import make_client
from jobs.store.s3_errors import BROKEN_OFF, FAILURES, BrokeOffError, code, failure, refusal
from jobs.store.store import LARGEST, Entry, Store, Unfinished, batches, check_small

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        ErrorTypeDef,
        GetObjectOutputTypeDef,
        GetObjectRequestTypeDef,
    )

Answer = TypeVar("Answer")

_ATTEMPTS = 3
_DELETED_AT_ONCE = 1000


class S3Store(Store):
    """The objects of a bucket whose keys begin with `prefix/`, or all.

    `connect` makes the client, once, at the first request.
    """

    def __init__(
        self, bucket: str, prefix: str = "", connect: "Callable[[], S3Client]" = make_client
    ) -> None:
        super().__init__(f"s3://{bucket}/{prefix}".rstrip("/"))
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""
        self._connect = connect
        self._connecting = threading.Lock()
        self._connected: S3Client | None = None

    def put(self, key: str, content: bytes) -> None:
        name = self._name(key)
        with self._failures():
            self._client().put_object(Bucket=self._bucket, Key=name, Body=content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        name = self._name(key)
        with self._failures():
            try:
                self._client().put_object(
                    Bucket=self._bucket, Key=name, Body=content, IfNoneMatch="*"
                )
            except ClientError as error:
                if code(error) != "PreconditionFailed":
                    raise
                return False
        return True

    def get(self, key: str) -> bytes:
        content, _ = self._read(key)
        return content

    def get_range(self, key: str, start: int, length: int) -> bytes:
        checked_range(start, length)
        content, _ = self._read(key, f"bytes={start}-{start + length - 1}")
        if len(content) != length:
            raise _too_short(key)
        return content

    def aged(self, key: str) -> tuple[bytes, float]:
        content, answer = self._read(key)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if date is None:
            raise StoreRefused(f"{self._where()}: answers bear no date, so ages cannot be told")
        age = parsedate_to_datetime(date) - answer["LastModified"]
        return content, max(0.0, age.total_seconds())

    def entries(self, prefix: str) -> Iterator[Entry]:
        folder_of(prefix)
        with self._failures():
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._root + prefix):
                for found in page.get("Contents", ()):
                    key = found["Key"].removeprefix(self._root)
                    if is_key(key):
                        yield Entry(key, found["Size"], found["LastModified"].timestamp())

    def folders(self, prefix: str) -> Iterator[str]:
        folder = folder_named(prefix)
        above = self._root + (f"{folder}/" if folder else "")
        with self._failures():
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=above, Delimiter="/"):
                for found in page.get("CommonPrefixes", ()):
                    key = found["Prefix"].removeprefix(self._root).rstrip("/")
                    if is_key(key):
                        yield key.rpartition("/")[2]

    def delete(self, keys: Iterable[str]) -> None:
        for batch in batches(map(self._name, keys), _DELETED_AT_ONCE):
            with self._failures():
                self._delete(batch)

    def upload(self, path: Path, key: str) -> None:
        name = self._name(key)
        with self._failures(), TransferManager(self._client(), _transfer()) as manager:
            manager.upload(str(path), self._bucket, name).result()

    def download(self, key: str, path: Path) -> None:
        name = self._name(key)
        with self._failures(key), TransferManager(self._client(), _transfer()) as manager:
            # Into a file beside the path, of ranges that must all be of one version.
            _repeated(
                lambda: manager.download(self._bucket, name, str(path)).result(),
                S3DownloadFailedError,
            )

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        folder_of(prefix)
        with self._failures():
            pages = self._client().get_paginator("list_multipart_uploads")
            found = [
                Unfinished(key, upload["UploadId"], upload["Initiated"].timestamp())
                for page in pages.paginate(Bucket=self._bucket, Prefix=self._root + prefix)
                for upload in page.get("Uploads", ())
                if is_key(key := upload["Key"].removeprefix(self._root))
            ]
        yield from sorted(found, key=lambda upload: (upload.key, upload.upload))

    def abort(self, upload: Unfinished) -> None:
        name = self._name(upload.key)
        with self._failures():
            try:
                self._client().abort_multipart_upload(
                    Bucket=self._bucket, Key=name, UploadId=upload.upload
                )
            except ClientError as error:
                if code(error) != "NoSuchUpload":
                    raise

    def _client(self) -> "S3Client":
        with self._connecting:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    def _name(self, key: str) -> str:
        return self._root + checked(key)

    def _read(self, key: str, span: str | None = None) -> "tuple[bytes, GetObjectOutputTypeDef]":
        asked: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": self._name(key)}
        if span is not None:
            asked["Range"] = span

        def read() -> "tuple[bytes, GetObjectOutputTypeDef]":
            answer = self._client().get_object(**asked)
            if span is None and answer["ContentLength"] > LARGEST:
                # The connection must not be used again with all of that still to come.
                answer["Body"].close()
                check_small(key, answer["ContentLength"])
            try:
                return answer["Body"].read(), answer
            except BROKEN_OFF as error:
                raise BrokeOffError from error

        with self._failures(key):
            return _repeated(read, BrokeOffError)

    def _delete(self, names: list[str]) -> None:
        refused: list[ErrorTypeDef] = []
        for attempt in range(_ATTEMPTS):
            if attempt:
                _pause(attempt)
            answer = self._client().delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": name} for name in names], "Quiet": True},
            )
            refused = [
                error for error in answer.get("Errors", ()) if error.get("Code") != "NoSuchKey"
            ]
            if not refused:
                return
            names = [error["Key"] for error in refused]
        raise refusal(refused[0]["Code"], 0, self._where())

    @contextmanager
    def _failures(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            if key is not None and code(error) == "NoSuchKey":
                raise Missing(key) from None
            if key is not None and code(error) == "InvalidRange":
                raise _too_short(key) from None
            # The chain ends here: what boto3 says may name an endpoint with its password.
            raise failure(error, self._where()) from None

    def _where(self) -> str:
        if self._connected is None:
            return self.address
        # An endpoint's URL may hold a password.
        host = urlsplit(self._connected.meta.endpoint_url).netloc.rpartition("@")[2]
        return f"{self.address} at {host}"


def _transfer() -> TransferConfig:
    # By default up to 256 MiB wait for a slow disk.
    return TransferConfig(max_io_queue_size=64, io_chunksize=256 << 10)


def _repeated(ask: Callable[[], Answer], passing: type[Exception]) -> Answer:
    """An answer, asked for again after an error of which botocore does not know that it passes."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return ask()
        except passing:
            _pause(attempt)
    return ask()


def _too_short(key: str) -> ValueError:
    return ValueError(f"{key} ends before the range does")


def _pause(attempt: int) -> None:
    time.sleep(0.1 * 2**attempt)
