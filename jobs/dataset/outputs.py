"""Where a worker puts results: files in the tree of the inputs, or tars."""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from jobs.dataset.inputs.item import Item
from jobs.dataset.inputs.reading import read
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.ledger.rows import Row
from jobs.dataset.tar_shards import Packed, pack, safe_key
from jobs.dataset.worker_tasks import Binding, sample_key, shard_name
from jobs.records.record import bad_record
from jobs.runtime.context import Site
from jobs.spec.dataset import DatasetOutput
from jobs.store.errors import Missing
from jobs.store.key import LONGEST
from jobs.store.store import Store
from render.pictures.output_format import FORMATS


class Results:
    """The results of one dataset, from one worker's side."""

    def __init__(self, site: Site, output: DatasetOutput, generation: int) -> None:
        self._site, self._output, self._generation = site, output, generation
        self._keys = DatasetKeys(site.job)

    @property
    def suffix(self) -> str:
        """Of a result's file, with its dot."""
        return FORMATS[self._output.format].suffix

    def place(self, item: Item, file: int) -> tuple[str, str | None]:
        """What a row says of where an item's result lies: its output, and the member of a tar."""
        if self._output.pack == "webdataset":
            return shard_name(file, self._generation), f"{sample_key(item)}{self.suffix}"
        room = LONGEST - len(self._keys.results) - len(self.suffix)
        return f"{safe_key(item.name, room)}{self.suffix}", None

    def take(self, item: Item, file: int, made: Path) -> None:
        """Make a result of a finished file, which may be gone then."""
        output, member = self.place(item, file)
        key = self._keys.result(output) if member is None else self._keys.part(file, item.number)
        self._site.store.give(made, key)

    def bind(self, binding: Binding, scratch: Path) -> None:
        """Pack the tar of an item file, of its parts and of what an earlier one holds."""
        name = shard_name(binding.file, binding.generation)
        with self._shards(binding.before, scratch) as before:
            made = scratch / name
            try:
                pack(self._packed(binding, before, scratch), made)
                self._site.store.give(made, self._keys.result(name))
            finally:
                made.unlink(missing_ok=True)

    def _packed(
        self, binding: Binding, before: list[tarfile.TarFile], scratch: Path
    ) -> Iterator[Packed]:
        store, reach = self._site.store, self._site.reach
        for sample in binding.samples:
            kind = self.suffix.removeprefix(".")
            try:
                content = _downloaded(store, self._keys.part(binding.file, sample.number), scratch)
            except Missing:
                content = _member(before, sample.member)
            yield Packed(sample.key, kind, content)
            for extra in sample.extras:
                # A mask in the result's own format would take its place.
                suffix = f"input.{extra.suffix}" if extra.suffix == kind else extra.suffix
                yield Packed(sample.key, suffix, read(extra.place, store, scratch, reach))

    @contextmanager
    def _shards(self, names: tuple[str, ...], scratch: Path) -> Iterator[list[tarfile.TarFile]]:
        """Those tars that there are: who was to pack them may have died before."""
        with ExitStack() as opened:
            found = []
            for name in names:
                path = scratch / f"before-{name}"
                opened.callback(path.unlink, missing_ok=True)
                try:
                    self._site.store.download(self._keys.result(name), path)
                except Missing:
                    continue
                found.append(opened.enter_context(tarfile.open(path)))
            yield found


def _downloaded(store: Store, key: str, scratch: Path) -> bytes:
    """A result that was made before, of any size. Raises Missing."""
    with tempfile.TemporaryDirectory(prefix="part-", dir=scratch) as folder:
        path = Path(folder) / "part"
        store.download(key, path)
        return path.read_bytes()


def _member(shards: list[tarfile.TarFile], name: str) -> bytes:
    """A file of one of the tars. Raises Missing."""
    for shard in shards:
        if name in shard.getnames():
            file = shard.extractfile(name)
            if file is not None:
                return file.read()
    raise Missing(name)


LEDGER, SHEET = "ledger.parquet", "contact-sheet.jpg"
"""What lies beside the results."""


def published_path(row: Row) -> PurePosixPath:
    """The path of a done item's file below the folder of the results: its own, or its tar's.

    Raises BadRecord for one that leads elsewhere: it is read from a store, and written to a disk.
    """
    output = row.output or ""
    name = output if row.member else f"{row.name}{PurePosixPath(output).suffix}"
    path = PurePosixPath(name)
    if not output or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise bad_record(f"item {row.number}", f"{name!r} is no name of a result")
    return path
