"""The ledger in its holder's hands: which items are due, and what has become of the others."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from jobs.dataset.index import Inventory
from jobs.dataset.inputs.item import Item
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.ledger.file import Page
from jobs.dataset.ledger.reading import LedgerKeys, complete_pages, page_rows
from jobs.dataset.ledger.rows import Row, Tally
from jobs.records.state import Intent
from jobs.store.store import Store, batches

_READ_AT_ONCE = 16


@dataclass
class OpenPage:
    """An item file in work: its items, its page, and the numbers of those still to be done."""

    items: dict[int, Item]
    page: Page
    due: set[int]

    @property
    def is_whole(self) -> bool:
        """Whether every item has its row."""
        return not self.due


class Books:
    """The pages of the files in work, a few at a time, and the count of all.

    Only what fails in this generation, or is not to be tried again, counts as failed.
    added: rows that this holder has noted.
    """

    def __init__(self, store: Store, job: str, lease: int, intent: Intent) -> None:
        self._store, self._lease, self._intent = store, lease, intent
        self._keys = LedgerKeys(job)
        self.inventory = Inventory(store, DatasetKeys(job))
        self.tally = Tally(items=self.inventory.items)
        self.open_pages: dict[int, OpenPage] = {}
        self.added = 0
        self._finished = bytearray(len(self.inventory.files))

    def take_over(self) -> None:
        """Find what earlier holders have finished. Raises BadRecord."""
        with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
            for some in batches(complete_pages(self._store, self._keys), _READ_AT_ONCE):
                read = pool.map(lambda n: page_rows(self._store, self._keys, n).values(), some)
                for n, found in zip(some, read, strict=True):
                    if not any(self._is_due_again(row) for row in found):
                        self._finished[n] = True
                        self.tally += Tally.of(found)

    def is_finished(self, file: int) -> bool:
        """Whether nothing is left to do for an item file."""
        return bool(self._finished[file])

    def open(self, file: int) -> OpenPage:
        """Begin with an item file, or go on with it."""
        items = {item.number: item for item in self.inventory.read(file)}
        numbers = self.inventory.numbers(file)
        page = Page(self._store, self._keys, file, self._lease, numbers)
        page.take_over()
        stays = [row for row in page.rows if not self._is_due_again(row)]
        self.tally += Tally.of(stays)
        due = set(items) - {row.number for row in stays}
        found = self.open_pages[file] = OpenPage(items, page, due)
        return found

    def add(self, file: int, row: Row) -> OpenPage:
        """Note what has become of an item that was due."""
        found = self.open_pages[file]
        found.page.add(row)
        found.due.remove(row.number)
        self.tally += Tally.of([row])
        self.added += 1
        return found

    def pack(self, file: int, tar: str) -> None:
        """Write the whole page of an item file whose results lie in a tar now.

        No partial copy may say so: of what was packed before, who follows would know no more.
        """
        page = self.open_pages[file].page
        with ExitStack() as undo:
            for row in page.rows:
                if row.state == "done":
                    undo.callback(page.add, row)
                    page.add(row.model_copy(update={"output": tar}))
            self.close(file)
            undo.pop_all()

    def close(self, file: int) -> None:
        """Write the whole page of an item file."""
        self.open_pages[file].page.complete()
        del self.open_pages[file]
        self._finished[file] = True

    def forget(self, file: int, tars: Iterable[str]) -> None:
        """Delete what the tar of an item file has replaced: its parts, and older tars."""
        keys = DatasetKeys(self._keys.job)
        parts = [entry.key for entry in self._store.entries(keys.parts(file))]
        self._store.delete([*parts, *(keys.result(tar) for tar in tars)])

    @property
    def is_beginning(self) -> bool:
        """Whether the first of all items are in work."""
        return 0 in self.open_pages

    def first(self, count: int) -> list[Row]:
        """The rows of the first so many items, of those that have one."""
        found: list[Row] = []
        for file in self.inventory.files:
            if self.inventory.numbers(file).start >= count:
                break
            opened = self.open_pages.get(file)
            if opened is not None:
                found += opened.page.rows
            elif self.is_finished(file):
                rows = page_rows(self._store, self._keys, file)
                found += [rows[number] for number in sorted(rows)]
        return [row for row in found if row.number < count]

    def flush(self) -> None:
        """Write what is known of the files in work."""
        for found in self.open_pages.values():
            found.page.flush()

    def _is_due_again(self, row: Row) -> bool:
        redo = self._intent.redo
        return (
            row.state == "failed"
            and redo is not None
            and row.generation < self._intent.generation
            and redo.failure in (None, row.failure)
        )
