"""The committed canvas of a job, at any zoom, by ranged reads from the store."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Annotated

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.records.keys import JobKeys
from jobs.records.record import invalid_record, read_json_object
from jobs.records.stored_spec import StoredSpec
from jobs.runtime.checkpoints import Commit
from jobs.runtime.octave_ends import (
    Layer,
    OctaveEnds,
    PinnedOctaves,
    ancestry,
    layered_image,
    parse_octaves,
)
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord
from jobs.web.job_views import job_url
from jobs.web.models import Answer
from jobs.web.pyramid import MOST_PIXELS, TILE, Pyramid, compute_tile, enlarge, pixels_to_read
from render.geometry.grid import Grid
from render.geometry.rect import Rect, Size
from render.pictures.tiled_image import TiledImage

_MAX_SIDE = 10**7
"""Pixels. The longest side of any output."""

_MAX_PREVIEW = 2048
"""Pixels of a side. Ours have 1,024 at most, but anybody may have written a preview."""

_READS_AT_ONCE = 4

_COMMIT = re.compile(r"(?P<lease>\d{6})/(?P<sequence>\d{4,6})/commit\.json")

_VERSION = re.compile(r"(?P<lease>\d{6})-(?P<sequence>\d{4,6})")

_Side = Annotated[int, Field(ge=1, le=_MAX_SIDE)]


class _Plan(BaseModel):
    """The parts of a pinned plan that describe its pictures; sizes are height and width."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    size: tuple[_Side, _Side]
    octaves: Annotated[tuple[tuple[_Side, _Side], ...], Field(min_length=1, max_length=64)]
    tiles: Annotated[tuple[_Side, ...], Field(min_length=1, max_length=64)]

    def grid(self, octave: int, redone: PinnedOctaves | None) -> Grid:
        """The tiles of an octave; those of a redo may cover a region only."""
        if redone is None:
            return Grid(*self.octaves[octave], self.tiles[octave])
        return redone.grid(octave)


class CanvasView(Answer):
    """A committed canvas as a DeepZoom pyramid of the finished size.

    What has fewer pixels than a level needs is enlarged.
    """

    job: str
    version: str
    octave: Annotated[int, Field(description="From 1.")]
    octaves: int
    step: int
    steps: int
    final: Annotated[bool, Field(description="Nothing will change any more.")]
    width: int
    height: int
    canvas_width: int
    canvas_height: int
    tile: int
    overlap: int
    min_level: int
    max_level: int
    tiles: Annotated[str, Field(description="URL of a tile, with {level}, {column} and {row}.")]


