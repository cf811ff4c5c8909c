"""The items of a dataset: pages of its ledger, and small pictures from before and after."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from PIL import Image, UnidentifiedImageError

from jobs.dataset.inputs.index import DatasetKeys, ItemIndex, job_items
from jobs.dataset.inputs.item import BLOB_SCHEME, InputPlace
from jobs.dataset.ledger.reader import LedgerKeys, read_file_rows
from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.thumbnail import thumbnail
from jobs.records.job import load_job
from jobs.records.keys import blob_key, is_digest
from jobs.records.status import FailureClass
from jobs.runtime.access import AccessPolicy
from jobs.store.errors import ObjectNotFound
from jobs.store.store import MAX_READ_BYTES, Store
from jobs.text.errors import RequestError
from jobs.web.job_views import job_url
from jobs.web.models import Answer
from jobs.web.pictures import Pictures
from jobs.web.problems import Problem

When = Literal["before", "after"]

RowState = Literal["done", "failed"]

_MOST_FILES = 20
"""Files of a thousand items that one page is searched in. The next page goes on from there."""

_MOST_PIXELS = 24 << 20
"""Pixels of a picture that is shrunk here, of several at a time."""

_BACKGROUND = (140, 142, 146)
"""Behind transparency, as on a contact sheet."""


class RowView(Answer):
    """A row of the ledger. row: as `dreamfarm ledger --json`. before, after: URLs of pictures."""

    number: int
    key: str
    name: str
    state: RowState
    failure: FailureClass | None
    message: str | None
    row: dict[str, Any]
    before: str
    after: str | None


class LedgerPage(Answer):
    """Some rows, in the order of numbers. next: pass it as `after`; None at the end."""

    rows: tuple[RowView, ...]
    next: int | None


@dataclass(frozen=True)
class RowFilter:
    """Which rows to show. None: any. text: a part of the key or the name, in any case."""

    state: RowState | None = None
    failure: FailureClass | None = None
    text: str = ""

    def admits(self, row: LedgerRow) -> bool:
        """Whether a row is to be shown."""
        wanted = self.text.lower()
        return (
            self.state in (None, row.state)
            and self.failure in (None, row.failure)
            and (wanted in row.key.lower() or wanted in row.name.lower())
        )


@dataclass(frozen=True)
class Items:
    """The items of the datasets of a store. allowed: folders whose pictures may be shown."""

    store: Store
    pictures: Pictures
    allowed: tuple[str, ...]

    def page(self, job: str, chosen: RowFilter, after: int | None, limit: int) -> LedgerPage:
        """Some rows of a ledger, after a number. Raises JobNotFound, RequestError, StoreError."""
        index = self._index(job)
        first = 0 if after is None else after + 1
        files = [file for file in index.files if first < index.item_numbers(file).stop]
        found: list[LedgerRow] = []
        for file in files[:_MOST_FILES]:
            rows = read_file_rows(self.store, LedgerKeys(job), file)
            ordered = (rows[number] for number in sorted(rows) if number >= first)
            found += (row for row in ordered if chosen.admits(row))
            if len(found) > limit:
                return self._answer(job, found[:limit], found[limit - 1].number)
        rest = files[_MOST_FILES:]
        return self._answer(job, found, index.item_numbers(rest[0]).start - 1 if rest else None)

    def picture(
        self, job: str, number: int, when: When, side: int, version: str
    ) -> "Future[bytes]":
        """A small picture of an item as a JPEG. version: changes with the picture.

        The future raises Problem, InvalidRecord and StoreError.
        """
        key = "item", job, number, when, side, version
        return self.pictures.cached(key, lambda: self._picture(job, number, when, side))

    def _index(self, job: str) -> ItemIndex:
        try:
            return job_items(self.store, load_job(self.store, job))
        except RequestError as error:
            raise Problem(HTTPStatus.NOT_FOUND, str(error)) from error

    def _answer(self, job: str, rows: list[LedgerRow], following: int | None) -> LedgerPage:
        return LedgerPage(rows=tuple(_view(job, row) for row in rows), next=following)

    def _picture(self, job: str, number: int, when: When, side: int) -> bytes:
        for content in self._sources(job, number, when):
            small = shrink_picture(content, side)
            if small is not None:
                return small
        raise Problem(HTTPStatus.NOT_FOUND, f"{job}: item {number} has no picture to show")

    def _sources(self, job: str, number: int, when: When) -> Iterator[bytes]:
        """Files with the picture: at first the thumbnail for the contact sheet, if it has one."""
        keys = DatasetKeys(job)
        with suppress(ObjectNotFound):
            yield self.store.get(keys.thumbnail(number, when))
        index = self._index(job)
        file = next((one for one in index.files if number in index.item_numbers(one)), None)
        if file is None:
            return
        if when == "before":
            place = next(one.found.place for one in index.read(file) if one.number == number)
            yield from self._input(place)
            return
        row = read_file_rows(self.store, LedgerKeys(job), file).get(number)
        if row is not None and row.output is not None and row.member is None:
            yield from self._object(keys.result(row.output), 0, row.bytes)

    def _input(self, place: InputPlace) -> Iterator[bytes]:
        """An input, if it was uploaded, or the operator allows its folder."""
        digest = place.address.removeprefix(BLOB_SCHEME)
        if place.address.startswith(BLOB_SCHEME) and is_digest(digest):
            yield from self._object(blob_key(digest), place.start, place.length)
        elif "://" not in place.address and not place.is_noise and self.allowed:
            try:
                path = Path(AccessPolicy(self.allowed).resolve(place.address))
                if path.stat().st_size <= MAX_READ_BYTES and place.length is None:
                    yield path.read_bytes()
            except (RequestError, OSError):
                return

    def _object(self, key: str, start: int, length: int | None) -> Iterator[bytes]:
        if length is not None and length > MAX_READ_BYTES:
            return
        try:
            whole = length is None or not start
            yield self.store.get(key) if whole else self.store.get_range(key, start, length or 0)
        except (ObjectNotFound, ValueError):
            return


def _view(job: str, row: LedgerRow) -> RowView:
    url = f"{job_url(job)}/items/{row.number}"
    version = (row.output_sha256 or "").removeprefix("sha256:")[:12]
    return RowView(
        number=row.number,
        key=row.key,
        name=row.name,
        state=row.state,
        failure=row.failure,
        message=row.message,
        row=row.model_dump(mode="json"),
        before=f"{url}/before.jpg",
        after=f"{url}/after.jpg?v={version}" if row.state == "done" else None,
    )


def shrink_picture(content: bytes, side: int) -> bytes | None:
    """A small JPEG of a picture file; None if it is damaged or too large to be shrunk here."""
    try:
        with Image.open(BytesIO(content), formats=("JPEG", "PNG", "WEBP", "TIFF")) as image:
            if image.width * image.height > _MOST_PIXELS:
                return None
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    small = thumbnail(content, side, _BACKGROUND)
    if small is None:
        return None
    encoded = BytesIO()
    small.save(encoded, "JPEG", quality=88)
    return encoded.getvalue()
