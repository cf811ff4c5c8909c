"""Building the index: sort listed images, name their outputs, and write them to item files.

A dataset may have millions of items. They are sorted and deduplicated in a database on disk, so
memory use stays small.
"""

import secrets
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count, groupby
from pathlib import Path, PurePosixPath

from jobs.dataset.inputs.index import FILE_ITEMS, DatasetKeys, ItemIndex, Listing
from jobs.dataset.inputs.item import Item, ListedImage
from jobs.dataset.published import SHEET_FILE
from jobs.planning.item_settings import FieldValues, sweep_variants
from jobs.spec.dataset import DatasetSpec
from jobs.spec.output_names import LABEL, default_template, output_name
from jobs.store.store import Store, batches
from jobs.text.errors import RequestError

UploadImages = Callable[[list[ListedImage]], list[ListedImage]]
"""Uploads the images on the submitter's disk; returns them with the addresses for workers."""


_SCHEMA = """
    CREATE TABLE known (key TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE listed (key TEXT PRIMARY KEY, image TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE counter (word TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE name (name TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
"""


def build_index(
    store: Store,
    keys: DatasetKeys,
    spec: DatasetSpec,
    images: Iterable[ListedImage],
    upload: UploadImages,
) -> Listing | None:
    """Add the images that are new to a dataset; returns their listing, or None if none is new.

    If two submits run at once, one of them writes its listing, and both return it. Raises
    RequestError if two items would have the same output name.
    """
    index = ItemIndex(store, keys)
    with _temporary_database() as database:
        builder = _IndexBuilder(database, spec)
        builder.add_known(index)
        builder.add_listed(images)
        first_item, first_file = index.item_count, len(index.files)
        nonce = secrets.token_hex(8)
        files = enumerate(_item_files(builder.new_items(first_item, upload), spec), first_file)
        sizes = _write_files(store, ((keys.item_file(nonce, file), items) for file, items in files))
    if not sizes:
        return None
    listing = Listing(nonce=nonce, first_file=first_file, first_item=first_item, sizes=sizes)
    key = keys.listing(index.listing_count + 1)
    if not store.put_if_absent(key, listing.encode()):
        existing = Listing.read(store, key)
        if existing.nonce != nonce:
            store.delete(keys.item_file(nonce, file) for file in listing.files)
        return existing
    return listing


def _write_files(store: Store, files: Iterable[tuple[str, list[Item]]]) -> tuple[int, ...]:
    """Write item files to their keys and return their sizes. If one fails, all are deleted."""
    sizes: dict[str, int] = {}
    with ExitStack() as undo:
        undo.callback(lambda: store.delete(sizes))
        for key, items in files:
            sizes[key] = len(items)
            store.put(key, b"".join(item.encode() for item in items))
        undo.pop_all()
    return tuple(sizes.values())


def _item_files(items: Iterable[Item], spec: DatasetSpec) -> Iterator[list[Item]]:
    """Group the items into files.

    If results are packed, a file has items of only one input tar, since keys may repeat in another.
    """
    is_packed = spec.output.pack == "webdataset"
    for _, group in groupby(items, lambda item: item.found.input_tar if is_packed else None):
        yield from batches(group, FILE_ITEMS)


