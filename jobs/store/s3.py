"""A store in a bucket of S3, or of a compatible service."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from s3transfer.exceptions import S3DownloadFailedError
from s3transfer.manager import TransferConfig, TransferManager

from jobs.store.errors import ObjectNotFound, StoreRefused
from jobs.store.key import check_range, folder_of_prefix, is_key, normalize_folder, validate_key
from jobs.store.s3_client import make_client
from jobs.store.s3_errors import (
    BOTO3_ERRORS,
    TRUNCATION_ERRORS,
    TruncatedError,
    error_code,
    error_of_code,
    http_status,
    s3_code,
    store_error,
)
from jobs.store.store import (
    MAX_READ_BYTES,
    ObjectInfo,
    Store,
    UnfinishedUpload,
    batches,
    check_read_size,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        ErrorTypeDef,
        GetObjectOutputTypeDef,
        GetObjectRequestTypeDef,
        ObjectIdentifierTypeDef,
        ResponseMetadataTypeDef,
    )

T = TypeVar("T")

_ATTEMPTS = 3
_DELETE_BATCH = 1000
_REQUESTS_AT_ONCE = 16


_NOT_FOUND, _CONFLICT = 404, 409
"""Statuses of HTTP."""


_KEEP_EMPTY_FOLDERS = ("S3Proxy", "SeaweedFS", "VERSITYGW")
"""How services call themselves that list a folder even after its last object was deleted."""


_UNSUPPORTED = {"400", "InvalidArgument", "InvalidRequest", "MalformedXML", "NotImplemented"}
"""Error codes of stores that do not know a request."""


class _BulkDeleteRefused(Exception):  # noqa: N818 - the name says what happened
    """The store refuses to delete several objects by one request."""


class S3Store(Store):
    """The objects of a bucket that have a prefix; an empty prefix means the whole bucket.

    connect: makes the client; called once, at the first request.
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
        self._has_bulk_delete = True

    def put(self, key: str, content: bytes) -> None:
        name = self._name(key)
        with self._translate_errors():
            self._client().put_object(Bucket=self._bucket, Key=name, Body=content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        name = self._name(key)
        with self._translate_errors():
            try:
                self._client().put_object(
                    Bucket=self._bucket, Key=name, Body=content, IfNoneMatch="*"
                )
            except ClientError as error:
                if error_code(error) == "PreconditionFailed":
                    return False
                # Other writers compete for the key, or the store has one answer for both cases.
                if http_status(error) == _CONFLICT and self._exists(name):
                    return False
                raise
        return True

    def _exists(self, name: str) -> bool:
        try:
            self._client().head_object(Bucket=self._bucket, Key=name)
        except ClientError as error:
            if http_status(error) == _NOT_FOUND:
                return False
            raise
        return True

    def get(self, key: str) -> bytes:
        content, _ = self._read(key)
        return content

    def get_range(self, key: str, start: int, length: int) -> bytes:
        check_range(start, length)
        content, _ = self._read(key, f"bytes={start}-{start + length - 1}")
        if len(content) != length:
            raise _too_short(key)
        return content

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        content, answer = self._read(key)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if date is None:
            raise StoreRefused(
                f"{self._safe_address()}: responses have no Date header, so the age of objects is "
                "unknown; use another store"
            )
        age = parsedate_to_datetime(date) - answer["LastModified"]
        return content, max(0.0, age.total_seconds())

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        folder_of_prefix(prefix)
        with self._translate_errors():
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._root + prefix):
                for entry in page.get("Contents", ()):
                    key = entry["Key"].removeprefix(self._root)
                    if is_key(key):
                        yield ObjectInfo(key, entry["Size"], entry["LastModified"].timestamp())

    def list_folders(self, prefix: str, start: str = "") -> Iterator[str]:
        folder = normalize_folder(prefix)
        parent = self._root + (f"{folder}/{start}" if folder else start)
        with self._translate_errors():
            pages = self._client().get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=parent, Delimiter="/"):
                names = [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
                for name in self._without_empty(names, page["ResponseMetadata"]):
                    key = name.removeprefix(self._root).rstrip("/")
                    if is_key(key):
                        yield key.rpartition("/")[2]

    def delete(self, keys: Iterable[str]) -> None:
        for batch in batches(map(self._name, keys), _DELETE_BATCH):
            if self._has_bulk_delete:
                self._has_bulk_delete = self._try_bulk_delete(batch)
            if not self._has_bulk_delete:
                with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as threads:
                    list(threads.map(self._delete_one, batch))

    def upload(self, path: Path, key: str) -> None:
        name = self._name(key)
        with self._translate_errors(), TransferManager(self._client(), _transfer()) as manager:
            manager.upload(str(path), self._bucket, name).result()

    def download(self, key: str, path: Path) -> None:
        name = self._name(key)
        with self._translate_errors(key), TransferManager(self._client(), _transfer()) as manager:
            # s3transfer writes a temporary file, and checks that all ranges have one version.
            _retry(
                lambda: manager.download(self._bucket, name, str(path)).result(),
                S3DownloadFailedError,
            )

    def unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        folder_of_prefix(prefix)
        root = self._root + prefix
        with self._translate_errors():
            try:
                uploads = [
                    UnfinishedUpload(key, upload["UploadId"], upload["Initiated"].timestamp())
                    for page in self._client()
                    .get_paginator("list_multipart_uploads")
                    .paginate(Bucket=self._bucket, Prefix=root)
                    for upload in page.get("Uploads", ())
                    # Some stores ignore the prefix.
                    if upload["Key"].startswith(root)
                    and is_key(key := upload["Key"].removeprefix(self._root))
                ]
            except ClientError as error:
                # The store cannot tell. It removes them itself, or by a rule of the bucket.
                if error_code(error) not in _UNSUPPORTED:
                    raise
                return
        yield from sorted(uploads, key=lambda upload: (upload.key, upload.id))

    def abort_upload(self, upload: UnfinishedUpload) -> None:
        name = self._name(upload.key)
        with self._translate_errors():
            try:
                self._client().abort_multipart_upload(
                    Bucket=self._bucket, Key=name, UploadId=upload.id
                )
            except ClientError as error:
                if error_code(error) != "NoSuchUpload":
                    raise

    def _client(self) -> "S3Client":
        with self._connecting:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    def _name(self, key: str) -> str:
        return self._root + validate_key(key)

    def _without_empty(self, folders: list[str], answer: "ResponseMetadataTypeDef") -> list[str]:
        """Drop the empty folders, for stores that keep them. answer: to the listing of them."""
        if not answer["HTTPHeaders"].get("server", "").startswith(_KEEP_EMPTY_FOLDERS):
            return folders
        with ThreadPoolExecutor(_REQUESTS_AT_ONCE) as threads:
            are_full = list(threads.map(self._has_objects, folders))
        return [folder for folder, is_full in zip(folders, are_full, strict=True) if is_full]

    def _has_objects(self, folder: str) -> bool:
        answer = self._client().list_objects_v2(Bucket=self._bucket, Prefix=folder, MaxKeys=1)
        return bool(answer.get("Contents"))

    def _read(
        self, key: str, byte_range: str | None = None
    ) -> "tuple[bytes, GetObjectOutputTypeDef]":
        request: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": self._name(key)}
        if byte_range is not None:
            request["Range"] = byte_range

        def read() -> "tuple[bytes, GetObjectOutputTypeDef]":
            answer = self._client().get_object(**request)
            if byte_range is None and answer["ContentLength"] > MAX_READ_BYTES:
                # Close the connection. Otherwise it would still deliver the whole body.
                answer["Body"].close()
                check_read_size(key, answer["ContentLength"])
            try:
                return answer["Body"].read(), answer
            except TRUNCATION_ERRORS as error:
                raise TruncatedError from error

        with self._translate_errors(key):
            return _retry(read, TruncatedError)

    def _try_bulk_delete(self, names: list[str]) -> bool:
        """Delete objects by one request. Returns False if the store refuses such requests."""
        try:
            with self._translate_errors():
                self._delete(names)
        except _BulkDeleteRefused:
            return False
        return True

    def _delete_one(self, name: str) -> None:
        with self._translate_errors():
            try:
                self._client().delete_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                if error_code(error) != "NoSuchKey":
                    raise

    def _delete(self, names: list[str]) -> None:
        errors: list[ErrorTypeDef] = []
        for attempt in range(_ATTEMPTS):
            if attempt:
                _pause(attempt)
            errors = [
                error
                for error in self._bulk_delete(names)
                if s3_code(error.get("Code", "")) != "NoSuchKey"
            ]
            if not errors:
                return
            names = [error["Key"] for error in errors if "Key" in error] or names
        code = errors[0].get("Code", "")
        if s3_code(code) in _UNSUPPORTED:
            raise _BulkDeleteRefused
        raise error_of_code(code, 0, self._safe_address())

    def _bulk_delete(self, names: list[str]) -> "Sequence[ErrorTypeDef]":
        """Send one request to delete objects; returns the errors of some of them."""
        objects: list[ObjectIdentifierTypeDef] = [{"Key": name} for name in names]
        try:
            answer = self._client().delete_objects(
                Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
            )
        except ClientError as error:
            if isinstance(store_error(error, ""), StoreRefused):
                # A request for one object then shows whether the store refuses that, too.
                raise _BulkDeleteRefused from None
            raise
        return answer.get("Errors", ())

    @contextmanager
    def _translate_errors(self, key: str | None = None) -> Iterator[None]:
        try:
            yield
        except BOTO3_ERRORS as error:
            if key is not None and error_code(error) == "NoSuchKey":
                raise ObjectNotFound(key) from None
            if key is not None and error_code(error) == "InvalidRange":
                raise _too_short(key) from None
            # Not chained: the message of boto3 may contain an endpoint with its password.
            raise store_error(error, self._safe_address()) from None

    def _safe_address(self) -> str:
        if self._connected is None:
            return self.address
        # The URL of an endpoint may contain a password.
        host = urlsplit(self._connected.meta.endpoint_url).netloc.rpartition("@")[2]
        return f"{self.address} at {host}"


def _transfer() -> TransferConfig:
    # By default, up to 256 MiB are buffered for a slow disk.
    return TransferConfig(max_io_queue_size=64, io_chunksize=256 << 10)


def _retry(send: Callable[[], T], transient: type[Exception]) -> T:
    """Send a request, and repeat it after a transient error that botocore does not retry."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return send()
        except transient:
            _pause(attempt)
    return send()


def _too_short(key: str) -> ValueError:
    return ValueError(f"{key} is shorter than the requested range")


def _pause(attempt: int) -> None:
    time.sleep(0.1 * 2**attempt)
