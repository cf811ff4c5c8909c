"""Pictures of jobs for the page: previews, and tiles of canvases and of DeepZooms, cached."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus

from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from jobs.records.manifest import JobOutput, job_outputs
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store
from jobs.web.byte_cache import ByteCache
from jobs.web.canvas import CanvasView, CommittedCanvas, canvas_of_version, newest_canvas
from jobs.web.job_views import job_url
from jobs.web.problems import Problem
from jobs.web.pyramid import Pyramid, encode_tile
from render.errors import DamagedTiles

_CACHE_BYTES = 64 << 20

_MOST_CANVASES = 8
"""Canvases whose list of tiles is remembered. That of two gigapixels has 16 MiB."""

_THREADS = 3
"""Tiles that are computed at the same time; each needs about 40 MB."""

_OUTPUTS = re.compile(r"outputs-(?P<lease>\d{6})")

_DZI = re.compile(rb'Overlap="(?P<overlap>\d{1,3})"\s+TileSize="(?P<tile>\d{1,4})"')

_MAX_PICTURE = 4 << 20
"""Bytes of a preview. Anybody with access to the store may have written it."""


class Pictures:
    """The pictures of the jobs of a store. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cache = ByteCache(_CACHE_BYTES)
        self._canvases: OrderedDict[tuple[str, str], CommittedCanvas] = OrderedDict()
        self._newest: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_THREADS, "tile")

    def close(self) -> None:
        """Compute no more tiles."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def canvas(self, job: str) -> CanvasView | None:
        """The newest canvas of a poster, or its DeepZoom where there is no canvas; else None.

        Raises InvalidRecord and StoreError.
        """
        with self._lock:
            version = self._newest.get(job)
            known = None if version is None else self._canvases.get((job, version))
        found = newest_canvas(self._store, job, known)
        if found is None:
            return self._deepzoom(job)
        self._remember(found)
        return found.view()

    def cached(self, key: Hashable, make: Callable[[], bytes]) -> "Future[bytes]":
        """A picture that is made in another thread, unless it was made before."""
        return self._pool.submit(self._cache.get, key, make)

    def tile(self, job: str, version: str, level: int, column: int, row: int) -> "Future[bytes]":
        """A tile as a JPEG. The future raises Problem, InvalidRecord and StoreError."""

        def make() -> bytes:
            try:
                return self._tile(job, version, level, column, row)
            except (ObjectNotFound, DamagedTiles):
                raise Problem(
                    HTTPStatus.GONE, f"{job}: has no picture {version} any more; ask for its canvas"
                ) from None

        key = job, version, level, column, row
        return self.cached(key, make)

    def preview(self, job: str, octave: int | None) -> bytes:
        """The preview of an octave, or the newest picture, as a JPEG.

        Raises ObjectNotFound and StoreError.
        """
        keys = JobKeys(job)
        if octave is not None:
            return self._read_picture(keys.preview(octave))
        entries = list(self._store.list_objects(keys.previews))
        if not entries:
            raise ObjectNotFound(f"{keys.previews}octave-01.jpg")
        newest = max(entries, key=lambda entry: (entry.modified, entry.key))
        return self._read_picture(newest.key)

    def _read_picture(self, key: str) -> bytes:
        content = self._store.get(key)
        if len(content) > _MAX_PICTURE or not content.startswith(b"\xff\xd8\xff"):
            raise Problem(HTTPStatus.NOT_FOUND, f"{key}: is not a preview")
        return content

    def _tile(self, job: str, version: str, level: int, column: int, row: int) -> bytes:
        outputs = _OUTPUTS.fullmatch(version)
        if outputs is not None:
            return self._deepzoom_tile(job, int(outputs["lease"]), f"{level}/{column}_{row}")
        with self._lock:
            canvas = self._canvases.get((job, version))
        if canvas is None:
            canvas = canvas_of_version(self._store, job, version)
            self._remember(canvas)
        if not canvas.pyramid.has_tile(level, column, row):
            raise Problem(HTTPStatus.NOT_FOUND, f"there is no tile {level}/{column}_{row}")
        return encode_tile(canvas.tile(level, column, row))

    def _remember(self, canvas: CommittedCanvas) -> None:
        with self._lock:
            self._canvases[canvas.job, canvas.version] = canvas
            self._newest[canvas.job] = max(canvas.version, self._newest.get(canvas.job, ""))
            while len(self._canvases) > _MOST_CANVASES:
                (job, version), _ = self._canvases.popitem(last=False)
                if self._newest.get(job) == version:
                    del self._newest[job]

    def _deepzoom(self, job: str) -> CanvasView | None:
        """The DeepZoom that a finished job has among its outputs."""
        loaded = load_job(self._store, job)
        found = next((one for one in job_outputs(loaded) if one.format == "deepzoom"), None)
        if found is None:
            return None
        match = _DZI.search(self._store.get(found.key(JobKeys(job))))
        if match is None:
            return None
        version = f"outputs-{_lease_of(found):06}"
        octaves = loaded.status.octaves if loaded.status else 1
        return CanvasView(
            job=job,
            version=version,
            octave=octaves,
            octaves=octaves,
            step=loaded.status.steps if loaded.status else 0,
            steps=loaded.status.steps if loaded.status else 0,
            final=True,
            width=found.width,
            height=found.height,
            canvas_width=found.width,
            canvas_height=found.height,
            tile=int(match["tile"]),
            overlap=int(match["overlap"]),
            min_level=0,
            max_level=Pyramid(found.height, found.width).max_level,
            tiles=f"{job_url(job)}/tiles/{version}/{{level}}/{{column}}_{{row}}.jpg",
        )

    def _deepzoom_tile(self, job: str, lease: int, place: str) -> bytes:
        keys = JobKeys(job)
        outputs = job_outputs(load_job(self._store, job))
        for one in outputs:
            if one.format == "deepzoom" and _lease_of(one) == lease:
                folder = f"{one.name.removesuffix('.dzi')}_files"
                return self._read_picture(f"{keys.outputs(lease)}{folder}/{place}.jpg")
        raise ObjectNotFound(keys.outputs(lease))


def _lease_of(output: JobOutput) -> int:
    return int(output.path.split("/")[1])