@dataclass(frozen=True)
class StoredBytes:
    """The bytes of a set of tiles in a store."""

    store: Store
    key: str

    @property
    def name(self) -> str:
        """The key."""
        return self.key

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from offset `start`. Raises ObjectNotFound, StoreError."""
        return self.store.get_range(self.key, start, length)

    def read_again(self, start: int, length: int) -> bytes:
        """Read the same bytes again."""
        return self.read(start, length)


@dataclass(frozen=True)
class CommittedCanvas:
    """The canvas of one commit.

    version: names the commit. grid: its tiles. below: what shows around the region of a redo.
    """

    store: Store
    job: str
    version: str
    commit: Commit
    plan: _Plan
    steps: int
    grid: Grid
    below: tuple[Layer, ...] = ()

    @property
    def size(self) -> Size:
        """Height and width of the canvas, which grows from octave to octave."""
        return self.plan.octaves[self.commit.octave]

    @property
    def pyramid(self) -> Pyramid:
        """The pyramid of the finished picture."""
        return Pyramid(*self.plan.size)

    @cached_property
    def image(self) -> TiledImage:
        """The canvas, for reading."""

        def open_source(key: str) -> StoredBytes:
            return StoredBytes(self.store, key)

        return layered_image((Layer(self.commit, self.grid), *self.below), open_source)

    def view(self) -> CanvasView:
        """The canvas for the API."""
        (height, width), (canvas_height, canvas_width) = self.plan.size, self.size
        octaves = len(self.plan.octaves)
        return CanvasView(
            job=self.job,
            version=self.version,
            octave=self.commit.octave + 1,
            octaves=octaves,
            step=self.commit.step,
            steps=self.steps,
            final=self._finished_octaves == octaves,
            width=width,
            height=height,
            canvas_width=canvas_width,
            canvas_height=canvas_height,
            tile=TILE,
            overlap=0,
            min_level=0,
            max_level=self.pyramid.max_level,
            tiles=f"{job_url(self.job)}/tiles/{self.version}/{{level}}/{{column}}_{{row}}.jpg",
        )

    def tile(self, level: int, column: int, row: int) -> np.ndarray:
        """Compute a tile (h, w, 3) of uint8 that the pyramid has.

        One that would need too many pixels is made from the preview of the last finished octave.
        Raises ObjectNotFound if the commit is not in the store any more, DamagedTiles, StoreError.
        """
        spans = self.pyramid.spans(self.size, level, column, row)
        if pixels_to_read(self.size, spans) > MOST_PIXELS and self._finished_octaves:
            small = self._preview(self._finished_octaves)
            place = level, column, row
            return enlarge(small, self.pyramid.spans((small.height, small.width), *place))
        return compute_tile(self._read, self.size, spans)

    @property
    def _finished_octaves(self) -> int:
        return self.commit.octave + (1 if self.commit.step >= self.steps else 0)

    def _preview(self, octave: int) -> Image.Image:
        key = JobKeys(self.job).preview(octave)
        try:
            picture = Image.open(BytesIO(self.store.get(key)), formats=("JPEG",))
            if max(picture.size) > _MAX_PREVIEW:
                raise invalid_record(key, "is larger than a preview")
            picture.load()
        except OSError as error:
            raise invalid_record(key, "is not a preview") from error
        return picture

    def _read(self, rect: Rect) -> np.ndarray:
        """Read the tiles of a rectangle at the same time: each is a request."""
        grid = self.image.grid
        tiles = list(grid.touching(rect))
        parts = [rect.intersect(grid.core(tile)) for tile in tiles]
        result = np.empty((rect.height, rect.width, 3), self.image.tile_sets[0].layout.dtype)
        is_short = len(parts) == 1 or bool(self.below)
        if is_short or self.store.local_path(self.commit.parts[0].key) is not None:
            return self.image.read(rect)
        with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
            for part, pixels in zip(parts, pool.map(self.image.read, parts), strict=True):
                result[part.slices(rect[:2])] = pixels
        return result


def newest_canvas(
    store: Store, job: str, known: CommittedCanvas | None = None
) -> CommittedCanvas | None:
    """The canvas of the newest valid commit of a job; None if there is none.

    known: the last one that was found; it is returned while it is the newest. Takes one listing.
    """
    keys = JobKeys(job)
    sizes = {entry.key: entry.size for entry in store.list_objects(keys.checkpoints)}
    matches = (_COMMIT.fullmatch(key.removeprefix(keys.checkpoints)) for key in sizes)
    order = sorted((match["lease"], match["sequence"]) for match in matches if match)
    for lease, sequence in reversed(order):
        version = f"{lease}-{sequence}"
        if known is not None and known.version == version:
            return known
        try:
            found = canvas_of_version(store, job, version)
        except (ObjectNotFound, InvalidRecord):
            continue
        if all(sizes.get(part.key) == part.size for part in found.commit.parts):
            return found
    return None


def canvas_of_version(store: Store, job: str, version: str) -> CommittedCanvas:
    """The canvas of one commit. Raises ObjectNotFound, InvalidRecord and StoreError."""
    keys, match = JobKeys(job), _VERSION.fullmatch(version)
    if match is None:
        raise ObjectNotFound(f"{keys.checkpoints}{version}")
    key = keys.commit(int(match["lease"]), int(match["sequence"]))
    commit = Commit.read(store, key)
    plan = _read_plan(store, keys)
    if commit.octave >= min(len(plan.octaves), len(plan.tiles)):
        raise invalid_record(key, "is of an octave that the plan does not have")
    if any(not part.key.startswith(keys.checkpoints) for part in commit.parts):
        raise invalid_record(key, "names objects outside of the job's checkpoints")
    document = StoredSpec.read(store, keys.spec).submitted_document
    redone = _redone(store, keys)
    grid = plan.grid(commit.octave, redone)
    below: tuple[Layer, ...] = ()
    if grid.region is not None:
        kept = OctaveEnds(store, ancestry(job, document)).layers(commit.octave, older=1)
        if kept is None:
            raise ObjectNotFound(f"{keys.checkpoints} of the older picture")
        below = kept
    return CommittedCanvas(store, job, version, commit, plan, _steps(document), grid, below)


def _read_plan(store: Store, keys: JobKeys) -> _Plan:
    document = read_json_object(store, keys.plan)
    if document is None:
        raise ObjectNotFound(keys.plan)
    try:
        return _Plan.model_validate_json(json.dumps(document.get("plan")))
    except ValidationError as error:
        raise invalid_record(keys.plan, "does not describe octaves") from error


def _redone(store: Store, keys: JobKeys) -> PinnedOctaves | None:
    """What a redo dreams again; None for another job."""
    document = read_json_object(store, keys.plan)
    octaves = None if document is None else parse_octaves(document.get("plan"))
    return None if octaves is None or octaves.redo is None else octaves


def _steps(document: Mapping[str, object]) -> int:
    dream = document.get("dream")
    steps = dream.get("steps") if isinstance(dream, Mapping) else None
    return steps if type(steps) is int and steps >= 0 else 0
