"""Uploads: streamed to a temporary file, checked, and put into the store by their digest."""

import asyncio
import hashlib
import re
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import Field

from jobs.records.stored_spec import attachment_reference
from jobs.runtime.scratch import SCRATCH_PREFIX, ScratchLock
from jobs.runtime.upload import upload_blob
from jobs.store.store import Store
from jobs.text.report import format_size
from jobs.web.commands import Commands
from jobs.web.models import Answer
from jobs.web.problems import Problem
from render.networks.safetensors_header import check_header, is_safetensors
from render.networks.weight_paths import SAFETENSORS_SUFFIX

Use = Literal["picture", "profile", "weights"]

_AT_ONCE = 4

_CHUNK = 1 << 20

_MOST_DISCARDED, _DISCARD_SECONDS = 256 << 20, 20.0
"""How much of an upload that is too large is read and thrown away, and for how long."""

_MARGIN = 256 << 20
"""Bytes that stay free on the disk of temporary files."""

_NAME = re.compile(r"[^\x00-\x1f\x7f/\\]{1,200}")


class UploadView(Answer):
    """An upload. reference: names it in a spec. Only pictures have sides."""

    reference: Annotated[str, Field(description="Names it in a spec.")]
    name: str
    bytes: int
    format: str
    width: int | None
    height: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Uploads:
    """The uploads of one server. most_bytes: of one upload."""

    store: Store
    commands: Commands
    most_bytes: int
    _places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_AT_ONCE))

    async def receive(
        self, chunks: AsyncIterator[bytes], name: str, use: Use, announced: int | None
    ) -> UploadView:
        """Receive a file. Whatever ends this before its end leaves nothing behind.

        announced: the bytes that the client announces, if it does. Raises Problem, StoreError.
        """
        if not _NAME.fullmatch(name) or name in {".", ".."}:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "name: must be a plain file name")
        with self._place():
            if (announced or 0) > self.most_bytes:
                await _discard(chunks)
            self._check_size(announced or 0)
            return await self._receive(chunks, name, use)

    async def _receive(self, chunks: AsyncIterator[bytes], name: str, use: Use) -> UploadView:
        with _scratch_folder() as folder:
            path = folder / f"upload{_suffix(name)}"
            digest, size = await self._write(chunks, path)
            return await asyncio.to_thread(self._keep, path, name, use, digest, size)

    async def _write(self, chunks: AsyncIterator[bytes], path: Path) -> tuple[str, int]:
        """Write the chunks to a file. Returns its digest and its size."""
        checksum, size = hashlib.sha256(), 0
        with path.open("xb") as file:
            async for chunk in _collected(chunks):
                size += len(chunk)
                self._check_size(size)
                await asyncio.to_thread(_append, file, checksum, chunk)
        return f"sha256:{checksum.hexdigest()}", size

    def _check_size(self, size: int) -> None:
        if size > self.most_bytes:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"an upload has at most {format_size(self.most_bytes)}; submit a larger file "
                "on the command line",
            )

    def _keep(self, path: Path, name: str, use: Use, digest: str, size: int) -> UploadView:
        """Check a file, and put it into the store. Raises Problem, StoreError."""
        if use == "weights":
            facts = _check_weights(path, name)
        else:
            facts = self.commands.run_module("jobs.web.check_picture", use, str(path))
        upload_blob(self.store, path, digest)
        return UploadView(
            reference=attachment_reference(Path(name), digest),
            name=name,
            bytes=size,
            format=facts["format"],
            width=facts.get("width"),
            height=facts.get("height"),
            notes=tuple(facts.get("notes", ())),
        )

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too many uploads at once; try again soon")
        try:
            yield
        finally:
            self._places.release()


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """A folder for one upload. After a kill, the next process on this machine removes it."""
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX))
    lock = ScratchLock(folder)
    try:
        yield folder
    finally:
        lock.release()


async def _discard(chunks: AsyncIterator[bytes]) -> None:
    """Read the rest of a body, for a while: browsers and proxies look for an answer after it."""
    left = _MOST_DISCARDED
    with suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    return


async def _collected(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in larger chunks."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= _CHUNK:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _append(file: BinaryIO, checksum: Any, chunk: bytes) -> None:
    if shutil.disk_usage(file.name).free < _MARGIN:
        raise Problem(HTTPStatus.INSUFFICIENT_STORAGE, "the server's disk is full; try again later")
    checksum.update(chunk)
    file.write(chunk)


def _suffix(name: str) -> str:
    """The suffix of a name, if it is harmless: it decides nothing, but messages show it."""
    suffix = Path(name).suffix
    return suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,12}", suffix) else ""


def _check_weights(path: Path, name: str) -> dict[str, Any]:
    if Path(name).suffix != SAFETENSORS_SUFFIX or not is_safetensors(path):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{name}: only {SAFETENSORS_SUFFIX} is taken here, because other files can hold code; "
            "submit them on the command line, which converts them",
        )
    check_header(path)
    return {"format": "safetensors"}