class _IndexBuilder:
    """The database of known items, newly listed images, and output names."""

    def __init__(self, database: sqlite3.Connection, spec: DatasetSpec) -> None:
        self._database, self._spec = database, spec
        self._variants = sweep_variants(spec.sweep)

    def add_known(self, index: ItemIndex) -> None:
        """Add the items that the dataset has, and the name that the contact sheet needs."""
        self._execute("INSERT INTO name VALUES (?, ?)", PurePosixPath(SHEET_FILE).stem, SHEET_FILE)
        for item in index.all_items():
            self._execute("INSERT OR IGNORE INTO known VALUES (?)", item.found.key)
            self._execute("INSERT OR IGNORE INTO name VALUES (?, ?)", item.name, item.found.key)

    def add_listed(self, images: Iterable[ListedImage]) -> None:
        """Add listed images. One that is listed twice, as in an input table, counts as two."""
        for image in images:
            key = self._unique_key(image.key)
            renamed = image if key == image.key else image.model_copy(update={"key": key})
            self._execute("INSERT INTO listed VALUES (?, ?)", key, renamed.model_dump_json())

    def _unique_key(self, key: str) -> str:
        while True:
            number = self._count(f"key {key}")
            candidate = key if number == 1 else f"{key}#{number}"
            if not self._exists("listed", "key", candidate):
                return candidate

    def new_items(self, first: int, upload: UploadImages) -> Iterator[Item]:
        """Yield the new items in the order of keys, with all variants of each image.

        first: the number of the first one.
        """
        numbers = count(first)
        rows = self._database.execute(
            "SELECT image FROM listed WHERE key NOT IN (SELECT key FROM known) ORDER BY key"
        )
        while batch := rows.fetchmany(FILE_ITEMS):
            for image in upload([ListedImage.model_validate_json(text) for (text,) in batch]):
                for variant, settings in enumerate(self._variants):
                    yield Item(
                        number=next(numbers),
                        variant=variant,
                        name=self._name(image, variant, self._name_fields(variant, settings)),
                        found=image,
                    )

    def _name_fields(self, variant: int, settings: FieldValues) -> FieldValues:
        """The fields of a variant that may be part of an output's name, besides its number."""
        labels = self._spec.labels
        return settings if labels is None else {**settings, LABEL: labels[variant]}

    def _name(self, image: ListedImage, variant: int, settings: FieldValues) -> str:
        """Choose the output name of an item; no other item has it. Raises RequestError."""
        template = image.settings.get("name") or self._spec.output.name
        if template is not None:
            name = output_name(str(template), image.key, variant, settings)
            if other := self._select("SELECT key FROM name WHERE name = ?", name):
                raise RequestError(
                    f"output.name: {other} and {image.key} would both be {name}; "
                    "add {key}, {ext} or {variant}"
                )
        else:
            name = self._default_name(image.key, variant, settings)
        self._execute("INSERT INTO name VALUES (?, ?)", name, image.key)
        return name

    def _default_name(self, key: str, variant: int, settings: FieldValues) -> str:
        fields = [LABEL] if LABEL in settings else [*settings]
        name = output_name(default_template(fields), key, variant, settings)
        if not self._exists("name", "name", name):
            return name
        template = default_template(fields, with_suffix=True)
        base = output_name(template, key, variant, settings)
        while True:
            number = self._count(f"name {base}")
            name = base if number == 1 else f"{base}-{number}"
            if not self._exists("name", "name", name):
                return name

    def _count(self, word: str) -> int:
        """Increase the counter of a word, and return it; the first time it is 1."""
        statement = (
            "INSERT INTO counter VALUES (?, 1) "
            "ON CONFLICT (word) DO UPDATE SET times = times + 1 RETURNING times"
        )
        (times,) = self._database.execute(statement, (word,)).fetchone()
        return int(times)

    def _exists(self, table: str, column: str, value: str) -> bool:
        return self._select(f"SELECT 1 FROM {table} WHERE {column} = ?", value) is not None

    def _select(self, query: str, value: str) -> str | None:
        row = self._database.execute(query, (value,)).fetchone()
        return None if row is None else str(row[0])

    def _execute(self, statement: str, *values: str) -> None:
        self._database.execute(statement, values)


@contextmanager
def _temporary_database() -> Iterator[sqlite3.Connection]:
    """A database that is deleted afterwards. It is fast, and would not survive a crash."""
    with tempfile.TemporaryDirectory(prefix="dreamfarm-") as folder:
        path = Path(folder) / "listing.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            database.executescript(_SCHEMA)
            database.execute("BEGIN")
            yield database
