"""The rows that count, read from whatever copies lie in the store."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from jobs.dataset.ledger.rows import Row
from jobs.records.keys import JobKeys
from jobs.records.record import read_bytes
from jobs.store.errors import Missing
from jobs.store.store import Store

_NUMBER = r"[0-9]{6}|[1-9][0-9]{6,}"

_COPY = re.compile(rf"(?P<page>{_NUMBER})/(?P<lease>{_NUMBER})(?P<complete>\.complete)?\.jsonl")


@dataclass(frozen=True, order=True)
class Copy:
    """A page as the holder of one lease wrote it: so far, or complete.

    They are ordered so that of two copies of a page the greater counts.
    """

    page: int
    lease: int
    is_complete: bool


@dataclass(frozen=True)
class LedgerKeys:
    """The keys of one job's ledger. `n` is the number of a page and of its item file, from 0."""

    job: str

    @property
    def prefix(self) -> str:
        """What the keys of all copies begin with."""
        return f"{JobKeys(self.job).folder}ledger/"

    def page(self, n: int) -> str:
        """What the keys of all copies of one page begin with."""
        return f"{self.prefix}{n:06}/"

    def partial(self, n: int, lease: int) -> str:
        """The rows so far, a JSON line each, rewritten as they grow."""
        return f"{self.page(n)}{lease:06}.jsonl"

    def complete(self, n: int, lease: int) -> str:
        """Every row, each item once, in the order of their numbers."""
        return f"{self.page(n)}{lease:06}.complete.jsonl"

    def parse(self, key: str) -> Copy | None:
        """The copy that lies at a key; None where none belongs."""
        if not key.startswith(self.prefix):
            return None
        found = _COPY.fullmatch(key, len(self.prefix))
        if found is None:
            return None
        return Copy(int(found["page"]), int(found["lease"]), found["complete"] is not None)


_LOOKS = 5
"""A holder deletes what its complete copy replaces; a reader who meets that looks again."""


def rows(store: Store, keys: LedgerKeys, pages: Iterable[int]) -> Iterator[Row]:
    """Each item's row that counts, once, in the order of numbers if the pages are.

    Holds one page at a time. Raises BadRecord, naming the key and the line.
    """
    for n in pages:
        found = page_rows(store, keys, n)
        yield from (found[number] for number in sorted(found))


def page_rows(store: Store, keys: LedgerKeys, n: int) -> dict[int, Row]:
    """The rows of one page that count, by the numbers of their items.

    Of an item's rows that is the one in the copy of the highest lease, whoever made it; of several
    there, the one of the highest generation. Raises BadRecord, naming the key and the line.
    """
    for _ in range(_LOOKS - 1):
        try:
            return _read(store, keys, n)
        except Missing:
            continue
    return _read(store, keys, n)


def complete_pages(store: Store, keys: LedgerKeys) -> Iterator[int]:
    """The numbers of the pages of which the copy that counts is complete, in order of keys.

    One listing, as a stream: holds one page's. Where a later holder has begun to write a page again
    it is complete no more.
    """
    copies = (keys.parse(entry.key) for entry in store.entries(keys.prefix))
    known = (copy for copy in copies if copy is not None)
    for n, some in groupby(known, lambda copy: copy.page):
        if max(some).is_complete:
            yield n


def _read(store: Store, keys: LedgerKeys, n: int) -> dict[int, Row]:
    listed = ((keys.parse(entry.key), entry.key) for entry in store.entries(keys.page(n)))
    copies = sorted((copy, key) for copy, key in listed if copy is not None)
    # A complete copy says all that the older ones could.
    oldest = max((copy.lease for copy, _ in copies if copy.is_complete), default=0)
    found: dict[int, tuple[tuple[int, int], Row]] = {}
    for copy, key in copies:
        if copy.lease < oldest:
            continue
        for row in _decoded(read_bytes(store, key), key):
            rank = copy.lease, row.generation
            if row.number not in found or rank >= found[row.number][0]:
                found[row.number] = rank, row
    return {number: row for number, (_, row) in found.items()}


def _decoded(content: bytes, key: str) -> Iterator[Row]:
    for count, line in enumerate(content.splitlines(), start=1):
        yield Row.decoded(line, f"{key}, line {count}")
