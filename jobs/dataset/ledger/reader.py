"""Reading the ledger: the row of each item that counts, from all copies in the store.

Each item file has one ledger file of the same number. Every lease writes its own copy of it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from jobs.dataset.ledger.rows import LedgerRow
from jobs.records.keys import JobKeys
from jobs.records.record import read_bytes
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store

_NUMBER = r"[0-9]{6}|[1-9][0-9]{6,}"

_COPY = re.compile(rf"(?P<file>{_NUMBER})/(?P<lease>{_NUMBER})(?P<complete>\.complete)?\.jsonl")


@dataclass(frozen=True, order=True)
class LedgerCopy:
    """One lease's copy of a ledger file, partial or complete.

    Of two copies of a file the greater one counts.
    """

    file: int
    lease: int
    is_complete: bool


@dataclass(frozen=True)
class LedgerKeys:
    """The store keys of one job's ledger. `file` is the number of a ledger file, from 0."""

    job: str

    @property
    def prefix(self) -> str:
        """The prefix of the whole ledger."""
        return f"{JobKeys(self.job).folder}ledger/"

    def file_prefix(self, file: int) -> str:
        """The prefix of all copies of one file."""
        return f"{self.prefix}{file:06}/"

    def partial(self, file: int, lease: int) -> str:
        """The rows so far, one JSON line each. It is rewritten as rows are added."""
        return f"{self.file_prefix(file)}{lease:06}.jsonl"

    def complete(self, file: int, lease: int) -> str:
        """One row for every item, in the order of their numbers."""
        return f"{self.file_prefix(file)}{lease:06}.complete.jsonl"

    def parse(self, key: str) -> LedgerCopy | None:
        """The copy stored at a key; None if the key is not one of the ledger's."""
        if not key.startswith(self.prefix):
            return None
        match = _COPY.fullmatch(key, len(self.prefix))
        if match is None:
            return None
        return LedgerCopy(int(match["file"]), int(match["lease"]), match["complete"] is not None)


_ATTEMPTS = 5
"""A holder deletes the copies that its complete one replaces. A reader that misses one of those
lists the copies again."""


def read_rows(store: Store, keys: LedgerKeys, files: Iterable[int]) -> Iterator[LedgerRow]:
    """Yield the row of each item that counts, in the order of numbers if `files` is sorted.

    It holds one file in memory. Raises InvalidRecord, which names the key and the line.
    """
    for file in files:
        rows = read_file_rows(store, keys, file)
        yield from (rows[number] for number in sorted(rows))


def read_file_rows(store: Store, keys: LedgerKeys, file: int) -> dict[int, LedgerRow]:
    """Return the rows of one file that count, by item number.

    Of several rows of an item, the one in the copy with the highest lease counts; within that copy,
    the one with the highest generation. Raises InvalidRecord, which names the key and the line.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _read(store, keys, file)
        except ObjectNotFound:
            continue
    return _read(store, keys, file)


def complete_files(store: Store, keys: LedgerKeys) -> Iterator[int]:
    """Yield the numbers of the files that are complete, in the order of keys.

    It makes one listing, as a stream, and holds the copies of one file. A file stops being complete
    when a later lease starts to write it again.
    """
    parsed = (keys.parse(entry.key) for entry in store.list_objects(keys.prefix))
    copies = (copy for copy in parsed if copy is not None)
    for file, group in groupby(copies, lambda copy: copy.file):
        if max(group).is_complete:
            yield file


def _read(store: Store, keys: LedgerKeys, file: int) -> dict[int, LedgerRow]:
    entries = store.list_objects(keys.file_prefix(file))
    parsed = ((keys.parse(entry.key), entry.key) for entry in entries)
    copies = sorted((copy, key) for copy, key in parsed if copy is not None)
    # A complete copy contains everything that older copies say.
    oldest = max((copy.lease for copy, _ in copies if copy.is_complete), default=0)
    best: dict[int, tuple[tuple[int, int], LedgerRow]] = {}
    for copy, key in copies:
        if copy.lease < oldest:
            continue
        for row in _decode(read_bytes(store, key), key):
            rank = copy.lease, row.generation
            if row.number not in best or rank >= best[row.number][0]:
                best[row.number] = rank, row
    return {number: row for number, (_, row) in best.items()}


def _decode(content: bytes, key: str) -> Iterator[LedgerRow]:
    for number, line in enumerate(content.splitlines(), start=1):
        yield LedgerRow.decode(line, f"{key}, line {number}")
