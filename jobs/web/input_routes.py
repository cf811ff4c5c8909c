"""The route of what a poster was made from, for the comparison of before and after."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from jobs.records.job import load_job
from jobs.records.keys import blob_key
from jobs.store.errors import ObjectNotFound
from jobs.store.store import MAX_READ_BYTES, Store
from jobs.web.farm import JobId, TheFarm
from jobs.web.guard import API
from jobs.web.items import shrink_picture
from jobs.web.picture_routes import JpegResponse
from jobs.web.problems import Problem

router = APIRouter(prefix=f"{API}/jobs/{{job}}", tags=["pictures"])

# The input of a job never changes.
_KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}


@router.get("/input.jpg", response_class=JpegResponse)
async def show_input(
    job: JobId, farm: TheFarm, side: Annotated[int, Query(ge=16, le=1024)] = 1024
) -> JpegResponse:
    """Show a small picture of a poster's input. Noise and plain colours have none."""
    key = "input", job, side
    made = farm.pictures.cached(key, lambda: _small_input(farm.store, job, side))
    return JpegResponse(await asyncio.wrap_future(made), headers=_KEPT)


def _small_input(store: Store, job: str, side: int) -> bytes:
    """Raises Problem, JobNotFound, InvalidRecord and StoreError."""
    digest = load_job(store, job).spec.blobs.input
    content = None if digest is None else _read(store, blob_key(digest))
    small = None if content is None else shrink_picture(content, side)
    if small is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"{job}: has no input that can be shown")
    return small


def _read(store: Store, key: str) -> bytes | None:
    """The content of a file; None if it is gone or too large to be read as a whole."""
    sizes = [entry.size for entry in store.list_objects(key) if entry.key == key]
    if not sizes or sizes[0] > MAX_READ_BYTES:
        return None
    try:
        return store.get(key)
    except ObjectNotFound:
        return None
