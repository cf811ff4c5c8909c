"""A store in a folder, on a local disk or on a file system that several machines mount."""

import errno
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from jobs.store.errors import LinkOutsideStore, NotAnObject, ObjectNotFound
from jobs.store.folder_files import (
    MoveFile,
    PartialFiles,
    is_folder,
    is_linked,
    is_outside,
    link_if_absent,
    list_children,
    list_files,
    move_into_place,
    remove_empty_folders,
    replace_file,
    store_error,
)
from jobs.store.key import PARTIAL, check_range, folder_of_prefix, normalize_folder, validate_key
from jobs.store.store import ObjectInfo, Store, UnfinishedUpload, check_read_size
from render.input_file import NotRegularFileError, check_regular_file, open_input_file

_CHUNK = 1 << 20


class FolderStore(Store):
    """Each object is a file below a folder. The first write creates the folder.

    A file is written and flushed to disk below `.partial/`, then moved to its key by a rename or a
    hard link. No method follows a link that leads out of the folder, or to another folder in it: it
    raises LinkOutsideStore. No method opens a pipe or a socket: it raises NotAnObject at once.
    """

    _move_if_absent: MoveFile = staticmethod(link_if_absent)

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._partial_files = PartialFiles(self._root / PARTIAL)
        super().__init__(str(self._root))

    def put(self, key: str, content: bytes) -> None:
        self._write(key, [content], replace_file)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._write(key, [content], self._move_if_absent)

    def get(self, key: str) -> bytes:
        with self._open(key) as file:
            return _read_whole(file, key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        check_range(start, length)
        with self._open(key) as file:
            file.seek(start)
            content = file.read(length)
        if len(content) != length:
            raise ValueError(f"{key} is shorter than the requested range")
        return content

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        with self._open(key) as file:
            written = os.fstat(file.fileno()).st_mtime
            content = _read_whole(file, key)
        # A new file gives the time by the clock of the file server.
        with self._translate_errors(), self._partial_files.create(key) as touched:
            now = os.fstat(touched.fileno()).st_mtime
        return content, max(0.0, now - written)

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._translate_errors():
            yield from list_files(self._root, folder_of_prefix(prefix), prefix)

    def list_folders(self, prefix: str, start: str = "") -> Iterator[str]:
        folder = normalize_folder(prefix)
        with self._translate_errors():
            for key, item in list_children(self._root, folder):
                # Another process is about to remove an empty folder, or to write into it.
                is_wanted = item.name.startswith(start) and is_folder(item)
                if is_wanted and self._has_files(key):
                    yield item.name

    def blocked_keys(self, prefix: str) -> Iterator[str]:
        with self._translate_errors():
            for key, item in list_children(self._root, folder_of_prefix(prefix)):
                if key.startswith(prefix) and is_folder(item):
                    yield key

    def _has_files(self, folder: str) -> bool:
        """Whether a folder has files. True if it cannot be read: that must not stop a listing."""
        try:
            return any(True for _ in list_files(self._root, folder, f"{folder}/"))
        except OSError:
            return True

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            path = self._path(key)
            with self._translate_errors():
                with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                    path.unlink()
                remove_empty_folders(self._root, path.parent)

    def upload(self, path: Path, key: str) -> None:
        with open_input_file(path) as source:
            self._write(key, iter(lambda: source.read(_CHUNK), b""), replace_file)

    def move_file(self, path: Path, key: str) -> None:
        target = self._path(key)
        with open_input_file(path) as source:
            os.fsync(source.fileno())
        with self._translate_errors():
            try:
                move_into_place(replace_file, path, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self.upload(path, key)

    def download(self, key: str, path: Path) -> None:
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
        try:
            with partial.open("xb") as target:
                for chunk in self._read_chunks(key):
                    target.write(chunk)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        folder_of_prefix(prefix)
        with self._translate_errors():
            yield from self._partial_files.unfinished_uploads(prefix)

    def abort_upload(self, upload: UnfinishedUpload) -> None:
        with self._translate_errors():
            self._partial_files.remove(upload)

    def local_path(self, key: str) -> Path:
        """The file of an object. Raises NotAnObject for a pipe; the file may be missing."""
        path = self._file_path(key)
        missing = suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError)
        with self._translate_errors(), _as_object(key), missing:
            check_regular_file(path)
        return path

    def _path(self, key: str) -> Path:
        """The path of a key's file, which may not exist, or may be a link itself."""
        path = self._root / validate_key(key)
        if is_outside(self._root, path.parent):
            raise self._link_error(key)
        if is_linked(self._root, path.parent):
            raise LinkOutsideStore(
                f"{key}: a folder of {self.address} there is a link; put the folder itself there"
            )
        return path

    def _file_path(self, key: str) -> Path:
        """The path of a key's file, which may not exist, or may be a link within the store."""
        path = self._path(key)
        if is_outside(self._root, path):
            raise self._link_error(key)
        return path

    def _link_error(self, key: str) -> LinkOutsideStore:
        return LinkOutsideStore(
            f"{key}: is a link that leads out of {self.address}; put the file itself there"
        )

    def _write(self, key: str, chunks: Iterable[bytes], move: MoveFile) -> bool:
        target = self._path(key)
        with self._translate_errors(), self._partial_files.create(key) as partial:
            for chunk in chunks:
                partial.write(chunk)
            partial.flush()
            os.fsync(partial.fileno())
            return move_into_place(move, Path(partial.name), target)

    def _read_chunks(self, key: str) -> Iterator[bytes]:
        with self._open(key) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    @contextmanager
    def _open(self, key: str) -> Iterator[BinaryIO]:
        path = self._file_path(key)
        with self._translate_errors():
            try:
                with _as_object(key):
                    file = open_input_file(path)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                if path.is_symlink():
                    raise _not_an_object(key, "is a link that leads to no file") from None
                raise ObjectNotFound(key) from None
            with file:
                yield file

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise store_error(error, self.address) from error


@contextmanager
def _as_object(key: str) -> Iterator[None]:
    """Translate the error for a pipe, a socket or a device in place of a file."""
    try:
        yield
    except NotRegularFileError as error:
        raise _not_an_object(key, error.strerror or "is not a file") from error


def _not_an_object(key: str, problem: str) -> NotAnObject:
    return NotAnObject(f"{key}: {problem}; move it away, and put the file itself there")


def _read_whole(file: BinaryIO, key: str) -> bytes:
    size = os.fstat(file.fileno()).st_size
    check_read_size(key, size)
    return file.read(size)
