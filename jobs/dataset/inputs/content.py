"""Reading inputs: the bytes of a file, of a part of one, or of an object in a bucket."""

import errno
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jobs.dataset.inputs.item import BLOB_SCHEME, InputPlace
from jobs.records.keys import blob_key, is_digest
from jobs.runtime.access import AccessPolicy
from jobs.spec.inputs import is_in_bucket
from jobs.store.errors import ObjectNotFound, StoreUnreachable
from jobs.store.folder_files import store_error
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.errors import PictureError
from render.input_file import open_input_file, read_problem

_CHUNK = 1 << 20
"""Bytes that are copied at a time."""


_BUFFER = 2 << 20
"""Bytes of a request to S3: one request reads many small tar members, and large ones are
skipped."""


MAX_READ = 256 << 20
"""The maximum size in bytes of a file beside a picture, because it is read into memory."""


@contextmanager
def local_file(
    source: InputPlace, store: Store, scratch: Path, access: AccessPolicy
) -> Iterator[Path]:
    """Give a local file with exactly the bytes of an input.

    It is the input itself if that is a whole file of this machine. Otherwise it is a temporary file
    in `scratch`, which is deleted afterwards.

    Args:
        source: The input.
        store: The job's store, for uploaded files.
        scratch: A folder for temporary files.
        access: What may be read besides the store.

    Raises:
        PictureError: The input is missing, forbidden, not allowed, empty or too short.
        StoreUnreachable: It could not be read now; a later attempt may succeed.
        StoreError: A store refused the request.
        OSError: `scratch` cannot be written.
    """
    with _open_range(source, store, scratch, access) as path:
        if not path.stat().st_size:
            raise _input_error(source, "is empty; copy or export the picture again")
        yield path


def read_content(source: InputPlace, store: Store, scratch: Path, access: AccessPolicy) -> bytes:
    """Return the bytes of a small file or part, which may be empty. Raises as `local_file`."""
    with _open_range(source, store, scratch, access) as path:
        size = path.stat().st_size
        if size > MAX_READ:
            raise _input_error(
                source,
                f"has {size} bytes; a file beside a picture may have at most {MAX_READ}; remove it",
            )
        with open_input_file(path) as file:
            return file.read()


@contextmanager
def open_stream(address: str) -> Iterator[BinaryIO]:
    """Open a path or an `s3://` address for reading.

    Raises RequestError if it cannot be opened, also later while it is read, and StoreError.
    """
    if is_in_bucket(address):
        # boto3 takes a third of a second to import, and only buckets need it.
        from jobs.dataset.inputs.s3 import ObjectReader

        with io.BufferedReader(ObjectReader(address), _BUFFER) as file:
            yield file
        return
    try:
        with open_input_file(Path(address)) as file:
            yield file
    except OSError as error:
        raise RequestError(f"{address}: {read_problem(error)}") from error


@contextmanager
def _open_range(
    source: InputPlace, store: Store, scratch: Path, access: AccessPolicy
) -> Iterator[Path]:
    local = _local_path(source, store, access)
    if local is not None and not source.start and source.length is None:
        _check_readable(local, source)
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="input-", dir=scratch) as folder:
        path = Path(folder) / "input"
        if source.length == 0:
            path.touch()
        elif local is not None:
            _copy_range(local, source, path)
        elif is_in_bucket(source.address):
            _download_object(source, path)
        else:
            _download_blob(source, store, path)
        if source.length is not None and path.stat().st_size != source.length:
            raise _input_error(source, "ends too soon; restore the file that was listed")
        yield path


def _local_path(source: InputPlace, store: Store, access: AccessPolicy) -> Path | None:
    """The real path of the file on this machine, or None if it is in a bucket."""
    try:
        if source.address.startswith(BLOB_SCHEME):
            blob = store.local_path(_blob_key(source))
            return None if blob is None else Path(access.resolve(str(blob)))
        address = access.resolve(source.address)
    except RequestError as error:
        raise PictureError(str(error)) from None
    return None if is_in_bucket(address) else Path(address)


def _blob_key(source: InputPlace) -> str:
    digest = source.address.removeprefix(BLOB_SCHEME)
    if not is_digest(digest):
        raise RequestError(f"{source.address}: is not the digest of a file; submit the job again")
    return blob_key(digest)


def _check_readable(path: Path, source: InputPlace) -> None:
    """Raises PictureError if the path is not a readable file."""
    with _translate_os_errors(source):
        open_input_file(path).close()


def _copy_range(path: Path, source: InputPlace, target: Path) -> None:
    _check_readable(path, source)
    with target.open("wb") as out:
        for chunk in _read_chunks(path, source):
            out.write(chunk)


def _read_chunks(path: Path, source: InputPlace) -> Iterator[bytes]:
    """Yield the bytes of a part of a file. It translates errors of reading, not of writing."""
    with _translate_os_errors(source), open_input_file(path) as file:
        file.seek(source.start)
        left = source.length
        while chunk := file.read(_CHUNK if left is None else min(_CHUNK, left)):
            left = None if left is None else left - len(chunk)
            yield chunk


def _download_object(source: InputPlace, path: Path) -> None:
    """Download from the bucket of the inputs."""
    # boto3 takes a third of a second to import, and only buckets need it.
    from jobs.dataset.inputs.s3 import save_range

    try:
        save_range(source.address, source.start, source.length, path)
    except RequestError as error:
        raise PictureError(str(error)) from None


def _download_blob(source: InputPlace, store: Store, path: Path) -> None:
    """Download from the job's own store, which is a bucket."""
    key = _blob_key(source)
    try:
        if source.length is not None:
            path.write_bytes(store.get_range(key, source.start, source.length))
        elif not source.start:
            store.download(key, path)
        else:
            with tempfile.TemporaryDirectory(prefix="whole-", dir=path.parent) as folder:
                whole = Path(folder) / "whole"
                store.download(key, whole)
                _copy_range(whole, source, path)
    except ObjectNotFound:
        raise _input_error(source, f"is not in {store.address}; submit the job again") from None
    except ValueError:
        raise _input_error(source, "ends too soon; submit the job again") from None


@contextmanager
def _translate_os_errors(source: InputPlace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        translated = store_error(error, source.address)
        # Network file systems raise these while their server is down. A missing file is different.
        if isinstance(translated, StoreUnreachable) and error.errno != errno.ENOENT:
            raise translated from error
        raise _input_error(source, read_problem(error)) from error


def _input_error(source: InputPlace, reason: str) -> PictureError:
    """The error with one line. File names may contain line breaks."""
    return PictureError(" ".join(f"{source.address}: {reason}".splitlines()))
