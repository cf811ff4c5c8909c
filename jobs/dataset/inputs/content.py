"""The bytes of an input, as a file of this machine."""

import errno
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jobs.dataset.inputs.item import BLOB_SCHEME, ByteRange
from jobs.records.keys import blob_key, is_digest
from jobs.runtime.access import AccessPolicy
from jobs.spec.inputs import is_in_bucket
from jobs.store.errors import ObjectNotFound, StoreUnreachable
from jobs.store.folder_errors import store_error
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.errors import PictureError

_CHUNK = 1 << 20


MAX_READ = 256 << 20
"""Bytes of what lies beside a picture, and goes through memory."""


@contextmanager
def local_file(
    place: ByteRange, store: Store, scratch: Path, access: AccessPolicy
) -> Iterator[Path]:
    """A file with exactly the bytes of a picture's place.

    That is the file itself where the place is a whole file of this machine, and else one in the
    folder `scratch`, gone afterwards. reach: what may be read besides the store. Raises
    PictureError where the input is at fault: missing, forbidden, out of reach, empty, shorter than
    its place says; StoreError where the way to it is, as StoreUnreachable for what may work later;
    OSError where `scratch` cannot be written.
    """
    with _file(place, store, scratch, access) as path:
        if not path.stat().st_size:
            raise _fault(place, "is empty: copy or export the picture again")
        yield path


def read_content(place: ByteRange, store: Store, scratch: Path, access: AccessPolicy) -> bytes:
    """The bytes of a small file or part, which may be none. Raises what `at_hand` does."""
    with _file(place, store, scratch, access) as path:
        size = path.stat().st_size
        if size > MAX_READ:
            raise _fault(place, f"has {size} bytes, and at most {MAX_READ} may lie by a picture")
        return path.read_bytes()


@contextmanager
def _file(place: ByteRange, store: Store, scratch: Path, access: AccessPolicy) -> Iterator[Path]:
    here = _here(place, store, access)
    if here is not None and not place.start and place.length is None:
        _check(here, place)
        yield here
        return
    with tempfile.TemporaryDirectory(prefix="input-", dir=scratch) as folder:
        path = Path(folder) / "input"
        if place.length == 0:
            path.touch()
        elif here is not None:
            _cut(here, place, path)
        elif is_in_bucket(place.address):
            _fetch(place, path)
        else:
            _receive(place, store, path)
        if place.length is not None and path.stat().st_size != place.length:
            raise _fault(place, "ends too soon; was it changed since it was listed?")
        yield path


def _here(place: ByteRange, store: Store, access: AccessPolicy) -> Path | None:
    """The file of this machine that holds the bytes, if one does, by its real path."""
    try:
        if place.address.startswith(BLOB_SCHEME):
            found = store.local_path(_key(place))
            return None if found is None else Path(access.resolve(str(found)))
        address = access.resolve(place.address)
    except RequestError as error:
        raise PictureError(str(error)) from None
    return None if is_in_bucket(address) else Path(address)


def _key(place: ByteRange) -> str:
    digest = place.address.removeprefix(BLOB_SCHEME)
    if not is_digest(digest):
        raise RequestError(f"{place.address}: is no digest of a file; submit the job again")
    return blob_key(digest)


def _check(path: Path, place: ByteRange) -> None:
    """Raises PictureError for what is no file that can be read."""
    with _opening(place):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        # Who opens a pipe waits for ever.
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "is no file")
        path.open("rb").close()


def _cut(source: Path, place: ByteRange, target: Path) -> None:
    _check(source, place)
    with target.open("wb") as out:
        for chunk in _chunks(source, place):
            out.write(chunk)


def _chunks(source: Path, place: ByteRange) -> Iterator[bytes]:
    """The bytes of a part of a file; of its writer's errors it knows nothing."""
    with _opening(place), source.open("rb") as file:
        file.seek(place.start)
        left = place.length
        while chunk := file.read(_CHUNK if left is None else min(_CHUNK, left)):
            left = None if left is None else left - len(chunk)
            yield chunk


def _fetch(place: ByteRange, path: Path) -> None:
    # boto3 takes a third of a second, which who has a folder need not wait for.
    from jobs.dataset.inputs.s3 import save_range

    try:
        save_range(place.address, place.start, place.length, path)
    except RequestError as error:
        raise PictureError(str(error)) from None


def _receive(place: ByteRange, store: Store, path: Path) -> None:
    """From the job's own store, which is a bucket."""
    try:
        if place.length is not None:
            path.write_bytes(store.get_range(_key(place), place.start, place.length))
        elif not place.start:
            store.download(_key(place), path)
        else:
            with tempfile.TemporaryDirectory(prefix="whole-", dir=path.parent) as folder:
                whole = Path(folder) / "whole"
                store.download(_key(place), whole)
                _cut(whole, place, path)
    except ObjectNotFound:
        raise _fault(place, f"is not in {store.address}; submit the job again") from None
    except ValueError:
        raise _fault(place, "ends too soon; submit the job again") from None


@contextmanager
def _opening(place: ByteRange) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        passing = store_error(error, place.address)
        # What network file systems say while their server is away, but for one word.
        if isinstance(passing, StoreUnreachable) and error.errno != errno.ENOENT:
            raise passing from error
        reason = error.strerror or "the system gives no reason"
        raise _fault(
            place, f"cannot be read: {reason}: check the path and its permissions"
        ) from error


def _fault(place: ByteRange, reason: str) -> PictureError:
    return PictureError(" ".join(f"{place.address}: {reason}".splitlines()))


_BUFFER = 2 << 20
"""Bytes a request: small members of a tar come many at once, large ones are jumped over."""


@contextmanager
def open_stream(address: str) -> Iterator[BinaryIO]:
    """The file at a path or an `s3://` address, to be read.

    Raises RequestError where it cannot be opened, or read while it is open, and StoreError.
    """
    if is_in_bucket(address):
        # boto3 takes a third of a second, which who has a folder need not wait for.
        from jobs.dataset.inputs.s3 import ObjectReader

        with io.BufferedReader(ObjectReader(address), _BUFFER) as file:
            yield file
        return
    try:
        with Path(address).open("rb") as file:
            yield file
    except OSError as error:
        raise RequestError(
            f"{address}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from error
