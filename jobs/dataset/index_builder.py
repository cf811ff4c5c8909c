"""Freezing a listing: each picture once, in order, its outputs named, in numbered item files.

A million keys must not lie in memory: they are sorted and told apart in a database on disk.
"""

import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count, groupby
from pathlib import Path, PurePosixPath

from jobs.dataset.index import FILE_ITEMS, ItemIndex, Listing
from jobs.dataset.inputs.item import Item, ListedImage
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.outputs import SHEET_FILE
from jobs.planning.item_settings import FieldValues, sweep_variants
from jobs.spec.dataset import DatasetSpec
from jobs.spec.output_names import LABEL, default_template, output_name
from jobs.store.store import Store, batches
from jobs.text.errors import RequestError

UploadImages = Callable[[list[ListedImage]], list[ListedImage]]
"""Brings what pictures lie on the submitter's disk to where workers see them."""


_SCHEMA = """
    CREATE TABLE known (key TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE found (key TEXT PRIMARY KEY, line TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE asked (word TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE name (name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
"""


def build_index(
    store: Store,
    keys: DatasetKeys,
    spec: DatasetSpec,
    found: Iterable[ListedImage],
    send: UploadImages,
) -> Listing | None:
    """Add to a dataset what a look at its inputs has found; None where all of it is known.

    Two at once: one of them freezes its listing, which counts for both. Raises RequestError where
    two items would have one name.
    """
    inventory = ItemIndex(store, keys)
    with _database() as database:
        freezer = _IndexBuilder(database, spec)
        freezer.know(inventory)
        freezer.take(found)
        first_item, first_file = inventory.items, len(inventory.files)
        nonce = secrets.token_hex(8)
        files = enumerate(_files(freezer.items(first_item, send), spec), first_file)
        sizes = _written(store, ((keys.items(nonce, file), page) for file, page in files))
    if not sizes:
        return None
    listing = Listing(nonce=nonce, first_file=first_file, first_item=first_item, sizes=sizes)
    place = keys.listing(inventory.listing_count + 1)
    if not store.put_if_absent(place, listing.encode()):
        there = Listing.read(store, place)
        if there.nonce != nonce:
            store.delete(keys.items(nonce, file) for file in listing.files)
        return there
    return listing


def _written(store: Store, files: Iterable[tuple[str, list[Item]]]) -> tuple[int, ...]:
    """Write item files, each to its key; their sizes. None of them stays where one cannot be."""
    sizes: dict[str, int] = {}
    with ExitStack() as undo:
        undo.callback(lambda: store.delete(sizes))
        for key, page in files:
            sizes[key] = len(page)
            store.put(key, b"".join(item.encode() for item in page))
        undo.pop_all()
    return tuple(sizes.values())


def _files(items: Iterable[Item], spec: DatasetSpec) -> Iterator[list[Item]]:
    """The items file by file.

    Where results are packed, those of two tars are kept apart: each has keys of its own.
    """
    apart = spec.output.pack == "webdataset"
    for _, together in groupby(items, lambda item: item.found.shard if apart else None):
        yield from batches(together, FILE_ITEMS)


class _IndexBuilder:
    def __init__(self, database: sqlite3.Connection, spec: DatasetSpec) -> None:
        self._database, self._spec = database, spec
        self._variants = sweep_variants(spec.sweep)

    def know(self, inventory: ItemIndex) -> None:
        """Take note of the items that there are, and of what will lie beside their results."""
        self._put("INSERT INTO name VALUES (?, ?)", PurePosixPath(SHEET_FILE).stem, SHEET_FILE)
        for item in inventory.all_items():
            self._put("INSERT OR IGNORE INTO known VALUES (?)", item.found.key)
            self._put("INSERT OR IGNORE INTO name VALUES (?, ?)", item.name, item.found.key)

    def take(self, found: Iterable[ListedImage]) -> None:
        """Take note of pictures; one that is listed twice, as in a manifest, is two."""
        for one in found:
            key = self._free(one.key)
            new = one if key == one.key else one.model_copy(update={"key": key})
            self._put("INSERT INTO found VALUES (?, ?)", key, new.model_dump_json())

    def _free(self, key: str) -> str:
        while True:
            number = self._next(f"key {key}")
            tried = key if number == 1 else f"{key}#{number}"
            if not self._has("found", "key", tried):
                return tried

    def items(self, first: int, send: UploadImages) -> Iterator[Item]:
        """What is new, in the order of the keys, each picture with all of its variants."""
        numbers = count(first)
        rows = self._database.execute(
            "SELECT line FROM found WHERE key NOT IN (SELECT key FROM known) ORDER BY key"
        )
        while page := rows.fetchmany(FILE_ITEMS):
            for one in send([ListedImage.model_validate_json(line) for (line,) in page]):
                for variant, settings in enumerate(self._variants):
                    yield Item(
                        number=next(numbers),
                        variant=variant,
                        name=self._name(one, variant, self._fields(variant, settings)),
                        found=one,
                    )

    def _fields(self, variant: int, settings: FieldValues) -> FieldValues:
        """What a name may say of a variant, besides its number."""
        labels = self._spec.labels
        return settings if labels is None else {**settings, LABEL: labels[variant]}

    def _name(self, found: ListedImage, variant: int, settings: FieldValues) -> str:
        """A name that no other item has."""
        template = found.settings.get("name") or self._spec.output.name
        if template is not None:
            name = output_name(str(template), found.key, variant, settings)
            if other := self._one("SELECT key FROM name WHERE name = ?", name):
                raise RequestError(
                    f"output.name: {other} and {found.key} would both be {name}; "
                    "add {key}, {ext} or {variant}"
                )
        else:
            name = self._usual_name(found.key, variant, settings)
        self._put("INSERT INTO name VALUES (?, ?)", name, found.key)
        return name

    def _usual_name(self, key: str, variant: int, settings: FieldValues) -> str:
        said = [LABEL] if LABEL in settings else [*settings]
        name = output_name(default_template(said), key, variant, settings)
        if not self._has("name", "name", name):
            return name
        template = default_template(said, with_suffix=True)
        wanted = output_name(template, key, variant, settings)
        while True:
            number = self._next(f"name {wanted}")
            name = wanted if number == 1 else f"{wanted}-{number}"
            if not self._has("name", "name", name):
                return name

    def _next(self, word: str) -> int:
        """How often this was asked of a word, this time included."""
        statement = (
            "INSERT INTO asked VALUES (?, 1) "
            "ON CONFLICT (word) DO UPDATE SET times = times + 1 RETURNING times"
        )
        (times,) = self._database.execute(statement, (word,)).fetchone()
        return int(times)

    def _has(self, table: str, column: str, value: str) -> bool:
        return self._one(f"SELECT 1 FROM {table} WHERE {column} = ?", value) is not None

    def _one(self, query: str, value: str) -> str | None:
        row = self._database.execute(query, (value,)).fetchone()
        return None if row is None else str(row[0])

    def _put(self, statement: str, *values: str) -> None:
        self._database.execute(statement, values)


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    """A database that goes with its folder, and need not survive a crash."""
    with tempfile.TemporaryDirectory(prefix="dreamfarm-") as folder:
        path = Path(folder) / "listing.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            database.executescript(_SCHEMA)
            database.execute("BEGIN")
            yield database
