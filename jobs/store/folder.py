"""A store in a folder, of this machine's disk or of one that many machines mount."""

import errno
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from jobs.store.errors import Elsewhere, Missing
from jobs.store.folder_errors import failure
from jobs.store.folder_tree import Take, children, files, leads_out, link, place, prune, replace
from jobs.store.key import PARTIAL, checked, checked_range, folder_named, folder_of
from jobs.store.partial_files import Drafts
from jobs.store.store import Entry, Store, Unfinished, check_small

_CHUNK = 1 << 20


class FolderStore(Store):
    """Objects are files below a folder, which the first of them creates.

    Each takes its place as a whole: by rename or by hard link, from `.partial/`, after it has
    reached the disk. Links that lead out of the folder are not followed, whoever put them there:
    every method raises Elsewhere where one stands on its way.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._drafts = Drafts(self._root / PARTIAL)
        super().__init__(str(self._root))

    def put(self, key: str, content: bytes) -> None:
        self._write(key, [content], replace)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        return self._write(key, [content], link)

    def get(self, key: str) -> bytes:
        with self._reading(key) as file:
            return _whole(file, key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        checked_range(start, length)
        with self._reading(key) as file:
            file.seek(start)
            content = file.read(length)
        if len(content) != length:
            raise ValueError(f"{key} ends before the range does")
        return content

    def aged(self, key: str) -> tuple[bytes, float]:
        with self._reading(key) as file:
            written = os.fstat(file.fileno()).st_mtime
            content = _whole(file, key)
        # The clock of whoever keeps the files, which need not be this machine's.
        with self._failures(), self._drafts.begun(key) as touched:
            now = os.fstat(touched.fileno()).st_mtime
        return content, max(0.0, now - written)

    def entries(self, prefix: str) -> Iterator[Entry]:
        with self._failures():
            yield from files(self._root, folder_of(prefix), prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        folder = folder_named(prefix)
        with self._failures():
            for key, item in children(self._root, folder):
                # A folder in which nothing lies is about to be removed, or about to be filled.
                if item.is_dir() and any(True for _ in files(self._root, key, f"{key}/")):
                    yield item.name

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            path = self._path(key)
            with self._failures():
                with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                    path.unlink()
                prune(self._root, path.parent)

    def upload(self, path: Path, key: str) -> None:
        with path.open("rb") as source:
            self._write(key, iter(lambda: source.read(_CHUNK), b""), replace)

    def give(self, path: Path, key: str) -> None:
        target = self._path(key)
        with path.open("rb") as source:
            os.fsync(source.fileno())
        with self._failures():
            try:
                place(replace, path, target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self.upload(path, key)

    def download(self, key: str, path: Path) -> None:
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
        try:
            with draft.open("xb") as target:
                for chunk in self._chunks(key):
                    target.write(chunk)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        folder_of(prefix)
        with self._failures():
            yield from self._drafts.unfinished(prefix)

    def abort(self, upload: Unfinished) -> None:
        with self._failures():
            self._drafts.remove(upload)

    def local(self, key: str) -> Path:
        return self._within(self._path(key), key)

    def _path(self, key: str) -> Path:
        """Where a key's file lies, or will; itself it may be a link."""
        path = self._root / checked(key)
        self._within(path.parent, key)
        return path

    def _within(self, path: Path, key: str) -> Path:
        if leads_out(self._root, path):
            raise Elsewhere(
                f"{key}: is a link that leads out of {self.address}; put the file itself there"
            )
        return path

    def _write(self, key: str, chunks: Iterable[bytes], take: Take) -> bool:
        target = self._path(key)
        with self._failures(), self._drafts.begun(key) as draft:
            for chunk in chunks:
                draft.write(chunk)
            draft.flush()
            os.fsync(draft.fileno())
            return place(take, Path(draft.name), target)

    def _chunks(self, key: str) -> Iterator[bytes]:
        with self._reading(key) as file:
            while chunk := file.read(_CHUNK):
                yield chunk

    @contextmanager
    def _reading(self, key: str) -> Iterator[BinaryIO]:
        path = self.local(key)
        with self._failures():
            try:
                file = path.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise Missing(key) from None
            with file:
                yield file

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise failure(error, self.address) from error


def _whole(file: BinaryIO, key: str) -> bytes:
    size = os.fstat(file.fileno()).st_size
    check_small(key, size)
    return file.read(size)
