"""The page of one item file, in the hands of the holder of a lease."""

from jobs.dataset.ledger.reading import LedgerKeys, page_rows
from jobs.dataset.ledger.rows import Row
from jobs.records.record import bad_record
from jobs.store.store import Store


class Page:
    """What is written lies under the holder's own lease; see LedgerKeys. For one thread.

    n: of the page and its item file. items: the numbers of that file's items.
    A holder that has lost its lease may write and do no harm: it deletes no younger copy.
    """

    def __init__(self, store: Store, keys: LedgerKeys, n: int, lease: int, items: range) -> None:
        self.n = n
        self.items = items
        self._store, self._keys, self._lease = store, keys, lease
        self._rows: dict[int, Row] = {}
        self._is_new = False

    @property
    def rows(self) -> list[Row]:
        """Those known, in the order of their numbers."""
        return [self._rows[number] for number in sorted(self._rows)]

    @property
    def missing(self) -> list[int]:
        """The numbers of the items without a row, in order."""
        return [number for number in self.items if number not in self._rows]

    def take_over(self) -> None:
        """Read what earlier holders left. Raises BadRecord where it is of other items, or damaged.

        Nothing is written: what counts under their leases goes on counting until it is replaced.
        """
        found = page_rows(self._store, self._keys, self.n)
        strange = sorted(found.keys() - set(self.items))
        if strange:
            complaint = f"item {strange[0]} is none of this file's"
            raise bad_record(self._keys.page(self.n), complaint)
        self._rows, self._is_new = found, False

    def add(self, row: Row) -> None:
        """Note a row, in place of the item's last one. Raises ValueError for another file's."""
        if row.number not in self.items:
            raise ValueError(f"item {row.number} is none of item file {self.n}")
        self._rows[row.number] = row
        self._is_new = True

    def flush(self) -> None:
        """Write all rows so far, if any was added since the last time."""
        if self._is_new:
            self._write(self._keys.partial(self.n, self._lease))

    def complete(self) -> None:
        """Write the complete copy, then delete those that it replaces.

        Raises ValueError where an item has no row.
        """
        if self.missing:
            raise ValueError(f"item file {self.n}: {len(self.missing)} items have no row")
        mine = self._keys.complete(self.n, self._lease)
        self._write(mine)
        entries = self._store.entries(self._keys.page(self.n))
        copies = [(entry.key, self._keys.parse(entry.key)) for entry in entries]
        self._store.delete(
            key
            for key, copy in copies
            if copy is not None and copy.lease <= self._lease and key != mine
        )

    def _write(self, key: str) -> None:
        self._store.put(key, b"".join(row.encoded() for row in self.rows))
        self._is_new = False
