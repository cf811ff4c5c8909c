"""What a pool's members do for a dataset: items, shards of results, and the contact sheet."""

import functools
import json
import os
import shutil
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

from jobs.dataset.batcher import Dreamer
from jobs.dataset.contact_sheet import shrunk
from jobs.dataset.inputs.item import BLOB, Item
from jobs.dataset.inputs.reading import at_hand, read
from jobs.dataset.inputs.table_rows import may_set
from jobs.dataset.item_setup import Preparation
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.ledger.rows import Row
from jobs.dataset.outputs import Results
from jobs.dataset.worker_tasks import Binding, Exhibit, Tenure, display
from jobs.planning.dataset import DatasetPlan
from jobs.planning.identity import canonical
from jobs.planning.item_plan import check_format
from jobs.planning.item_settings import Manner
from jobs.records.keys import JobKeys
from jobs.runtime.context import Site
from jobs.runtime.environment import FixedPlan, Machinery, machinery
from jobs.runtime.scratch import Stay
from jobs.spec.dataset import DatasetSpec
from jobs.text.errors import RequestError, Unfit
from render.errors import LayerError, PictureError
from render.pictures.colour import to_samples
from render.pictures.deepzoom import digest
from render.pictures.generated import Noise
from render.pictures.ingest import Pictured
from render.pictures.output_format import Labels
from render.pictures.source import open_picture
from render.pictures.write import write_picture

_BAND_PIXELS = 1 << 20
"""Encoded at a time."""


_MANNERS = 256
"""Remembered: to check a spec and size a network up takes as long as a small picture's step."""


