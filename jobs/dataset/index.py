"""What a dataset consists of, as it was listed and frozen: numbered files of items."""

from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from jobs.dataset.inputs.item import Item
from jobs.dataset.keys import DatasetKeys
from jobs.records.record import Record, invalid_record, read_bytes
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store

FILE_ITEMS = 1000
"""Items of a file, at most: the last one of a listing, or of a tar, may have fewer."""


_Count = Annotated[int, Field(ge=0)]


class Listing(Record):
    """What one look at the inputs has found that was not there before.

    nonce: under which its item files lie. first_file, first_item: counted over all listings of the
    job. sizes: how many items each of its files has.
    """

    nonce: str
    first_file: _Count
    first_item: _Count
    sizes: tuple[_Count, ...]

    @property
    def items(self) -> int:
        """How many items it has."""
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
        place = file - self.first_file
        return range(self._ends[place], self._ends[place + 1])


def read_listings(store: Store, keys: DatasetKeys) -> list[Listing]:
    """All that there are, in order. Raises InvalidRecord where one is missing."""
    numbers = [keys.listing_number(entry.key) for entry in store.list_objects(keys.listings)]
    found = sorted(number for number in numbers if number is not None)
    if found != list(range(1, len(found) + 1)):
        raise invalid_record(keys.listings, "a listing is missing")
    return [Listing.read(store, keys.listing(number)) for number in found]


class ItemIndex:
    """All items of a dataset, read a file at a time."""

    def __init__(self, store: Store, keys: DatasetKeys) -> None:
        self._store, self._keys = store, keys
        self.job = keys.job
        self._listings = read_listings(store, keys)

    @property
    def listing_count(self) -> int:
        """How many listings it rests on."""
        return len(self._listings)

    @property
    def files(self) -> range:
        """The numbers of the item files."""
        return range(sum(len(one.files) for one in self._listings))

    @property
    def items(self) -> int:
        """How many items there are."""
        return sum(one.items for one in self._listings)

    def item_numbers(self, file: int) -> range:
        """The numbers of the items in a file."""
        return self._listing(file).item_numbers(file)

    def read(self, file: int) -> list[Item]:
        """The items of a file. Raises InvalidRecord."""
        key = self._keys.items(self._listing(file).nonce, file)
        try:
            lines = read_bytes(self._store, key).splitlines()
        except ObjectNotFound as gone:
            raise invalid_record(key, "is missing") from gone
        found = [Item.decode(line, key) for line in lines]
        if [one.number for one in found] != list(self.item_numbers(file)):
            raise invalid_record(key, "has other items than its listing says")
        return found

    def all_items(self) -> Iterator[Item]:
        """Every item, in order."""
        for file in self.files:
            yield from self.read(file)

    def _listing(self, file: int) -> Listing:
        return next(one for one in self._listings if file in one.files)
