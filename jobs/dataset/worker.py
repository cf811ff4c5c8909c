"""The worker of a dataset: dreams items, packs tars and draws the contact sheet."""

import functools
import json
import os
import shutil
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import torch

from jobs.dataset.batcher import Batcher
from jobs.dataset.contact_sheet import sheet_thumbnail, write_contact_sheet
from jobs.dataset.inputs.content import local_file, read_content
from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.inputs.item import BLOB_SCHEME, Item
from jobs.dataset.inputs.table_rows import row_may_set
from jobs.dataset.item_setup import ItemSetup
from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.outputs import OutputWriter
from jobs.dataset.tasks import SheetEntry, TarRequest, WorkerConfig
from jobs.planning.dataset import DatasetPlan
from jobs.planning.identity import canonical_json, file_digest
from jobs.planning.item_plan import check_aspect, check_format
from jobs.planning.item_settings import ItemSettings
from jobs.planning.source import framed
from jobs.records.keys import JobKeys
from jobs.runtime.context import JobContext
from jobs.runtime.environment import (
    Environment,
    PinnedPlan,
    current_environment,
    machine_mismatch,
)
from jobs.runtime.scratch import ScratchLock
from jobs.spec.dataset import DatasetSpec
from jobs.text.errors import RequestError
from render.errors import LayerError, PictureError
from render.geometry.rect import Size
from render.pictures.colour import to_samples
from render.pictures.decode import open_picture
from render.pictures.generated import Noise, noise_size
from render.pictures.ingest import PictureSource
from render.pictures.output_format import Labels
from render.pictures.write import write_picture

_BAND_PIXELS = 1 << 20
"""Pixels that are encoded at a time."""


_CACHED_SETTINGS = 256
"""Settings of items. Validating a spec takes as long as one step of a small picture."""


