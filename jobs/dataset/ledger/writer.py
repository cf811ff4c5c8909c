"""Writing the ledger under a lease: which items are due, and the rows of finished ones."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.inputs.item import Item
from jobs.dataset.ledger.reader import LedgerKeys, complete_files, read_file_rows
from jobs.dataset.ledger.rows import LedgerCounts, LedgerRow
from jobs.records.record import invalid_record
from jobs.records.state import Intent
from jobs.runtime.local_workdir import store_option
from jobs.store.store import Store, batches


class LedgerFile:
    """One ledger file, written under one lease. Not thread-safe.

    number: of the file. items: the numbers of its items.

    Each lease writes its own copy of the file; `jobs.dataset.ledger.reader` says which one counts.
    So a holder that has lost its lease can still write without harm: it deletes no copy of a later
    one.
    """

    def __init__(
        self, store: Store, keys: LedgerKeys, number: int, lease: int, items: range
    ) -> None:
        self.number = number
        self.items = items
        self._store, self._keys, self._lease = store, keys, lease
        self._rows: dict[int, LedgerRow] = {}
        self._has_changed = False

    @property
    def rows(self) -> list[LedgerRow]:
        """The rows so far, in the order of their numbers."""
        return [self._rows[number] for number in sorted(self._rows)]

    @property
    def missing(self) -> list[int]:
        """The numbers of the items without a row, in order."""
        return [number for number in self.items if number not in self._rows]

    def take_over(self) -> None:
        """Read the rows of earlier leases. Nothing is written: their copies count until replaced.

        Raises InvalidRecord for a damaged copy, and for rows of other items.
        """
        rows = read_file_rows(self._store, self._keys, self.number)
        foreign = sorted(rows.keys() - set(self.items))
        if foreign:
            prefix = self._keys.file_prefix(self.number)
            raise invalid_record(prefix, f"item {foreign[0]} is not in this file")
        self._rows, self._has_changed = rows, False

    def add(self, row: LedgerRow) -> None:
        """Add a row, or replace the item's last one. Raises ValueError for another file's item."""
        if row.number not in self.items:
            raise ValueError(f"item {row.number} is not in item file {self.number}")
        self._rows[row.number] = row
        self._has_changed = True

    def flush(self) -> None:
        """Write all rows so far, if any was added since the last write."""
        if self._has_changed:
            self._write(self._keys.partial(self.number, self._lease))

    def complete(self) -> None:
        """Write the complete copy, then delete the copies that it replaces.

        Raises ValueError if an item has no row.
        """
        if self.missing:
            raise ValueError(f"item file {self.number}: {len(self.missing)} items have no row")
        mine = self._keys.complete(self.number, self._lease)
        self._write(mine)
        entries = self._store.list_objects(self._keys.file_prefix(self.number))
        copies = [(entry.key, self._keys.parse(entry.key)) for entry in entries]
        self._store.delete(
            key
            for key, copy in copies
            if copy is not None and copy.lease <= self._lease and key != mine
        )

    def _write(self, key: str) -> None:
        self._store.put(key, b"".join(row.encode() for row in self.rows))
        self._has_changed = False


_READS_AT_ONCE = 16


@dataclass
class OpenItemFile:
    """An item file in progress: its items, its ledger file, and the numbers of items to do."""

    items: dict[int, Item]
    ledger_file: LedgerFile
    due: set[int]

    @property
    def is_complete(self) -> bool:
        """Whether every item has its row."""
        return not self.due


class LedgerWriter:
    """The ledger of a dataset in its holder's hands. It keeps only a few files open.

    generation: of the holder's intent. counts: of all items. A failed row that this generation
    tries again is not counted. added: rows that this holder has added.
    """

    def __init__(self, store: Store, job: str, lease: int, intent: Intent) -> None:
        self._store, self._lease, self._intent = store, lease, intent
        self._keys = LedgerKeys(job)
        self.index = ItemIndex(store, DatasetKeys(job))
        self.counts = LedgerCounts(items=self.index.item_count)
        self.open_files: dict[int, OpenItemFile] = {}
        self.added = 0
        self._is_finished = bytearray(len(self.index.files))

    @property
    def generation(self) -> int:
        """The generation of the job that this holder works on."""
        return self._intent.generation

    def take_over(self) -> None:
        """Find the files that earlier holders have finished. Raises InvalidRecord."""
        with ThreadPoolExecutor(_READS_AT_ONCE) as threads:
            for files in batches(complete_files(self._store, self._keys), _READS_AT_ONCE):
                for file, rows in zip(files, threads.map(self._file_rows, files), strict=True):
                    if not any(self._is_due_again(row) for row in rows):
                        self._is_finished[file] = True
                        self.counts += LedgerCounts.of_rows(rows)

    def is_finished(self, file: int) -> bool:
        """Whether an item file needs no more work."""
        return bool(self._is_finished[file])

    def open(self, file: int) -> OpenItemFile:
        """Start or continue an item file. Raises InvalidRecord."""
        items = {item.number: item for item in self.index.read(file)}
        numbers = self.index.item_numbers(file)
        ledger_file = LedgerFile(self._store, self._keys, file, self._lease, numbers)
        ledger_file.take_over()
        valid = [row for row in ledger_file.rows if not self._is_due_again(row)]
        self.counts += LedgerCounts.of_rows(valid)
        due = set(items) - {row.number for row in valid}
        opened = self.open_files[file] = OpenItemFile(items, ledger_file, due)
        return opened

    def add(self, file: int, row: LedgerRow) -> OpenItemFile:
        """Add the row of an item that was due; returns its file."""
        opened = self.open_files[file]
        opened.ledger_file.add(row)
        opened.due.remove(row.number)
        self.counts += LedgerCounts.of_rows([row])
        self.added += 1
        return opened

    def flush(self) -> None:
        """Write the rows of all open files."""
        for opened in self.open_files.values():
            opened.ledger_file.flush()

    def close(self, file: int) -> None:
        """Write the complete ledger file of an item file."""
        self.open_files[file].ledger_file.complete()
        del self.open_files[file]
        self._is_finished[file] = True

    def close_packed(self, file: int, tar: str) -> None:
        """Write the complete ledger file of an item file after its results were packed.

        tar: its name. Only the complete copy may contain it. From a partial copy, a successor could
        not find the older tar, which may contain some of the results.
        """
        ledger_file = self.open_files[file].ledger_file
        with ExitStack() as undo:
            for row in ledger_file.rows:
                if row.state == "done":
                    undo.callback(ledger_file.add, row)
                    ledger_file.add(row.model_copy(update={"output": tar}))
            self.close(file)
            undo.pop_all()

    def delete_replaced(self, file: int, tars: Iterable[str]) -> None:
        """Delete what a new tar of an item file has replaced: unpacked results, and older tars."""
        keys = DatasetKeys(self._keys.job)
        parts = [entry.key for entry in self._store.list_objects(keys.parts(file))]
        self._store.delete([*parts, *(keys.result(tar) for tar in tars)])

    def first_failure(self) -> str:
        """The first failed item with its reason, as text; empty if none has failed."""
        self.flush()
        for file in self.index.files:
            for row in self._file_rows(file):
                if row.state == "failed":
                    return f"{row.key}: {row.message}"
        return ""

    def command(self, name: str, option: str = "") -> str:
        """A command about this job, for a message. option: begins with a space."""
        return f"`dreamfarm {name} {self._keys.job}{option}{store_option(self._store)}`"

    @property
    def has_first_file(self) -> bool:
        """Whether the file of the first items is open."""
        return 0 in self.open_files

    def first_rows(self, count: int) -> list[LedgerRow]:
        """The rows of the first `count` items, without those that have none yet."""
        rows: list[LedgerRow] = []
        for file in self.index.files:
            if self.index.item_numbers(file).start >= count:
                break
            opened = self.open_files.get(file)
            if opened is not None:
                rows += opened.ledger_file.rows
            elif self.is_finished(file):
                rows += self._file_rows(file)
        return [row for row in rows if row.number < count]

    def _file_rows(self, file: int) -> list[LedgerRow]:
        rows = read_file_rows(self._store, self._keys, file)
        return [rows[number] for number in sorted(rows)]

    def _is_due_again(self, row: LedgerRow) -> bool:
        redo = self._intent.redo
        return (
            row.state == "failed"
            and redo is not None
            and row.generation < self._intent.generation
            and redo.failure in (None, row.failure)
        )