class Worker:
    """Runs items in as many threads as it is given; of its device one of them at a time.

    What is the picture's own fault is told in its row. Whatever else is raised, for the pool to try
    again elsewhere.
    """

    def __init__(self, plan: DatasetPlan, site: Site, tenure: Tenure) -> None:
        site = replace(site, companions=plan.companions)
        self._plan, self._site, self._tenure = plan, site, tenure
        self._stay = Stay(site.scratch)
        self._dreamer = Dreamer(plan.device, frugal=plan.spec.is_frugal)
        self._keys = DatasetKeys(site.job)
        self._results = Results(site, plan.spec.output, tenure.generation)
        self._scratch = site.scratch / f"worker-{os.getpid()}"
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._preparation = Preparation(plan, site, tenure.at_once, self._scratch)
        self._me = f"{socket.gethostname()}:{os.getpid()}"
        self._is_known = threading.Event()
        self._manner_of = functools.lru_cache(_MANNERS)(
            lambda variant, settings: plan.manner(variant, json.loads(settings))
        )

    def close(self) -> None:
        """Leave nothing of this member on its machine."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._stay.end()

    def machinery(self) -> Machinery:
        """What this member computes with."""
        return machinery(self._plan.device)

    def dream(self, line: bytes, file: int) -> bytes:
        """Do an item, a line of an item file of that number; returns its row, encoded."""
        self._check_kind()
        item = Item.decoded(line, "an item")
        begun = time.monotonic()
        try:
            row = self._done(item, file)
        except PictureError as error:
            # A digest, or a tar of many, tells people nothing.
            message = str(error).replace(item.found.place.address, _known_as(item))
            row = self._row(item, state="failed", failure="input", message=message)
        seconds = round(time.monotonic() - begun, 3)
        return row.model_copy(update={"seconds": seconds}).encoded()

    def bind(self, binding: Binding) -> None:
        """Pack the results of one item file."""
        self._results.bind(binding, self._scratch)

    def show(self, exhibits: tuple[Exhibit, ...], title: str, columns: int | None) -> None:
        """Write the contact sheet."""
        display(self._site.store, self._keys, exhibits, title, columns)

    def _check_kind(self) -> None:
        """Unfit where this machine would make other bytes than those that others make."""
        if self._is_known.is_set() or self._tenure.any_device:
            return
        mine, key = self.machinery(), JobKeys(self._site.job).plan
        fixed = FixedPlan.read(self._site.store, key)
        if (fixed.device, fixed.software) != (mine.kind, mine.software):
            raise Unfit(f"{self._site.job}: {self._me} has {mine.kind}, the others {fixed.device}")
        self._is_known.set()

    def _done(self, item: Item, file: int) -> Row:
        if item.found.complaint:
            raise PictureError(item.found.complaint)
        manner = self._manner(item)
        for extra in item.found.extras:
            # What lies beside a picture goes along with its result.
            read(extra.place, self._site.store, self._scratch, self._site.reach)
        if item.found.place.is_noise:
            return self._dreamed(item, file, manner, _noise(manner.spec), None)
        site = self._site
        with at_hand(item.found.place, site.store, self._scratch, site.reach) as path:
            try:
                picture = open_picture(path, self._plan.spec.limits.max_pixels)
                return self._dreamed(item, file, manner, picture, path)
            except PictureError as error:
                # People know the picture by its own name.
                told = str(error).replace(str(path), item.found.place.address)
                raise PictureError(told) from error

    def _manner(self, item: Item) -> Manner:
        """How it is dreamed. PictureError where its row asks for what there is not, or may not."""
        settings = {name: one for name, one in item.found.settings.items() if name != "name"}
        fixed = next((name for name in settings if not may_set(name)), None)
        if fixed is not None:
            raise PictureError(f"{fixed}: is the same for all pictures of a job; no row sets it")
        try:
            return self._manner_of(item.variant, canonical(settings))
        except (RequestError, LayerError) as error:
            raise PictureError(str(error)) from error

    def _dreamed(
        self, item: Item, file: int, manner: Manner, picture: Pictured, path: Path | None
    ) -> Row:
        """Do an item. path: of its picture's file, where it has one."""
        output = manner.spec.output
        size = manner.spec.resize.size(picture.height, picture.width)
        check_format(output, size)
        sitting = self._preparation.sitting(item, manner, picture, size)
        seed = sitting.seed
        canvas = self._dreamer.dream(sitting)
        made = self._scratch / f"{item.number}{self._results.suffix}"
        depth = output.depth
        rows = max(1, _BAND_PIXELS // size[1])
        bands = (to_samples(canvas[top : top + rows], depth) for top in range(0, size[0], rows))
        where, member = self._results.place(item, file)
        label = Labels(None, manner.label(seed))
        try:
            write_picture(made, output.format, size, depth, bands, label)
            found = f"sha256:{digest(made)}"
            length = made.stat().st_size
            self._lay_aside(item, path, made)
            self._results.take(item, file, made)
        finally:
            made.unlink(missing_ok=True)
        return self._row(
            item,
            state="done",
            input_sha256=None if path is None else f"sha256:{digest(path)}",
            output=where,
            member=member,
            output_sha256=found,
            bytes=length,
            height=size[0],
            width=size[1],
            seed=seed,
        )

    def _lay_aside(self, item: Item, before: Path | None, after: Path) -> None:
        """Keep small pictures of the first items, for the contact sheet.

        Where variants have labels, they are compared to each other and not to what was before.
        """
        spec = self._plan.spec
        if item.number >= spec.sheet:
            return
        for when, path in (("before", before if spec.labels is None else None), ("after", after)):
            small = None if path is None else shrunk(path)
            if small is not None:
                self._site.store.put(self._keys.thumbnail(item.number, when), small)

    def _row(self, item: Item, **told: object) -> Row:
        known = {
            "number": item.number,
            "key": item.found.key,
            "variant": item.variant,
            "name": item.name,
            "input": item.found.place.address,
            "worker": self._me,
            "lease": self._site.number,
            "generation": self._tenure.generation,
        }
        return Row.model_validate({**known, **told})


def _known_as(item: Item) -> str:
    """What people call a picture: its address where it is a file of its own, else its key."""
    place = item.found.place
    is_its_own = place.length is None and not place.address.startswith(BLOB)
    return place.address if is_its_own else item.found.key


def _noise(spec: DatasetSpec) -> Noise:
    """The noise that a settled spec asks for, as large as its result will be."""
    seed = 0 if spec.inputs.noise is None else spec.inputs.noise.seed
    return Noise(spec.resize.height, spec.resize.width, seed)
