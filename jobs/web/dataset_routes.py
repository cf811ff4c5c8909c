"""Routes of datasets: the ledger, and each item's picture before and after."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query

from jobs.records.status import FailureClass
from jobs.web.farm import JobId, TheFarm
from jobs.web.guard import API
from jobs.web.items import LedgerPage, RowFilter, RowState, When
from jobs.web.picture_routes import JpegResponse

router = APIRouter(prefix=f"{API}/jobs/{{job}}", tags=["datasets"])

_Number = Annotated[int, Path(ge=0, le=10**9)]

_Text = Annotated[str, Query(max_length=200)]


@router.get("/ledger")
def show_ledger(
    job: JobId,
    farm: TheFarm,
    state: RowState | None = None,
    failure: FailureClass | None = None,
    text: _Text = "",
    after: Annotated[int | None, Query(ge=-1, le=10**9)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> LedgerPage:
    """Show rows of the ledger of a dataset. A page may be short, and yet have a next one."""
    return farm.items.page(job, RowFilter(state, failure, text), after, limit)


@router.get("/items/{number}/{when}.jpg", response_class=JpegResponse)
async def show_item(
    job: JobId,
    number: _Number,
    when: When,
    farm: TheFarm,
    side: Annotated[int, Query(ge=16, le=1024)] = 256,
    v: Annotated[str, Query(max_length=20, description="Changes with the picture.")] = "",
) -> JpegResponse:
    """Show a small picture of an item, from before or after."""
    content = await asyncio.wrap_future(farm.items.picture(job, number, when, side, v))
    return JpegResponse(content, headers={"Cache-Control": "private, max-age=300"})
