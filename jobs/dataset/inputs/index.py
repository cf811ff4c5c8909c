"""The index of a dataset's items: numbered item files, to which every listing adds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from jobs.dataset.inputs.item import Item
from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.record import Count, Record, invalid_record, read_bytes
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store
from jobs.text.errors import RequestError

_LISTING = re.compile(r"([0-9]+)\.json")


@dataclass(frozen=True)
class DatasetKeys(JobKeys):
    """The store keys of one dataset. `file` is the number of an item file, from 0."""

    @property
    def listings(self) -> str:
        """The prefix of all listings."""
        return f"{self.folder}listing/"

    def listing(self, number: int) -> str:
        """The Listing of that number, from 1. A submit creates it only if it is absent."""
        return f"{self.listings}{number:04}.json"

    def listing_number(self, key: str) -> int | None:
        """The number of the listing at a key; None for any other key."""
        match = _LISTING.fullmatch(key.removeprefix(self.listings))
        return None if match is None else int(match[1])

    @property
    def items_prefix(self) -> str:
        """The prefix of all item files."""
        return f"{self.folder}items/"

    def item_files(self, nonce: str) -> str:
        """The prefix of the item files of the listing with that nonce."""
        return f"{self.items_prefix}{nonce}/"

    def item_file(self, nonce: str, file: int) -> str:
        """An item file of the listing with that nonce. Each line is one Item."""
        return f"{self.item_files(nonce)}{file:06}.jsonl"

    @property
    def results(self) -> str:
        """The prefix of all results.

        Their keys have no lease number: on the same kind of device, every holder makes the same
        bytes from the same input.
        """
        return f"{self.folder}outputs/"

    def result(self, name: str) -> str:
        """A result. name: the `output` of its ledger row."""
        return f"{self.results}{name}"

    @property
    def all_parts(self) -> str:
        """The prefix of all results that are not packed yet."""
        return f"{self.folder}parts/"

    def parts(self, file: int) -> str:
        """The prefix of the results of an item file that are not packed yet."""
        return f"{self.all_parts}{file:06}/"

    def part(self, file: int, number: int) -> str:
        """The result of one item, until it is packed."""
        return f"{self.parts(file)}{number}"

    @property
    def ledgers(self) -> str:
        """The prefix of all merged ledgers."""
        return f"{self.folder}ledger-"

    def merged_ledger(self, lease: int) -> str:
        """The whole ledger, merged under a lease. The manifest names the valid one."""
        return f"{self.ledgers}{lease:06}.parquet"

    def thumbnail(self, number: int, when: str) -> str:
        """A small picture of an item for the contact sheet. when: `before` or `after`."""
        return f"{self.folder}thumbnails/{number:06}-{when}.jpg"

    @property
    def sheet(self) -> str:
        """The key of the contact sheet."""
        return f"{self.previews}contact-sheet.jpg"


FILE_ITEMS = 1000
"""The maximum number of items in a file. The last file of a listing, or of a tar, has fewer."""


_FileSize = Annotated[int, Field(ge=0, le=FILE_ITEMS)]


_MAX_FILES = 10**7
"""The most files of a listing: ten billion items."""


class Listing(Record):
    """The new items of one listing of the inputs.

    nonce: a part of the keys of its item files. first_file, first_item: their numbers in the whole
    job. sizes: the number of items in each of its files.
    """

    nonce: str
    first_file: Count
    first_item: Count
    sizes: Annotated[tuple[_FileSize, ...], Field(max_length=_MAX_FILES)]

    @property
    def item_count(self) -> int:
        """The number of its items."""
        return sum(self.sizes)

    @property
    def files(self) -> range:
        """The numbers of its files."""
        return range(self.first_file, self.first_file + len(self.sizes))

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(self.sizes, initial=self.first_item))

    def item_numbers(self, file: int) -> range:
        """The numbers of the items in one of its files."""
        position = file - self.first_file
        return range(self._ends[position], self._ends[position + 1])


def read_listings(store: Store, keys: DatasetKeys) -> list[Listing]:
    """Read all listings of a dataset, in order. Raises InvalidRecord if one is missing."""
    parsed = [keys.listing_number(entry.key) for entry in store.list_objects(keys.listings)]
    numbers = sorted(number for number in parsed if number is not None)
    if numbers != list(range(1, len(numbers) + 1)):
        raise invalid_record(keys.listings, "a listing is missing")
    listings = [Listing.read(store, keys.listing(number)) for number in numbers]
    first_file = first_item = 0
    for number, listing in zip(numbers, listings, strict=True):
        if (listing.first_file, listing.first_item) != (first_file, first_item):
            raise invalid_record(keys.listing(number), "does not follow the listing before it")
        first_file += len(listing.sizes)
        first_item += listing.item_count
    return listings


class ItemIndex:
    """All items of a dataset, read from the store one file at a time.

    It shows the listings at the time of its creation. Raises InvalidRecord if one is missing.
    """

    def __init__(self, store: Store, keys: DatasetKeys) -> None:
        self._store, self._keys = store, keys
        self.job = keys.job
        self._listings = read_listings(store, keys)

    @property
    def listing_count(self) -> int:
        """The number of listings in the index."""
        return len(self._listings)

    @property
    def files(self) -> range:
        """The numbers of the item files."""
        return range(sum(len(listing.files) for listing in self._listings))

    @property
    def item_count(self) -> int:
        """The number of items."""
        return sum(listing.item_count for listing in self._listings)

    def item_numbers(self, file: int) -> range:
        """The numbers of the items in a file."""
        return self._listing_of(file).item_numbers(file)

    def read(self, file: int) -> list[Item]:
        """Read the items of a file. Raises InvalidRecord if it is missing or damaged."""
        key = self._keys.item_file(self._listing_of(file).nonce, file)
        try:
            lines = read_bytes(self._store, key).splitlines()
        except ObjectNotFound as error:
            raise invalid_record(key, "is missing") from error
        items = [Item.decode(line, key) for line in lines]
        if [item.number for item in items] != list(self.item_numbers(file)):
            raise invalid_record(key, "its items do not match its listing")
        return items

    def all_items(self) -> Iterator[Item]:
        """Yield every item, in order. Raises InvalidRecord."""
        for file in self.files:
            yield from self.read(file)

    def _listing_of(self, file: int) -> Listing:
        return next(listing for listing in self._listings if file in listing.files)


def job_items(store: Store, job: StoredJob) -> ItemIndex:
    """Return the index of a job's items. Raises RequestError if its kind has no items."""
    if not job.has_items:
        raise RequestError(
            f"{job.id}: is a {job.kind}, which has no items; `dreamfarm show {job.id}` describes it"
        )
    return ItemIndex(store, DatasetKeys(job.id))
