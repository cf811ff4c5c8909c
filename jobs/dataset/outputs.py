"""The outputs of a dataset: results as files or tars in the store, before they are published."""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jobs.dataset.inputs.content import read_content
from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.inputs.item import Item, LeftOut, ListedImage
from jobs.dataset.inputs.listing import base_folder
from jobs.dataset.inputs.table import TABLE_SUFFIXES
from jobs.dataset.ledger.reader import LedgerKeys, read_file_rows
from jobs.dataset.published import SHEET_FILE, PublishedResults
from jobs.dataset.tar_shards import (
    TarMember,
    dream_suffix,
    safe_key,
    sample_key,
    stored_tar_name,
    tar_name,
    write_tar,
)
from jobs.dataset.tasks import TarRequest, TarSample
from jobs.records.manifest import MANIFEST
from jobs.runtime.context import JobContext
from jobs.runtime.ownership import read_mapping
from jobs.spec.dataset import DatasetOutput
from jobs.spec.inputs import Inputs, is_in_bucket, suffix_of
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.pictures.output_format import FORMATS

_MAX_KEY = 200
"""The most characters of a result's key. Longer names are cut, so this may not change."""


class OutputWriter:
    """Writes a worker's results into the store. scratch: a folder for temporary files."""

    def __init__(
        self, context: JobContext, output: DatasetOutput, generation: int, scratch: Path
    ) -> None:
        self._context, self._output, self._generation = context, output, generation
        self._scratch = scratch
        self._keys = DatasetKeys(context.job)

    @property
    def suffix(self) -> str:
        """The suffix of a result's file, with its dot."""
        return FORMATS[self._output.format].suffix

    def location(self, item: Item, file: int) -> tuple[str, str | None]:
        """Return the `output` and `member` of an item's row, before it has been written."""
        if self._output.pack == "webdataset":
            suffix = dream_suffix(item.found, self._output.format)
            return self._tar_name(file), f"{sample_key(item)}.{suffix}"
        max_length = _MAX_KEY - len(self._keys.results) - len(self.suffix)
        return f"{safe_key(item.name, max_length)}{self.suffix}", None

    def _tar_name(self, file: int) -> str:
        return stored_tar_name(file, self._generation, self._context.lease_number)

    def move_result(self, item: Item, file: int, path: Path) -> None:
        """Move a finished file into the store. A result to be packed waits as a part."""
        output, name_in_tar = self.location(item, file)
        key = (
            self._keys.result(output) if name_in_tar is None else self._keys.part(file, item.number)
        )
        self._context.store.move_file(path, key)

    def pack_tar(self, request: TarRequest) -> None:
        """Write the tar of an item file, from its parts and from older tars."""
        name = self._tar_name(request.file)
        with self._open_tars(request.older_tars) as older_tars:
            path = self._scratch / name
            try:
                write_tar(self._tar_members(request, older_tars), path)
                self._context.store.move_file(path, self._keys.result(name))
            finally:
                path.unlink(missing_ok=True)

    def _tar_members(
        self, request: TarRequest, older_tars: list[tarfile.TarFile]
    ) -> Iterator[TarMember]:
        store, access = self._context.store, self._context.access
        for sample in request.samples:
            part = self._keys.part(request.file, sample.number)
            try:
                content = _download_part(store, part, self._scratch)
            except ObjectNotFound:
                content = _read_from_tars(older_tars, sample.name_in_tar)
            yield TarMember(sample.name_in_tar, content)
            for extra, name in zip(sample.extras, names_of_extras(sample), strict=True):
                yield TarMember(name, read_content(extra.place, store, self._scratch, access))

    @contextmanager
    def _open_tars(self, names: tuple[str, ...]) -> Iterator[list[tarfile.TarFile]]:
        """Download and open tars. A tar that a lost holder never wrote is left out."""
        with ExitStack() as cleanup:
            tars = []
            for name in names:
                path = self._scratch / f"before-{name}"
                cleanup.callback(path.unlink, missing_ok=True)
                try:
                    self._context.store.download(self._keys.result(name), path)
                except ObjectNotFound:
                    continue
                tars.append(cleanup.enter_context(tarfile.open(path)))
            yield tars


def names_of_extras(sample: TarSample) -> list[str]:
    """The names of a sample's extras in the tar.

    Earlier versions named the result without regard to the extras. So an extra of the same name is
    renamed as there: `png` becomes `input.png`.
    """
    names = [f"{sample.key}.{extra.suffix}" for extra in sample.extras]
    if sample.name_in_tar not in names:
        return names
    place = names.index(sample.name_in_tar)
    suffix = sample.extras[place].suffix
    while f"{sample.key}.{suffix}" in names:
        suffix = f"input.{suffix}"
    names[place] = f"{sample.key}.{suffix}"
    return names


def _download_part(store: Store, key: str, scratch: Path) -> bytes:
    """Read a result of any size that waits to be packed. Raises ObjectNotFound."""
    with tempfile.TemporaryDirectory(prefix="part-", dir=scratch) as folder:
        path = Path(folder) / "part"
        store.download(key, path)
        return path.read_bytes()


def _read_from_tars(tars: list[tarfile.TarFile], name: str) -> bytes:
    """Read a file from the first tar that has it. Raises ObjectNotFound."""
    for tar in tars:
        if name in tar.getnames():
            file = tar.extractfile(name)
            if file is not None:
                return file.read()
    raise ObjectNotFound(name)


def planned_names(store: Store, job: str, output: DatasetOutput, generation: int) -> Iterator[str]:
    """Yield the published paths of the results that are not done, before they are made."""
    index = ItemIndex(store, DatasetKeys(job))
    for file in index.files:
        rows = read_file_rows(store, LedgerKeys(job), file)
        done = {number for number, row in rows.items() if row.state == "done"}
        due = [item for item in index.read(file) if item.number not in done]
        if due and output.pack == "webdataset":
            yield tar_name(file, generation)
        elif output.pack == "files":
            yield from (f"{item.name}{FORMATS[output.format].suffix}" for item in due)


def without_results(
    images: Iterator[ListedImage], inputs: Inputs, job: str, left_out: LeftOut
) -> Iterator[ListedImage]:
    """Leave out the results that an earlier run of a dataset put among its own inputs.

    That is a contact sheet beside the manifest of any dataset, and what this job published there.
    Pictures that a table names stay. Raises RequestError if nothing else is left.
    """
    folder = base_folder(inputs.address)
    results: set[str] = set()
    is_listed = inputs.noise is None and not is_in_bucket(inputs.address)
    if is_listed and suffix_of(inputs.address) not in TABLE_SUFFIXES:
        manifest = read_mapping(folder / MANIFEST)
        names = {SHEET_FILE} if "ledger" in manifest else set()
        if manifest.get("job") == job:
            names |= PublishedResults(folder, job).names
        results = {str(folder / name) for name in names}
    is_empty = True
    for image in images:
        if results and str(Path(image.place.address)) in results:
            left_out.add_result()
            continue
        is_empty = False
        yield image
    if is_empty:
        raise RequestError(f"{inputs.address}: {left_out.note()}; no other pictures are there")
