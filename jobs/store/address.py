"""The store at an address: the path of a folder, file:// or s3://."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jobs.store.folder import FolderStore
from jobs.store.key import is_key
from jobs.store.store import Store
from jobs.text.errors import RequestError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ONE_SLASH = re.compile(r"(s3|file):", re.IGNORECASE)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def open_store(address: str) -> Store:
    """Open the store at `s3://bucket`, `s3://bucket/prefix`, `file:///path` or a folder's path.

    Sends no request yet. Raises RequestError for an invalid address.
    """
    scheme = _SCHEME.match(address)
    kind = scheme.group().lower() if scheme else ""
    if kind == "s3://":
        return _open_bucket(address)
    if kind == "file://":
        return FolderStore(_folder_path(address))
    if kind:
        raise RequestError(f"{address}: unknown kind of store; write s3://BUCKET/PREFIX or a path")
    if _ONE_SLASH.match(address):
        raise RequestError(
            f"{address}: not the address of a store; write s3://BUCKET/PREFIX, file:///PATH or a "
            "path"
        )
    if not address.strip() or "\0" in address:
        raise RequestError(
            f"{address!r}: not the address of a store; write s3://BUCKET/PREFIX or a path"
        )
    try:
        return FolderStore(Path(address).expanduser())
    except RuntimeError as error:
        raise RequestError(
            f"{address}: no such home folder; write s3://BUCKET or a PATH"
        ) from error


def open_existing_store(address: str) -> Store:
    """Open a store to read. Raises RequestError for an invalid address or a missing folder."""
    store = open_store(address)
    check_is_folder(store)
    if isinstance(store, FolderStore) and not Path(store.address).is_dir():
        raise RequestError(
            f"{store.address}: there is no such store; name another with --store or "
            "DREAMFARM_STORE, or let `dreamfarm submit PICTURE --create` make this one"
        )
    return store


def open_store_to_fill(address: str, *, may_create: bool) -> Store:
    """Open a store for new jobs. Sends no request yet, and creates no folder: the first write does.

    Raises RequestError for an invalid address or a missing folder.

    Args:
        address: As for `open_store`.
        may_create: Whether the store's folder may be missing; that around it must exist. A folder
            that is missing is more often a slip than a new store.
    """
    store = open_store(address)
    check_is_folder(store)
    if isinstance(store, FolderStore):
        _check_may_fill(Path(store.address), may_create)
    return store


def _check_may_fill(folder: Path, may_create: bool) -> None:
    if folder.exists():
        return
    if not folder.parent.is_dir():
        raise RequestError(f"{folder.parent}: there is no such folder; create it first")
    if not may_create:
        raise RequestError(
            f"{folder}: there is no such store; name another with --store or DREAMFARM_STORE, or "
            "add --create to make this one"
        )


def check_is_folder(store: Store) -> None:
    """Check that no file lies where a store that is a folder belongs. Raises RequestError."""
    if isinstance(store, FolderStore):
        folder = Path(store.address)
        if os.path.lexists(folder) and not folder.is_dir():
            raise RequestError(
                f"{folder}: is not a folder, so it cannot be a store; name another with --store "
                "or DREAMFARM_STORE"
            )


def _open_bucket(address: str) -> Store:
    bucket, _, prefix = address[len("s3://") :].partition("/")
    prefix = prefix.strip("/")
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise RequestError(
            f"{address}: a bucket name has 3 to 63 lower-case letters, digits, hyphens and dots; "
            "write s3://BUCKET/PREFIX"
        )
    if prefix and not is_key(prefix):
        raise RequestError(
            f"{address}: a prefix has letters, digits and ._-@=+, with / between parts; "
            "write s3://BUCKET/PREFIX"
        )
    # Importing boto3 takes a third of a second, which a folder store does not need.
    from jobs.store.s3 import S3Store

    return S3Store(bucket, prefix)


def _folder_path(address: str) -> Path:
    parts = urlsplit(address)
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"} or not path or "\0" in path:
        raise RequestError(f"{address}: not a local folder; write file:///PATH")
    return Path(path)