class Worker:
    """A pool member for one dataset. Its methods are the tasks of `jobs.dataset.dispatch`.

    They may run in parallel threads; one thread at a time uses the device. A bad picture gives a
    failed row. Other errors are raised, and the pool tries another worker.
    """

    def __init__(self, plan: DatasetPlan, context: JobContext, config: WorkerConfig) -> None:
        context = replace(context, attachment_digests=plan.attachment_digests)
        self._plan, self._context, self._config = plan, context, config
        self._scratch_lock = ScratchLock(context.scratch)
        self._scratch = context.scratch / f"worker-{os.getpid()}"
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._batcher = Batcher(plan.device, returns_freed_memory=plan.spec.returns_freed_memory)
        self._keys = DatasetKeys(context.job)
        self._outputs = OutputWriter(context, plan.spec.output, config.generation, self._scratch)
        self._item_setup = ItemSetup(plan, context, config.at_once, self._scratch)
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._has_checked_machine = threading.Event()
        self._cached_settings = functools.lru_cache(_CACHED_SETTINGS)(
            lambda variant, settings: plan.item_settings(variant, json.loads(settings))
        )

    def close(self) -> None:
        """Remove the files of this worker from its machine."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch_lock.release()

    def environment(self) -> Environment:
        """The device and software that this worker computes with."""
        return current_environment(self._plan.device)

    def dream(self, line: bytes, file: int) -> bytes:
        """Dream an item and return its encoded row.

        line: the encoded item. file: the number of its item file.
        """
        self._check_machine()
        item = Item.decode(line, "an item")
        start = time.monotonic()
        try:
            row = self._done_row(item, file)
        except PictureError as error:
            # Show people a name, not a digest or the address of a whole tar.
            message = str(error).replace(item.found.place.address, _display_name(item))
            row = self._make_row(item, state="failed", failure="input", message=message)
        seconds = round(time.monotonic() - start, 3)
        return row.model_copy(update={"seconds": seconds}).encode()

    def pack_tar(self, request: TarRequest) -> None:
        """Pack the results of one item file into a tar."""
        self._outputs.pack_tar(request)

    def write_sheet(self, entries: tuple[SheetEntry, ...], title: str, columns: int | None) -> None:
        """Draw the contact sheet and write it into the store."""
        write_contact_sheet(self._context, self._keys, entries, title, columns)

    def _check_machine(self) -> None:
        """Raises MachineMismatch if this machine would compute other bytes than the job's first."""
        if self._has_checked_machine.is_set() or self._config.any_device:
            return
        mine, key = self.environment(), JobKeys(self._context.job).plan
        pinned = PinnedPlan.read(self._context.store, key)
        if not pinned.is_matched_by(mine.device_kind, mine.software):
            raise machine_mismatch(
                self._context.job, self._name, pinned, mine.device_kind, mine.software
            )
        self._has_checked_machine.set()

    def _done_row(self, item: Item, file: int) -> LedgerRow:
        """Dream an item and return its row. Raises PictureError."""
        if item.found.error:
            raise PictureError(item.found.error)
        settings, context = self._settings(item), self._context
        for extra in item.found.extras:
            # Fail early: a tar needs every extra beside the result.
            read_content(extra.place, context.store, self._scratch, context.access)
        if item.found.place.is_noise:
            return self._dream_picture(item, file, settings, _noise(settings.spec), None)
        with local_file(item.found.place, context.store, self._scratch, context.access) as path:
            try:
                picture = open_picture(path, self._plan.spec.limits.max_pixels)
                row = self._dream_picture(item, file, settings, picture, path)
                return row.model_copy(update={"message": "; ".join(picture.notes) or None})
            except PictureError as error:
                # Show people the address, not the path of a temporary file.
                message = str(error).replace(str(path), item.found.place.address)
                raise PictureError(message) from error

    def _settings(self, item: Item) -> ItemSettings:
        """The settings of an item. Raises PictureError for invalid or forbidden fields of its row.

        A store is untrusted, so the fields are checked again here.
        """
        fields = {name: value for name, value in item.found.settings.items() if name != "name"}
        forbidden = next((name for name in fields if not row_may_set(name)), None)
        if forbidden is not None:
            raise PictureError(
                f"{forbidden}: is the same for all pictures of a job; set it in the spec"
            )
        try:
            return self._cached_settings(item.variant, canonical_json(fields))
        except (RequestError, LayerError) as error:
            raise PictureError(str(error)) from error

    def _dream_picture(
        self,
        item: Item,
        file: int,
        settings: ItemSettings,
        picture: PictureSource,
        path: Path | None,
    ) -> LedgerRow:
        """Dream a picture, write the result, and return its row. path: of the input, if it has one.

        Raises PictureError.
        """
        size = settings.spec.resize.size(picture.height, picture.width)
        picture = framed(picture, settings.spec, size)
        check_aspect(settings.spec, (picture.height, picture.width), size)
        check_format(settings.spec.output, size)
        request = self._item_setup.make_request(item, settings, picture, size)
        canvas = self._batcher.dream(request)
        result = self._scratch / f"{item.number}{self._outputs.suffix}"
        output, name_in_tar = self._outputs.location(item, file)
        try:
            _write_result(result, canvas, size, settings, request.seed)
            output_digest, length = file_digest(result), result.stat().st_size
            self._save_thumbnails(item, path, result)
            self._outputs.move_result(item, file, result)
        finally:
            result.unlink(missing_ok=True)
        return self._make_row(
            item,
            state="done",
            input_sha256=None if path is None else file_digest(path),
            output=output,
            member=name_in_tar,
            output_sha256=output_digest,
            bytes=length,
            height=size[0],
            width=size[1],
            seed=request.seed,
        )

    def _save_thumbnails(self, item: Item, before: Path | None, after: Path) -> None:
        """Save small pictures of the first items for the contact sheet.

        Variants with labels are compared to each other, not to the input.
        """
        spec = self._plan.spec
        if item.number >= spec.sheet:
            return
        for when, path in (("before", before if spec.labels is None else None), ("after", after)):
            thumbnail = None if path is None else sheet_thumbnail(path)
            if thumbnail is not None:
                self._context.store.put(self._keys.thumbnail(item.number, when), thumbnail)

    def _make_row(self, item: Item, **fields: object) -> LedgerRow:
        common = {
            "number": item.number,
            "key": item.found.key,
            "variant": item.variant,
            "name": item.name,
            "input": item.found.place.address,
            "worker": self._name,
            "lease": self._context.lease_number,
            "generation": self._config.generation,
        }
        return LedgerRow.model_validate({**common, **fields})


def _write_result(
    path: Path, canvas: torch.Tensor, size: Size, settings: ItemSettings, seed: int
) -> None:
    output, height = settings.spec.output, max(1, _BAND_PIXELS // size[1])
    bands = (
        to_samples(canvas[top : top + height], output.depth) for top in range(0, size[0], height)
    )
    labels = Labels(None, settings.label(seed))
    write_picture(path, output.format, size, output.depth, bands, labels)


def _display_name(item: Item) -> str:
    """The name of a picture for people: its address if it is a whole file, else its key."""
    place = item.found.place
    is_whole_file = place.length is None and not place.address.startswith(BLOB_SCHEME)
    return place.address if is_whole_file else item.found.key


def _noise(spec: DatasetSpec) -> Noise:
    """The noise that an item's spec asks for, in the shape of its result."""
    seed = 0 if spec.inputs.noise is None else spec.inputs.noise.seed
    return Noise(*noise_size((spec.resize.height, spec.resize.width)), seed)
