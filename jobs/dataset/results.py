"""Where a worker puts results: files in the tree of the inputs, or tars."""

import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jobs.checkpoint.site import Site
from jobs.dataset.binding import Binding, sample_key, shard_name
from jobs.dataset.item import Item
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.packing import Packed, pack
from jobs.dataset.row import Row
from jobs.dataset.safe_key import safe_key
from jobs.dataset.sources.reading import at_hand
from jobs.dataset.spec import DatasetOutput
from jobs.store.errors import Missing
from jobs.store.key import LONGEST
from render.pictures.format import FORMATS


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
        with self._shard(binding.before, scratch) as before:
            made = scratch / name
            try:
                pack(self._packed(binding, before, scratch), made)
                self._site.store.give(made, self._keys.result(name))
            finally:
                made.unlink(missing_ok=True)

    @contextmanager
    def at_hand(self, row: Row, file: int, scratch: Path) -> Iterator[Path | bytes | None]:
        """A result, to be looked at; None where there is none, or it cannot be found."""
        store = self._site.store
        path = scratch / f"result-{row.number}"
        key = self._keys.part(file, row.number) if row.member else None
        if row.output and not row.member:
            key = self._keys.result(row.output)
        try:
            if key is not None:
                store.download(key, path)
            yield path if key is not None else None
        except Missing:
            yield None
        finally:
            path.unlink(missing_ok=True)

    def _packed(
        self, binding: Binding, before: tarfile.TarFile | None, scratch: Path
    ) -> Iterator[Packed]:
        store = self._site.store
        for sample in binding.samples:
            kind = self.suffix.removeprefix(".")
            try:
                content = store.get(self._keys.part(binding.file, sample.number))
            except Missing:
                content = _member(before, sample.member)
            yield Packed(sample.key, kind, content)
            for extra in sample.extras:
                with at_hand(extra.place, store, scratch) as path:
                    yield Packed(sample.key, extra.suffix, path.read_bytes())

    @contextmanager
    def _shard(self, name: str | None, scratch: Path) -> Iterator[tarfile.TarFile | None]:
        if name is None:
            yield None
            return
        path = scratch / f"before-{name}"
        with ExitStack() as opened:
            opened.callback(path.unlink, missing_ok=True)
            self._site.store.download(self._keys.result(name), path)
            yield opened.enter_context(tarfile.open(path))


def _member(shard: tarfile.TarFile | None, name: str) -> bytes:
    file = None if shard is None else shard.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()
