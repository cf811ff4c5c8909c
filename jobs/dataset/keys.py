"""Where everything of a dataset lies in its store, besides what all jobs have."""

import re
from dataclasses import dataclass

from jobs.records.keys import JobKeys

_LISTING = re.compile(r"([0-9]+)\.json")


@dataclass(frozen=True)
class DatasetKeys(JobKeys):
    """The keys of one dataset."""

    @property
    def listings(self) -> str:
        """The prefix of all listings."""
        return f"{self.folder}listing/"

    def listing(self, n: int) -> str:
        """A Listing, created if absent; the first is 1, and each later one found more."""
        return f"{self.listings}{n:04}.json"

    def listing_number(self, key: str) -> int | None:
        """The number of the listing at a key; None where none belongs."""
        found = _LISTING.fullmatch(key.removeprefix(self.listings))
        return None if found is None else int(found[1])

    @property
    def all_items(self) -> str:
        """The prefix of all item files."""
        return f"{self.folder}items/"

    def item_files(self, nonce: str) -> str:
        """The prefix of the item files of one listing."""
        return f"{self.all_items}{nonce}/"

    def items(self, nonce: str, file: int) -> str:
        """An item file, written by the listing of that nonce: an Item a line."""
        return f"{self.item_files(nonce)}{file:06}.jsonl"

    @property
    def results(self) -> str:
        """The prefix of all results.

        They bear no lease's number: whoever makes one on the same kind of device, of the same
        input, its bytes are the same.
        """
        return f"{self.folder}outputs/"

    def result(self, name: str) -> str:
        """One result, by its name in rows of the ledger."""
        return f"{self.results}{name}"

    @property
    def all_parts(self) -> str:
        """The prefix of all results that wait to be packed."""
        return f"{self.folder}parts/"

    def parts(self, file: int) -> str:
        """The prefix of those of an item file."""
        return f"{self.all_parts}{file:06}/"

    def part(self, file: int, number: int) -> str:
        """The result of one item until it is packed."""
        return f"{self.parts(file)}{number}"

    @property
    def ledgers(self) -> str:
        """The prefix of all merged ledgers."""
        return f"{self.folder}ledger-"

    def merged_ledger(self, n: int) -> str:
        """The whole ledger, as the holder of a lease merged it; the manifest names the one that
        counts."""
        return f"{self.ledgers}{n:06}.parquet"

    def thumbnail(self, number: int, when: str) -> str:
        """A small picture of an item, `before` or `after`, for the contact sheet."""
        return f"{self.folder}thumbnails/{number:06}-{when}.jpg"

    @property
    def sheet(self) -> str:
        """The contact sheet."""
        return f"{self.previews}contact-sheet.jpg"
