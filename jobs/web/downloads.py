"""Downloads of results, whole or in ranges, and of tiles as one zip; all of it streamed."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from jobs.store.store import ObjectInfo, Store
from jobs.web.problems import Problem
from render.pictures.zip_stream import ZipStream

_CHUNK = 128 << 10
"""Bytes that are read at once. Each slow client holds so many in memory."""

_READS_AHEAD = 8

_MOST_DOWNLOADS = 200

_RANGE = re.compile(r"bytes=(?P<first>\d{0,15})-(?P<last>\d{0,15})")

_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "avif": "image/avif",
    "jxl": "image/jxl",
    "pdf": "application/pdf",
    "contract-proof": "application/pdf",
    "deepzoom-zip": "application/zip",
    "iiif-zip": "application/zip",
    "zip": "application/zip",
}


class ClosedStream(StreamingResponse):
    """A stream that ends its body as soon as its client has gone, not when Python collects it."""

    def __init__(
        self,
        body: AsyncGenerator[bytes],
        headers: dict[str, str],
        media_type: str | None = None,
        status_code: int = HTTPStatus.OK,
    ) -> None:
        super().__init__(body, status_code, headers, media_type)
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with aclosing(self._body):
            await super().__call__(scope, receive, send)


@dataclass
class Downloads:
    """The downloads of one server, with a limit to their number. count: how many there are."""

    store: Store
    most: int = _MOST_DOWNLOADS
    count: int = field(default=0, init=False)

    def file(
        self, info: ObjectInfo, form: str, tag: str, asked: str | None, *, is_shown: bool
    ) -> Response:
        """One object, or the range of it that is asked for.

        Args:
            info: The object.
            form: `png`, `jpeg`, `tiff` or another format, for the type.
            tag: Changes with the content.
            asked: The header `Range`.
            is_shown: In the browser, instead of as a file to save.
        """
        name = info.key.rpartition("/")[2]
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": f'"{tag}"',
            "Cache-Control": "private, no-cache",
            "Content-Disposition": _disposition(name, is_shown=is_shown),
        }
        found = parse_range(asked, info.size)
        start, stop = found or (0, info.size)
        status = HTTPStatus.PARTIAL_CONTENT if found else HTTPStatus.OK
        if found:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{info.size}"
        headers["Content-Length"] = str(stop - start)
        kind = _TYPES.get(form, "application/octet-stream")
        body = self._counted(self._chunks(info.key, start, stop))
        return ClosedStream(body, headers, kind, status)

    def zip(self, name: str, files: Iterable[tuple[str, str]]) -> Response:
        """Some objects as one zip. files: the name in the zip and the key of each."""
        headers = {"Content-Disposition": _disposition(name, is_shown=False)}
        return ClosedStream(self._counted(zip_chunks(self.store, files)), headers, _TYPES["zip"])

    async def _chunks(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        for first in range(start, stop, _CHUNK):
            length = min(_CHUNK, stop - first)
            yield await asyncio.to_thread(self.store.get_range, key, first, length)

    def _counted(self, body: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Count a download while it lasts. Raises Problem if there are too many."""
        if self.count >= self.most:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too many downloads; try again later")

        async def counted() -> AsyncGenerator[bytes]:
            self.count += 1
            try:
                async with aclosing(body):
                    async for chunk in body:
                        yield chunk
            finally:
                self.count -= 1

        return counted()


def parse_range(asked: str | None, size: int) -> tuple[int, int] | None:
    """The first byte and the end of a header `Range`; None for the whole.

    Of several ranges, which no browser asks for here, none is heeded. Raises Problem for a range
    outside of the file.
    """
    match = _RANGE.fullmatch((asked or "").replace(" ", ""))
    if match is None or not (match["first"] or match["last"]):
        return None
    if match["first"]:
        start = int(match["first"])
        stop = min(size, int(match["last"]) + 1) if match["last"] else size
    else:
        start, stop = max(0, size - int(match["last"])), size
    if not start < stop:
        raise Problem(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, f"the file has {size} bytes, from 0 on"
        )
    return start, stop


async def zip_chunks(store: Store, files: Iterable[tuple[str, str]]) -> AsyncGenerator[bytes]:
    """The bytes of a zip of objects, some of which are read ahead.

    files: the name in the zip and the key of each; none is compressed. Raises ObjectNotFound,
    StoreError.
    """
    archive = ZipStream()
    async with aclosing(_contents(store, files)) as contents:
        async for name, content in contents:
            yield archive.add(name, content)
    yield archive.end()


async def _contents(
    store: Store, files: Iterable[tuple[str, str]]
) -> AsyncGenerator[tuple[str, bytes]]:
    """The name and the content of each file. Whoever leaves early waits for no read."""
    reads: deque[tuple[str, asyncio.Task[bytes]]] = deque()
    try:
        for name, key in files:
            reads.append((name, asyncio.create_task(asyncio.to_thread(store.get, key))))
            if len(reads) >= _READS_AHEAD:
                yield reads[0][0], await reads[0][1]
                reads.popleft()
        while reads:
            yield reads[0][0], await reads[0][1]
            reads.popleft()
    finally:
        for _, read in reads:
            # asyncio complains about errors that nobody has asked for.
            if not read.cancel() and not read.cancelled():
                read.exception()


def _disposition(name: str, *, is_shown: bool) -> str:
    kind = "inline" if is_shown else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(name)}"
