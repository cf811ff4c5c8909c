"""Routes of pictures: the canvas at any zoom, previews, and results to download."""

import asyncio
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Header, Path
from starlette.responses import Response

from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from jobs.records.manifest import JobOutput, job_outputs
from jobs.store.store import Store
from jobs.web.canvas import CanvasView
from jobs.web.farm import JobId, TheFarm
from jobs.web.guard import API
from jobs.web.problems import Problem
from render.pictures.deepzoom import has_tiles

router = APIRouter(prefix=f"{API}/jobs/{{job}}", tags=["pictures"])

_JPEG = "image/jpeg"

_FOR_EVER = "private, max-age=31536000, immutable"

_SHORTLY = "private, max-age=10"

_Version = Annotated[str, Path(pattern=r"^(\d{6}-\d{4,6}|outputs-\d{6})$")]

_Level = Annotated[int, Path(ge=0, le=24)]

_Place = Annotated[str, Path(pattern=r"^\d{1,6}_\d{1,6}$", description="COLUMN_ROW")]

_Octave = Annotated[int, Path(ge=1, le=64)]

_Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$")]


class JpegResponse(Response):
    """A JPEG."""

    media_type = _JPEG


@router.get("/canvas")
def show_canvas(job: JobId, farm: TheFarm) -> CanvasView:
    """Show the newest committed canvas: where its tiles are."""
    found = farm.pictures.canvas(job)
    if found is None:
        farm.job(job)
        raise Problem(HTTPStatus.NOT_FOUND, f"{job}: has no picture to zoom into (yet)")
    return found


@router.get("/tiles/{version}/{level}/{place}.jpg", response_class=JpegResponse)
async def show_tile(
    job: JobId, version: _Version, level: _Level, place: _Place, farm: TheFarm
) -> JpegResponse:
    """Show a tile of a canvas."""
    column, row = map(int, place.split("_"))
    content = await asyncio.wrap_future(farm.pictures.tile(job, version, level, column, row))
    return JpegResponse(content, headers={"Cache-Control": _FOR_EVER})


@router.get("/preview.jpg", response_class=JpegResponse)
def show_preview(job: JobId, farm: TheFarm) -> JpegResponse:
    """Show the newest preview of a job; of a dataset, its contact sheet."""
    return JpegResponse(farm.pictures.preview(job, None), headers={"Cache-Control": _SHORTLY})


@router.get("/previews/{octave}.jpg", response_class=JpegResponse)
def show_octave(job: JobId, octave: _Octave, farm: TheFarm) -> JpegResponse:
    """Show the preview of a finished octave."""
    return JpegResponse(farm.pictures.preview(job, octave), headers={"Cache-Control": _SHORTLY})


@router.get("/outputs/{name}", response_class=Response)
def download(
    job: JobId,
    name: _Name,
    farm: TheFarm,
    asked: Annotated[str | None, Header(alias="range", max_length=100)] = None,
    inline: bool = False,
) -> Response:
    """Download a result, or a range of it; a folder of tiles as one zip."""
    keys, outputs = JobKeys(job), job_outputs(load_job(farm.store, job))
    for one in outputs:
        path = PurePosixPath(one.name)
        if has_tiles(path) and name == f"{path.stem}.zip":
            return farm.downloads.zip(name, _tile_files(farm.store, keys, one))
        if one.name == name and not has_tiles(path):
            key = one.key(keys)
            for info in farm.store.list_objects(key):
                if info.key == key:
                    tag = one.sha256.removeprefix("sha256:")
                    return farm.downloads.file(info, one.format, tag, asked, is_shown=inline)
    raise Problem(HTTPStatus.NOT_FOUND, f"{job}: has no result {name}")


def _tile_files(store: Store, keys: JobKeys, output: JobOutput) -> list[tuple[str, str]]:
    """The names and keys of the files of a DeepZoom or an IIIF, the one beside the tiles first."""
    key = output.key(keys)
    folder = PurePosixPath(key)
    prefix = f"{folder.parent}/"
    tiles = store.list_objects(f"{prefix}{folder.stem}_files/")
    return [(one.removeprefix(prefix), one) for one in (key, *(tile.key for tile in tiles))]
