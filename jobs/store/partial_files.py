"""Files in progress of a store that is a folder: whole files leave here for their places."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jobs.store.key import is_key
from jobs.store.store import Unfinished


class Drafts:
    """Files in one flat folder, each named after the key it is for: `a,b~1f…` for `a/b`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def begun(self, key: str) -> Iterator[BinaryIO]:
        """A new, empty file; it goes at the end, unless it has been moved."""
        path = self._path(key, uuid.uuid4().hex)
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        """The files there are, in the order of their keys, begun when they were last written to."""
        if not self._folder.is_dir():
            return
        found = []
        for path in self._folder.iterdir():
            name, _, upload = path.name.rpartition("~")
            key = name.replace(",", "/")
            if is_key(key) and key.startswith(prefix):
                found.append((key, upload, path))
        for key, upload, path in sorted(found):
            try:
                yield Unfinished(key, upload, path.stat().st_mtime)
            except FileNotFoundError:
                continue

    def remove(self, draft: Unfinished) -> None:
        """End a file in progress."""
        self._path(draft.key, draft.upload).unlink(missing_ok=True)

    def _path(self, key: str, upload: str) -> Path:
        return self._folder / f"{key.replace('/', ',')}~{upload}"
